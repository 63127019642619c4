"""The shape of recent cycles on the level of the last one, and how far the last steps' departure from it carries on.

For days of five minutes and weeks of hours: seasonally adjusted smoothing follows a level that the next hour moves, while the last cycles'
shape with a short-lived correction stays right for the whole horizon.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.timeseries import FloatArray
from forecasting.members.naive import repeat_last, short_season
from forecasting.prepare import Prepared

CARRY_PER_CYCLE = 0.6
"""Share of a departure that is left one cycle later. On generated weather and traffic .5 to .8 were equal within 1 %."""
NOW_SHARE = 0.02
"""The departure now is the mean over this share of a cycle."""


def recent_shape(cycles: int) -> Callable[[Prepared], FloatArray]:
    """A member: the mean shape of the last `cycles` cycles of the shortest season around the last cycle's level, plus the fading departure."""

    def fit(series: Prepared) -> FloatArray:
        season, h = short_season(series), series.horizon
        base, now = baseline(series.y, season, cycles, h)
        return np.asarray(base + now * CARRY_PER_CYCLE ** (np.arange(1, h + 1) / season))

    return fit


def baseline(y: FloatArray, season: int, cycles: int, horizon: int) -> tuple[FloatArray, float]:
    """(horizon,) the recent shape around the last cycle's level, and the departure of the last steps from it."""
    table = last_cycles(y, season, cycles)
    level = table.mean(axis=1)
    shape = (table - level[:, None]).mean(axis=0)
    expected = level[-1] + shape
    width = max(1, round(NOW_SHARE * season))
    return repeat_last(expected, season, horizon), float((table[-1] - expected)[-width:].mean())


def last_cycles(y: FloatArray, season: int, cycles: int) -> FloatArray:
    """(cycles or as many as there are, season) ending with the last value."""
    count = min(cycles, y.shape[0] // season)
    return np.asarray(y[y.shape[0] - count * season :].reshape(count, season))
