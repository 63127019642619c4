"""Tenants. These functions are for operators and start-up; nothing that a tenant's user calls lists other tenants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from core.errors import Conflict, NotFound
from core.ids import TenantId, tenant_id
from core.store.tables import tenants


@dataclass(frozen=True, slots=True)
class Tenant:
    id: TenantId
    name: str
    settings: Mapping[str, Any]
    disabled: bool
    created_at: datetime


def create(connection: Connection, tenant: TenantId, *, name: str, now: datetime, settings: Mapping[str, Any] | None = None) -> Tenant:
    """Raises: Conflict when it exists; Invalid for a bad id."""
    tenant_id(tenant)
    if exists(connection, tenant):
        raise Conflict(f"Tenant {tenant!r} exists already.", code="tenant_exists")
    made = Tenant(id=tenant, name=name[:200], settings=dict(settings or {}), disabled=False, created_at=now)
    connection.execute(insert(tenants).values(id=tenant, name=made.name, settings=made.settings, disabled=False, created_at=now))
    return made


def exists(connection: Connection, tenant: TenantId) -> bool:
    return connection.execute(select(tenants.c.id).where(tenants.c.id == tenant)).first() is not None


def get(connection: Connection, tenant: TenantId) -> Tenant:
    """Raises: NotFound."""
    row = connection.execute(select(tenants).where(tenants.c.id == tenant)).mappings().first()
    if row is None:
        raise NotFound(f"There is no tenant {tenant[:40]!r}.", code="unknown_tenant")
    return Tenant(**row)


def settings_of(connection: Connection, tenant: TenantId) -> Mapping[str, Any]:
    """Empty for a tenant that is not there."""
    found: Mapping[str, Any] | None = connection.execute(select(tenants.c.settings).where(tenants.c.id == tenant)).scalar()
    return found or {}


def list_all(connection: Connection) -> tuple[Tenant, ...]:
    return tuple(Tenant(**row) for row in connection.execute(select(tenants).order_by(tenants.c.id)).mappings())


def set_disabled(connection: Connection, tenant: TenantId, disabled: bool) -> None:
    """Raises: NotFound."""
    get(connection, tenant)
    connection.execute(update(tenants).where(tenants.c.id == tenant).values(disabled=disabled))


def set_settings(connection: Connection, tenant: TenantId, changed: Mapping[str, Any]) -> Tenant:
    """Replaces the given settings; the others stay. Raises: NotFound."""
    known = get(connection, tenant)
    connection.execute(update(tenants).where(tenants.c.id == tenant).values(settings={**known.settings, **changed}))
    return get(connection, tenant)


def rename(connection: Connection, tenant: TenantId, name: str) -> None:
    """Raises: NotFound."""
    get(connection, tenant)
    connection.execute(update(tenants).where(tenants.c.id == tenant).values(name=name[:200]))


def remove(connection: Connection, tenant: TenantId) -> None:
    """The tenant and, by the foreign keys, everything of it in the state store. Raises: NotFound."""
    get(connection, tenant)
    connection.execute(delete(tenants).where(tenants.c.id == tenant))
