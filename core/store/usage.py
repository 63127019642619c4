"""What each user of a tenant used per day: requests counted where they cost something (queries, rows read, jobs)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.ids import TenantId, UserId
from core.store.tables import usage

Kind = Literal["queries", "rows_read", "jobs", "llm_calls"]
KINDS: tuple[Kind, ...] = ("queries", "rows_read", "jobs", "llm_calls")


@dataclass(frozen=True, slots=True)
class Used:
    user: UserId
    day: date
    kind: Kind
    used: int


def add(connection: Connection, tenant: TenantId, user: UserId, kind: Kind, amount: int, *, day: date) -> None:
    """Adds `amount`, in the caller's transaction."""
    if amount <= 0 or _increase(connection, tenant, user, kind, amount, day):
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(usage).values(tenant_id=tenant, user_id=user, day=day, kind=kind, used=amount))
    except IntegrityError:  # another process made the row in between
        _increase(connection, tenant, user, kind, amount, day)


def total(connection: Connection, tenant: TenantId, kind: Kind, *, day: date, user: UserId | None = None) -> int:
    """The tenant's, or one user's, use of a day."""
    statement = select(func.coalesce(func.sum(usage.c.used), 0)).where(
        usage.c.tenant_id == tenant, usage.c.day == day, usage.c.kind == kind
    )
    if user is not None:
        statement = statement.where(usage.c.user_id == user)
    return int(connection.execute(statement).scalar_one())


def since(connection: Connection, tenant: TenantId, first: date) -> tuple[Used, ...]:
    """Every user's use since `first`, newest day first."""
    statement = (
        select(usage).where(usage.c.tenant_id == tenant, usage.c.day >= first).order_by(usage.c.day.desc(), usage.c.user_id, usage.c.kind)
    )
    return tuple(Used(row["user_id"], row["day"], row["kind"], row["used"]) for row in connection.execute(statement).mappings())


def _increase(connection: Connection, tenant: TenantId, user: UserId, kind: Kind, amount: int, day: date) -> bool:
    where = (usage.c.tenant_id == tenant, usage.c.user_id == user, usage.c.day == day, usage.c.kind == kind)
    return bool(connection.execute(update(usage).where(*where).values(used=usage.c.used + amount)).rowcount)
