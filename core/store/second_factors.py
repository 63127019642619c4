"""Time-based one-time passwords (RFC 6238) and recovery codes. The shared secret is sealed by the caller; codes are stored hashed and used once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, update
from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId
from core.store import scope
from core.store.tables import second_factors


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """last_step: the 30-second step of the last code that was taken; an older or equal one is a replay."""

    user: UserId
    sealed: str
    recovery: tuple[str, ...]
    last_step: int
    confirmed_at: datetime | None


def find(connection: Connection, tenant: TenantId, user: UserId) -> SecondFactor | None:
    row = scope.find(connection, second_factors, tenant, second_factors.c.user_id == user)
    return (
        None if row is None else SecondFactor(row["user_id"], row["sealed"], tuple(row["recovery"]), row["last_step"], row["confirmed_at"])
    )


def begin(connection: Connection, tenant: TenantId, user: UserId, sealed: str, *, now: datetime) -> None:
    """A new secret that counts once it is confirmed; replaces one that never was."""
    connection.execute(delete(second_factors).where(second_factors.c.tenant_id == tenant, second_factors.c.user_id == user))
    values = {
        "user_id": user,
        "tenant_id": tenant,
        "sealed": sealed,
        "recovery": [],
        "last_step": 0,
        "confirmed_at": None,
        "created_at": now,
    }
    connection.execute(insert(second_factors).values(**values))


def confirm(connection: Connection, tenant: TenantId, user: UserId, step: int, recovery_hashes: tuple[str, ...], *, now: datetime) -> None:
    values = {"confirmed_at": now, "last_step": step, "recovery": list(recovery_hashes)}
    scope.change(connection, second_factors, tenant, values, second_factors.c.user_id == user)


def take_step(connection: Connection, tenant: TenantId, user: UserId, step: int) -> bool:
    """Marks a code as used; False when this or a later one was used before (also by somebody at the same moment)."""
    where = (second_factors.c.tenant_id == tenant, second_factors.c.user_id == user, second_factors.c.last_step < step)
    return bool(connection.execute(update(second_factors).where(*where).values(last_step=step)).rowcount)


def take_recovery(connection: Connection, tenant: TenantId, user: UserId, code_hash: str) -> bool:
    """Uses up a recovery code; False when it is none."""
    known = find(connection, tenant, user)
    if known is None or code_hash not in known.recovery:
        return False
    left = [one for one in known.recovery if one != code_hash]
    scope.change(connection, second_factors, tenant, {"recovery": left}, second_factors.c.user_id == user)
    return True


def remove(connection: Connection, tenant: TenantId, user: UserId) -> None:
    connection.execute(delete(second_factors).where(second_factors.c.tenant_id == tenant, second_factors.c.user_id == user))
