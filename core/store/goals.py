"""Goals: a metric should reach a value within a period. How one stands is kept per what its viewer may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import delete as delete_from
from sqlalchemy.engine import Connection

from core.ids import JobId, TenantId, UserId, new_id
from core.store import scope
from core.store.tables import goal_statuses, goals

Direction = Literal["at_least", "at_most"]


@dataclass(frozen=True, slots=True)
class NewGoal:
    """[starts_on, ends_on): the period. filters: a predicate as JSON, None for all rows. owner: whose goal it is and whose rights evaluate it."""

    name: str
    metric: str
    starts_on: date
    ends_on: date
    target: float
    direction: Direction
    owner: UserId
    filters: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    id: str
    tenant: TenantId
    asked: NewGoal
    created_by: UserId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class GoalStatus:
    """How a goal stood at `at`, as seen by callers whose `visibility` (row policies and their values) is the same."""

    goal_id: str
    visibility: str
    status: Mapping[str, Any]
    job_id: JobId
    at: datetime


def create(connection: Connection, tenant: TenantId, new: NewGoal, *, by: UserId, now: datetime) -> Goal:
    key = new_id("goal")
    scope.add(connection, goals, tenant, asdict(new) | {"id": key, "created_by": by, "created_at": now, "updated_at": now})
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Goal:
    """Raises: NotFound."""
    return _goal(scope.get(connection, goals, tenant, "goal", key))


def list_all(
    connection: Connection,
    tenant: TenantId,
    *,
    metric: str | None = None,
    on: date | None = None,
    before_id: str | None = None,
    limit: int = 100,
) -> tuple[Goal, ...]:
    """Newest first; `on` keeps those whose period has that day or begins after it."""
    conditions = []
    if metric is not None:
        conditions.append(goals.c.metric == metric)
    if on is not None:
        conditions.append(goals.c.ends_on > on)
    if before_id is not None:
        conditions.append(goals.c.id < before_id)
    return tuple(map(_goal, scope.page(connection, goals, tenant, *conditions, order=[goals.c.id.desc()], limit=limit)))


def change(connection: Connection, tenant: TenantId, key: str, new: NewGoal, *, now: datetime) -> Goal:
    """Replaces what the goal says; how it stood is forgotten. Raises: NotFound."""
    get(connection, tenant, key)
    scope.change(connection, goals, tenant, asdict(new) | {"updated_at": now}, goals.c.id == key)
    connection.execute(delete_from(goal_statuses).where(goal_statuses.c.tenant_id == tenant, goal_statuses.c.goal_id == key))
    return get(connection, tenant, key)


def delete(connection: Connection, tenant: TenantId, key: str) -> None:
    """Raises: NotFound."""
    get(connection, tenant, key)
    connection.execute(delete_from(goal_statuses).where(goal_statuses.c.tenant_id == tenant, goal_statuses.c.goal_id == key))
    connection.execute(delete_from(goals).where(goals.c.tenant_id == tenant, goals.c.id == key))


def put_status(connection: Connection, tenant: TenantId, found: GoalStatus) -> None:
    """Writes how a goal stands, unless something newer is known or the goal is gone."""
    if scope.find(connection, goals, tenant, goals.c.id == found.goal_id) is None:
        return
    values = {"status": dict(found.status), "job_id": found.job_id, "at": found.at}
    same = (goal_statuses.c.goal_id == found.goal_id, goal_statuses.c.visibility == found.visibility)
    known = scope.find(connection, goal_statuses, tenant, *same)
    if known is None:
        key = {"id": new_id("gst"), "goal_id": found.goal_id, "visibility": found.visibility}
        scope.add(connection, goal_statuses, tenant, values | key)
    elif known["at"] <= found.at:
        scope.change(connection, goal_statuses, tenant, values, *same)


def statuses(connection: Connection, tenant: TenantId, visibilities: Collection[str]) -> dict[tuple[str, str], GoalStatus]:
    """How goals stand for callers who see so much of what the goals are made of, by goal id and visibility."""
    wanted = goal_statuses.c.visibility.in_(sorted(visibilities))
    rows = scope.page(connection, goal_statuses, tenant, wanted, order=[goal_statuses.c.at.desc()], limit=1000)
    found = [GoalStatus(row["goal_id"], row["visibility"], row["status"], JobId(row["job_id"]), row["at"]) for row in rows]
    return {(status.goal_id, status.visibility): status for status in found}


def _goal(row: scope.Row) -> Goal:
    asked = NewGoal(**{name: row[name] for name in NewGoal.__dataclass_fields__})
    return Goal(row["id"], row["tenant_id"], asked, row["created_by"], row["created_at"], row["updated_at"])
