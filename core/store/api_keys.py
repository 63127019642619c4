"""API keys: `qk_<prefix>_<secret>`, shown once, stored as a hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from core.errors import Unauthenticated
from core.ids import TenantId, UserId, new_id
from core.principal import Principal
from core.store import scope, users
from core.store.credentials import hash_token, make_api_key, same_hash, split_api_key
from core.store.tables import api_keys, tenants
from core.store.tables import users as users_table

_USED_PRECISION = timedelta(minutes=1)  # last_used_at is written at most this often, so that reads stay reads
_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    tenant: TenantId
    user: UserId
    name: str
    prefix: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    made_by_key: str | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """The key that makes another one: it ends then, and takes the other along when it is revoked."""

    id: str
    expires_at: datetime | None


def create(
    connection: Connection,
    tenant: TenantId,
    user: UserId,
    *,
    name: str,
    now: datetime,
    scopes: Iterable[str] = ("*",),
    expires_at: datetime | None = None,
    maker: Maker | None = None,
) -> tuple[ApiKey, str]:
    """The key and its text, which cannot be read again. It acts as `user`, narrowed to `scopes`, and ends with its maker at the latest.

    Raises: NotFound for an unknown user.
    """
    users.get(connection, tenant, user)
    made = make_api_key()
    key = new_id("key")
    values = {
        "id": key,
        "user_id": user,
        "name": name[:200],
        "prefix": made.prefix,
        "secret_hash": made.secret_hash,
        "scopes": sorted(scopes),
        "created_at": now,
        "expires_at": min(filter(None, (expires_at, maker.expires_at if maker else None)), default=None),
        "made_by_key": maker.id if maker else None,
    }
    scope.add(connection, api_keys, tenant, values)
    return get(connection, tenant, key), made.text


def get(connection: Connection, tenant: TenantId, key: str) -> ApiKey:
    """Raises: NotFound."""
    return _key(scope.get(connection, api_keys, tenant, "API key", key))


def list_all(connection: Connection, tenant: TenantId, *, user: UserId | None = None) -> tuple[ApiKey, ...]:
    conditions = [] if user is None else [api_keys.c.user_id == user]
    rows = scope.page(connection, api_keys, tenant, *conditions, order=[api_keys.c.created_at.desc(), api_keys.c.id], limit=1000)
    return tuple(map(_key, rows))


def revoke(connection: Connection, tenant: TenantId, key: str, *, now: datetime) -> ApiKey:
    """With the keys that it made, and that those made: who had a key that leaked may have made themselves others. Revoking twice keeps the
    first time. Raises: NotFound.
    """
    get(connection, tenant, key)
    known, found = set[str](), {key}
    while found:
        scope.change(connection, api_keys, tenant, {"revoked_at": now}, api_keys.c.id.in_(found), api_keys.c.revoked_at.is_(None))
        known |= found
        made = select(api_keys.c.id).where(api_keys.c.tenant_id == tenant, api_keys.c.made_by_key.in_(found))
        found = set(connection.execute(made).scalars()) - known
    return get(connection, tenant, key)


@dataclass(frozen=True, slots=True)
class Recognised:
    """is_use_unnoted: the last use noted is none, or more than a minute ago; `touch` would write."""

    caller: Principal
    is_use_unnoted: bool


def authenticate(connection: Connection, text: str, *, now: datetime) -> Principal:
    """Who the key acts as. Raises: as `recognise`."""
    return recognise(connection, text, now=now).caller


def recognise(connection: Connection, text: str, *, now: datetime) -> Recognised:
    """Who the key acts as, in one statement where their roles are built in. Only reads; see `touch` for the time of last use.

    Raises: Unauthenticated, in the same words for an unknown, wrong, expired or revoked key and for a disabled user or tenant.
    """
    parts = split_api_key(text)
    prefix, secret = parts or ("", "")
    key = api_keys.c
    statement = (
        select(users_table, key.secret_hash, key.revoked_at, key.expires_at, key.scopes, key.last_used_at)
        .join(api_keys, and_(key.tenant_id == users_table.c.tenant_id, key.user_id == users_table.c.id))
        .join(tenants, tenants.c.id == key.tenant_id)
        .where(key.prefix == prefix[:16], tenants.c.disabled.is_(False), users_table.c.disabled.is_(False))
    )
    row = connection.execute(statement).mappings().first()
    right = same_hash(hash_token(secret), row["secret_hash"] if row else _NO_HASH)
    if row is None or not right or row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now):
        raise _refusal()
    return Recognised(users.from_row(connection, row).principal(row["scopes"]), _is_unnoted(row["last_used_at"], now))


def maker_of(connection: Connection, text: str) -> Maker | None:
    """The key that somebody makes another with, held until the transaction ends, so that it is not revoked in between; None for no key.

    Raises: Unauthenticated when it was revoked since it was recognised.
    """
    prefix, _ = split_api_key(text) or ("", "")
    held = select(api_keys.c.id, api_keys.c.expires_at, api_keys.c.revoked_at).where(api_keys.c.prefix == prefix[:16]).with_for_update()
    row = connection.execute(held).first()
    if row is not None and row.revoked_at is not None:
        raise _refusal()
    return None if row is None else Maker(row.id, row.expires_at)


def touch(connection: Connection, text: str, *, now: datetime) -> None:
    """Notes the use of an authenticated key, to the minute."""
    parts = split_api_key(text)
    if parts is None:
        return
    row = connection.execute(select(api_keys).where(api_keys.c.prefix == parts[0][:16])).mappings().first()
    if row is not None and _is_unnoted(row["last_used_at"], now):
        scope.change(connection, api_keys, row["tenant_id"], {"last_used_at": now}, api_keys.c.id == row["id"])


def _is_unnoted(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at >= _USED_PRECISION


def _refusal() -> Unauthenticated:
    return Unauthenticated("The API key is not valid (wrong, expired or revoked).", code="bad_api_key")


def _key(row: scope.Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        tenant=row["tenant_id"],
        user=row["user_id"],
        name=row["name"],
        prefix=row["prefix"],
        scopes=frozenset(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        made_by_key=row["made_by_key"],
    )
