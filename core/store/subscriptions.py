"""Subscriptions: whose messages about which rules and metrics go to which channel, at once or gathered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_
from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId, new_id
from core.store import channels, scope
from core.store.tables import subscriptions

Mode = Literal["now", "daily", "weekly"]


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """rule_id and metric None: any. escalate_after_minutes: told only when nobody acknowledged for so long. user: whose rights count."""

    channel_id: str
    user_id: UserId
    team: str | None = None
    rule_id: str | None = None
    metric: str | None = None
    min_severity: float = 0.0
    mode: Mode = "now"
    escalate_after_minutes: int | None = None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    id: str
    tenant: TenantId
    asked: NewSubscription
    created_at: datetime


def create(connection: Connection, tenant: TenantId, new: NewSubscription, *, now: datetime) -> Subscription:
    """The one that says the same already, if there is one. Raises: NotFound for the channel."""
    channels.get(connection, tenant, new.channel_id)
    key = new_id("sub")
    same = [
        subscriptions.c[name] == getattr(new, name) for name in ("channel_id", "user_id", "rule_id", "metric", "escalate_after_minutes")
    ]
    row = scope.find(connection, subscriptions, tenant, *same)
    if row is not None:
        scope.change(connection, subscriptions, tenant, asdict(new), subscriptions.c.id == row["id"])
        return get(connection, tenant, row["id"])
    scope.add(connection, subscriptions, tenant, asdict(new) | {"id": key, "created_at": now})
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Subscription:
    """Raises: NotFound."""
    return _subscription(scope.get(connection, subscriptions, tenant, "subscription", key))


def list_all(
    connection: Connection, tenant: TenantId, *, user: UserId | None = None, after_id: str = "", limit: int = 200
) -> tuple[Subscription, ...]:
    """Oldest first, those after `after_id`."""
    conditions = [subscriptions.c.id > after_id] + ([subscriptions.c.user_id == user] if user is not None else [])
    rows = scope.page(connection, subscriptions, tenant, *conditions, order=[subscriptions.c.id], limit=limit)
    return tuple(map(_subscription, rows))


def matching(connection: Connection, tenant: TenantId, *, rule_id: str | None, metric: str, severity: float) -> tuple[Subscription, ...]:
    """Those that ask for messages of this rule, metric and severity."""
    rows = scope.page(
        connection,
        subscriptions,
        tenant,
        or_(subscriptions.c.rule_id.is_(None), subscriptions.c.rule_id == rule_id),
        or_(subscriptions.c.metric.is_(None), subscriptions.c.metric == metric),
        subscriptions.c.min_severity <= severity,
        order=[subscriptions.c.id],
        limit=1000,
    )
    return tuple(map(_subscription, rows))


def change(connection: Connection, tenant: TenantId, key: str, new: NewSubscription) -> Subscription:
    """Raises: NotFound."""
    get(connection, tenant, key)
    scope.change(connection, subscriptions, tenant, asdict(new), subscriptions.c.id == key)
    return get(connection, tenant, key)


def delete(connection: Connection, tenant: TenantId, key: str) -> None:
    """Raises: NotFound."""
    scope.remove(connection, subscriptions, tenant, "subscription", key)


def _subscription(row: scope.Row) -> Subscription:
    asked = NewSubscription(**{name: row[name] for name in NewSubscription.__dataclass_fields__})
    return Subscription(row["id"], row["tenant_id"], asked, row["created_at"])
