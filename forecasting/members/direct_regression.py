"""What followed in this series after moments like now: one ridge regression for every step ahead at once.

Each past moment at nearly the same place of the cycle is one example. It is described by a few departures from the recent shape (now, over
the last hours, over the last cycle, the cycle before), and what came afterwards, less that shape, is what is learned.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.timeseries import FloatArray
from forecasting.members.logarithm import in_logarithms
from forecasting.members.naive import repeat_last, short_season
from forecasting.members.smoothing import adjusted
from forecasting.prepare import Prepared

MIN_EXAMPLES = 30
MAX_EXAMPLES = 400
PLACES = 0.08
"""Examples lie within this share of a cycle from the moment's own place; mornings do not tell of evenings."""
WIDTHS = (0.01, 0.04, 0.15, 0.5, 1.0)
"""Shares of a cycle over which departures are averaged."""
RIDGE = 0.05
"""Pull of the slopes to 0, as a share of the examples' own weight; .005 to .1 were equal within 2 % on generated weather, traffic and sales."""
MAX_DEPARTURE = 4.0
"""Departures beyond this many units are cut to it, in what is learned as in what is seen."""


def direct_regression(cycles: int, *, long_seasons: bool = False) -> Callable[[Prepared], FloatArray]:
    """A member that compares with the mean shape of the last `cycles` cycles of the shortest season.

    long_seasons: seasons are taken out first and put back, for hours that also have a week. It raises ValueError with too few examples.
    """

    def fit(series: Prepared) -> FloatArray:
        season, h = short_season(series), series.horizon
        if not long_seasons:
            y, back = in_logarithms(series.y)
            return back(_regress(y, season, cycles, h))
        parts = adjusted(series)
        rest, back = in_logarithms(parts.rest)
        return parts.restore(back(_regress(rest, season, cycles, h)))

    return fit


def _regress(y: FloatArray, season: int, cycles: int, h: int) -> FloatArray:
    ends = examples(y.shape[0], season, cycles, h)
    if ends.shape[0] < MIN_EXAMPLES:
        raise ValueError(f"expected {MIN_EXAMPLES} examples or more; found {ends.shape[0]}")
    total = np.r_[0.0, np.cumsum(y)]
    shapes = _shapes(y, total, ends, season, cycles)
    seen = _departures(total, shapes, ends, season, cycles)
    ahead = y[ends[:, None] + np.arange(h)] - shapes[:, np.arange(h) % season]
    here = np.array([y.shape[0]])
    shape = _shapes(y, total, here, season, cycles)
    unit = np.sqrt((seen**2).mean(axis=0)) + 1e-12
    x = seen / unit
    limit = MAX_DEPARTURE * float(np.median(np.abs(ahead))) + 1e-12
    gram = x.T @ x + RIDGE * x.shape[0] * np.eye(x.shape[1])
    slopes = np.linalg.solve(gram, x.T @ np.clip(ahead, -limit, limit))
    now = np.clip(_departures(total, shape, here, season, cycles) / unit, -MAX_DEPARTURE, MAX_DEPARTURE)
    return np.asarray(repeat_last(shape[0], season, h) + (now @ slopes)[0])


def examples(n: int, season: int, cycles: int, horizon: int) -> np.ndarray:
    """(k,) past moments, as counts of known points, near the same place of the cycle as n, with a whole horizon after them."""
    reach = int(PLACES * season)
    whole = np.arange((cycles + 1) * season + reach, n - horizon + 1)
    near = whole[np.abs((whole - n + season // 2) % season - season // 2) <= reach]
    return near[:: max(1, near.shape[0] // MAX_EXAMPLES)] if near.shape[0] else near


def _shapes(y: FloatArray, total: FloatArray, ends: np.ndarray, season: int, cycles: int) -> FloatArray:
    """(k, season) the mean of the cycles before each moment, moved to the level of the last of them."""
    back = ends[:, None] - season + np.arange(season)
    shape = np.mean([y[back - c * season] for c in range(cycles)], axis=0)
    level = (total[ends] - total[ends - season]) / season
    return np.asarray(shape + (level - shape.mean(axis=1))[:, None])


def _departures(total: FloatArray, shapes: FloatArray, ends: np.ndarray, season: int, cycles: int) -> FloatArray:
    """(k, features) mean departures from the shape over the last steps, and of the level from the cycles before."""
    below = np.cumsum(np.c_[np.zeros(shapes.shape[0]), shapes], axis=1)
    found = []
    for share in WIDTHS[:-1]:
        width = max(1, round(share * season))
        found.append((total[ends] - total[ends - width] - (below[:, -1] - below[:, season - width])) / width)
    level = (total[ends] - total[ends - season]) / season
    for before in (1, cycles):
        found.append(level - (total[ends - season] - total[ends - (before + 1) * season]) / (before * season))
    return np.column_stack(found)
