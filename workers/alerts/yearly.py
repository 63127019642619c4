"""Whether what looks odd came at the same time last year too: Black Friday, Christmas, a yearly sale. Then it is no news."""

from __future__ import annotations

from typing import Literal

import numpy as np

from core.timeseries import FloatArray, Grain, TimeSeries

YEAR_DAYS = 364  # the same weekday
WEEK_DAYS = 7
MONDAY = 4  # days from the first of 1970, a Thursday
AROUND_DAYS = 7  # feasts that follow a weekday move by a week
WEEKS_BEFORE = 4
LIKE = 0.6  # at least so large against now
NOTABLE = 2.5  # robust standard deviations of ordinary days


def came_last_year(series: TimeSeries, at: np.datetime64, direction: Literal["up", "down", "both"]) -> bool:
    """Looks at `at` and earlier only, so that a run on the day itself and one a year later say the same. Days and weeks only."""
    if series.grain not in (Grain.DAY, Grain.WEEK):
        return False
    days = WEEK_DAYS if series.grain is Grain.WEEK else 1  # of a bucket
    year, around, week = YEAR_DAYS // days, AROUND_DAYS // days, WEEK_DAYS // days
    buckets = (series.times.astype("datetime64[D]").astype(np.int64) - MONDAY) // days
    bucket = (int(at.astype("datetime64[D]").astype(np.int64)) - MONDAY) // days
    if not len(buckets) or buckets[0] > bucket - year - around - WEEKS_BEFORE * week:
        return False
    grid = np.full(bucket - int(buckets[0]) + 1, np.nan)
    known = buckets <= bucket
    grid[buckets[known] - int(buckets[0])] = series.values[known]
    effect = effects(grid, week)
    effect *= {"up": 1.0, "down": -1.0, "both": 1.0 if effect[-1] > 0 else -1.0}[direction]
    now, before = effect[-1], effect[-1 - year - around : -year + around]
    if not now > 0 or not np.isfinite(before).any():
        return False
    ordinary = 1.4826 * float(np.nanmedian(np.abs(effect - np.nanmedian(effect))))
    return bool(np.nanmax(before) >= max(LIKE * now, NOTABLE * ordinary))


def effects(grid: FloatArray, week: int = WEEK_DAYS) -> FloatArray:
    """(n,) how far each bucket is from the median of the same weekday of four weeks before, as a share of it; NaN in the first weeks.

    week: buckets of a week.
    """
    back = np.full((WEEKS_BEFORE, len(grid)), np.nan)
    for weeks in range(1, WEEKS_BEFORE + 1):
        if len(grid) > week * weeks:
            back[weeks - 1, week * weeks :] = grid[: -week * weeks]
    known = np.isfinite(back).sum(axis=0) >= 2
    usual = np.full(len(grid), np.nan)
    usual[known] = np.nanmedian(back[:, known], axis=0)
    return np.asarray((grid - usual) / np.where(np.abs(usual) > 0, np.abs(usual), np.nan), np.float64)
