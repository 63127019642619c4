"""Sources of data and their runs. What is secret in one is sealed by the caller; here it is only text that is never shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict
from core.ids import JobId, TenantId, UserId, new_id
from core.store import scope
from core.store.tables import source_runs, sources

Outcome = Literal["ok", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class NewSource:
    """connection, plan: as `workers.sources.spec` has them, without secrets. next_run_at: None when it only runs when asked."""

    name: str
    kind: str
    connection: Mapping[str, Any]
    plan: Mapping[str, Any]
    sealed: str | None = field(repr=False)
    table_name: str
    created_by: UserId
    enabled: bool = True
    next_run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """refreshed_at: when its rows were last brought up to date. failures: runs in a row that failed."""

    id: str
    tenant: TenantId
    name: str
    kind: str
    connection: Mapping[str, Any]
    plan: Mapping[str, Any]
    sealed: str | None = field(repr=False)
    table_name: str
    enabled: bool
    created_by: UserId
    created_at: datetime
    updated_at: datetime
    next_run_at: datetime | None
    refreshed_at: datetime | None
    failures: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """report: columns, drift, watermark and notes of a run that went well, {"error": ...} of one that failed."""

    id: str
    source_id: str
    job_id: JobId
    outcome: Outcome
    rows_written: int
    report: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime


def create(connection: Connection, tenant: TenantId, new: NewSource, *, now: datetime) -> Source:
    """Raises: Conflict when the tenant has a source of that name, or one that fills that table."""
    key = new_id("src")
    values = _values(new) | {"id": key, "kind": new.kind, "created_by": new.created_by, "created_at": now, "updated_at": now, "failures": 0}
    try:
        with connection.begin_nested():
            scope.add(connection, sources, tenant, values)
    except IntegrityError as error:
        raise _taken(new) from error
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Source:
    """Raises: NotFound."""
    return _source(scope.get(connection, sources, tenant, "source", key))


def exists(connection: Connection, tenant: TenantId, key: str) -> bool:
    return scope.find(connection, sources, tenant, sources.c.id == key) is not None


def by_name(connection: Connection, tenant: TenantId, name: str) -> Source | None:
    row = scope.by_name(connection, sources, tenant, name)
    return None if row is None else _source(row)


def list_all(connection: Connection, tenant: TenantId, *, after: str = "", limit: int = 200) -> tuple[Source, ...]:
    """By name, those after `after`."""
    return tuple(map(_source, scope.page_by_name(connection, sources, tenant, after=after, limit=limit)))


def replace(connection: Connection, tenant: TenantId, key: str, new: NewSource, *, now: datetime) -> Source:
    """Its kind stays. Raises: NotFound; Conflict when another source has that name or table."""
    get(connection, tenant, key)
    try:
        with connection.begin_nested():
            scope.change(connection, sources, tenant, _values(new) | {"updated_at": now}, sources.c.id == key)
    except IntegrityError as error:
        raise _taken(new) from error
    return get(connection, tenant, key)


def delete(connection: Connection, tenant: TenantId, key: str) -> None:
    """Its runs go too; the table that it filled stays. Raises: NotFound."""
    scope.remove(connection, sources, tenant, "source", key)


def due(connection: Connection, *, now: datetime, limit: int = 200) -> tuple[Source, ...]:
    """Of all tenants, those whose time has come, the longest waiting first."""
    wanted = select(sources).where(sources.c.enabled, sources.c.next_run_at <= now).order_by(sources.c.next_run_at).limit(limit)
    return tuple(map(_source, connection.execute(wanted).mappings()))


def schedule(connection: Connection, source: Source, *, next_run_at: datetime | None) -> bool:
    """Moves the next run, unless somebody else did meanwhile; whether it was moved."""
    return scope.change(
        connection, sources, source.tenant, {"next_run_at": next_run_at},
        sources.c.id == source.id, sources.c.next_run_at == source.next_run_at,
    ) == 1  # fmt: skip


def claim(connection: Connection, tenant: TenantId, key: str, job: JobId, *, now: datetime, lease_for: timedelta) -> bool:
    """Keeps other jobs off the source until `now + lease_for`; False when another has it. The same job may claim it again."""
    free = or_(sources.c.lease_until.is_(None), sources.c.lease_until < now, sources.c.lease_owner == job)
    values = {"lease_owner": job, "lease_until": now + lease_for}
    return scope.change(connection, sources, tenant, values, sources.c.id == key, free) == 1


def release(connection: Connection, tenant: TenantId, key: str, job: JobId) -> None:
    values = {"lease_owner": None, "lease_until": None}
    scope.change(connection, sources, tenant, values, sources.c.id == key, sources.c.lease_owner == job)


def record(connection: Connection, source: Source, run: Run, *, error: str | None = None, next_run_at: datetime | None = None) -> None:
    """Keeps how a run went, once per job. next_run_at: earlier than planned after a failure; None leaves the plan."""
    known = scope.find(connection, source_runs, source.tenant, source_runs.c.source_id == source.id, source_runs.c.job_id == run.job_id)
    values = {name: getattr(run, name) for name in Run.__dataclass_fields__} | {"report": dict(run.report)}
    if known is None:
        scope.add(connection, source_runs, source.tenant, values)
    else:
        scope.change(connection, source_runs, source.tenant, values | {"id": known["id"]}, source_runs.c.id == known["id"])
    if error is None:
        changed: dict[str, Any] = {"refreshed_at": run.ended_at, "failures": 0, "last_error": None}
    else:
        changed = {"failures": sources.c.failures + 1, "last_error": error[:500]}
        if next_run_at is not None:
            changed["next_run_at"] = next_run_at
    scope.change(connection, sources, source.tenant, changed, sources.c.id == source.id)


def runs(
    connection: Connection, tenant: TenantId, key: str, *, before_id: str | None = None, failed: bool = True, limit: int = 50
) -> tuple[Run, ...]:
    """Newest first; failed: those that failed as well. Raises: NotFound."""
    get(connection, tenant, key)
    conditions = [source_runs.c.source_id == key] + ([source_runs.c.id < before_id] if before_id else [])
    conditions += [] if failed else [source_runs.c.outcome != "failed"]
    rows = scope.page(connection, source_runs, tenant, *conditions, order=[source_runs.c.id.desc()], limit=limit)
    return tuple(scope.as_value(Run, row) for row in rows)


def sealed(connection: Connection) -> Sequence[tuple[str, str]]:
    """(id, sealed text) of every source of every tenant, for a change of keys."""
    rows = connection.execute(select(sources.c.id, sources.c.sealed).where(sources.c.sealed.is_not(None)))
    return [(str(key), str(text)) for key, text in rows]


def reseal(connection: Connection, key: str, text: str) -> None:
    connection.execute(update(sources).where(sources.c.id == key).values(sealed=text))


def _taken(new: NewSource) -> Conflict:
    return Conflict(
        f"There is a source {new.name[:60]!r} already, or one that fills the table {new.table_name!r}; give this one another name or table.",
        code="source_exists",
    )


def _values(new: NewSource) -> dict[str, Any]:
    return {
        "name": new.name[:200],
        "connection": dict(new.connection),
        "plan": dict(new.plan),
        "sealed": new.sealed,
        "table_name": new.table_name,
        "enabled": new.enabled,
        "next_run_at": new.next_run_at,
    }


def _source(row: scope.Row) -> Source:
    return scope.as_value(Source, row)
