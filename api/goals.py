"""Goals as their viewers see them: what is asked, how it stands, who may change it. `goal_cards` is for the home page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.preconditions import etag_of, hold, refuse_changed
from api.services import Services
from core.errors import Forbidden, Invalid, NotFound
from core.ids import JobId, UserId
from core.principal import Principal
from core.rights import Right, may
from core.store import goals, users
from core.store.goals import Goal, GoalStatus, NewGoal
from insights.wording import bucket, number
from semantic.catalog.model import Catalog
from semantic.catalog.visible import closed_fields
from semantic.compile import compile_query
from semantic.expr import Predicate
from semantic.query import MetricRef, SemanticQuery
from semantic.resolve import resolve
from semantic.windows import local_now
from workers.forecasts.goal_params import goal_params, period_label
from workers.forecasts.visibility import fields_behind, figures_key
from workers.kinds import MeasureParams, checked_params
from workers.queue import enqueue

MAX_GOALS = 2000  # per tenant
_WORDS = ((0.8, "on track"), (0.5, "likely, but not safe"), (0.2, "at risk"), (0.0, "off track"))


class GoalBody(BaseModel):
    """A metric should reach `target` within [starts_on, ends_on). `where` narrows the rows; the owner is the caller unless named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"metric": "revenue", "starts_on": "2026-01-01", "ends_on": "2027-01-01", "target": 60_000_000}]},
    )

    metric: str = Field(max_length=128)
    starts_on: dt.date
    ends_on: dt.date = Field(description="The first day after the period.")
    target: float = Field(allow_inf_nan=False)
    direction: Literal["at_least", "at_most"] = "at_least"
    where: Predicate | None = None
    name: str = Field(default="", max_length=200)
    owner: str | None = Field(default=None, max_length=64)

    @model_validator(mode="after")
    def _in_order(self) -> GoalBody:
        if self.ends_on <= self.starts_on:
            raise ValueError("ends_on must lie after starts_on")
        if (self.ends_on - self.starts_on).days > 5 * 366:
            raise ValueError("a goal's period is at most five years")
        return self


class GoalView(BaseModel):
    """A goal and how it stands for this caller; `status` is None until it was looked at with as much as the caller may see."""

    id: str
    name: str
    metric: str
    label: str
    period: str
    starts_on: dt.date
    ends_on: dt.date
    target: float
    target_text: str
    direction: str
    where: dict[str, Any] | None
    owner: str
    status: dict[str, Any] | None
    word: str | None
    as_of: dt.datetime | None
    job_id: str | None
    may_change: bool


@dataclass(frozen=True, slots=True)
class GoalCard:
    """A goal in figures ready to show. probability 0-1, None when it was not looked at yet. share: of the target reached so far, 0-1 or more."""

    id: str
    name: str
    metric: str
    period: str
    target: str
    now: str
    expected: str
    probability: float | None
    word: str
    share: float | None
    reached: str
    job_id: str | None


def goal_cards(services: Services, principal: Principal, *, limit: int = 6) -> tuple[GoalCard, ...]:
    """Goals whose period is not over, those that need attention first. Raises: NotFound without a catalog; Unavailable."""
    catalog = services.catalogs.visible(principal).catalog
    today = local_now(catalog.calendar, services.clock.now()).date()
    found = [v for v in list_goals(services, principal, limit=1000) if v.ends_on > today]
    found.sort(key=lambda v: (v.status is None, (v.status or {}).get("probability", 1.0), v.ends_on))
    return tuple(goal_card(view, catalog) for view in found[:limit])


def list_goals(
    services: Services, principal: Principal, *, metric: str | None = None, before_id: str | None = None, limit: int = 50
) -> tuple[GoalView, ...]:
    """Newest first; those on metrics that the caller does not see are left out."""
    with services.store.read() as connection:
        rows = goals.list_all(connection, principal.tenant, metric=metric, before_id=before_id, limit=limit)
    return _views(services, principal, rows)


def load_goal(services: Services, principal: Principal, key: str) -> tuple[Goal, GoalView]:
    """Raises: NotFound, also for a metric that the caller does not see."""
    with services.store.read() as connection:
        row = goals.get(connection, principal.tenant, key)
    found = _views(services, principal, (row,))
    if not found:
        raise NotFound(f"There is no goal {key[:60]!r}.", code="unknown_goal")
    return row, found[0]


def create_goal(services: Services, principal: Principal, body: GoalBody) -> GoalView:
    """Stores it and starts the forecast that tells how it stands. Raises: Forbidden; Invalid; NotFound; Unavailable."""
    new = checked(services, principal, body)
    with services.store.write() as connection:
        if len(goals.list_all(connection, principal.tenant, limit=1000)) >= min(MAX_GOALS, 1000):
            raise Invalid("There are 1,000 goals already; delete some first.", code="too_many_goals")
        row = goals.create(connection, principal.tenant, new, by=principal.user, now=services.clock.now())
    refresh_goal(services, principal, row)
    return load_goal(services, principal, row.id)[1]


def etag(view: GoalView) -> str:
    """Of what its owner changes."""
    return etag_of(view.model_dump(mode="json", include={*GoalBody.model_fields}))


def change_goal(services: Services, principal: Principal, key: str, body: GoalBody, *, expected: str | None = None) -> GoalView:
    """Raises: NotFound; Forbidden; Invalid; ChangedSince; Unavailable."""
    row, _ = load_goal(services, principal, key)
    _may_change(principal, row)
    new = checked(services, principal, body, owner=row.asked.owner)
    with services.store.write() as connection:
        hold(connection, expected, "goals", principal.tenant, key)
        _refuse_changed(services, principal, goals.get(connection, principal.tenant, key), expected)
        row = goals.change(connection, principal.tenant, key, new, now=services.clock.now())
    refresh_goal(services, principal, row)
    return load_goal(services, principal, key)[1]


def delete_goal(services: Services, principal: Principal, key: str, *, expected: str | None = None) -> None:
    """Raises: NotFound; Forbidden; ChangedSince; Unavailable."""
    row, _ = load_goal(services, principal, key)
    _may_change(principal, row)
    with services.store.write() as connection:
        hold(connection, expected, "goals", principal.tenant, key)
        _refuse_changed(services, principal, goals.get(connection, principal.tenant, key), expected)
        goals.delete(connection, principal.tenant, key)


def refresh_goal(services: Services, principal: Principal, goal: Goal) -> JobId | None:
    """Starts the forecast of a goal with the caller's rights; None when its period is over."""
    today = services.clock.now().date()
    if goal.asked.ends_on <= today:
        return None
    return enqueue(services.core, "forecast", checked_params("forecast", goal_params(goal)), principal)


def checked(services: Services, principal: Principal, body: GoalBody, owner: UserId | None = None) -> NewGoal:
    """The goal to store. Raises: Forbidden; NotFound; Invalid and what resolving its metric and filter raises."""
    if not may(principal, Right.SHARE):
        raise Forbidden("Viewers cannot set goals.")
    catalog = services.catalogs.visible(principal).catalog
    metric = catalog.metric(body.metric)
    compile_query(resolve(SemanticQuery(metrics=(MetricRef(metric=body.metric),), where=body.where), catalog, as_of=services.clock.now()))
    chosen = UserId(body.owner) if body.owner is not None else owner or principal.user
    if chosen != principal.user and chosen != owner:
        if not may(principal, Right.KEEP):
            raise Forbidden("Only analysts and administrators may set goals for others.")
        with services.store.read() as connection:
            users.get(connection, principal.tenant, chosen)
    return NewGoal(
        name=body.name.strip() or usual_name(metric.label, body.starts_on, body.ends_on),
        metric=body.metric,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        target=body.target,
        direction=body.direction,
        owner=chosen,
        filters=body.where.model_dump(mode="json") if body.where is not None else None,
    )


def usual_name(label: str, starts_on: dt.date, ends_on: dt.date) -> str:
    """What a goal is called when nobody named it."""
    return f"{label.capitalize()} {period_label(starts_on, ends_on) or f'from {starts_on} to {ends_on - dt.timedelta(days=1)}'}"


def view(row: Goal, status: GoalStatus | None, catalog: Catalog, principal: Principal) -> GoalView:
    asked, metric = row.asked, catalog.metric(row.asked.metric)
    found = dict(status.status) if status is not None else None
    return GoalView(
        id=row.id,
        name=asked.name,
        metric=asked.metric,
        label=metric.label,
        period=period_label(asked.starts_on, asked.ends_on) or f"{asked.starts_on} to {asked.ends_on - dt.timedelta(days=1)}",
        starts_on=asked.starts_on,
        ends_on=asked.ends_on,
        target=asked.target,
        target_text=number(asked.target, metric.format, metric.unit, compact=True),
        direction=asked.direction,
        where=dict(asked.filters) if asked.filters is not None else None,
        owner=asked.owner,
        status=found,
        word=_word(found),
        as_of=status.at if status is not None else None,
        job_id=status.job_id if status is not None else None,
        may_change=_changes(principal, row),
    )


def goal_card(found: GoalView, catalog: Catalog) -> GoalCard:
    """The goal in figures as people read them."""
    metric, status = catalog.metric(found.metric), found.status or {}
    now = status.get("now")
    counted = now is not None and float(now).is_integer()

    def say(value: float | None) -> str:
        return number(value, metric.format, metric.unit, compact=True, counted=counted)

    reached = status.get("reached_at")
    return GoalCard(
        id=found.id,
        name=found.name,
        metric=found.metric,
        period=found.period,
        target=found.target_text,
        now=say(now),
        expected=say(status.get("expected")),
        probability=status.get("probability"),
        word=found.word or "not looked at yet",
        share=now / found.target if now is not None and found.target else None,
        reached=bucket(dt.date.fromisoformat(str(reached)[:10]), "day") if reached else "",
        job_id=found.job_id,
    )


def _word(status: dict[str, Any] | None) -> str | None:
    if status is None:
        return None
    if status.get("already"):
        return "reached"
    return next(word for limit, word in _WORDS if float(status["probability"]) >= limit)


def _views(services: Services, principal: Principal, rows: Sequence[Goal]) -> tuple[GoalView, ...]:
    """Those that the caller may know of: whose metric they see and whose filter names no field that is closed to them, or their own.

    A status is shown when it was made with as much as the caller sees.
    """
    full, seen = services.catalogs.full(principal.tenant), services.catalogs.visible(principal).catalog
    closed, names = closed_fields(full, principal).keys(), {m.name for m in seen.metrics}
    asked = {row.id: MeasureParams(metric=row.asked.metric, where=row.asked.filters) for row in rows if row.asked.metric in names}
    keys = {row: figures_key(principal, full, params) for row, params in asked.items()}
    with services.store.read() as connection:
        known = goals.statuses(connection, principal.tenant, set(keys.values()))
    return tuple(
        view(row, known.get((row.id, keys[row.id])), seen, principal)
        for row in rows
        if row.id in keys and (_is_of(principal, row) or not fields_behind(full, asked[row.id].where) & closed)
    )


def _refuse_changed(services: Services, principal: Principal, row: Goal, expected: str | None) -> None:
    if expected is not None:
        now = view(row, None, services.catalogs.visible(principal).catalog, principal)
        refuse_changed(expected, etag(now), now.model_dump(mode="json", exclude={"status", "word", "as_of", "job_id"}))


def _is_of(principal: Principal, row: Goal) -> bool:
    return principal.user in (row.asked.owner, row.created_by)


def _changes(principal: Principal, row: Goal) -> bool:
    return _is_of(principal, row) or may(principal, Right.KEEP)


def _may_change(principal: Principal, row: Goal) -> None:
    if not _changes(principal, row):
        raise Forbidden("A goal is changed by its owner, or by an analyst or administrator.")
