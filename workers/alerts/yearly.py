"""Whether what looks odd came at the same time last year too: Black Friday, Christmas, a yearly sale. Then it is no news."""

from __future__ import annotations

from typing import Literal

import numpy as np

from core.timeseries import FloatArray, Grain, TimeSeries

YEAR_DAYS = 364  # the same weekday
AROUND_DAYS = 7  # feasts that follow a weekday move by a week
WEEKS_BEFORE = 4
LIKE = 0.6  # at least so large against now
NOTABLE = 2.5  # robust standard deviations of ordinary days


def came_last_year(series: TimeSeries, at: np.datetime64, direction: Literal["up", "down", "both"]) -> bool:
    """Looks at `at` and earlier only, so that a run on the day itself and one a year later say the same. Daily series only."""
    if series.grain is not Grain.DAY:
        return False
    days = series.times.astype("datetime64[D]").astype(np.int64)
    day = int(at.astype("datetime64[D]").astype(np.int64))
    if not len(days) or days[0] > day - YEAR_DAYS - AROUND_DAYS - 7 * WEEKS_BEFORE:
        return False
    grid = np.full(day - int(days[0]) + 1, np.nan)
    known = days <= day
    grid[days[known] - int(days[0])] = series.values[known]
    effect = effects(grid)
    effect *= {"up": 1.0, "down": -1.0, "both": 1.0 if effect[-1] > 0 else -1.0}[direction]
    now, before = effect[-1], effect[-1 - YEAR_DAYS - AROUND_DAYS : -YEAR_DAYS + AROUND_DAYS]
    if not now > 0 or not np.isfinite(before).any():
        return False
    ordinary = 1.4826 * float(np.nanmedian(np.abs(effect - np.nanmedian(effect))))
    return bool(np.nanmax(before) >= max(LIKE * now, NOTABLE * ordinary))


def effects(grid: FloatArray) -> FloatArray:
    """(n,) how far each day is from the median of the same weekday of four weeks before, as a share of it; NaN in the first weeks."""
    back = np.full((WEEKS_BEFORE, len(grid)), np.nan)
    for week in range(1, WEEKS_BEFORE + 1):
        if len(grid) > 7 * week:
            back[week - 1, 7 * week :] = grid[: -7 * week]
    known = np.isfinite(back).sum(axis=0) >= 2
    usual = np.full(len(grid), np.nan)
    usual[known] = np.nanmedian(back[:, known], axis=0)
    return np.asarray((grid - usual) / np.where(np.abs(usual) > 0, np.abs(usual), np.nan), np.float64)
