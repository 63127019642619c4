"""The worker's side of jobs: one holder at a time, known by its lease; whatever is lost comes back to PENDING.

Every change by a holder names the lease's owner, so that a worker that lost its lease can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection

from core.ids import JobId, TenantId
from core.store import job_events, scope
from core.store.jobs import Job, JobStatus, from_row, get
from core.store.tables import jobs


@dataclass(frozen=True, slots=True)
class Lease:
    job: JobId
    tenant: TenantId
    owner: str


def claim(connection: Connection, lease: Lease, *, now: datetime, lease_for: timedelta) -> Job | None:
    """The job, now RUNNING under this lease; None when it is not due, taken, finished or unknown. One of several claimants wins."""
    values = {
        "status": JobStatus.RUNNING,
        "lease_owner": lease.owner,
        "lease_until": now + lease_for,
        "attempts": jobs.c.attempts + 1,
        "updated_at": now,
        "error": None,
    }
    due = (jobs.c.id == lease.job, jobs.c.status == JobStatus.PENDING, jobs.c.not_before <= now)
    if scope.change(connection, jobs, lease.tenant, values, *due) == 0:
        return None
    scope.change(connection, jobs, lease.tenant, {"started_at": now}, jobs.c.id == lease.job, jobs.c.started_at.is_(None))
    job = get(connection, lease.tenant, lease.job)
    job_events.append(
        connection, lease.tenant, lease.job, "status", {"status": JobStatus.RUNNING, "step": "started", "attempt": job.attempts}, now=now
    )
    return job


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat learns: whether the lease still holds, and whether the user wants the job stopped."""

    holds: bool
    cancel_requested: bool


def heartbeat(connection: Connection, lease: Lease, *, now: datetime, lease_for: timedelta) -> Beat:
    if _change(connection, lease, {"lease_until": now + lease_for}) == 0:
        return Beat(holds=False, cancel_requested=False)
    return Beat(holds=True, cancel_requested=get(connection, lease.tenant, lease.job).cancel_requested)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job is: a named step, and how much of the whole is done (0-1); `done` of `total` within the step."""

    step: str
    progress: float
    done: float
    total: float


def report(connection: Connection, lease: Lease, progress: Progress, *, now: datetime) -> bool:
    """Whether the lease still held."""
    share = min(max(progress.progress, 0.0), 1.0)
    if _change(connection, lease, {"step": progress.step[:200], "progress": share, "updated_at": now}) == 0:
        return False
    data = {"step": progress.step[:200], "progress": round(share, 4), "done": progress.done, "total": progress.total}
    job_events.append(connection, lease.tenant, lease.job, "progress", data, now=now)
    return True


def save_checkpoint(connection: Connection, lease: Lease, checkpoint: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether the lease still held."""
    return _change(connection, lease, {"checkpoint": dict(checkpoint), "updated_at": now}) > 0


def finish(connection: Connection, lease: Lease, result: Mapping[str, Any], *, now: datetime) -> bool:
    """DONE with its result. False, and no change, when the lease was lost."""
    return _end(connection, lease, JobStatus.DONE, {"result": dict(result), "progress": 1.0, "step": "done"}, now=now)


def fail(connection: Connection, lease: Lease, error: Mapping[str, Any], *, now: datetime) -> bool:
    """FAILED with {code, message, ...}. False, and no change, when the lease was lost."""
    return _end(connection, lease, JobStatus.FAILED, {"error": dict(error), "step": "failed"}, now=now)


def end_cancelled(connection: Connection, lease: Lease, *, now: datetime) -> bool:
    return _end(connection, lease, JobStatus.CANCELLED, {"step": "cancelled"}, now=now)


def put_back(
    connection: Connection,
    lease: Lease,
    *,
    not_before: datetime,
    reason: Mapping[str, Any],
    now: datetime,
    queue: str | None = None,
    counts: bool = True,
) -> bool:
    """PENDING again, not before the given time, because something that the job needs is away; `queue`: where it belongs from now on.

    counts: whether it was an attempt; a job that goes on where it stopped has made none.
    False when the lease was lost.
    """
    values: dict[str, Any] = {
        "status": JobStatus.PENDING,
        "lease_owner": None,
        "lease_until": None,
        "not_before": not_before,
        "sent_at": None,
        "sends": 0,
        "step": "waiting to try again",
        "error": dict(reason),
        "updated_at": now,
    } | ({} if queue is None else {"queue": queue})
    if not counts:
        values["attempts"] = jobs.c.attempts - 1
    if _change(connection, lease, values) == 0:
        return False
    data = {"status": JobStatus.PENDING, "step": "waiting to try again", "reason": dict(reason), "not_before": not_before.isoformat()}
    job_events.append(connection, lease.tenant, lease.job, "status", data, now=now)
    return True


def running(connection: Connection) -> tuple[Job, ...]:
    """Every RUNNING job of every tenant, for the reaper."""
    statement = select(jobs).where(jobs.c.status == JobStatus.RUNNING).limit(10_000)
    return tuple(map(from_row, connection.execute(statement).mappings()))


def reclaim(connection: Connection, lost: Job, *, max_losses: int, now: datetime) -> JobStatus | None:
    """A job whose holder vanished: PENDING again, CANCELLED when that was asked for, or FAILED after `max_losses` such losses.

    None when somebody else was faster.
    """
    lease = Lease(lost.id, lost.tenant, lost.lease_owner or "")
    values: dict[str, Any] = {"losses": lost.losses + 1, "lease_owner": None, "lease_until": None, "updated_at": now}
    if lost.cancel_requested:
        values |= {"status": JobStatus.CANCELLED, "step": "cancelled", "finished_at": now}
    elif lost.losses + 1 >= max_losses:
        message = f"The job's worker stopped {lost.losses + 1} times while running it; it may need more memory or smaller parameters."
        error = {"code": "worker_lost", "message": message, "retryable": False}
        values |= {"status": JobStatus.FAILED, "step": "failed", "finished_at": now, "error": error}
    else:
        values |= {"status": JobStatus.PENDING, "step": "waiting to start again", "not_before": now, "sent_at": None, "sends": 0}
    if _change(connection, lease, values, jobs.c.lease_until == lost.lease_until) == 0:
        return None
    data = {"status": values["status"], "step": values["step"], "reason": {"code": "worker_lost", "message": "The worker stopped."}}
    job_events.append(connection, lost.tenant, lost.id, "status", data, now=now)
    return JobStatus(values["status"])


@dataclass(frozen=True, slots=True)
class Unsent:
    """A due job without a message, or with one that may be lost. sent_at: when its last one went out."""

    job: JobId
    tenant: TenantId
    queue: str
    sent_at: datetime | None


def unsent(connection: Connection, *, now: datetime, overdue_after: timedelta, limit: int = 500) -> tuple[Unsent, ...]:
    """Due PENDING jobs never sent, and those sent so long ago; of either the oldest `limit` of each queue, lest a long line hides the others."""
    never = jobs.c.sent_at.is_(None)
    place = func.row_number().over(partition_by=(jobs.c.queue, never), order_by=(jobs.c.not_before, jobs.c.id))
    due = (
        select(jobs.c.id, jobs.c.tenant_id, jobs.c.queue, jobs.c.sent_at, jobs.c.not_before, place.label("place"))
        .where(jobs.c.status == JobStatus.PENDING, jobs.c.not_before <= now, or_(never, jobs.c.sent_at <= now - overdue_after))
        .subquery()
    )
    statement = (
        select(due.c.id, due.c.tenant_id, due.c.queue, due.c.sent_at)
        .where(due.c.place <= limit)
        .order_by(due.c.sent_at.is_not(None), due.c.not_before, due.c.id)
    )
    return tuple(Unsent(*row) for row in connection.execute(statement))


def take_sending(connection: Connection, unsent: Unsent, *, now: datetime) -> bool:
    """Whether it is ours to send; one of several who would send it again wins."""
    seen = jobs.c.sent_at.is_(None) if unsent.sent_at is None else jobs.c.sent_at == unsent.sent_at
    values = {"sent_at": now, "sends": jobs.c.sends + 1}
    return scope.change(connection, jobs, unsent.tenant, values, jobs.c.id == unsent.job, jobs.c.status == JobStatus.PENDING, seen) > 0


def mark_sent(connection: Connection, tenant: TenantId, job: JobId, *, now: datetime) -> None:
    values = {"sent_at": now, "sends": jobs.c.sends + 1}
    scope.change(connection, jobs, tenant, values, jobs.c.id == job, jobs.c.status == JobStatus.PENDING)


def mark_unsent(connection: Connection, tenant: TenantId, job: JobId) -> None:
    scope.change(connection, jobs, tenant, {"sent_at": None}, jobs.c.id == job, jobs.c.status == JobStatus.PENDING)


def _end(connection: Connection, lease: Lease, status: JobStatus, values: Mapping[str, Any], *, now: datetime) -> bool:
    final = {"status": status, "lease_owner": None, "lease_until": None, "updated_at": now, "finished_at": now, **values}
    if _change(connection, lease, final) == 0:
        return False
    data = {"status": status, "step": values["step"]} | ({"error": values["error"]} if "error" in values else {})
    job_events.append(connection, lease.tenant, lease.job, "status", data, now=now)
    return True


def _change(connection: Connection, lease: Lease, values: Mapping[str, Any], *more: Any) -> int:
    held = (jobs.c.id == lease.job, jobs.c.status == JobStatus.RUNNING, jobs.c.lease_owner == lease.owner, *more)
    return scope.change(connection, jobs, lease.tenant, values, *held)
