"""Whose turn it is: waiting jobs are started company by company, and within a company person by person.

A message only says that a queue has work; which job is started is decided here, when a worker is free. So a company that puts in a thousand
jobs has its own people wait, not others', whatever the order of the messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from core.ids import JobId, TenantId, UserId
from core.store import job_leases
from core.store.job_leases import Lease
from core.store.jobs import Job, JobStatus
from core.store.tables import job_turns, jobs

KEPT = timedelta(days=1)  # who was served before that comes first anyway
_NEVER = datetime.min.replace(tzinfo=UTC)
_RACES = 64  # another worker was faster so often: leave it to the next message


@dataclass(frozen=True, slots=True)
class _Head:
    """The oldest of the jobs that one person has waiting in a queue, and how many there are."""

    tenant: TenantId
    user: UserId
    job: JobId
    waiting: int


def claim_next(connection: Connection, queue: str, owner: str, *, at_once: int, now: datetime, lease_for: timedelta) -> Job | None:
    """The job of `queue` whose turn it is, now RUNNING under a lease of `owner`; None when none is due.

    First comes the company with the fewest running in the queue, then the one that was served longest ago; within it people by the same
    rule, and a person's jobs in the order in which they were accepted. at_once: of one company, 0 without a bound.
    """
    _alone(connection, queue)
    for _ in range(_RACES):
        head = _next(connection, queue, at_once=at_once, now=now)
        if head is None:
            return None
        job = job_leases.claim(connection, Lease(head.job, head.tenant, owner), now=now, lease_for=lease_for)
        if job is not None:
            _served(connection, queue, head, now=now)
            return job
    return None


def startable(connection: Connection, queue: str, *, at_once: int, now: datetime) -> int:
    """How many due jobs of `queue` could start now if workers were free."""
    running = _running(connection, queue)
    waiting: defaultdict[TenantId, int] = defaultdict(int)
    for head in _heads(connection, queue, now=now):
        waiting[head.tenant] += head.waiting
    if not at_once:
        return sum(waiting.values())
    return sum(min(count, max(0, at_once - _of(running, tenant))) for tenant, count in waiting.items())


def first_waiting(connection: Connection, tenant: TenantId, queue: str, *, now: datetime) -> JobId | None:
    """The oldest of a company's due jobs in a queue."""
    return min((head.job for head in _heads(connection, queue, now=now) if head.tenant == tenant), default=None)


def ahead(connection: Connection, job: Job, *, now: datetime) -> int | None:
    """Of how many waiting jobs of its own company a due one waits behind; None when it does not wait for its turn.

    Others' people take turns with its person, so that of each at most as many come before as the person has up to this one.
    """
    if job.status is not JobStatus.PENDING or job.not_before > now:
        return None
    mine = (jobs.c.tenant_id == job.tenant, jobs.c.queue == job.queue, jobs.c.status == JobStatus.PENDING, jobs.c.not_before <= now)
    own = connection.execute(select(func.count()).where(*mine, jobs.c.user_id == job.user, jobs.c.id < job.id)).scalar_one()
    others = select(func.count()).where(*mine, jobs.c.user_id != job.user).group_by(jobs.c.user_id)
    return int(own + sum(min(count, own + 1) for count in connection.execute(others).scalars()))


def others_wait(connection: Connection, job: Job, *, now: datetime) -> bool:
    """Whether another company, or another person of this one, waits in a running job's queue."""
    return any((head.tenant, head.user) != (job.tenant, job.user) for head in _heads(connection, job.queue, now=now))


def prune(connection: Connection, *, now: datetime) -> None:
    connection.execute(delete(job_turns).where(job_turns.c.served_at < now - KEPT))


def _alone(connection: Connection, queue: str) -> None:
    """One worker at a time chooses from a queue, so that two who look at the same time do not both take a company's last free place.

    On SQLite who writes is alone from the start.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"querent.turns.{queue}", 0))))


def _next(connection: Connection, queue: str, *, at_once: int, now: datetime) -> _Head | None:
    heads = _heads(connection, queue, now=now)
    if len(heads) < 2 and not at_once:
        return heads[0] if heads else None
    running, served = _running(connection, queue), _served_at(connection, queue, {head.tenant for head in heads})
    of_company = {tenant: _of(running, tenant) for tenant in {head.tenant for head in heads}}
    company_served = {tenant: max((at for (one, _), at in served.items() if one == tenant), default=_NEVER) for tenant in of_company}

    def turn(head: _Head) -> tuple[int, datetime, TenantId, int, datetime, JobId]:
        key = (head.tenant, head.user)
        return (
            of_company[head.tenant], company_served[head.tenant], head.tenant,
            running.get(key, 0), served.get(key, _NEVER), head.job,
        )  # fmt: skip

    return min((head for head in heads if not at_once or of_company[head.tenant] < at_once), key=turn, default=None)


def _heads(connection: Connection, queue: str, *, now: datetime) -> list[_Head]:
    statement = (
        select(jobs.c.tenant_id, jobs.c.user_id, func.min(jobs.c.id), func.count())
        .where(jobs.c.status == JobStatus.PENDING, jobs.c.not_before <= now, jobs.c.queue == queue)
        .group_by(jobs.c.tenant_id, jobs.c.user_id)
    )
    return [_Head(*row) for row in connection.execute(statement)]


def _running(connection: Connection, queue: str) -> dict[tuple[TenantId, UserId], int]:
    statement = (
        select(jobs.c.tenant_id, jobs.c.user_id, func.count())
        .where(jobs.c.status == JobStatus.RUNNING, jobs.c.queue == queue)
        .group_by(jobs.c.tenant_id, jobs.c.user_id)
    )
    return {(tenant, user): count for tenant, user, count in connection.execute(statement)}


def _of(running: dict[tuple[TenantId, UserId], int], tenant: TenantId) -> int:
    return sum(count for (one, _), count in running.items() if one == tenant)


def _served_at(connection: Connection, queue: str, tenants: Iterable[TenantId]) -> dict[tuple[TenantId, UserId], datetime]:
    statement = select(job_turns.c.tenant_id, job_turns.c.user_id, job_turns.c.served_at).where(
        job_turns.c.queue == queue, job_turns.c.tenant_id.in_(sorted(tenants))
    )
    return {(tenant, user): at for tenant, user, at in connection.execute(statement)}


def _served(connection: Connection, queue: str, head: _Head, *, now: datetime) -> None:
    made = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(job_turns)
    values = {"queue": queue, "tenant_id": head.tenant, "user_id": head.user, "served_at": now}
    connection.execute(
        made.values(**values).on_conflict_do_update(index_elements=["queue", "tenant_id", "user_id"], set_={"served_at": now})
    )
