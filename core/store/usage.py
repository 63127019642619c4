"""What each user of a tenant used per day: requests counted where they cost something (queries, rows read, jobs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

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
    add_all(connection, tenant, {(user, kind): amount}, day=day)


def add_all(connection: Connection, tenant: TenantId, amounts: Mapping[tuple[UserId, Kind], int], *, day: date) -> None:
    """Adds what each user used of each kind, in the caller's transaction and in one statement."""
    # In one order, so that two who add for the same users do not wait for each other.
    rows = [
        {"tenant_id": tenant, "user_id": user, "day": day, "kind": kind, "used": amount}
        for (user, kind), amount in sorted(amounts.items())
        if amount > 0
    ]
    if not rows:
        return
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(usage).values(rows)
    key = [usage.c.tenant_id, usage.c.user_id, usage.c.day, usage.c.kind]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_={"used": usage.c.used + statement.excluded.used}))


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
