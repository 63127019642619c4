"""Indexes of what jobs found: forecasts, detections, insights. The rows themselves are in the warehouse; one entry per job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.ids import JobId, TenantId, UserId, new_id
from core.store import scope
from core.store.tables import detections, forecasts, insights


@dataclass(frozen=True, slots=True)
class ForecastEntry:
    """`model_version` is the registry's `name/version`; `summary` is small and ready for a list."""

    job_id: JobId
    metric: str
    grain: str
    horizon_steps: int
    series_count: int
    model: str
    model_version: str | None
    catalog_version: int
    summary: Mapping[str, Any]
    created_by: UserId


@dataclass(frozen=True, slots=True)
class DetectionEntry:
    job_id: JobId
    metric: str
    grain: str
    series_count: int
    incident_count: int
    model: str
    model_version: str | None
    catalog_version: int
    summary: Mapping[str, Any]
    created_by: UserId


@dataclass(frozen=True, slots=True)
class InsightEntry:
    """words: the registered version of what made the sentences. fingerprint: of what was asked, of which data, with which rights."""

    job_id: JobId | None
    metric: str
    kind: str
    headline: str
    facts: Mapping[str, Any]
    created_by: UserId
    words: str | None = None
    fingerprint: str | None = None


Entry = TypeVar("Entry", ForecastEntry, DetectionEntry, InsightEntry)
AnyEntry = ForecastEntry | DetectionEntry | InsightEntry
_TABLES: Mapping[type[AnyEntry], tuple[Table, str]] = {
    ForecastEntry: (forecasts, "fct"),
    DetectionEntry: (detections, "det"),
    InsightEntry: (insights, "ins"),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry with its id and time."""

    id: str
    entry: AnyEntry
    created_at: datetime


def put(connection: Connection, tenant: TenantId, entry: AnyEntry, *, now: datetime) -> str:
    """Writes the entry of a job, or replaces the one that an earlier run of the same job wrote; its id."""
    table, prefix = _TABLES[type(entry)]
    values = _values(entry)
    if entry.job_id is not None:
        known = scope.find(connection, table, tenant, table.c.job_id == entry.job_id)
        if known is not None:
            scope.change(connection, table, tenant, values, table.c.id == known["id"])
            return str(known["id"])
    key = new_id(prefix)
    scope.add(connection, table, tenant, values | {"id": key, "created_at": now})
    return key


def get(connection: Connection, tenant: TenantId, kind: type[Entry], key: str) -> Stored:
    """By its id or its job's id. Raises: NotFound."""
    table, _ = _TABLES[kind]
    row = scope.find(connection, table, tenant, (table.c.id == key) | (table.c.job_id == key))
    if row is None:
        raise NotFound(f"There is no {table.name.removesuffix('s')} {key[:60]!r}.", code=f"unknown_{table.name.removesuffix('s')}")
    return _stored(kind, row)


def by_fingerprint(connection: Connection, tenant: TenantId, fingerprint: str, user: UserId) -> Stored | None:
    """The user's own insight with this fingerprint, if there is one."""
    row = scope.find(connection, insights, tenant, insights.c.fingerprint == fingerprint, insights.c.created_by == user)
    return _stored(InsightEntry, row) if row is not None else None


def list_all(
    connection: Connection,
    tenant: TenantId,
    kind: type[Entry],
    *,
    metric: str | None = None,
    before_id: str | None = None,
    limit: int = 50,
) -> tuple[Stored, ...]:
    """Newest first; `before_id` is the last id of the page before."""
    table, _ = _TABLES[kind]
    conditions = []
    if metric is not None:
        conditions.append(table.c.metric == metric)
    if before_id is not None:
        conditions.append(table.c.id < before_id)
    return tuple(_stored(kind, row) for row in scope.page(connection, table, tenant, *conditions, order=[table.c.id.desc()], limit=limit))


def _values(entry: AnyEntry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)}


def _stored(kind: type[AnyEntry], row: scope.Row) -> Stored:
    return Stored(row["id"], kind(**{field.name: row[field.name] for field in fields(kind)}), row["created_at"])
