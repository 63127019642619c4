"""A goal as a form: periods to pick from, a narrowing by one value, and what the form does not show stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.goals import GoalBody
from api.web.forms import Fields, body
from core.errors import Invalid
from core.formats import current
from core.store.goals import Goal
from core.timeseries import Grain
from core.typed_numbers import typed
from semantic.expr import Comparison, FieldRef, Literal_
from semantic.windows import add_units
from workers.forecasts.goal_params import period_label

OWN_DATES = "own"


@dataclass(frozen=True, slots=True)
class Period:
    """key: `start/end`, the end being the first day after it."""

    key: str
    label: str


def periods(today: dt.date) -> list[Period]:
    """The running and the next month, quarter and year."""
    found = []
    for grain, start in (
        (Grain.MONTH, today.replace(day=1)),
        (Grain.QUARTER, dt.date(today.year, (today.month - 1) // 3 * 3 + 1, 1)),
        (Grain.YEAR, dt.date(today.year, 1, 1)),
    ):
        first = dt.datetime.combine(start, dt.time())
        for ahead, word in ((0, "this"), (1, "next")):
            begin, end = (add_units(first, grain, n).date() for n in (ahead, ahead + 1))
            found.append(Period(f"{begin}/{end}", f"{word} {grain.value}: {period_label(begin, end).removeprefix('in ')}"))
    return found


def goal_body(form: Fields, known: Goal | None) -> GoalBody:
    """What the fields say. Raises: Invalid."""
    start, end = _span(form)
    target = form.number("target", "The goal")
    if target is None:
        raise Invalid("Say which figure is to be reached.", code="no_target", path="target")
    return body(
        GoalBody,
        {
            "metric": form("metric"), "starts_on": start, "ends_on": end, "target": target, "direction": form("direction", "at_least"),
            "where": _where(form, known), "name": form("name"), "owner": form("owner") or None,
        },
    )  # fmt: skip


def goal_values(known: Goal | None, today: dt.date) -> dict[str, Any]:
    """The values under the names of the form's fields; a goal's own name is left to it, one that was made for it is made anew."""
    if known is None:
        return {"period": periods(today)[2].key, "direction": "at_least"}
    asked = known.asked
    key = f"{asked.starts_on}/{asked.ends_on}"
    narrowed = _single(asked.filters)
    return {
        "metric": asked.metric, "target": typed(float(f"{asked.target:.15g}"), current()), "direction": asked.direction, "name": asked.name, "owner": asked.owner,
        "period": key if any(p.key == key for p in periods(today)) else OWN_DATES, "starts_on": str(asked.starts_on),
        "last_day": str(asked.ends_on - dt.timedelta(days=1)), "field": narrowed[0], "value": narrowed[1],
        "kept": asked.filters is not None and not narrowed[0],
    }  # fmt: skip


def _span(form: Fields) -> tuple[str, str]:
    start, slash, end = form("period").partition("/")
    if slash:
        return start, end
    try:
        first, last = dt.date.fromisoformat(form("starts_on")), dt.date.fromisoformat(form("last_day"))
    except ValueError as error:
        raise Invalid("Say the first and the last day of the period.", code="no_period", path="starts_on") from error
    if last < first:
        raise Invalid(f"The last day, {last}, lies before the first, {first}.", code="no_period", path="last_day")
    return str(first), str(last + dt.timedelta(days=1))


def _where(form: Fields, known: Goal | None) -> dict[str, Any] | None:
    field, value = form("field"), form("value")
    if not field:
        kept = known.asked.filters if known is not None and form.has("keep_filter") else None
        return dict(kept) if kept is not None else None
    dataset, dot, name = field.partition(".")
    if not dot or not value:
        raise Invalid("Say which value the goal is only for, or choose everything.", code="no_value", path="value")
    left = FieldRef(dataset=dataset, field=name)
    return Comparison(op="=", left=left, right=Literal_(value=value)).model_dump(mode="json")


def _single(filters: Mapping[str, Any] | None) -> tuple[str, str]:
    """(dataset.field, value) of a filter that asks for one value of one field; empty for any other."""
    if not filters:
        return "", ""
    if filters.get("kind") == "compare" and filters.get("op") == "=":
        left, values = filters.get("left") or {}, [(filters.get("right") or {}).get("value")]
    elif filters.get("kind") == "in" and not filters.get("negate"):
        left, values = filters.get("field") or {}, list(filters.get("values") or [])
    else:
        return "", ""
    if left.get("kind") != "field" or left.get("via") or len(values) != 1 or not isinstance(values[0], str):
        return "", ""
    return f"{left['dataset']}.{left['field']}", values[0]
