"""Runs one job from claim to end, in whatever process this is."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from opentelemetry.trace import SpanKind
from sqlalchemy.engine import Connection

from core.disk import no_room
from core.errors import AppError, Cancelled, Forbidden, Unavailable, UserError
from core.ids import JobId, TenantId
from core.store import audit, job_leases, job_turns
from core.store.audit import Happening
from core.store.columns import dump_json
from core.store.job_leases import Lease
from core.store.jobs import Job, JobStatus
from core.tracing import continued, span
from workers.bootstrap import Services
from workers.context import BelongsElsewhere, GivesWay, JobContext, LeaseLost
from workers.heartbeat import LEASE, Ending, Heartbeat
from workers.holder import holder_name
from workers.kinds import KINDS
from workers.principals import load_principal
from workers.queue import dispatch

log = logging.getLogger(__name__)
runs = structlog.get_logger("querent.jobs")

JobFunction = Callable[[JobContext], Mapping[str, Any]]
GIVE_UP_WAITING_AFTER = timedelta(hours=24)
_WRITE_PAUSES_S = (1.0, 3.0, 6.0)  # within the lease of 30 s
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0


def run_job(
    services: Services,
    functions: Mapping[str, JobFunction],
    tenant: TenantId,
    job_id: JobId,
    *,
    ending: Ending | None = None,
    queue: str = "",
) -> JobStatus | None:
    """Runs the job if it is due and free; queue: whose worker runs it. Its status afterwards, None when there was nothing to claim or the lease was lost.

    The outcome is written to the job row: DONE with the result, FAILED with {code, message}, CANCELLED, or PENDING again with a later
    `not_before` when something it needs is away. Nothing is raised for a job's own errors.
    """
    lease = Lease(job_id, tenant, holder_name())
    with services.store.write() as connection:
        job = job_leases.claim(connection, lease, now=services.clock.now(), lease_for=LEASE)
    return None if job is None else _run(services, functions, job, lease, ending, queue)


def run_next(services: Services, functions: Mapping[str, JobFunction], queue: str, ending: Ending | None = None) -> JobStatus | None:
    """Runs the job of `queue` whose turn it is, if one is due, as `run_job` does."""
    owner, at_once = holder_name(), services.settings.jobs_at_once
    with services.store.write() as connection:
        job = job_turns.claim_next(connection, queue, owner, at_once=at_once, now=services.clock.now(), lease_for=LEASE)
    if job is None:
        return None
    status = _run(services, functions, job, Lease(job.id, job.tenant, owner), ending, queue)
    if at_once:
        _pass_on(services, job.tenant, queue)
    return status


def _pass_on(services: Services, tenant: TenantId, queue: str) -> None:
    """A company at its bound has jobs whose messages came too early; the end of one lets the next start."""
    with services.store.read() as connection:
        following = job_turns.first_waiting(connection, tenant, queue, now=services.clock.now())
    if following is not None:
        dispatch(services, tenant, following, queue)


def _run(
    services: Services, functions: Mapping[str, JobFunction], job: Job, lease: Lease, ending: Ending | None, queue: str
) -> JobStatus | None:
    """To its end, with one line in the log; what is logged meanwhile, such as queries, has the job's id."""
    began_s = time.monotonic()
    with structlog.contextvars.bound_contextvars(job_id=job.id):
        status = _run_held(services, functions, job, lease, ending, queue)
        runs.info(
            "job", tenant=job.tenant, kind=job.kind, queue=queue or job.queue, attempt=job.attempts,
            status="lease_lost" if status is None else status.value, ms=round((time.monotonic() - began_s) * 1000, 1),
        )  # fmt: skip
    return status


def _run_held(
    services: Services, functions: Mapping[str, JobFunction], job: Job, lease: Lease, ending: Ending | None, queue: str
) -> JobStatus | None:
    limit_s = KINDS[job.kind].soft_limit_s if job.kind in KINDS else math.inf

    def too_long() -> object:
        return _written(services, lambda connection: job_leases.fail(connection, lease, described(_timed_out()), now=services.clock.now()))

    with Heartbeat(services.store, lease, services.clock, ending=ending, limit_s=limit_s, too_long=too_long) as heartbeat:
        try:
            with (
                continued({"traceparent": job.trace} if job.trace else {}),
                span(
                    f"job {job.kind}",
                    SpanKind.CONSUMER,
                    **{"querent.job": job.id, "querent.tenant": job.tenant, "querent.attempt": str(job.attempts)},
                ),
            ):
                result = _call(services, functions, job, lease, heartbeat, queue)
        except Exception as error:  # every way to end is written down; a bare crash would look like a lost worker
            return _settle(services, job, lease, _seen(error, heartbeat))
    held = _written(services, lambda connection: _finish(services, connection, job, lease, result))
    return JobStatus.DONE if held else None


def _finish(services: Services, connection: Connection, job: Job, lease: Lease, result: Mapping[str, Any]) -> bool:
    """The result and its audit entry, kept or lost together."""
    now = services.clock.now()
    held = job_leases.finish(connection, lease, result, now=now)
    if held:
        audit.append(connection, job.tenant, Happening(job.user, f"job.{job.kind}", job.id, "ok", {"queue": job.queue}), now=now)
    return held


def _call(
    services: Services, functions: Mapping[str, JobFunction], job: Job, lease: Lease, heartbeat: Heartbeat, queue: str
) -> Mapping[str, Any]:
    principal = load_principal(services.store, job.tenant, job.user)
    if job.kind not in functions or job.kind not in KINDS:
        raise Forbidden(f"This worker has no job kind {job.kind!r}; it may be older than the service.", code="unknown_job_kind")
    result = functions[job.kind](JobContext(job, principal, services, lease, heartbeat, KINDS[job.kind].steps, queue))
    dump_json(result)  # a result that cannot be stored is the job's defect, to be written down as such
    return result


def _written(services: Services, write: Callable[[Connection], bool]) -> bool:
    """What `write` says, tried again while the state store is away for a moment: the work is done and should not be lost.

    Raises: Unavailable after the last try; the lease then ends and the job runs again.
    """
    for pause_s in _WRITE_PAUSES_S:
        try:
            with services.store.write() as connection:
                return write(connection)
        except Unavailable:
            time.sleep(pause_s)
    with services.store.write() as connection:
        return write(connection)


def _seen(error: Exception, heartbeat: Heartbeat) -> Exception:
    """An interruption is a cancel when one was asked for, else the time limit. A full disk is waited for."""
    if isinstance(error, SoftTimeLimitExceeded):
        if heartbeat.lost.is_set():
            return LeaseLost("the lease on the job was lost")
        if heartbeat.cancelled.is_set():
            return Cancelled("The job was cancelled by its user.")
        return _timed_out()
    return no_room(error) or error


def _timed_out() -> UserError:
    return UserError("The job took longer than its time limit; narrow it down and try again.", code="job_timeout", status=504)


def _settle(services: Services, job: Job, lease: Lease, error: Exception) -> JobStatus | None:
    now = services.clock.now()
    if isinstance(error, LeaseLost):
        log.warning("job %s: %s", job.id, error)
        return None
    if isinstance(error, BelongsElsewhere | GivesWay):
        return _send_on(services, job, lease, error)
    waits = isinstance(error, AppError) and error.retryable and now - job.created_at < GIVE_UP_WAITING_AFTER
    if isinstance(error, Cancelled):
        status = JobStatus.CANCELLED
        held = _written(services, lambda connection: job_leases.end_cancelled(connection, lease, now=now))
    elif waits:
        status, later = JobStatus.PENDING, now + timedelta(seconds=_wait_s(job.attempts - job.losses))
        reason = described(error)
        held = _written(services, lambda connection: job_leases.put_back(connection, lease, not_before=later, reason=reason, now=now))
    else:
        status = JobStatus.FAILED
        held = _written(services, lambda connection: job_leases.fail(connection, lease, described(error), now=now))
    if status is JobStatus.FAILED and not isinstance(error, UserError):
        log.error("job %s (%s) failed", job.id, job.kind, exc_info=error)
    return status if held else None


def _send_on(services: Services, job: Job, lease: Lease, why: BelongsElsewhere | GivesWay) -> JobStatus | None:
    """Goes on in another queue, or in its own after those who wait there."""
    now, queue = services.clock.now(), why.queue
    reason = {"code": why.code, "message": why.told, "retryable": True}
    held = _written(
        services,
        lambda connection: job_leases.put_back(connection, lease, not_before=now, reason=reason, now=now, queue=queue, counts=False),
    )
    if held:
        dispatch(services, job.tenant, job.id, queue)
    return JobStatus.PENDING if held else None


def described(error: Exception) -> dict[str, Any]:
    """What the job's user may see of an error; a defect of ours is named only by its code."""
    if isinstance(error, UserError):
        return {"code": error.code, "message": error.message, "retryable": error.retryable, "suggestions": list(error.suggestions)}
    if isinstance(error, AppError) and error.retryable:
        return {"code": error.code, "message": error.message, "retryable": True}
    return {"code": "internal_error", "message": "The job failed because of a defect in Querent; it was logged.", "retryable": False}


def _wait_s(attempts: int) -> float:
    """2, 4, 8 ... at most 60 seconds, with up to a fifth of jitter."""
    doublings = min(max(attempts, 1) - 1, 10)
    return min(FIRST_WAIT_S * 2.0**doublings, LONGEST_WAIT_S) * random.uniform(1.0, 1.2)
