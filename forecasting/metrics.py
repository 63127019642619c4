"""How good forecasts were. All arrays are (h,) of one series unless it says otherwise."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray


def smape(actual: FloatArray, predicted: FloatArray) -> float:
    """Symmetric mean absolute percentage error, 0 to 200; points where both are 0 count 0.

    Source: the M4 competition's guide.
    """
    size = np.abs(actual) + np.abs(predicted)
    return float(np.mean(np.where(size > 0, 200 * np.abs(actual - predicted) / np.where(size > 0, size, 1.0), 0.0)))


def mase_scale(train: FloatArray, season: int) -> float:
    """Mean absolute seasonal difference of train, (n,) with NaN in gaps; one-step where too short; 0 when flat or unknown.

    Source: Hyndman and Koehler (2006).
    """
    for lag in (season, 1):
        if train.shape[0] > lag:
            difference = np.abs(train[lag:] - train[:-lag])
            if np.isfinite(difference).any():
                return float(np.nanmean(difference))
    return 0.0


def mase(actual: FloatArray, predicted: FloatArray, scale: float) -> float:
    """Mean absolute scaled error: below 1.0 beats the in-sample seasonal naive. NaN when the scale is 0."""
    return float(np.abs(actual - predicted).mean() / scale) if scale > 0 else float("nan")


def coverage(actual: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Share of points inside the interval, ends included."""
    return float(((actual >= lower) & (actual <= upper)).mean())


def msis(actual: FloatArray, lower: FloatArray, upper: FloatArray, scale: float, level: int = 95) -> float:
    """Mean scaled interval score: narrow is good, a miss costs 2 / (1 - level) times its distance. NaN when the scale is 0.

    Source: Gneiting and Raftery (2007); the M4 competition.
    """
    penalty = 2 / (1 - level / 100)
    width = upper - lower + penalty * (np.clip(lower - actual, 0, None) + np.clip(actual - upper, 0, None))
    return float(width.mean() / scale) if scale > 0 else float("nan")
