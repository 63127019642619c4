"""What happened to an incident, in order: opened, scored again, acknowledged, commented, resolved. Feedback is read from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from core.ids import TenantId, new_id
from core.store import scope
from core.store.tables import incident_events


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    id: str
    incident_id: str
    actor: str
    kind: str
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """actor: a user's id, or "system"."""

    incident_id: str
    rule_id: str | None
    actor: str
    kind: str
    data: Mapping[str, Any]


def append(connection: Connection, tenant: TenantId, new: NewEvent, *, now: datetime) -> None:
    values = {
        "id": new_id("iev"),
        "incident_id": new.incident_id,
        "rule_id": new.rule_id,
        "actor": new.actor[:64],
        "kind": new.kind,
        "data": dict(new.data),
        "at": now,
    }
    scope.add(connection, incident_events, tenant, values)


def list_all(connection: Connection, tenant: TenantId, incident_id: str, *, limit: int = 500) -> tuple[IncidentEvent, ...]:
    """Oldest first."""
    rows = scope.page(
        connection, incident_events, tenant, incident_events.c.incident_id == incident_id, order=[incident_events.c.id], limit=limit
    )
    return tuple(scope.as_value(IncidentEvent, row) for row in rows)


def votes(connection: Connection, tenant: TenantId, rule_ids: Sequence[str]) -> Mapping[str, Mapping[tuple[str, str], bool | None]]:
    """Per rule the last word of each (incident, actor) on "was this useful?"; None took it back."""
    found: dict[str, dict[tuple[str, str], bool | None]] = {key: {} for key in rule_ids}
    c = incident_events.c
    statement = (
        select(c.rule_id, c.incident_id, c.actor, c.data)
        .where(c.tenant_id == tenant, c.kind == "feedback", c.rule_id.in_(list(rule_ids)))
        .order_by(c.id)
    )
    for rule, incident, actor, data in connection.execute(statement):
        found[rule][(incident, actor)] = data.get("useful")
    return found
