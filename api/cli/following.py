"""Waits for a job with a progress bar."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.output import err
from api.services import Services
from core.errors import InternalError, UserError
from core.formats import USUAL, writing
from core.ids import JobId
from core.principal import Principal
from core.store import jobs
from core.store.jobs import Job, JobStatus
from workers.jobs import FUNCTIONS
from workers.queue import cancel, enqueue
from workers.run import run_job

POLL_S = 0.2
NO_WORKER_AFTER_S = 4.0


def start_and_follow(
    services: Services, principal: Principal, kind: str, params: Mapping[str, Any], *, quiet: bool = False
) -> dict[str, Any]:
    """Accepts a job and waits for it, running it here when no worker takes it soon. Raises: as `follow`, and Invalid for bad parameters."""
    return follow(services, principal, enqueue(services.core, kind, params, principal), quiet=quiet)


def follow(services: Services, principal: Principal, job_id: str, *, quiet: bool = False) -> dict[str, Any]:
    """The job's result. Ctrl-C cancels the job. Raises: UserError with the job's own code when it failed or was cancelled."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=err,
        disable=quiet,
    )
    try:
        with bar:
            task = bar.add_task("waiting for a worker", total=1.0)
            started_s = time.monotonic()
            while True:
                job = _load(services, principal, job_id)
                if job.status is JobStatus.PENDING and time.monotonic() - started_s > NO_WORKER_AFTER_S:
                    bar.update(task, description="no worker is free: running it here")
                    with writing(USUAL):  # what is kept is nobody's
                        run_job(services.core, FUNCTIONS, principal.tenant, job.id, queue=job.queue)
                    continue
                bar.update(task, description=job.step, completed=job.progress)
                if job.status.is_final:
                    break
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        cancel(services.core, principal.tenant, JobId(job_id))
        raise
    if job.status is JobStatus.DONE:
        return dict(job.result or {})
    error = dict(job.error or {})
    message = str(error.get("message", f"The job ended as {job.status.value}."))
    if job.status is JobStatus.CANCELLED or error.get("code") != "internal_error":
        raise UserError(message, code=str(error.get("code", job.status.value.lower())))
    raise InternalError(message)


def _load(services: Services, principal: Principal, job_id: str) -> Job:
    with services.store.read() as connection:
        return jobs.get(connection, principal.tenant, JobId(job_id))
