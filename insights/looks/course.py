"""A new level or a new trend: the best place in the last part of the past where the course of the metric breaks."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import stats

from core.timeseries import FloatArray, Grain
from insights.looks.made import made
from insights.past import OUTLIER, SEASONS, MetricPast
from insights.types import Evidence, Fact
from insights.yearly import YEAR_DAYS

MIN_POINTS = 24
SEASONS_LOOKED_AT = 8
LEAST_LOOKED_AT = 40
MIN_AFTER = 4  # points after a break: less is an unusual value
MIN_AFTER_TREND = 8
AROUND = 5  # steps that a yearly break may move
LIKE = 0.5  # of the size and of the clearness of now
NEIGHBOURS = 3
Break = Literal["step", "hinge"]
# Steps within which a break is news: who asks about last month is not told of a level of a year ago. A trend takes longer to be seen.
NEWS = {Grain.HOUR: 72, Grain.DAY: 28, Grain.WEEK: 12, Grain.MONTH: 6, Grain.QUARTER: 5}


def look_at_course(past: MetricPast) -> list[Fact]:
    """One fact, of whichever break fits better. Both kinds at every place count as tried."""
    season = SEASONS.get(past.grain, 1)
    values = past.values[-max(SEASONS_LOOKED_AT * season, LEAST_LOOKED_AT) :] if season <= 12 else past.values
    known = np.isfinite(values) & (values > 0)
    if known.sum() < MIN_POINTS or not known.all():
        return []
    logs = _calm(_without_season(np.log(values), season))
    n = len(logs)
    places: list[tuple[Break, int]] = [("step", at) for at in range(n - n // 3, n - MIN_AFTER + 1)]
    places += [("hinge", at) for at in range(n // 2, n - MIN_AFTER_TREND + 1)]
    tried = [(broken_at(logs, kind, at), kind, at) for kind, at in places]
    (statistic, slope, change), kind, at = max(tried, key=lambda item: abs(item[0][0]))
    if not statistic:
        return []
    p = float(min(1.0, 2 * stats.t.sf(abs(statistic), n - 3) * len(places)))
    offset = len(past.values) - n + at
    if n - at > NEWS.get(past.grain, 2 * MIN_AFTER_TREND) + (MIN_AFTER_TREND if kind == "hinge" else 0):
        p = 1.0
    if _came_last_year(past, n, kind, at, statistic, change):
        p = 1.0
    test = Evidence("t, best of places", statistic, p, n)
    if kind == "step":
        before, after = float(np.mean(past.values[offset - at : offset])), float(np.mean(past.values[offset:]))
        size = min(1.0, abs(after / before - 1.0))
        return [made(past, "level_shift", {"before": before, "after": after}, test, size, after - before, period=past.periods[offset])]
    slopes = {"slope": math.expm1((slope + change) / n), "slope_before": math.expm1(slope / n)}
    moved = math.expm1((slope + change) / n * (n - at))
    impact = math.copysign(abs(moved) * float(np.mean(past.values[offset:])), slopes["slope"] - slopes["slope_before"])
    size = min(1.0, abs(moved)) * 0.8
    return [made(past, "new_trend", slopes, test, size, impact, names=(past.grain.value,), period=past.periods[offset])]


def broken_at(logs: FloatArray, kind: Break, at: int) -> tuple[float, float, float]:
    """(t, slope, change) of a break at `at` beside a straight trend; slope and change of it per n points.

    Points that follow each other closely count for less: the spread is widened by the errors' own memory of one step.
    """
    n = len(logs)
    place = np.arange(n)
    bend = (place >= at).astype(np.float64) if kind == "step" else np.maximum(place - at, 0) / n
    design = np.column_stack([np.ones(n), place / n, bend])
    solved, *_ = np.linalg.lstsq(design, logs, rcond=None)
    errors = logs - design @ solved
    variance = float(errors @ errors) / (n - 3)
    if variance <= 1e-12:
        return 0.0, 0.0, 0.0
    lag = float(np.clip(errors[:-1] @ errors[1:] / (errors @ errors), 0.0, 0.95)) + 2.0 / n  # the sample's own is biased down
    spread = math.sqrt(variance * float(np.linalg.inv(design.T @ design)[2, 2]) * (1 + lag) / max(1 - lag, 0.05))
    return float(solved[2]) / spread, float(solved[1]), float(solved[2])


def _came_last_year(past: MetricPast, n: int, kind: Break, at: int, statistic: float, change: float) -> bool:
    """Whether the days broke in the same way at the same time a year before: then it is the season."""
    end = len(past.values) - YEAR_DAYS
    if past.grain is not Grain.DAY or end < n:
        return False
    values = past.values[end - n : end]
    if not np.isfinite(values).all() or (values <= 0).any():
        return False
    logs = _calm(_without_season(np.log(values), SEASONS[past.grain]))
    near = [broken_at(logs, kind, place) for place in range(max(at - AROUND, 2), min(at + AROUND, n - 2) + 1)]
    alike = [then for then in near if then[2] * change > 0 and abs(then[2]) >= LIKE * abs(change)]
    return any(abs(then[0]) >= LIKE * abs(statistic) for then in alike)


def _calm(logs: FloatArray) -> FloatArray:
    """Single odd points cut to what is noise around the middle of their neighbours: one feast is no trend."""
    n = len(logs)
    middle = np.array([np.median(logs[max(0, i - NEIGHBOURS) : i + NEIGHBOURS + 1]) for i in range(n)])
    spread = 1.4826 * float(np.median(np.abs(logs - middle)))
    return np.clip(logs, middle - OUTLIER * spread, middle + OUTLIER * spread) if spread > 0 else logs


def _without_season(logs: FloatArray, season: int) -> FloatArray:
    """Less the median of each place in the season, where three seasons tell it."""
    if season <= 1 or len(logs) < 3 * season:
        return logs
    place = np.arange(len(logs)) % season
    return np.asarray(logs - np.array([np.median(logs[place == k]) for k in range(season)])[place], np.float64)
