"""Channels: where messages go. What is secret in one is sealed by the caller; here it is only text that is never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import channels

ChannelKind = Literal["email", "webhook", "apprise", "inbox"]


@dataclass(frozen=True, slots=True)
class Channel:
    """`config` may be shown; `sealed` is the encrypted secret, kept out of the representation."""

    id: str
    tenant: TenantId
    name: str
    kind: ChannelKind
    config: Mapping[str, Any]
    sealed: str | None = field(repr=False)
    enabled: bool
    created_by: UserId
    created_at: datetime
    updated_at: datetime
    last_sent_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class NewChannel:
    name: str
    kind: ChannelKind
    config: Mapping[str, Any]
    sealed: str | None = field(repr=False)
    created_by: UserId
    enabled: bool = True


def create(connection: Connection, tenant: TenantId, new: NewChannel, *, now: datetime) -> Channel:
    """Raises: Conflict when the tenant has a channel of that name."""
    _check_name(connection, tenant, new.name, None)
    key = new_id("chn")
    values = _values(new) | {"id": key, "kind": new.kind, "created_by": new.created_by, "created_at": now, "updated_at": now}
    scope.add(connection, channels, tenant, values)
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Channel:
    """Raises: NotFound."""
    return _channel(scope.get(connection, channels, tenant, "channel", key))


def by_name(connection: Connection, tenant: TenantId, name: str) -> Channel | None:
    row = scope.by_name(connection, channels, tenant, name)
    return None if row is None else _channel(row)


def list_all(connection: Connection, tenant: TenantId, *, after: str = "", limit: int = 200) -> tuple[Channel, ...]:
    """By name, those after `after`."""
    return tuple(map(_channel, scope.page_by_name(connection, channels, tenant, after=after, limit=limit)))


def replace(connection: Connection, tenant: TenantId, key: str, new: NewChannel, *, now: datetime) -> Channel:
    """Its kind stays. Raises: NotFound; Conflict when another channel has that name."""
    get(connection, tenant, key)
    _check_name(connection, tenant, new.name, key)
    scope.change(connection, channels, tenant, _values(new) | {"updated_at": now}, channels.c.id == key)
    return get(connection, tenant, key)


def delete(connection: Connection, tenant: TenantId, key: str) -> None:
    """Its subscriptions and deliveries go too. Raises: NotFound."""
    scope.remove(connection, channels, tenant, "channel", key)


def record(connection: Connection, tenant: TenantId, key: str, *, error: str | None, now: datetime, disable: bool = False) -> None:
    """How the last sending went; `disable` when the receiver said that it is gone for good."""
    values: dict[str, Any] = {"last_error": error[:500] if error else None}
    if error is None:
        values["last_sent_at"] = now
    if disable:
        values["enabled"] = False
    scope.change(connection, channels, tenant, values, channels.c.id == key)


def _check_name(connection: Connection, tenant: TenantId, name: str, own: str | None) -> None:
    found = by_name(connection, tenant, name)
    if found is not None and found.id != own:
        raise Conflict(f"There is a channel {name[:60]!r} already; give this one another name.", code="channel_exists")


def _values(new: NewChannel) -> dict[str, Any]:
    return {"name": new.name[:200], "config": dict(new.config), "sealed": new.sealed, "enabled": new.enabled}


def _channel(row: scope.Row) -> Channel:
    return scope.as_value(Channel, row)
