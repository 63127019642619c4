"""Who did what to which model version, with the evidence of that moment. Only appended to; each entry is also in the audit chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from core.ids import TenantId, new_id
from core.store import audit, scope
from core.store.audit import Happening
from core.store.tables import model_log

Action = Literal["registered", "refused", "challenger", "shadow", "promoted", "rolled back", "rolled back by watch", "withdrawn"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    id: str
    name: str
    version: int
    actor: str
    action: str
    evidence: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Deed:
    """version 0 stands for Querent's own model."""

    name: str
    version: int
    actor: str
    action: Action
    evidence: Mapping[str, Any]


def append(connection: Connection, tenant: TenantId, deed: Deed, *, now: datetime) -> None:
    """In the caller's transaction, so that the deed and its record are kept or lost together."""
    values = {"name": deed.name, "version": deed.version, "actor": deed.actor[:64], "action": deed.action, "evidence": dict(deed.evidence)}
    scope.add(connection, model_log, tenant, values | {"id": new_id("mlg"), "at": now})
    happening = Happening(deed.actor, f"model.{deed.action.replace(' ', '_')}", f"{deed.name}/{deed.version}", details=deed.evidence)
    audit.append(connection, tenant, happening, now=now)


def read(
    connection: Connection, tenant: TenantId, *, name: str | None = None, before_id: str | None = None, limit: int = 100
) -> tuple[LogEntry, ...]:
    """Newest first."""
    c = model_log.c
    conditions = [] if name is None else [c.name == name]
    if before_id is not None:
        conditions.append(c.id < before_id)
    rows = scope.page(connection, model_log, tenant, *conditions, order=[c.id.desc()], limit=limit)
    return tuple(LogEntry(**{field.name: row[field.name] for field in fields(LogEntry)}) for row in rows)
