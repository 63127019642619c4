"""The in-app inbox: a message per delivery and person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import inbox


@dataclass(frozen=True, slots=True)
class InboxMessage:
    id: str
    user_id: UserId
    incident_id: str | None
    title: str
    body: Mapping[str, Any]
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewMessage:
    delivery_id: str
    user_id: UserId
    incident_id: str | None
    title: str
    body: Mapping[str, Any]


def put(connection: Connection, tenant: TenantId, new: NewMessage, *, now: datetime) -> None:
    """Nothing when the delivery was put there before."""
    if scope.find(connection, inbox, tenant, inbox.c.delivery_id == new.delivery_id) is not None:
        return
    values = {
        "id": new_id("msg"),
        "delivery_id": new.delivery_id,
        "user_id": new.user_id,
        "incident_id": new.incident_id,
        "title": new.title[:300],
        "body": dict(new.body),
        "created_at": now,
    }
    scope.add(connection, inbox, tenant, values)


def list_all(
    connection: Connection, tenant: TenantId, user: UserId, *, unread_only: bool = False, before_id: str | None = None, limit: int = 50
) -> tuple[InboxMessage, ...]:
    """Newest first."""
    conditions = [inbox.c.user_id == user]
    if unread_only:
        conditions.append(inbox.c.read_at.is_(None))
    if before_id is not None:
        conditions.append(inbox.c.id < before_id)
    rows = scope.page(connection, inbox, tenant, *conditions, order=[inbox.c.id.desc()], limit=limit)
    return tuple(scope.as_value(InboxMessage, row) for row in rows)


def unread(connection: Connection, tenant: TenantId, user: UserId) -> int:
    """How many messages this person has not read."""
    return unread_of_all(connection, [user]).get((tenant, user), 0)


def unread_of_all(connection: Connection, people: Collection[UserId]) -> dict[tuple[TenantId, UserId], int]:
    """How many messages each of these people of any tenant has not read; who has read all is left out."""
    statement = (
        select(inbox.c.tenant_id, inbox.c.user_id, func.count())
        .where(inbox.c.user_id.in_(people), inbox.c.read_at.is_(None))
        .group_by(inbox.c.tenant_id, inbox.c.user_id)
    )
    return {(TenantId(tenant), UserId(user)): int(count) for tenant, user, count in connection.execute(statement)}


def mark_read(connection: Connection, tenant: TenantId, user: UserId, key: str | None, *, now: datetime) -> int:
    """One message, or all with None; how many were unread."""
    conditions = [inbox.c.user_id == user, inbox.c.read_at.is_(None)] + ([inbox.c.id == key] if key is not None else [])
    return scope.change(connection, inbox, tenant, {"read_at": now}, *conditions)
