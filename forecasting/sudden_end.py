"""Last values unlike anything before: a slip, or a new level? The first is set aside, and the interval reaches to it as well; from the second
on they are the level of today, and the interval reaches back.

A forecast half-way between both is right in neither case. In a series that moves by leaps nothing is unlike what came before, and nothing is done.
"""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.level_shift import MAX_FACTOR, MIN_POINTS, Levels, LevelShift, levels_of

BASE = 7
"""Points whose median is the level before, a season where one is longer: what a value is compared with."""
LONGEST = 4
"""Later a change of level is found by comparing whole weeks or days, or five buckets and more, on both sides."""
MIN_SPREADS, MIN_RATIO = 10.0, 3.0
"""So many robust spreads away from that level, and so many times as far as any value before."""
MOST_SLIPS = 2
SET_ASIDE = 1
CHANCE_OF_STAYING = 0.5
"""Of 56 single values unlike anything before, inside the training parts of public weeks, months, days and hours, 42 stayed (most in weeks), of 38
pairs 34. Slips, actions and outages, which pass, are more common where nobody has cleaned the data yet."""


def find_sudden_end(y: FloatArray, seasons: tuple[int, ...], cycle: int = 1, levels: Levels | None = None) -> LevelShift | None:
    """The change that the last values show, or None. y: (n,) complete. seasons: they are taken out first. cycle: steps of a day or week, else 1.
    levels: `levels_of` both where that is known.
    """
    n = y.shape[0]
    if n < MIN_POINTS:
        return None
    levels = levels or levels_of(y, seasons)
    z, positive = levels.z, levels.positive
    base = max(BASE, cycle)
    if n < 3 * base + LONGEST:
        return None
    before = z[: n - LONGEST]
    departures = np.abs(before[base:] - _rolling_medians(before, base)[:-1])
    limit = max(MIN_SPREADS * 1.4826 * float(np.median(departures)), MIN_RATIO * _largest(departures))
    if limit <= 1e-9 * float(np.abs(z).max()):  # a price or a head count that never changed: nothing says what a change would be
        return None
    away = z[n - LONGEST :] - float(np.median(before[-base:]))
    far = np.sign(away) * (np.abs(away) > limit)
    if far[-1] == 0 or (far == far[-1]).all():
        return None
    at = n - LONGEST + int(np.flatnonzero(far != far[-1])[-1]) + 1
    if (far[: at - n + LONGEST] != 0).any():
        return None
    return LevelShift(at, 0.0, True) if not y[at:].any() else _measured(z, at, base, positive)


def _measured(z: FloatArray, at: int, base: int, positive: bool) -> LevelShift:
    before, after = float(np.median(z[at - base : at])), float(np.median(z[at:]))
    if positive and abs(after - before) < np.log(MAX_FACTOR):
        return LevelShift(at, float(np.exp(after - before)), True)
    return LevelShift(at, float(np.exp(after) - np.exp(before)) if positive else after - before, False)


def _rolling_medians(values: FloatArray, width: int) -> FloatArray:
    """(n - width + 1,) the median of each window of `width` neighbours of (n,) complete values. Sorting each window of a day of 5-minute steps
    took thirty times as long.
    """
    from scipy.ndimage import rank_filter

    half = width // 2
    kept = slice(half, half + values.shape[0] - width + 1)
    upper = rank_filter(values, half, size=width, mode="nearest")[kept]
    return np.asarray(upper if width % 2 else 0.5 * (rank_filter(values, half - 1, size=width, mode="nearest")[kept] + upper))


def _largest(departures: FloatArray) -> float:
    """The largest of (k,) departures but for one or two that were gone at the next value: where slips happened another is no surprise."""
    last = departures.shape[0] - 1
    ranked = np.argsort(-departures)
    slips = 0
    while slips < MOST_SLIPS and ranked[slips] < last and departures[ranked[slips] + 1] < 0.5 * departures[ranked[slips]]:
        slips += 1
    return float(departures[ranked[slips]])


def is_in_doubt(change: LevelShift, n: int) -> bool:
    """Is it so young, n being how many values there are, that it may as well be a slip; or a fall to nothing, after which no history could be moved?"""
    return n - change.at <= SET_ASIDE or change.size == 0.0
