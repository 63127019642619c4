"""Odd days inside a longer period: an outage of one day is three per cent of a month and vanishes in its sum."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
from scipy import stats

from core.timeseries import Grain
from insights.looks.made import made
from insights.past import MEDIAN_OF, MIN_ERRORS, Days, MetricPast, expectations, usual_error
from insights.periods import period_of
from insights.types import Evidence, Fact
from insights.yearly import came_last_year

MAX_TOLD = 2
ONE_DAY = 0.6  # what is said of one day is worth less than the same said of the whole period
TINY = 0.01  # of the expected: a day of nothing counts as this


def look_within(past: MetricPast) -> list[Fact]:
    """The oddest days of the last period, tested against the days before it; p times the days that were looked at."""
    days, period = past.days, past.periods[-1]
    if days is None or period.start is None or period.end is None or past.grain in (Grain.DAY, Grain.HOUR):
        return []
    first = len(days.values) - ((days.last - period.start.date()).days + 1)
    last = len(days.values) - ((days.last - period.end.date()).days + 1)  # exclusive
    if first < 4 * 7 + MIN_ERRORS or last > len(days.values) or last <= first:
        return []
    expected = expectations(days.values, 7, MEDIAN_OF)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.log(np.maximum(days.values, TINY * expected) / expected)
    before = errors[max(0, first - 180) : first]
    before = before[np.isfinite(before)]
    if len(before) < 4 * MIN_ERRORS:
        return []
    spread = usual_error(before)
    looked_at = int(np.isfinite(errors[first:last]).sum())
    order = sorted((at for at in range(first, last) if np.isfinite(errors[at])), key=lambda at: -abs(errors[at]))
    facts = []
    for at in order[:MAX_TOLD]:
        statistic = float(errors[at]) / spread
        p = float(min(1.0, 2 * stats.t.sf(abs(statistic), len(before)) * looked_at))
        facts.append(_day(past, days, at, float(expected[at]), Evidence("t, best of days", statistic, p, len(before))))
    return facts


def _day(past: MetricPast, days: Days, at: int, expected: float, test: Evidence) -> Fact:
    date = days.last - dt.timedelta(days=len(days.values) - 1 - at)
    start = dt.datetime.combine(date, dt.time())
    day, week_ago = (period_of(s, s + dt.timedelta(days=1), "") for s in (start, start - dt.timedelta(days=7)))
    value = float(days.values[at])
    miss = abs(value / expected - 1.0)
    in_season = came_last_year(days.values, at)
    fact = made(
        past, "season_note" if in_season else "unusual_value", {"value": value, "expected": expected}, test,
        min(1.0, miss) * (0.3 if in_season else ONE_DAY), value - expected, period=day, baseline=week_ago, receipts=days.receipts,
    )  # fmt: skip
    return replace(fact, names=("day",))
