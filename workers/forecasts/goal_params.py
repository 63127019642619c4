"""A stored goal as the forecast that tells how it stands."""

from __future__ import annotations

import datetime as dt
from typing import Any

from core.store.goals import Goal
from core.timeseries import Grain
from semantic.expr import Absolute
from semantic.windows import add_units


def goal_params(goal: Goal) -> dict[str, Any]:
    """The forecast that tells how a stored goal stands."""
    asked = goal.asked
    window = Absolute(start=asked.starts_on, end=asked.ends_on)
    return {
        "metric": asked.metric,
        "where": asked.filters,
        "period": {"window": window.model_dump(mode="json"), "label": period_label(asked.starts_on, asked.ends_on)},
        "goal": {"target": asked.target, "direction": asked.direction, "goal_id": goal.id},
        "running_total": False,
    }


def period_label(start: dt.date, end: dt.date) -> str:
    """in 2026, in Q4 2026, in December 2026; else the days."""
    first = dt.datetime.combine(start, dt.time())
    last = dt.datetime.combine(end, dt.time())
    if start.day == 1 and start.month == 1 and add_units(first, Grain.YEAR, 1) == last:
        return f"in {start.year}"
    if start.day == 1 and start.month % 3 == 1 and add_units(first, Grain.QUARTER, 1) == last:
        return f"in Q{(start.month + 2) // 3} {start.year}"
    if start.day == 1 and add_units(first, Grain.MONTH, 1) == last:
        return f"in {start:%B} {start.year}"
    return ""
