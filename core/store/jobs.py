"""Jobs as their users see them: accepted, read, listed, cancelled, followed. The worker's side is in job_leases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict
from core.ids import JobId, TenantId, UserId, new_id
from core.store import job_events, scope
from core.store.tables import jobs


class JobStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `progress` 0-1; `attempts` counts starts; `losses` counts workers that vanished while running it;
    `not_before` is when it may start next; `checkpoint` is what a restarted run goes on from."""

    id: JobId
    tenant: TenantId
    user: UserId
    kind: str
    queue: str
    params: Mapping[str, Any]
    status: JobStatus
    progress: float
    step: str
    attempts: int
    losses: int
    checkpoint: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    idempotency_key: str | None
    cancel_requested: bool
    lease_owner: str | None
    lease_until: datetime | None
    not_before: datetime
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """trace: the `traceparent` of what asked for it."""

    kind: str
    queue: str
    params: Mapping[str, Any]
    idempotency_key: str | None = None
    trace: str | None = None


def create(connection: Connection, tenant: TenantId, user: UserId, new: NewJob, *, now: datetime) -> Job:
    """A PENDING job. With an idempotency key that the user sent before, the job it made then.

    Raises: Conflict when that key came with another kind or other parameters.
    """
    if new.idempotency_key is not None:
        known = _by_key(connection, tenant, user, new)
        if known is not None:
            return known
    key = JobId(new_id("job"))
    values = {
        "id": key,
        "user_id": user,
        "kind": new.kind,
        "queue": new.queue,
        "params": dict(new.params),
        "status": JobStatus.PENDING,
        "progress": 0.0,
        "step": "waiting to start",
        "attempts": 0,
        "losses": 0,
        "checkpoint": {},
        "idempotency_key": new.idempotency_key,
        "cancel_requested": False,
        "not_before": now,
        "sends": 0,
        "last_event": 0,
        "created_at": now,
        "updated_at": now,
        "trace": new.trace,
    }
    try:
        with connection.begin_nested():
            scope.add(connection, jobs, tenant, values)
    except IntegrityError:
        known = _by_key(connection, tenant, user, new) if new.idempotency_key is not None else None
        if known is None:
            raise
        return known
    job = get(connection, tenant, key)
    job_events.append(connection, job.tenant, job.id, "status", {"status": job.status, "step": job.step}, now=now)
    return job


def get(connection: Connection, tenant: TenantId, job: JobId) -> Job:
    """Raises: NotFound."""
    return from_row(scope.get(connection, jobs, tenant, "job", job))


def list_all(
    connection: Connection,
    tenant: TenantId,
    *,
    user: UserId | None = None,
    kind: str | None = None,
    status: JobStatus | None = None,
    before_id: str | None = None,
    limit: int = 50,
) -> tuple[Job, ...]:
    """Newest first; `before_id` is the last id of the page before (ids sort by time)."""
    conditions = []
    if user is not None:
        conditions.append(jobs.c.user_id == user)
    if kind is not None:
        conditions.append(jobs.c.kind == kind)
    if status is not None:
        conditions.append(jobs.c.status == status)
    if before_id is not None:
        conditions.append(jobs.c.id < before_id)
    return tuple(map(from_row, scope.page(connection, jobs, tenant, *conditions, order=[jobs.c.id.desc()], limit=limit)))


def request_cancel(connection: Connection, tenant: TenantId, job: JobId, *, now: datetime) -> Job:
    """Cancels a waiting job at once and asks a running one to stop; a finished one stays as it is.

    Raises: NotFound.
    """
    get(connection, tenant, job)
    waiting = {"status": JobStatus.CANCELLED, "cancel_requested": True, "step": "cancelled", "updated_at": now, "finished_at": now}
    if scope.change(connection, jobs, tenant, waiting, jobs.c.id == job, jobs.c.status == JobStatus.PENDING):
        job_events.append(connection, tenant, job, "status", {"status": JobStatus.CANCELLED, "step": "cancelled"}, now=now)
    else:
        running = (jobs.c.id == job, jobs.c.status == JobStatus.RUNNING)
        scope.change(connection, jobs, tenant, {"cancel_requested": True, "updated_at": now}, *running)
    return get(connection, tenant, job)


def _by_key(connection: Connection, tenant: TenantId, user: UserId, new: NewJob) -> Job | None:
    row = scope.find(connection, jobs, tenant, jobs.c.user_id == user, jobs.c.idempotency_key == new.idempotency_key)
    if row is None:
        return None
    if row["kind"] != new.kind or row["params"] != dict(new.params):
        raise Conflict(
            "This idempotency key was used before with another request; send a new key for a new request.",
            code="idempotency_key_reused",
        )
    return from_row(row)


def from_row(row: scope.Row) -> Job:
    return Job(
        id=row["id"],
        tenant=row["tenant_id"],
        user=row["user_id"],
        kind=row["kind"],
        queue=row["queue"],
        params=row["params"],
        status=JobStatus(row["status"]),
        progress=row["progress"],
        step=row["step"],
        attempts=row["attempts"],
        losses=row["losses"],
        checkpoint=row["checkpoint"],
        result=row["result"],
        error=row["error"],
        idempotency_key=row["idempotency_key"],
        cancel_requested=row["cancel_requested"],
        lease_owner=row["lease_owner"],
        lease_until=row["lease_until"],
        not_before=row["not_before"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        finished_at=row["finished_at"],
        trace=row["trace"],
    )
