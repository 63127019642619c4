"""The Celery app of worker and beat processes: `celery -A workers.app`. The API does not import this; it sends through workers.queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import lru_cache
from typing import Any

from celery.signals import beat_init, worker_init, worker_process_init, worker_ready, worker_shutting_down

from core.errors import AppError
from core.ids import JobId, TenantId
from core.settings import settings
from core.tracing import start_tracing
from workers.alerts.deliver import deliver_due
from workers.alerts.tick import start_due_rules
from workers.bootstrap import Services, build_services
from workers.broker import DAILY_TASK, DELIVER_TASK, DIGESTS_TASK, REAP_TASK, RULES_TASK, RUN_TASK, SOURCES_TASK, make_app, spool_folder
from workers.digests.tick import start_due_digests
from workers.heartbeat import Ending
from workers.jobs import FUNCTIONS
from workers.queue import dispatch
from workers.reaper import reap
from workers.run import run_next
from workers.schedule import start_daily
from workers.sources.tick import start_due_sources
from workers.spool import sweep

REAP_TICK_S = 2.0
LEFTOVER_AGE_S = 60.0

celery_app = make_app(settings())
_stopping = threading.Event()


@lru_cache(maxsize=1)
def _services() -> Services:
    return build_services()


@celery_app.task(name=RUN_TASK, bind=True)  # type: ignore[untyped-decorator]
def run(task: Any, tenant: str, job_id: str) -> None:
    """Runs one job of the message's queue: the one whose turn it is, which need not be the one that the message was sent for."""
    queue = str((task.request.delivery_info or {}).get("routing_key") or "")
    if (task.request.timelimit or (None, None))[1]:
        # Sent by an older release with the limit of its own job's kind, which would end another kind's too early.
        dispatch(_services(), TenantId(tenant), JobId(job_id), queue)
        return
    run_next(_services(), FUNCTIONS, queue, Ending(interrupt=_interrupt, kill=_end_process))


@celery_app.task(name=REAP_TASK)  # type: ignore[untyped-decorator]
def reap_lost() -> None:
    reap(_services())


@celery_app.task(name=DAILY_TASK)  # type: ignore[untyped-decorator]
def daily() -> None:
    start_daily(_services())


@celery_app.task(name=RULES_TASK)  # type: ignore[untyped-decorator]
def alert_rules() -> None:
    start_due_rules(_services())


@celery_app.task(name=DELIVER_TASK)  # type: ignore[untyped-decorator]
def deliver() -> None:
    deliver_due(_services())


@celery_app.task(name=DIGESTS_TASK)  # type: ignore[untyped-decorator]
def due_digests() -> None:
    start_due_digests(_services())


@celery_app.task(name=SOURCES_TASK)  # type: ignore[untyped-decorator]
def due_sources() -> None:
    start_due_sources(_services())


def _interrupt() -> None:
    """Raises SoftTimeLimitExceeded in this pool process's main thread, which runs the job."""
    os.kill(os.getpid(), signal.SIGUSR1)


def _end_process() -> None:
    """The parent starts another in its place."""
    os.kill(os.getpid(), signal.SIGKILL)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _forget_parent(**_: Any) -> None:
    """A forked pool process must not share the parent's connections; what sends its traces runs in a thread of its own."""
    _services.cache_clear()
    start_tracing(settings(), "worker")


@worker_init.connect  # type: ignore[untyped-decorator]
@beat_init.connect  # type: ignore[untyped-decorator]
def _prepare(**_: Any) -> None:
    _services().migrate()
    sweep(spool_folder(settings()) / "messages", older_than_s=LEFTOVER_AGE_S, now_s=time.time())


@worker_ready.connect  # type: ignore[untyped-decorator]
def _start_reaping(**_: Any) -> None:
    """Each worker reaps for itself, so that nothing waits for a beat process."""
    threading.Thread(target=_reap_until_stopped, name="reaper", daemon=True).start()
    threading.Thread(target=_warm, name="warm", daemon=True).start()


def _warm() -> None:
    """Builds the machine code of detection beside the work, so that the first job of a fresh installation does not wait 15 to 30 s for it."""
    subprocess.run([sys.executable, "-m", "anomaly.warm"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=300)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop_reaping(**_: Any) -> None:
    _stopping.set()


def _reap_until_stopped() -> None:
    services = build_services()
    after_restart = True
    while not _stopping.is_set():
        try:
            reap(services, after_restart=after_restart)
            after_restart = False
        except AppError:
            pass  # the state store is away; the next tick asks again
        _stopping.wait(REAP_TICK_S)
    services.close()
