"""Incidents: one per event, found again by its dedupe key; what people did about it stays when it is scored again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import or_
from sqlalchemy.engine import Connection

from core.ids import JobId, TenantId, UserId, new_id
from core.store import scope
from core.store.tables import incidents

IncidentStatus = Literal["open", "acknowledged", "snoozed", "resolved"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What detection says of an event. dedupe_key: the same for the same event, whatever run finds it."""

    dedupe_key: str
    metric: str
    series_id: str
    kind: str
    direction: Literal["up", "down", "both"]
    severity: float
    impact: float
    started_at: datetime
    ended_at: datetime | None
    detected_at: datetime
    details: Mapping[str, Any]
    rule_id: str | None = None
    job_id: JobId | None = None


@dataclass(frozen=True, slots=True)
class StoredIncident:
    id: str
    tenant: TenantId
    finding: Finding
    status: IncidentStatus
    assignee: UserId | None
    comment: str
    snoozed_until: datetime | None
    updated_at: datetime


def put(connection: Connection, tenant: TenantId, finding: Finding, *, now: datetime) -> tuple[StoredIncident, bool]:
    """The incident, and whether it is new. A known one takes the new figures and keeps its first detection and what people did."""
    values: dict[str, Any] = {
        "kind": finding.kind,
        "direction": finding.direction,
        "severity": finding.severity,
        "impact": finding.impact,
        "started_at": finding.started_at,
        "ended_at": finding.ended_at,
        "details": dict(finding.details),
        "job_id": finding.job_id,
        "updated_at": now,
    }
    known = scope.find(connection, incidents, tenant, incidents.c.dedupe_key == finding.dedupe_key)
    if known is not None:
        scope.change(connection, incidents, tenant, values, incidents.c.id == known["id"])
        return get(connection, tenant, known["id"]), False
    key = new_id("inc")
    first = {
        "id": key,
        "rule_id": finding.rule_id,
        "dedupe_key": finding.dedupe_key,
        "metric": finding.metric,
        "series_id": finding.series_id,
        "status": "open",
        "comment": "",
        "detected_at": finding.detected_at,
    }
    scope.add(connection, incidents, tenant, values | first)
    return get(connection, tenant, key), True


def get(connection: Connection, tenant: TenantId, key: str) -> StoredIncident:
    """Raises: NotFound."""
    return _incident(scope.get(connection, incidents, tenant, "incident", key))


def list_all(
    connection: Connection,
    tenant: TenantId,
    *,
    status: IncidentStatus | None = None,
    metric: str | None = None,
    before_id: str | None = None,
    limit: int = 50,
) -> tuple[StoredIncident, ...]:
    """Newest first; `before_id` is the last id of the page before."""
    conditions = []
    if status is not None:
        conditions.append(incidents.c.status == status)
    if metric is not None:
        conditions.append(incidents.c.metric == metric)
    if before_id is not None:
        conditions.append(incidents.c.id < before_id)
    return tuple(map(_incident, scope.page(connection, incidents, tenant, *conditions, order=[incidents.c.id.desc()], limit=limit)))


def of_rule(connection: Connection, tenant: TenantId, rule_id: str, *, ended_after: datetime) -> tuple[StoredIncident, ...]:
    """A rule's incidents that are not over, or were not at `ended_after`; oldest first."""
    c = incidents.c
    recent = or_(c.ended_at.is_(None), c.ended_at >= ended_after, c.status != "resolved")
    rows = scope.page(connection, incidents, tenant, c.rule_id == rule_id, recent, order=[c.started_at, c.id], limit=1000)
    return tuple(map(_incident, rows))


def add_details(connection: Connection, tenant: TenantId, key: str, more: Mapping[str, Any], *, now: datetime) -> None:
    """Adds to an incident's details what was found out later. Raises: NotFound."""
    known = get(connection, tenant, key)
    values = {"details": {**known.finding.details, **more}, "updated_at": now}
    scope.change(connection, incidents, tenant, values, incidents.c.id == key)


@dataclass(frozen=True, slots=True)
class Handling:
    """What somebody does about an incident; None leaves a part as it is."""

    status: IncidentStatus | None = None
    assignee: UserId | None = None
    comment: str | None = None
    snoozed_until: datetime | None = None


def handle(connection: Connection, tenant: TenantId, key: str, handling: Handling, *, now: datetime) -> StoredIncident:
    """Raises: NotFound."""
    get(connection, tenant, key)
    asked = {name: getattr(handling, name) for name in ("status", "assignee", "comment", "snoozed_until")}
    values = {name: value for name, value in asked.items() if value is not None}
    scope.change(connection, incidents, tenant, values | {"updated_at": now}, incidents.c.id == key)
    return get(connection, tenant, key)


def _incident(row: scope.Row) -> StoredIncident:
    return StoredIncident(
        id=row["id"],
        tenant=row["tenant_id"],
        finding=Finding(**{name: row[name] for name in Finding.__dataclass_fields__}),
        status=row["status"],
        assignee=row["assignee"],
        comment=row["comment"],
        snoozed_until=row["snoozed_until"],
        updated_at=row["updated_at"],
    )
