"""The last value, and the last season, repeated."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.prepare import Prepared


def naive(series: Prepared) -> FloatArray:
    """(horizon,) the last value."""
    return np.full(series.horizon, series.y[-1])


def seasonal_naive(series: Prepared) -> FloatArray:
    """(horizon,) the last cycle of the longest season that is no longer than 200 steps and seen twice; else the last value."""
    season = repeat_season(series)
    return repeat_last(series.y, season, series.horizon)


def repeat_season(series: Prepared) -> int:
    """Steps of the season a plain repetition should use; 1 without one."""
    fitting = [s for s in series.seasons if 2 * s <= series.y.shape[0] and (s <= 200 or s * series.step.approximate_seconds <= 8 * 86_400)]
    return fitting[-1] if fitting else 1


def repeat_last(y: FloatArray, season: int, horizon: int) -> FloatArray:
    """(horizon,) the last `season` values, repeated."""
    return np.asarray(y[y.shape[0] - season + np.arange(horizon) % season])
