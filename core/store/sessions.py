"""Signed-in browser sessions: an opaque token in a cookie, its hash here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from core.errors import NotFound, Unauthenticated
from core.ids import TenantId, UserId, new_id
from core.store import scope, users
from core.store.credentials import hash_token, make_token
from core.store.tables import sessions, tenants
from core.store.users import User


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    tenant: TenantId
    user: UserId
    user_agent: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def create(
    connection: Connection, tenant: TenantId, user: UserId, *, now: datetime, lifetime: timedelta, user_agent: str = ""
) -> tuple[Session, str]:
    """The session and its token, which cannot be read again. Raises: NotFound for an unknown user."""
    users.get(connection, tenant, user)
    token = make_token()
    key = new_id("ses")
    values = {
        "id": key,
        "user_id": user,
        "token_hash": hash_token(token),
        "user_agent": user_agent[:300],
        "created_at": now,
        "expires_at": now + lifetime,
    }
    scope.add(connection, sessions, tenant, values)
    return _session(scope.get(connection, sessions, tenant, "session", key)), token


def authenticate(connection: Connection, token: str, *, now: datetime) -> tuple[Session, User]:
    """Raises: Unauthenticated for an unknown, expired or revoked session and for a disabled user or tenant."""
    statement = (
        select(sessions)
        .join(tenants, tenants.c.id == sessions.c.tenant_id)
        .where(
            sessions.c.token_hash == hash_token(token[:200]),
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > now,
            tenants.c.disabled.is_(False),
        )
    )
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise _refusal()
    try:
        user = users.get(connection, row["tenant_id"], row["user_id"])
    except NotFound as error:
        raise _refusal() from error
    if user.disabled:
        raise _refusal()
    return _session(row), user


def revoke(connection: Connection, tenant: TenantId, session: str, *, now: datetime) -> None:
    """Raises: NotFound."""
    scope.get(connection, sessions, tenant, "session", session)
    scope.change(connection, sessions, tenant, {"revoked_at": now}, sessions.c.id == session, sessions.c.revoked_at.is_(None))


def revoke_all(connection: Connection, tenant: TenantId, user: UserId, *, now: datetime) -> int:
    """Signs a user out everywhere; how many sessions ended."""
    return scope.change(connection, sessions, tenant, {"revoked_at": now}, sessions.c.user_id == user, sessions.c.revoked_at.is_(None))


def _refusal() -> Unauthenticated:
    return Unauthenticated("The session has ended; sign in again.", code="session_ended")


def _session(row: scope.Row) -> Session:
    return Session(
        id=row["id"],
        tenant=row["tenant_id"],
        user=row["user_id"],
        user_agent=row["user_agent"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
