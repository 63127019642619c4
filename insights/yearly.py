"""Whether what is odd by day came at the same time last year too: a feast, a yearly sale. Then it is the season and no news."""

from __future__ import annotations

import math

import numpy as np

from core.timeseries import FloatArray

YEAR_DAYS = 364  # the same weekday
AROUND_DAYS = 7  # feasts that follow a weekday move by a week
WEEKS_BEFORE = 4
LIKE = 0.5  # at least so large against now
BEYOND = 2.0  # times last year's size
NOTABLE = 2.5  # robust standard deviations of ordinary days


def effects(days: FloatArray) -> FloatArray:
    """(n,) how far each day is from the median of the same weekday of four weeks before, as a share of it; NaN in the first weeks."""
    back = np.full((WEEKS_BEFORE, len(days)), np.nan)
    for week in range(1, WEEKS_BEFORE + 1):
        if len(days) > 7 * week:
            back[week - 1, 7 * week :] = days[: -7 * week]
    known = np.isfinite(back).sum(axis=0) >= 2
    usual = np.full(len(days), np.nan)
    usual[known] = np.nanmedian(back[:, known], axis=0)
    return np.asarray((days - usual) / np.where(np.abs(usual) > 0, np.abs(usual), np.nan), np.float64)


def came_last_year(days: FloatArray, at: int) -> bool:
    """Whether the effect of day `at` had one of its direction and half its size a year before. False without a year of days."""
    if at < YEAR_DAYS + AROUND_DAYS + 7 * WEEKS_BEFORE:
        return False
    effect = effects(days[: at + 1])
    now = effect[-1]
    before = effect[-1 - YEAR_DAYS - AROUND_DAYS : -YEAR_DAYS + AROUND_DAYS] * np.sign(now)
    if not np.isfinite(now) or now == 0 or not np.isfinite(before).any():
        return False
    ordinary = 1.4826 * float(np.nanmedian(np.abs(effect - np.nanmedian(effect))))
    largest = float(np.nanmax(before))
    if largest < max(LIKE * abs(now), NOTABLE * ordinary):
        return False
    # Far beyond what it was last year it is news again, season or not; on logarithms, since a fall has a floor.
    return abs(_size(now)) <= BEYOND * abs(_size(largest * float(np.sign(now))))


def _size(effect: float) -> float:
    return math.log(max(1.0 + effect, 0.001))
