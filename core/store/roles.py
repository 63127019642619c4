"""A tenant's own roles: rights of their own, and what they inherit from built-in roles and each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete as delete_from
from sqlalchemy.engine import Connection

from core.errors import Conflict, Invalid, NotFound
from core.ids import TenantId, UserId, new_id
from core.principal import Role
from core.rights import GRANTABLE, Right
from core.store import scope
from core.store.tables import roles as table
from core.store.tables import users

MAX_ROLES = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}\Z")
_BUILT_IN = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class NewRole:
    """rights: what it adds. inherits: names of built-in and own roles whose rights it has as well, and whose rules narrow its holders."""

    name: str
    description: str = ""
    rights: frozenset[Right] = frozenset()
    inherits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OwnRole:
    id: str
    tenant: TenantId
    asked: NewRole
    created_by: UserId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What names of roles come to: built-in ones (named or inherited), own ones (the same), and the rights that the own ones add."""

    roles: frozenset[Role]
    custom: frozenset[str]
    granted: frozenset[str]


def standing(names: Iterable[str], own: Mapping[str, OwnRole]) -> Standing:
    """Names that are not there (any more) come to nothing."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen and (name in _BUILT_IN or name in own):
            seen.add(name)
            waiting += own[name].asked.inherits if name in own else ()
    custom = frozenset(seen - _BUILT_IN)
    granted = frozenset(right.value for name in custom for right in own[name].asked.rights)
    return Standing(frozenset(Role(name) for name in seen & _BUILT_IN), custom, granted | {Right.SELF.value} if custom else granted)


def standing_of(connection: Connection, tenant: TenantId, names: Iterable[str]) -> Standing:
    """The same with the tenant's own roles, which are only read where a name is not built in."""
    given = frozenset(names)
    return standing(given, {} if given <= _BUILT_IN else by_name(connection, tenant))


def by_name(connection: Connection, tenant: TenantId) -> dict[str, OwnRole]:
    return {row["name"]: _role(row) for row in scope.page(connection, table, tenant, order=[table.c.name], limit=MAX_ROLES)}


def put(connection: Connection, tenant: TenantId, new: NewRole, *, by: UserId, now: datetime) -> OwnRole:
    """Makes the role, or changes the one of that name; counts at once for all who have it.

    Raises: Invalid for a bad name, a right that roles cannot add, an unknown role, or roles that would inherit from each other in a circle.
    """
    known = by_name(connection, tenant)
    _check(new, known)
    values = {
        "description": new.description[:500], "rights": sorted(r.value for r in new.rights), "inherits": sorted(new.inherits), "updated_at": now,
    }  # fmt: skip
    if new.name in known:
        scope.change(connection, table, tenant, values, table.c.name == new.name)
    else:
        if len(known) >= MAX_ROLES:
            raise Invalid(f"There are {MAX_ROLES} roles already; remove some first.", code="too_many_roles")
        scope.add(connection, table, tenant, values | {"id": new_id("role"), "name": new.name, "created_by": by, "created_at": now})
    return by_name(connection, tenant)[new.name]


def remove(connection: Connection, tenant: TenantId, name: str) -> None:
    """Raises: NotFound; Conflict while somebody has it or another role inherits it."""
    known = by_name(connection, tenant)
    if name not in known:
        raise NotFound(f"There is no role {name[:60]!r} of your own.", code="unknown_role", suggestions=sorted(known)[:10])
    heirs = sorted(other.asked.name for other in known.values() if name in other.asked.inherits)
    if heirs:
        raise Conflict(f"The role is inherited by {', '.join(heirs)}; change those first.", code="role_in_use")
    holders = [row["email"] for row in _everybody(connection, tenant) if name in row["roles"]]
    if holders:
        raise Conflict(f"{len(holders)} people have this role, such as {holders[0]}; give them another one first.", code="role_in_use")
    connection.execute(delete_from(table).where(table.c.tenant_id == tenant, table.c.name == name))


def checked_names(connection: Connection, tenant: TenantId, names: Iterable[str]) -> frozenset[str]:
    """The names, all of which are roles. Raises: Invalid."""
    given = frozenset(str(name) for name in names)
    unknown = given - _BUILT_IN
    if unknown:
        own = by_name(connection, tenant)
        unknown -= set(own)
        if unknown:
            listed = ", ".join(sorted(_BUILT_IN | set(own)))
            raise Invalid(f"A role is one of {listed}; found {sorted(unknown)[0][:60]!r}.", code="unknown_role")
    return given


def _check(new: NewRole, known: Mapping[str, OwnRole]) -> None:
    if not _NAME.match(new.name) or new.name in _BUILT_IN:
        expected = "A role's name is 2-41 of a-z, 0-9 and _, starts with a letter, and is none of the built-in ones"
        raise Invalid(f"{expected}; found {new.name[:60]!r}.", code="bad_role_name")
    if not new.rights <= GRANTABLE or Role.ADMIN.value in new.inherits:
        raise Invalid("Only administrators administer; give people the role admin itself.", code="bad_role_rights")
    unknown = sorted(new.inherits - _BUILT_IN - set(known))
    if unknown:
        raise Invalid(f"There is no role {unknown[0][:60]!r} to inherit.", code="unknown_role")
    above, waiting = set[str](), list(new.inherits)
    while waiting:
        name = waiting.pop()
        if name == new.name:
            raise Invalid(f"{new.name!r} would inherit from itself.", code="role_circle")
        if name in known and name not in above:
            above.add(name)
            waiting += known[name].asked.inherits


def _everybody(connection: Connection, tenant: TenantId) -> Iterable[scope.Row]:
    after = ""
    while rows := scope.page(connection, users, tenant, users.c.email > after, order=[users.c.email], limit=1000):
        yield from rows
        after = rows[-1]["email"]


def _role(row: scope.Row) -> OwnRole:
    rights = frozenset(right for right in GRANTABLE if right.value in row["rights"])
    asked = NewRole(row["name"], row["description"], rights, frozenset(row["inherits"]))
    return OwnRole(row["id"], row["tenant_id"], asked, row["created_by"], row["created_at"], row["updated_at"])
