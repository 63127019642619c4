"""How far a value is from its predictions, in units of the usual error of each."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import FRACTIONS_SEEN, PREDICTORS, SIZE, TINY, Memory
from anomaly.predictions import middle
from core.timeseries import FloatArray

MOST_SURPRISE = 1000.0  # usual errors of one predictor; a predictor that hardly ever misses does not outvote the others


@compiled
def misses(m: Memory, y: float, p: FloatArray, by_noise: float, floor: float, z: FloatArray) -> tuple[float, float]:
    """Fill z (PREDICTORS,): the miss of each prediction in its usual errors. Returns the prediction with the smallest usual error, and that error."""
    f = m.scalars
    best, best_error = np.nan, np.inf
    counts = f[FRACTIONS_SEEN] == 0
    for k in range(PREDICTORS):
        z[k] = np.nan
        if not np.isnan(p[k]) and m.error_rows[k] > 5:
            z[k] = by_noise * abs(y - p[k]) / (1.25 * m.error[k] + floor)
            if counts:  # a count is at least as noisy as Poisson
                z[k] = min(z[k], 2.0 * abs(np.sqrt(abs(y) + 0.375) - np.sqrt(abs(p[k]) + 0.375)))
            if m.error[k] < best_error:
                best_error, best = m.error[k], p[k]
    return best, best_error


@compiled
def middle_prediction(m: Memory, p: FloatArray) -> float:
    """Median of the predictions by two medians and the day; NaN while none is known."""
    known = np.empty(4)
    n = 0
    for k in range(2, 6):
        if m.error_rows[k] > 5 and not np.isnan(p[k]):
            known[n] = p[k]
            n += 1
    return middle(known[:n]) if n > 0 else np.nan


@compiled
def surprises(m: Memory, y: float, p: FloatArray, z: FloatArray) -> tuple[float, float, float, float]:
    """(geometric mean of six misses in usual errors, the same in the unit of the series, the best seasonal miss, the slow seasonal miss)."""
    f = m.scalars
    surprise, far, n = 0.0, 0.0, 0
    for k in range(PREDICTORS):
        if k in (0, 2, 3, 4, 5, 7) and not np.isnan(z[k]):
            surprise += np.log(min(z[k], MOST_SURPRISE) + 0.01)
            far += np.log(abs(y - p[k]) + 1e-9 * f[SIZE] + TINY)
            n += 1
    surprise = np.exp(surprise / n) if n > 0 else 0.0
    far = np.exp(far / n) if n > 0 else 0.0
    seasonal, seasonal_error = np.nan, np.inf
    local, local_error = 0.0, np.inf
    for k in range(PREDICTORS):
        if not np.isnan(z[k]):
            if k in (4, 5, 6, 7, 9):
                if m.error[k] < seasonal_error:
                    seasonal_error, seasonal = m.error[k], z[k]
            elif m.error[k] < local_error:
                local_error, local = m.error[k], z[k]
    if np.isnan(seasonal):
        seasonal = local
    slow = 0.0
    if not np.isnan(z[5]):
        slow = z[5] if np.isnan(z[7]) else min(z[5], z[7])
    elif not np.isnan(z[7]):
        slow = z[7]
    return surprise, far, seasonal, slow
