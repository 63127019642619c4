"""Groups that a company's directory keeps here, who is in them, and which of our roles their members have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import roles, scope, tenants
from core.store.tables import directory_groups as groups
from core.store.tables import directory_members as members

SETTING = "directory_roles"  # of the tenant: role by a group's name


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    display_name: str
    external_id: str | None
    members: tuple[UserId, ...]
    created_at: datetime
    updated_at: datetime


def create(connection: Connection, tenant: TenantId, name: str, external_id: str | None, *, now: datetime) -> Group:
    """Raises: Conflict when there is a group of that name."""
    if by_name(connection, tenant, name) is not None:
        raise Conflict(f"There is a group {name[:60]!r} already.", code="group_exists")
    key = new_id("grp")
    values = {"id": key, "display_name": name, "external_id": external_id, "created_at": now, "updated_at": now}
    scope.add(connection, groups, tenant, values)
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Group:
    """Raises: NotFound."""
    return _group(connection, scope.get(connection, groups, tenant, "group", key))


def by_name(connection: Connection, tenant: TenantId, name: str) -> Group | None:
    row = scope.find(connection, groups, tenant, groups.c.display_name == name)
    return None if row is None else _group(connection, row)


def list_all(connection: Connection, tenant: TenantId) -> tuple[Group, ...]:
    rows = scope.page(connection, groups, tenant, order=[groups.c.display_name], limit=1000)
    return tuple(_group(connection, row) for row in rows)


def rename(connection: Connection, tenant: TenantId, key: str, name: str, *, now: datetime) -> None:
    """Raises: NotFound; Conflict."""
    get(connection, tenant, key)
    other = by_name(connection, tenant, name)
    if other is not None and other.id != key:
        raise Conflict(f"There is a group {name[:60]!r} already.", code="group_exists")
    scope.change(connection, groups, tenant, {"display_name": name, "updated_at": now}, groups.c.id == key)


def set_members(connection: Connection, tenant: TenantId, key: str, users: Collection[UserId], *, now: datetime) -> None:
    """Raises: NotFound."""
    get(connection, tenant, key)
    connection.execute(delete(members).where(members.c.tenant_id == tenant, members.c.group_id == key))
    rows = [{"group_id": key, "user_id": user, "tenant_id": tenant} for user in sorted(set(users))]
    if rows:
        connection.execute(insert(members), rows)
    scope.change(connection, groups, tenant, {"updated_at": now}, groups.c.id == key)


def remove(connection: Connection, tenant: TenantId, key: str) -> None:
    """Raises: NotFound."""
    set_members(connection, tenant, key, (), now=get(connection, tenant, key).updated_at)
    connection.execute(delete(groups).where(groups.c.tenant_id == tenant, groups.c.id == key))


def roles_of(connection: Connection, tenant: TenantId, user: UserId) -> frozenset[str]:
    """The roles of the groups that the user is in; none where the tenant says nothing of these groups."""
    statement = select(groups.c.display_name).join(members, members.c.group_id == groups.c.id)
    statement = statement.where(groups.c.tenant_id == tenant, members.c.tenant_id == tenant, members.c.user_id == user)
    mapped = role_map(connection, tenant)
    return frozenset(mapped[name] for (name,) in connection.execute(statement) if name in mapped)


def role_map(connection: Connection, tenant: TenantId) -> dict[str, str]:
    """Role by a group's name."""
    return dict(tenants.get(connection, tenant).settings.get(SETTING, {}))


def set_role_map(connection: Connection, tenant: TenantId, wanted: Mapping[str, str]) -> None:
    """Raises: Invalid for a name that is no role."""
    roles.checked_names(connection, tenant, wanted.values())
    tenants.set_settings(connection, tenant, {SETTING: dict(wanted)})


def _group(connection: Connection, row: scope.Row) -> Group:
    statement = select(members.c.user_id).where(members.c.tenant_id == row["tenant_id"], members.c.group_id == row["id"])
    found = tuple(UserId(user) for (user,) in connection.execute(statement.order_by(members.c.user_id)))
    return Group(row["id"], row["display_name"], row["external_id"], found, row["created_at"], row["updated_at"])
