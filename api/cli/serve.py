"""`querent serve`."""

from __future__ import annotations

import gc
from typing import Annotated

import typer
import uvicorn

from api.cli.logs import log_as_a_service
from api.cli.output import speaking
from core.tracing import start_tracing


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
) -> None:
    """The API and the pages."""
    configuration = log_as_a_service()
    with speaking():
        start_tracing(configuration, "api")
        # A question makes some ten thousand objects that are soon gone; with Python's usual 700 they are looked through again and again (3 % of its processor time).
        gc.set_threshold(50_000, 50, 50)
        uvicorn.run(
            "api.app:create_app", factory=True, host=host or configuration.api_host, port=configuration.api_port if port is None else port,
            log_config=None, access_log=False, timeout_graceful_shutdown=10, server_header=False, date_header=True,
        )  # fmt: skip
