"""`querent worker` and `querent beat`."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.logs import log_as_a_service
from api.cli.output import speaking
from core.settings import settings
from workers.main import run_beat, run_worker


def worker(
    queues: Annotated[str, typer.Option(help="Queues to work off, comma-separated; all by default.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
) -> None:
    """A worker: runs forecasts, detections, loads and the rest."""
    log_as_a_service()
    with speaking():
        chosen = {"queues": tuple(queues.split(","))} if queues else {}
        run_worker(concurrency=concurrency, log_level=settings().log_level, **chosen)


def beat() -> None:
    """The clock that sends scheduled work."""
    log_as_a_service()
    with speaking():
        run_beat(log_level=settings().log_level)
