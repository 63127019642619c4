"""What the service has to beat, measured in the same run: a seasonal robust z, and PyOD's ECOD and IForest on raw windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from anomaly.pyod_scorer import score_series
from core.timeseries import FloatArray, TimeArray


def seasonal_z(times: TimeArray, values: FloatArray, step_s: int) -> FloatArray:
    """(n,) |value - median of the same time on the last 7 days| over the median miss of the last 500 rows; the median of the last 50 rows
    where no day is known."""
    y = pd.Series(values)
    day = 86_400 // step_s if step_s < 86_400 else 7
    earlier = pd.concat([y.shift(day * k) for k in range(1, 8)], axis=1).median(axis=1)
    expected = earlier.fillna(y.rolling(50, min_periods=10).median().shift(1))
    miss = (y - expected).abs()
    usual = miss.rolling(500, min_periods=20).median().shift(1)
    out: FloatArray = (miss / (1.4826 * usual + 1e-9 + 1e-3 * y.abs().expanding().mean().shift(1))).to_numpy(np.float64)
    return out


BASELINES: dict[str, Callable[[TimeArray, FloatArray, int], FloatArray]] = {
    "seasonal_z": seasonal_z,
    "pyod_ecod_windows": lambda t, y, s: score_series(t, y, s, "ecod", "windows"),
    "pyod_iforest_windows": lambda t, y, s: score_series(t, y, s, "iforest", "windows"),
    "pyod_ecod_residuals": lambda t, y, s: score_series(t, y, s, "ecod", "residuals"),
}
