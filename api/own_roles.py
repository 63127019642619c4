"""Roles of a tenant: the built-in ones and its own, and what administrators do with those."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api import schemas
from api.people import note
from api.preconditions import etag_of, hold, refuse_changed
from api.services import Services
from core.errors import Conflict, NotFound
from core.principal import Principal, Role
from core.rights import Right, together
from core.store import boards, directory, roles, tenants
from core.store.roles import NewRole, OwnRole

RoleName = Annotated[str, Field(min_length=1, max_length=41)]


class RoleIn(schemas.In):
    """`rights` are what the role adds; from `inherits` (built-in and own roles) it has the rights, and its holders the row and column rules."""

    description: str = Field(default="", max_length=500)
    rights: list[Right] = Field(default=[], max_length=len(Right))
    inherits: list[RoleName] = Field(default=[], max_length=20)


class RoleView(BaseModel):
    """`all_rights`: its own and inherited ones together. `etag`: for If-Match; empty for built-in roles, which nobody changes."""

    name: str
    built_in: bool
    description: str
    rights: list[str]
    inherits: list[str]
    all_rights: list[str]
    etag: str = ""


def known_roles(services: Services, caller: Principal) -> list[RoleView]:
    """The built-in roles, then the tenant's own by name."""
    with services.store.read() as connection:
        own = roles.by_name(connection, caller.tenant)
    built_in = [_view(role.value, None, own) for role in Role]
    return built_in + [_view(name, found, own) for name, found in own.items()]


def put(services: Services, admin: Principal, name: str, body: RoleIn, *, expected: str | None = None) -> RoleView:
    """Makes or changes a role; counts at once. Raises: Invalid; ChangedSince."""
    now, new = services.clock.now(), NewRole(name, body.description, frozenset(body.rights), frozenset(body.inherits))
    with services.store.write() as connection:
        hold(connection, expected, "roles", admin.tenant)
        _refuse_changed(roles.by_name(connection, admin.tenant), name, expected)
        kept = roles.put(connection, admin.tenant, new, by=admin.user, now=now)
        own = roles.by_name(connection, admin.tenant)
        note(connection, admin, "role.put", name, now, {"rights": sorted(new.rights), "inherits": sorted(new.inherits)})
    return _view(name, kept, own)


def remove(services: Services, admin: Principal, name: str, *, expected: str | None = None) -> None:
    """Boards that were shared with it no longer are.

    Raises: NotFound; ChangedSince; Conflict while it is in use, also by a company's directory or sign-in that gives it to people, or by a
    rule of the catalog: a later role of that name would come under it unawares.
    """
    ruled = rules_naming(services, admin, name)
    with services.store.write() as connection:
        hold(connection, expected, "roles", admin.tenant)
        _refuse_changed(roles.by_name(connection, admin.tenant), name, expected)
        sign_in = tenants.get(connection, admin.tenant).settings.get("oidc") or {}
        if name in (
            *directory.role_map(connection, admin.tenant).values(),
            *sign_in.get("roles", {}).values(),
            *sign_in.get("default_roles", ()),
        ):
            raise Conflict(
                "Groups of your directory or sign-in provider give this role; map them to another one first.", code="role_in_use"
            )
        if ruled:
            raise Conflict(
                f"Rules of the catalog name this role: {', '.join(ruled[:8])}{f' and {len(ruled) - 8} more' if len(ruled) > 8 else ''}. "
                "Take it out of them first, under Catalog, Who sees what.",
                code="role_in_use",
            )
        roles.remove(connection, admin.tenant, name)
        note(connection, admin, "role.remove", name, services.clock.now(), {"boards": boards.unshare(connection, admin.tenant, name)})


def rules_naming(services: Services, caller: Principal, role: str) -> list[str]:
    """Row policies, column rules and the clearance of the published catalog that name a role, in words."""
    try:
        catalog = services.catalogs.full(caller.tenant)
    except NotFound:
        return []
    found = [f"row policy {p.name}" for p in catalog.row_policies if role in p.roles]
    found += [f"column rule on {r.dataset}.{r.field}" for r in catalog.column_rules if role in r.roles]
    return found + [f"the clearance up to {c.up_to}" for c in catalog.clearances if c.role == role]


def _refuse_changed(own: dict[str, OwnRole], name: str, expected: str | None) -> None:
    if expected is not None:
        shown = _view(name, own[name], own) if name in own else None
        refuse_changed(expected, shown.etag if shown else None, shown.model_dump() if shown else None)


def _view(name: str, found: OwnRole | None, own: dict[str, OwnRole]) -> RoleView:
    has = roles.standing([name], own)
    everything = sorted(together(has.roles, has.granted))
    if found is None:
        return RoleView(name=name, built_in=True, description="", rights=everything, inherits=[], all_rights=everything)
    asked = found.asked
    return RoleView(
        name=name, built_in=False, description=asked.description, rights=sorted(asked.rights), inherits=sorted(asked.inherits), all_rights=everything,
        etag=etag_of(asked.description, sorted(asked.rights), sorted(asked.inherits)),
    )  # fmt: skip
