"""The outbox: one row per message, made in the transaction that makes the incident. One per incident, channel and kind, whatever runs twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import deliveries

DeliveryKind = Literal["opened", "escalated", "new_normal", "resolved", "reopened", "resolved_again", "test", "digest"]
DeliveryStatus = Literal["pending", "sent", "dead", "cancelled"]


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """incident_id None is a test of the channel. mode: now, daily or weekly; gathered ones of a channel go out together."""

    channel_id: str
    user_id: UserId
    kind: DeliveryKind
    next_at: datetime
    incident_id: str | None = None
    mode: Literal["now", "daily", "weekly"] = "now"


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    tenant: TenantId
    incident_id: str | None
    channel_id: str
    user_id: UserId
    kind: DeliveryKind
    mode: str
    status: DeliveryStatus
    attempts: int
    lease_owner: str | None
    last_error: str | None
    next_at: datetime
    created_at: datetime
    sent_at: datetime | None


def put(connection: Connection, tenant: TenantId, new: NewDelivery, *, now: datetime) -> Delivery | None:
    """The new row, or the one that waited to be gathered and is now asked for at once, or was kept back and is so again; None when this message exists already."""
    same = _same(connection, tenant, new.incident_id, new.channel_id, new.kind) if new.incident_id is not None else None
    if same is not None and same["status"] == "cancelled" and new.kind in ("resolved", "resolved_again", "reopened"):
        return _anew(connection, tenant, same["id"], new)
    if same is not None:
        return _at_once(connection, tenant, same["id"], new) if new.mode == "now" and same["mode"] != "now" else None
    key = new_id("dlv")
    values = {
        "id": key,
        "incident_id": new.incident_id,
        "channel_id": new.channel_id,
        "user_id": new.user_id,
        "kind": new.kind,
        "mode": new.mode,
        "status": "pending",
        "attempts": 0,
        "next_at": new.next_at,
        "created_at": now,
    }
    scope.add(connection, deliveries, tenant, values)
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Delivery:
    """Raises: NotFound."""
    return _delivery(scope.get(connection, deliveries, tenant, "delivery", key))


def list_all(
    connection: Connection,
    tenant: TenantId,
    *,
    incident_id: str | None = None,
    channel_id: str | None = None,
    status: DeliveryStatus | None = None,
    before_id: str | None = None,
    limit: int = 100,
) -> tuple[Delivery, ...]:
    """Newest first."""
    conditions = []
    for column, wanted in (("incident_id", incident_id), ("channel_id", channel_id), ("status", status)):
        if wanted is not None:
            conditions.append(deliveries.c[column] == wanted)
    if before_id is not None:
        conditions.append(deliveries.c.id < before_id)
    return tuple(map(_delivery, scope.page(connection, deliveries, tenant, *conditions, order=[deliveries.c.id.desc()], limit=limit)))


def lease_due(connection: Connection, owner: str, *, now: datetime, lease_for: timedelta, limit: int = 50) -> tuple[Delivery, ...]:
    """Takes messages that are due and that nobody is sending, of all tenants in turns: a tenant with ten thousand waiting messages does not
    hold up the one with a single alert. An expired lease is of a sender that vanished."""
    free = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until < now)
    due = (deliveries.c.status == "pending", deliveries.c.next_at <= now, free)
    turn = func.row_number().over(partition_by=deliveries.c.tenant_id, order_by=(deliveries.c.next_at, deliveries.c.id)).label("turn")
    turns = select(deliveries.c.id, turn).where(*due).subquery()
    chosen = (
        select(deliveries.c.id)
        .join(turns, turns.c.id == deliveries.c.id)
        .where(*due)
        .order_by(turns.c.turn, deliveries.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    keys = list(connection.execute(chosen).scalars())
    if not keys:
        return ()
    values = {"lease_owner": owner, "lease_until": now + lease_for, "attempts": deliveries.c.attempts + 1}
    connection.execute(update(deliveries).where(deliveries.c.id.in_(keys), *due).values(**values))
    mine = select(deliveries).where(deliveries.c.id.in_(keys), deliveries.c.lease_owner == owner).order_by(deliveries.c.next_at)
    return tuple(map(_delivery, connection.execute(mine).mappings()))


def lease_one(connection: Connection, delivery: Delivery, owner: str, *, now: datetime, lease_for: timedelta) -> Delivery:
    """Takes a message that was just made, due or not."""
    values = {"lease_owner": owner, "lease_until": now + lease_for, "attempts": delivery.attempts + 1}
    scope.change(connection, deliveries, delivery.tenant, values, deliveries.c.id == delivery.id, deliveries.c.lease_owner.is_(None))
    return get(connection, delivery.tenant, delivery.id)


def end_unsent(connection: Connection, delivery: Delivery) -> None:
    """Gives up a message that waits for another try; its last error stays."""
    values = {"status": "dead", "lease_owner": None, "lease_until": None}
    scope.change(connection, deliveries, delivery.tenant, values, deliveries.c.id == delivery.id, deliveries.c.status == "pending")


def leased(connection: Connection) -> tuple[Delivery, ...]:
    """Those that somebody is sending now, of all tenants."""
    statement = select(deliveries).where(deliveries.c.status == "pending", deliveries.c.lease_owner.is_not(None))
    return tuple(map(_delivery, connection.execute(statement).mappings()))


def release(connection: Connection, lost: Delivery) -> bool:
    """Takes a message back from a sender that is surely gone; it is due at once."""
    return _settle(connection, lost, {})


def sent(connection: Connection, delivery: Delivery, *, now: datetime) -> bool:
    return _settle(connection, delivery, {"status": "sent", "sent_at": now, "last_error": None})


def postpone(connection: Connection, delivery: Delivery, *, until: datetime, error: str | None = None) -> bool:
    """`error` None: nothing went wrong, it is only not the time."""
    attempts = delivery.attempts if error is not None else delivery.attempts - 1
    return _settle(connection, delivery, {"next_at": until, "last_error": error[:500] if error else None, "attempts": attempts})


def end(connection: Connection, delivery: Delivery, status: Literal["dead", "cancelled"], reason: str) -> bool:
    return _settle(connection, delivery, {"status": status, "last_error": reason[:500]})


def resend(connection: Connection, tenant: TenantId, key: str, *, now: datetime) -> Delivery:
    """Brings a dead letter back, with all its attempts. Raises: NotFound; Conflict when it is not dead."""
    found = get(connection, tenant, key)
    if found.status != "dead":
        raise Conflict(f"Only a dead letter can be sent again; this one is {found.status}.", code="not_dead")
    values = {"status": "pending", "attempts": 0, "next_at": now, "lease_owner": None, "lease_until": None}
    scope.change(connection, deliveries, tenant, values, deliveries.c.id == key, deliveries.c.status == "dead")
    return get(connection, tenant, key)


def _same(connection: Connection, tenant: TenantId, incident: str, channel: str, kind: str) -> scope.Row | None:
    return scope.find(
        connection,
        deliveries,
        tenant,
        deliveries.c.incident_id == incident,
        deliveries.c.channel_id == channel,
        deliveries.c.kind == kind,
    )


def _at_once(connection: Connection, tenant: TenantId, key: str, new: NewDelivery) -> Delivery | None:
    """None when it is sent already, or somebody is sending it."""
    c = deliveries.c
    values = {"mode": new.mode, "next_at": new.next_at, "user_id": new.user_id}
    waits = (c.id == key, c.status == "pending", c.lease_owner.is_(None))
    return get(connection, tenant, key) if scope.change(connection, deliveries, tenant, values, *waits) else None


def _anew(connection: Connection, tenant: TenantId, key: str, new: NewDelivery) -> Delivery | None:
    """A message that was kept back because it was not so any more, and is so again."""
    values = {"status": "pending", "attempts": 0, "next_at": new.next_at, "mode": new.mode, "last_error": None}
    changed = scope.change(connection, deliveries, tenant, values, deliveries.c.id == key, deliveries.c.status == "cancelled")
    return get(connection, tenant, key) if changed else None


def _settle(connection: Connection, delivery: Delivery, values: dict[str, object]) -> bool:
    """False when the lease was lost in between."""
    given_back = values | {"lease_owner": None, "lease_until": None}
    mine = (deliveries.c.id == delivery.id, deliveries.c.lease_owner == delivery.lease_owner)
    return scope.change(connection, deliveries, delivery.tenant, given_back, *mine) > 0


def _delivery(row: scope.Row) -> Delivery:
    return scope.as_value(Delivery, row)
