"""Whether a goal will be met: what has come so far, and what the rest of its period may bring."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from core.timeseries import FloatArray
from insights.looks.made import made
from insights.past import MEDIAN_OF, Goal, MetricPast
from insights.types import Evidence, Fact

MIN_DAYS = 56
MIN_BLOCKS = 6
NEAR = 0.02  # of the goal: closer is on course


def look_at_goals(past: MetricPast) -> list[Fact]:
    """Amounts only: a rate does not add up over the rest of a period."""
    if past.days is None or past.kind != "amount":
        return []
    return [fact for goal in past.goals if (fact := _pace(past, goal)) is not None]


def _pace(past: MetricPast, goal: Goal) -> Fact | None:
    days, end = past.days, goal.period.end
    if days is None or end is None or goal.value <= 0:
        return None
    if goal.forecast is not None and goal.probability is not None:
        p = 2 * min(goal.probability, 1 - goal.probability)
        test = Evidence("probability of the goal by drawn paths", goal.probability, p, 2000)
        return replace(_fact(past, goal, goal.forecast, test), model=goal.model)
    left = (end.date() - goal.known_until).days - 1
    if left <= 0 or len(days.values) < MIN_DAYS + left:
        return None
    rest, spread = rest_of_period(days.values, left)
    forecast = goal.so_far + rest
    statistic = (forecast - goal.value) / max(rest * spread, 1e-9)
    test = Evidence("t of the goal against the forecast", statistic, float(2 * stats.t.sf(abs(statistic), MIN_BLOCKS)), MIN_BLOCKS)
    return _fact(past, goal, forecast, test)


def _fact(past: MetricPast, goal: Goal, forecast: float, test: Evidence) -> Fact:
    gap = forecast / goal.value - 1.0
    size = min(1.0, abs(gap) * 4) if abs(gap) >= NEAR else 0.0
    values = {"forecast": forecast, "goal": goal.value, "so_far": goal.so_far}
    return made(
        past, "goal_pace", values, test, size, forecast - goal.value, period=goal.period, receipts=past.days.receipts if past.days else ()
    )


def rest_of_period(days: FloatArray, left: int) -> tuple[float, float]:
    """(sum of the next `left` days, its relative error): weekday medians of four weeks, the error measured on stretches of the past."""
    known = np.nan_to_num(days, nan=0.0)
    expected = _weeks_on(known, left)
    errors = []
    for back in range(1, MIN_BLOCKS * 3 + 1):
        cut = len(known) - back * 7
        if cut < MEDIAN_OF * 7 or cut + left > len(known):
            continue
        forecast, actual = _weeks_on(known[:cut], left), float(known[cut : cut + left].sum())
        if forecast > 0 and actual > 0:
            errors.append(math.log(actual / forecast))
    spread = float(np.sqrt(np.mean(np.square(errors)))) if len(errors) >= 3 else 0.2
    return expected, max(spread, 0.005)


def _weeks_on(days: FloatArray, left: int) -> float:
    week = np.median(days[-MEDIAN_OF * 7 :].reshape(MEDIAN_OF, 7), axis=0)
    return float(sum(week[k % 7] for k in range(left)))
