"""What a company's directory does with people and groups here (SCIM 2.0): the deeds, each audited in its own transaction.

People of a directory have the roles of their groups, as the administrators mapped them; in no mapped group they have none and may do nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from api import people
from api.people import Change, note
from api.services import Services
from core.errors import Invalid
from core.ids import UserId
from core.principal import Principal, Role
from core.store import directory, external_identities, sessions, users
from core.store.directory import Group
from core.store.users import NewUser, User

ISSUER = "scim"
MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What is None stays. members: all from now on; added and removed change those that are there."""

    display_name: str | None = None
    members: frozenset[UserId] | None = None
    added: frozenset[UserId] = frozenset()
    removed: frozenset[UserId] = frozenset()


def add_person(services: Services, admin: Principal, email: str, name: str, external_id: str | None, active: bool) -> User:
    """Raises: Conflict when the e-mail is taken; Invalid."""
    now = services.clock.now()
    with services.store.write() as connection:
        made = users.create(connection, admin.tenant, NewUser(email, name, frozenset()), now=now)
        if external_id:
            external_identities.link(connection, admin.tenant, ISSUER, external_id, made.id, now=now)
        if not active:
            users.set_disabled(connection, admin.tenant, made.id, True)
        note(connection, admin, "directory.user_create", made.id, now, {"active": active})
        return users.get(connection, admin.tenant, made.id)


def change_person(services: Services, admin: Principal, user: UserId, name: str | None, active: bool | None) -> User:
    """Raises: NotFound; Conflict for the last administrator."""
    return people.change(services, admin, user, Change(display_name=name or None, disabled=None if active is None else not active))


def find_people(
    services: Services, admin: Principal, email: str | None, external_id: str | None, start: int, count: int
) -> tuple[int, list[User]]:
    """How many there are, and those from `start` (counted from 1)."""
    with services.store.read() as connection:
        if email is not None:
            try:
                found = users.by_email(connection, admin.tenant, email)
            except Invalid:  # no address at all, as directories ask for to test the connection: nobody has it
                found = None
            return (1, [found]) if found is not None else (0, [])
        if external_id is not None:
            known = external_identities.user_of(connection, admin.tenant, ISSUER, external_id)
            return (1, [users.get(connection, admin.tenant, known)]) if known is not None else (0, [])
        everybody: list[User] = []
        after = ""
        while page := users.list_all(connection, admin.tenant, after=after, limit=1000):
            everybody += page
            after = page[-1].email
    return len(everybody), everybody[start - 1 : start - 1 + count]


def add_group(services: Services, admin: Principal, name: str, external_id: str | None, members: Collection[UserId]) -> Group:
    """Raises: Conflict when there is one of that name; NotFound for a member who is not there."""
    now = services.clock.now()
    with services.store.write() as connection:
        made = directory.create(connection, admin.tenant, name, external_id, now=now)
        note(connection, admin, "directory.group_create", made.id, now, {"members": len(members)})
        _have_members(services, connection, admin, made, frozenset(members))
        return directory.get(connection, admin.tenant, made.id)


def change_group(services: Services, admin: Principal, key: str, wanted: GroupChange) -> Group:
    """Raises: NotFound; Conflict for a taken name, and for the last administrator."""
    now = services.clock.now()
    with services.store.write() as connection:
        known = directory.get(connection, admin.tenant, key)
        if wanted.display_name is not None and wanted.display_name != known.display_name:
            directory.rename(connection, admin.tenant, key, wanted.display_name, now=now)
        start = frozenset(known.members) if wanted.members is None else wanted.members
        note(connection, admin, "directory.group_change", key, now)
        _have_members(services, connection, admin, known, (start | wanted.added) - wanted.removed)
        return directory.get(connection, admin.tenant, key)


def remove_group(services: Services, admin: Principal, key: str) -> None:
    """Its members lose the group's role. Raises: NotFound; Conflict for the last administrator."""
    with services.store.write() as connection:
        known = directory.get(connection, admin.tenant, key)
        directory.remove(connection, admin.tenant, key)
        _roles_follow(services, connection, admin, known.members)
        note(connection, admin, "directory.group_remove", key, services.clock.now())


def map_roles(services: Services, admin: Principal, wanted: dict[str, str]) -> dict[str, str]:
    """Role by a group's name; the members of all groups follow at once. Raises: Invalid for an unknown role; Conflict for the last admin."""
    with services.store.write() as connection:
        before = directory.role_map(connection, admin.tenant)
        directory.set_role_map(connection, admin.tenant, wanted)
        everybody = {user for group in directory.list_all(connection, admin.tenant) for user in group.members}
        _roles_follow(services, connection, admin, everybody, frozenset(before.values()))
        note(connection, admin, "directory.roles", "", services.clock.now(), {"groups": len(wanted)})
    return wanted


def _have_members(services: Services, connection: Connection, admin: Principal, group: Group, wanted: frozenset[UserId]) -> None:
    if len(wanted) > MAX_MEMBERS:
        raise Invalid(f"A group has at most {MAX_MEMBERS:,} members here; found {len(wanted):,}.", code="too_many_members")
    for user in wanted - set(group.members):
        users.get(connection, admin.tenant, user)
    directory.set_members(connection, admin.tenant, group.id, wanted, now=services.clock.now())
    _roles_follow(services, connection, admin, wanted | set(group.members))


def _roles_follow(
    services: Services, connection: Connection, admin: Principal, who: Iterable[UserId], before: frozenset[str] = frozenset()
) -> None:
    """The roles that groups give come and go with them; those that no group gives (now or `before`) are administrators' to give, and stay."""
    managed = before | frozenset(directory.role_map(connection, admin.tenant).values())
    for user in who:
        known = users.get(connection, admin.tenant, user)
        given = directory.roles_of(connection, admin.tenant, user) | (known.roles - managed)
        if given == known.roles:
            continue
        if Role.ADMIN in known.roles and not known.disabled and Role.ADMIN not in given:
            people.refuse_without_admin(connection, admin.tenant, user)
        users.set_access(connection, admin.tenant, user, given, known.attributes)
        sessions.revoke_all(connection, admin.tenant, user, now=services.clock.now())
