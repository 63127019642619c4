"""Users of a tenant, and what a password sign-in yields."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from core.errors import Conflict, Invalid, Unauthenticated
from core.ids import TenantId, UserId, new_id
from core.principal import Principal
from core.store import roles, scope
from core.store.credentials import hash_password, verify_password
from core.store.roles import Standing
from core.store.tables import tenants, users

_TOGETHER = {"HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "KATAKANA-HIRAGANA"}
_NEVER = frozenset('"<>()[],;:\\')  # of an address's quoted and grouped forms
Attributes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class User:
    """A person or service account. `attributes` are what row policies read, such as {"regions": ("EMEA",)}.

    roles: names as they were given; `standing` is what they come to.
    """

    id: UserId
    tenant: TenantId
    email: str
    display_name: str
    roles: frozenset[str]
    standing: Standing
    attributes: Attributes
    disabled: bool
    has_password: bool
    created_at: datetime
    last_login_at: datetime | None

    def principal(self, scopes: Iterable[str] = ("*",)) -> Principal:
        has = self.standing
        return Principal(self.tenant, self.id, has.roles, self.attributes, frozenset(scopes), has.custom, has.granted)


@dataclass(frozen=True, slots=True)
class NewUser:
    email: str
    display_name: str
    roles: frozenset[str]
    password: str | None = None
    attributes: Attributes | None = None


def create(connection: Connection, tenant: TenantId, new: NewUser, *, now: datetime) -> User:
    """Raises: Conflict when the e-mail is taken in this tenant; Invalid for a bad e-mail or password or an unknown role."""
    email = normal_email(new.email)
    if scope.find(connection, users, tenant, users.c.email == email) is not None:
        raise Conflict(f"A user with the e-mail {email!r} exists already.", code="user_exists")
    user = UserId(new_id("usr"))
    values = {
        "id": user,
        "email": email,
        "display_name": (new.display_name or email)[:200],
        "password_hash": None if new.password is None else hash_password(new.password),
        "roles": sorted(roles.checked_names(connection, tenant, new.roles)),
        "attributes": {key: list(values) for key, values in (new.attributes or {}).items()},
        "disabled": False,
        "created_at": now,
        "last_login_at": None,
    }
    scope.add(connection, users, tenant, values)
    return get(connection, tenant, user)


def get(connection: Connection, tenant: TenantId, user: UserId) -> User:
    """Raises: NotFound."""
    return from_row(connection, scope.get(connection, users, tenant, "user", user))


def by_email(connection: Connection, tenant: TenantId, email: str) -> User | None:
    row = scope.find(connection, users, tenant, users.c.email == normal_email(email))
    return None if row is None else from_row(connection, row)


def list_all(connection: Connection, tenant: TenantId, *, after: str = "", limit: int = 100) -> tuple[User, ...]:
    """Users by e-mail, those after `after`."""
    rows = scope.page(connection, users, tenant, users.c.email > after, order=[users.c.email], limit=limit)
    return tuple(from_row(connection, row) for row in rows)


def set_disabled(connection: Connection, tenant: TenantId, user: UserId, disabled: bool) -> None:
    """Raises: NotFound."""
    get(connection, tenant, user)
    scope.change(connection, users, tenant, {"disabled": disabled}, users.c.id == user)


def set_password(connection: Connection, tenant: TenantId, user: UserId, password: str) -> None:
    """Raises: NotFound; Invalid for a bad password."""
    get(connection, tenant, user)
    scope.change(connection, users, tenant, {"password_hash": hash_password(password)}, users.c.id == user)


def set_access(connection: Connection, tenant: TenantId, user: UserId, names: Iterable[str], attributes: Attributes) -> User:
    """Replaces roles and attributes. Raises: NotFound; Invalid for an unknown role."""
    get(connection, tenant, user)
    given = sorted(roles.checked_names(connection, tenant, names))
    values = {"roles": given, "attributes": {key: list(items) for key, items in attributes.items()}}
    scope.change(connection, users, tenant, values, users.c.id == user)
    return get(connection, tenant, user)


def rename(connection: Connection, tenant: TenantId, user: UserId, display_name: str) -> None:
    """Raises: NotFound."""
    get(connection, tenant, user)
    scope.change(connection, users, tenant, {"display_name": display_name[:200]}, users.c.id == user)


def has_other_with(connection: Connection, tenant: TenantId, role: str, but: UserId) -> bool:
    """Whether anybody else who may sign in was given this role."""
    rows = connection.execute(select(users.c.roles).where(users.c.tenant_id == tenant, users.c.disabled.is_(False), users.c.id != but))
    return any(role in row.roles for row in rows)


def forget_person(connection: Connection, tenant: TenantId, user: UserId) -> User:
    """Takes away what tells who the user was: e-mail, name, password, attributes. The id stays, so that the log keeps its chain.

    Raises: NotFound.
    """
    get(connection, tenant, user)
    gone: dict[str, Any] = {
        "email": f"erased-{user}@invalid.example",
        "display_name": "Erased person",
        "password_hash": None,
        "attributes": {},
        "disabled": True,
    }
    scope.change(connection, users, tenant, gone, users.c.id == user)
    return get(connection, tenant, user)


def sign_in(connection: Connection, email: str, password: str, *, tenant: TenantId | None = None) -> User:
    """The user whose e-mail and password these are. One e-mail may exist in several tenants; the password or `tenant` tells them apart.

    Only reads (hashing takes tens of milliseconds, which no write lock should last); note the visit with `record_login`.
    Raises: Unauthenticated, in the same words and time whether the user exists or not; Conflict when it fits several tenants.
    """
    statement = (
        select(users)
        .join(tenants, tenants.c.id == users.c.tenant_id)
        .where(users.c.email == folded_email(email), users.c.disabled.is_(False), tenants.c.disabled.is_(False))
        .limit(20)
    )
    if tenant is not None:
        statement = statement.where(users.c.tenant_id == tenant)
    candidates = connection.execute(statement).mappings().all()
    if not candidates:
        verify_password(password, None)
    matching = [row for row in candidates if verify_password(password, row["password_hash"])]
    if not matching:
        raise Unauthenticated("The e-mail or the password is wrong.", code="bad_credentials")
    if len(matching) > 1:
        raise Conflict(
            "These credentials fit several tenants; name the tenant as well.",
            code="tenant_needed",
            suggestions=[row["tenant_id"] for row in matching],
        )
    return from_row(connection, matching[0])


def has_password(connection: Connection, tenant: TenantId, user: UserId, password: str) -> bool:
    """Whether it is the user's password. Raises: NotFound."""
    return verify_password(password, scope.get(connection, users, tenant, "user", user)["password_hash"])


def record_login(connection: Connection, tenant: TenantId, user: UserId, *, now: datetime) -> None:
    scope.change(connection, users, tenant, {"last_login_at": now}, users.c.id == user)


def folded_email(email: str) -> str:
    """As it is stored and looked for: lower case, without blanks around, wide and joined forms of letters as the plain ones."""
    return unicodedata.normalize("NFKC", email.strip()).lower()[:321]


def _scripts(text: str) -> set[str]:
    """Of its letters: the first word of their names, such as LATIN and CYRILLIC; those that one language writes together are one."""
    found = {unicodedata.name(c, "?").partition(" ")[0] for c in text if c.isalpha()}
    return {"CJK" if name in _TOGETHER else name for name in found}


def normal_email(email: str) -> str:
    """Folded, and not one that only looks like another: no part mixes scripts. Raises: Invalid."""
    normal = folded_email(email)
    local, at, domain = normal.rpartition("@")
    odd = any(c.isspace() or not c.isprintable() or c in _NEVER for c in normal) or domain.startswith(".") or domain.endswith(".")
    mixed = any(len(_scripts(part)) > 1 for part in (local, *domain.split(".")))
    if not (at and local and domain) or len(normal) > 320 or odd or mixed:
        raise Invalid(f"An e-mail address such as name@example.com was expected; found {email[:60]!r}.", code="bad_email")
    return normal


def from_row(connection: Connection, row: scope.Row) -> User:
    """Of a row that has the columns of users, maybe among others."""
    return User(
        id=row["id"],
        tenant=row["tenant_id"],
        email=row["email"],
        display_name=row["display_name"],
        roles=frozenset(row["roles"]),
        standing=roles.standing_of(connection, row["tenant_id"], row["roles"]),
        attributes={key: tuple(values) for key, values in row["attributes"].items()},
        disabled=row["disabled"],
        has_password=row["password_hash"] is not None,
        created_at=row["created_at"],
        last_login_at=row["last_login_at"],
    )
