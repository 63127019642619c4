"""What the same weeks of last year did, where a year was seen once but not twice: too little for a season, too much to ignore.

On 36 generated series of 440 to 720 days errors were 2 % less for shops and the same for page views.
"""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.members.smoothing import adjusted
from forecasting.prepare import Prepared

WEEK_DAYS, YEAR_WEEKS = 7, 52
LEVEL_WEEKS = 4
SMOOTH_WEEKS = 3
"""Last year's path is averaged over so many weeks: its single days were chance."""
KEPT = 0.7
"""Share of last year's departure that is expected again, as one year says less than several."""


def last_year(series: Prepared) -> FloatArray:
    """(horizon,) today's level times (or plus) what came of the level of 52 weeks ago, averaged over weeks; the shape of the week on top.

    Raises: ValueError when the horizon reaches beyond a year.
    """
    h = series.horizon
    year, level, smooth = YEAR_WEEKS * WEEK_DAYS, LEVEL_WEEKS * WEEK_DAYS, SMOOTH_WEEKS * WEEK_DAYS
    if h > year + 2 * WEEK_DAYS:
        raise ValueError(f"expected a horizon of a year or less; found {h} steps")
    parts = adjusted(series)
    rest = parts.rest
    n = rest.shape[0]
    positive = bool(rest.min() > 0.1 * rest.mean() > 0)
    z = np.log(rest) if positive else rest
    total = np.r_[0.0, np.cumsum(z)]
    then = np.minimum(n - year + np.arange(h), n - 1)
    low, high = then - smooth // 2, np.minimum(then + smooth // 2 + 1, n)
    path = (total[high] - total[low]) / (high - low)
    before = (total[n - year] - total[n - year - level]) / level
    now = (total[n] - total[n - level]) / level
    ahead = now + KEPT * (path - before)
    return parts.restore(np.exp(ahead) if positive else ahead)


def is_second_year(series: Prepared) -> bool:
    """Days with more than a year of history, but not the two years of which a season is learned. On weeks it was .2 % worse with it."""
    is_days = not series.step.months and round(series.step.approximate_seconds / 3600) == 24
    least = (YEAR_WEEKS + LEVEL_WEEKS + SMOOTH_WEEKS) * WEEK_DAYS
    return is_days and least <= series.y.shape[0] < 2 * max(series.all_seasons, default=0)
