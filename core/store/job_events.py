"""What happened to a job, numbered from 1 without gaps, so that a stream of events can go on where it broke off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.engine import Connection

from core.ids import JobId, TenantId
from core.store import scope
from core.store.tables import job_events, jobs

EventKind = Literal["status", "progress", "note"]


@dataclass(frozen=True, slots=True)
class JobEvent:
    """status: {"status", "step", ...}; progress: {"step", "progress", "done", "total"}; note: {"message"}."""

    job: JobId
    sequence: int
    kind: EventKind
    data: Mapping[str, Any]
    at: datetime


def append(connection: Connection, tenant: TenantId, job: JobId, kind: EventKind, data: Mapping[str, Any], *, now: datetime) -> int:
    """Appends in the caller's transaction, which holds the job's row from here on; the event's sequence."""
    scope.change(connection, jobs, tenant, {"last_event": jobs.c.last_event + 1}, jobs.c.id == job)
    statement = select(jobs.c.last_event).where(jobs.c.tenant_id == tenant, jobs.c.id == job)
    sequence = int(connection.execute(statement).scalar_one())
    scope.add(connection, job_events, tenant, {"job_id": job, "sequence": sequence, "kind": kind, "data": dict(data), "at": now})
    return sequence


def after(connection: Connection, tenant: TenantId, job: JobId, sequence: int = 0, *, limit: int = 500) -> tuple[JobEvent, ...]:
    """Events with a greater sequence, in order; none for another tenant's job."""
    conditions = (job_events.c.job_id == job, job_events.c.sequence > sequence)
    rows = scope.page(connection, job_events, tenant, *conditions, order=[job_events.c.sequence], limit=limit)
    return tuple(JobEvent(row["job_id"], row["sequence"], row["kind"], row["data"], row["at"]) for row in rows)


def latest(connection: Connection, followed: Collection[JobId]) -> dict[JobId, int]:
    """The newest sequence of each of these jobs, of any tenant; only their numbers."""
    statement = select(jobs.c.id, jobs.c.last_event).where(jobs.c.id.in_(followed))
    return {JobId(key): int(number) for key, number in connection.execute(statement)}
