"""Managing people: the deeds behind administration over HTTP, pages, the command line and provisioning. Each is audited in its own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from api import persons
from api.audit_trail import current_request_id
from api.preconditions import etag_of, hold, refuse_changed
from api.services import Services
from core.errors import Conflict, Forbidden
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.store import audit, lockouts, second_factors, sessions, users
from core.store.audit import Happening
from core.store.users import NewUser, User


@dataclass(frozen=True, slots=True)
class Change:
    """What is None stays."""

    display_name: str | None = None
    roles: frozenset[str] | None = None
    attributes: Mapping[str, tuple[str, ...]] | None = None
    disabled: bool | None = None


def add(services: Services, admin: Principal, new: NewUser) -> User:
    """Raises: Conflict when the e-mail is taken; Invalid."""
    now = services.clock.now()
    with services.store.write() as connection:
        made = users.create(connection, admin.tenant, new, now=now)
        note(connection, admin, "user.create", made.id, now, {"roles": sorted(made.roles)})
    return made


def etag(user: User) -> str:
    """Of what administrators change."""
    return etag_of(user.display_name, sorted(user.roles), {k: list(v) for k, v in user.attributes.items()}, user.disabled)


def change(services: Services, admin: Principal, user: UserId, wanted: Change, *, expected: str | None = None) -> User:
    """A change of rights, or disabling, ends the person's sessions. expected: the ETag that the change was made from.

    Raises: NotFound; Conflict when no administrator would be left; ChangedSince.
    """
    now = services.clock.now()
    with services.store.write() as connection:
        hold(connection, expected, "users", admin.tenant, user)
        known = users.get(connection, admin.tenant, user)
        shown = {
            "display_name": known.display_name,
            "roles": sorted(known.roles),
            "attributes": known.attributes,
            "disabled": known.disabled,
        }
        refuse_changed(expected, etag(known), shown)
        roles = known.roles if wanted.roles is None else wanted.roles
        disabled = known.disabled if wanted.disabled is None else wanted.disabled
        if Role.ADMIN in known.roles and not known.disabled and (disabled or Role.ADMIN not in roles):
            refuse_without_admin(connection, admin.tenant, user)
        if wanted.display_name is not None:
            users.rename(connection, admin.tenant, user, wanted.display_name)
        if wanted.roles is not None or wanted.attributes is not None:
            users.set_access(connection, admin.tenant, user, roles, known.attributes if wanted.attributes is None else wanted.attributes)
        if disabled != known.disabled:
            users.set_disabled(connection, admin.tenant, user, disabled)
        if disabled or roles != known.roles:
            sessions.revoke_all(connection, admin.tenant, user, now=now)
        details = {"roles": sorted(roles), "disabled": disabled, "attributes": wanted.attributes is not None}
        note(connection, admin, "user.change", user, now, details)
        return users.get(connection, admin.tenant, user)


def set_password(services: Services, admin: Principal, user: UserId, password: str) -> None:
    """Ends the person's sessions and a lock-out. Raises: NotFound; Invalid."""
    now = services.clock.now()
    with services.store.write() as connection:
        known = users.get(connection, admin.tenant, user)
        users.set_password(connection, admin.tenant, user, password)
        lockouts.forget(connection, known.email)
        sessions.revoke_all(connection, admin.tenant, user, now=now)
        note(connection, admin, "user.password", user, now)


def change_own_password(services: Services, caller: Principal, current: str, password: str) -> None:
    """Ends all the caller's sessions, so that they sign in anew. Raises: Forbidden when `current` is wrong; Invalid for a bad new one."""
    now = services.clock.now()
    with services.store.read() as connection:
        me = users.get(connection, caller.tenant, caller.user)
        lockouts.refuse_locked(connection, me.email, now=now)
        right = users.has_password(connection, caller.tenant, caller.user, current)
    with services.store.write() as connection:
        if right:
            users.set_password(connection, caller.tenant, caller.user, password)
            sessions.revoke_all(connection, caller.tenant, caller.user, now=now)
            note(connection, caller, "user.password", caller.user, now)
        else:
            lockouts.failed(connection, me.email, now=now)
    if not right:
        raise Forbidden("The current password is wrong.", code="bad_credentials")


def sign_out_everywhere(services: Services, admin: Principal, user: UserId) -> int:
    """How many sessions ended. Raises: NotFound."""
    now = services.clock.now()
    with services.store.write() as connection:
        users.get(connection, admin.tenant, user)
        ended = sessions.revoke_all(connection, admin.tenant, user, now=now)
        note(connection, admin, "user.sign_out", user, now, {"sessions": ended})
    return ended


def drop_second_factor(services: Services, admin: Principal, user: UserId) -> None:
    """For who lost phone and recovery codes. Raises: NotFound."""
    with services.store.write() as connection:
        users.get(connection, admin.tenant, user)
        second_factors.remove(connection, admin.tenant, user)
        note(connection, admin, "second_factor.removed", user, services.clock.now())


def known_of(services: Services, admin: Principal, user: UserId) -> dict[str, Any]:
    """Everything that the state store holds of a person, by table; without what they could sign in with. Raises: NotFound."""
    with services.store.write() as connection:
        users.get(connection, admin.tenant, user)
        found = dict(persons.rows_of(connection, admin.tenant, user))
        note(connection, admin, "person.export", user, services.clock.now(), {"tables": sorted(found)})
    return found


def erase(services: Services, admin: Principal, user: UserId) -> User:
    """Takes away what tells who the person was, and what was theirs alone; what the company needs (rules, boards) stays without a name.

    Raises: NotFound; Conflict for the last administrator.
    """
    now = services.clock.now()
    with services.store.write() as connection:
        known = users.get(connection, admin.tenant, user)
        if Role.ADMIN in known.roles and not known.disabled:
            refuse_without_admin(connection, admin.tenant, user)
        lockouts.forget(connection, known.email)
        persons.erase_rows(connection, admin.tenant, user, known.email)
        gone = users.forget_person(connection, admin.tenant, user)
        note(connection, admin, "person.erase", user, now, {"address_still_in": persons.still_named(connection, admin.tenant, known.email)})
    return gone


def refuse_without_admin(connection: Connection, tenant: TenantId, but: UserId) -> None:
    """Raises: Conflict when nobody but this one administers the tenant."""
    if not users.has_other_with(connection, tenant, Role.ADMIN, but):
        raise Conflict("This is the last administrator; make another one first.", code="last_administrator")


def note(
    connection: Connection, admin: Principal, action: str, target: str, now: dt.datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Tells the audit log what was done, in the transaction that does it."""
    audit.append(connection, admin.tenant, Happening(admin.user, action, target, details=details, request_id=current_request_id()), now=now)
