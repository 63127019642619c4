"""The last value, the last cycles repeated, and the mean of recent cycles."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.prepare import Prepared

RECENT_CYCLES = 5


def naive(series: Prepared) -> FloatArray:
    """(horizon,) the last value."""
    return np.full(series.horizon, series.y[-1])


def seasonal_naive(series: Prepared) -> FloatArray:
    """(horizon,) the last cycle of `repeat_season`; the last value without one."""
    return repeat_last(series.y, repeat_season(series), series.horizon)


def seasonal_naive_short(series: Prepared) -> FloatArray:
    """(horizon,) the last cycle of the shortest season."""
    return repeat_last(series.y, short_season(series), series.horizon)


def recent_mean(series: Prepared) -> FloatArray:
    """(horizon,) the mean of the last five cycles of the shortest season at each position."""
    season = short_season(series)
    cycles = min(RECENT_CYCLES, series.y.shape[0] // season)
    mean = series.y[series.y.shape[0] - cycles * season :].reshape(cycles, season).mean(axis=0)
    return repeat_last(mean, season, series.horizon)


def repeat_season(series: Prepared) -> int:
    """Steps of the season a plain repetition should use: the longest seen twice that is a week or shorter, or has at most 60 steps; 1 without one."""
    fitting = [s for s in series.seasons if 2 * s <= series.y.shape[0] and (s <= 60 or s * series.step.approximate_seconds <= 8 * 86_400)]
    return fitting[-1] if fitting else 1


def short_season(series: Prepared) -> int:
    """Steps of the shortest season that was seen twice; 1 without one."""
    fitting = [s for s in series.seasons if 2 * s <= series.y.shape[0]]
    return fitting[0] if fitting else 1


def repeat_last(y: FloatArray, season: int, horizon: int) -> FloatArray:
    """(horizon,) the last `season` values, repeated."""
    return np.asarray(y[y.shape[0] - season + np.arange(horizon) % season])
