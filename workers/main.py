"""Starts worker and beat processes; returns when they end."""

from __future__ import annotations

import os
from collections.abc import Sequence

from workers.broker import QUEUES, TICKS


def run_worker(*, queues: Sequence[str] = QUEUES, concurrency: int = 2, log_level: str = "INFO") -> None:
    """Works off `queues` with `concurrency` processes until told to stop (SIGTERM: finish for 10 s, then leave the rest to others).

    Who works off `default` works off the ticks of schedules too.
    """
    # Celery's SIGTERM waits for running tasks without end; its SIGQUIT waits `worker_soft_shutdown_timeout` and then stops them,
    # and whoever runs next takes up the jobs that were cut short.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    from workers.app import celery_app

    queues = (*queues, TICKS) if "default" in queues else tuple(queues)
    celery_app.worker_main(
        [
            "worker",
            f"--queues={','.join(queues)}",
            f"--concurrency={concurrency}",
            f"--loglevel={log_level}",
            f"--hostname=querent-{os.getpid()}@%h",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


def run_beat(*, log_level: str = "INFO") -> None:
    """Sends the scheduled ticks until told to stop. Two beats do no harm."""
    from core.settings import settings
    from workers.app import celery_app

    home = settings().home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    celery_app.Beat(loglevel=log_level, schedule=str(home / "beat-schedule"), quiet=True).run()
