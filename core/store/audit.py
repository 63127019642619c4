"""The audit log: append-only, each entry's hash over its content and the hash before, one chain per tenant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import Connection

from core.ids import TenantId
from core.store import scope
from core.store.tables import audit_log, tenants

_GENESIS = "0" * 64


@dataclass(slots=True)
class Watch:
    """What one request told the log itself, so that it need not be told a second time."""

    request_id: str
    told: int = 0


_WATCH: ContextVar[Watch | None] = ContextVar("audit_watch", default=None)


@contextmanager
def watched(request_id: str) -> Iterator[Watch]:
    """Entries appended within carry the request's id and are counted; threads that copy the context belong to it."""
    watch = Watch(request_id)
    token = _WATCH.set(watch)
    try:
        yield watch
    finally:
        _WATCH.reset(token)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    tenant: TenantId
    sequence: int
    actor: str
    action: str
    target: str
    outcome: str
    details: Mapping[str, Any]
    request_id: str | None
    at: datetime
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be recorded: `action` such as catalog.apply, `target` such as catalog:7, `outcome` ok, denied or error."""

    actor: str
    action: str
    target: str = ""
    outcome: str = "ok"
    details: Mapping[str, Any] | None = None
    request_id: str | None = None


def append(connection: Connection, tenant: TenantId, happening: Happening, *, now: datetime) -> AuditEntry:
    """Appends to the tenant's chain, in the caller's transaction: the deed and its record are kept or lost together."""
    return append_all(connection, tenant, [(told(happening), now)])[0]


def told(happening: Happening) -> Happening:
    """What the present request tells of itself: with its id, and counted. For entries that are appended later, by others (`append_all`)."""
    watch = _WATCH.get()
    if watch is None:
        return happening
    watch.told += 1
    return replace(happening, request_id=happening.request_id or watch.request_id)


def append_all(connection: Connection, tenant: TenantId, happened: Sequence[tuple[Happening, datetime]]) -> tuple[AuditEntry, ...]:
    """Appends what happened and when, in that order, in the caller's transaction, which holds the chain from here to its end."""
    # One writer per chain (no-op on SQLite). Not the strongest lock: rows of the tenant that others insert meanwhile hold its key, and two that
    # had inserted before they append would wait for each other.
    connection.execute(select(tenants.c.id).where(tenants.c.id == tenant).with_for_update(key_share=True))
    last = scope.page(connection, audit_log, tenant, order=[audit_log.c.sequence.desc()], limit=1)
    previous_hash, sequence = (last[0]["hash"], last[0]["sequence"] + 1) if last else (_GENESIS, 1)
    rows = list[dict[str, Any]]()
    for happening, at in happened:
        values: dict[str, Any] = {
            "sequence": sequence,
            "actor": happening.actor[:64],
            "action": happening.action[:100],
            "target": happening.target[:300],
            "outcome": happening.outcome[:32],
            "details": dict(happening.details or {}),
            "request_id": happening.request_id,
            "at": at.astimezone(UTC),
            "previous_hash": previous_hash,
        }
        values["hash"] = previous_hash = _digest(tenant, values)
        sequence += 1
        rows.append(values)
    scope.add_all(connection, audit_log, tenant, rows)
    return tuple(AuditEntry(tenant=tenant, **values) for values in rows)


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for; None is anything. action: the start of the action's name. since, until: aware instants, until excluded."""

    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def read(
    connection: Connection, tenant: TenantId, *, before: int | None = None, limit: int = 100, sought: Sought | None = None
) -> tuple[AuditEntry, ...]:
    """Newest first; those below the sequence `before`."""
    conditions = [] if before is None else [audit_log.c.sequence < before]
    if sought is not None:
        conditions += _conditions(sought)
    rows = scope.page(connection, audit_log, tenant, *conditions, order=[audit_log.c.sequence.desc()], limit=limit)
    return tuple(_entry(row) for row in rows)


def write_lines(connection: Connection, tenant: TenantId, file: Path) -> int:
    """All entries to `file` as JSON lines, oldest first; how many. Enough to check the chain without the store."""
    count, after = 0, 0
    with file.open("x", encoding="utf-8") as lines:
        while rows := scope.page(connection, audit_log, tenant, audit_log.c.sequence > after, order=[audit_log.c.sequence], limit=1000):
            for row in rows:
                lines.write(
                    json.dumps({name: row[name] for name in row} | {"at": row["at"].astimezone(UTC).isoformat()}, sort_keys=True) + "\n"
                )
            count, after = count + len(rows), rows[-1]["sequence"]
    return count


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    column = audit_log.c
    conditions: list[ColumnElement[bool]] = []
    if sought.actor is not None:
        conditions.append(column.actor == sought.actor)
    if sought.action is not None:
        conditions.append(column.action.startswith(sought.action, autoescape=True))
    if sought.outcome is not None:
        conditions.append(column.outcome == sought.outcome)
    if sought.since is not None:
        conditions.append(column.at >= sought.since)
    if sought.until is not None:
        conditions.append(column.at < sought.until)
    return conditions


def first_broken(connection: Connection, tenant: TenantId) -> int | None:
    """The sequence of the first entry that was changed, or follows one that was removed; None when the chain holds."""
    expected_previous, expected_sequence = _GENESIS, 1
    while True:
        rows = scope.page(
            connection, audit_log, tenant, audit_log.c.sequence >= expected_sequence, order=[audit_log.c.sequence], limit=1000
        )
        if not rows:
            return None
        for row in rows:
            intact = row["sequence"] == expected_sequence and row["previous_hash"] == expected_previous
            if not intact or _digest(tenant, row) != row["hash"]:
                return int(row["sequence"])
            expected_previous, expected_sequence = row["hash"], expected_sequence + 1


def _digest(tenant: TenantId, values: Mapping[str, Any] | scope.Row) -> str:
    names = ("sequence", "actor", "action", "target", "outcome", "details", "request_id", "previous_hash")
    content = {name: values[name] for name in names} | {"tenant": tenant, "at": values["at"].astimezone(UTC).isoformat()}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _entry(row: scope.Row) -> AuditEntry:
    content = {str(name): value for name, value in row.items() if name != "tenant_id"}
    return AuditEntry(tenant=row["tenant_id"], **content)
