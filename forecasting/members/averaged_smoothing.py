"""Exponential smoothing that does not choose: every pair of memory and trend, each weighed by how well it foresaw the steps ahead so far.

The one best fit of 50 to 200 points is mostly chance. On public months at origins inside their training parts the average was 2 to 4 % better
than the chosen damped trend, and a mixture with it .3 to .5 % better; on generated months and public weeks the mixture was the same.
"""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.members.logarithm import in_logarithms
from forecasting.members.smoothing import adjusted
from forecasting.prepare import Prepared

MAX_FIT_POINTS = 200
MEMORIES = (0.05, 0.15, 0.3, 0.6, 1.0)
SLOPE_MEMORIES = (0.02, 0.06, 0.2)
DAMPINGS = (0.85, 0.95, 1.0)
"""50 smoothings; 231 on a finer grid were no better anywhere."""
FIRST_STEPS = 12
"""The first level and slope are those of a line through so many points; errors count from there on."""
POINTS_PER_WEIGHT = 2.0
"""Errors weigh as if every second point were a fold of its own: with each or every fourth the mixtures were within .1 %."""
NEIGHBOURS = 3
"""Weights of a step ahead look at the errors of so many steps on both sides, and as much at those of all steps."""


def averaged_smoothing(series: Prepared) -> FloatArray:
    """(horizon,) forecasts of the seasonally adjusted series, in logarithms where it is well above zero, with the seasons put back."""
    parts = adjusted(series)
    z, back = in_logarithms(parts.rest[-MAX_FIT_POINTS:])
    return parts.restore(back(average(z, series.horizon)))


def average(z: FloatArray, horizon: int) -> FloatArray:
    """(horizon,) the weighted mean of all smoothings of z, (n >= 4,) without season. Source of each: Gardner and McKenzie (1985)."""
    n = z.shape[0]
    levels, slopes, damped = _smoothed(z, horizon)
    first, most = min(FIRST_STEPS, n // 4), min(horizon, n // 3)
    errors = np.array(
        [
            np.abs(levels[first : n - k] + slopes[first : n - k] * damped[k - 1] - z[first + k :, None]).mean(axis=0)
            for k in range(1, most + 1)
        ]
    )
    steps = np.arange(1, horizon + 1)
    weights = _weights(errors + 1e-12, (n - first) / POINTS_PER_WEIGHT / np.sqrt(steps))
    return np.asarray((weights * (levels[-1] + slopes[-1] * damped)).sum(axis=1))


def _kinds() -> FloatArray:
    """(kinds, 3) memory of the level, share of it for the slope, damping; 0 for both without a trend."""
    flat = [(memory, 0.0, 0.0) for memory in MEMORIES]
    return np.array(flat + [(memory, slope, damping) for memory in MEMORIES for slope in SLOPE_MEMORIES for damping in DAMPINGS])


def _smoothed(z: FloatArray, horizon: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n, kinds) level and slope after each point, (horizon, kinds) how many slopes each step ahead adds."""
    memory, share, damping = _kinds().T
    start = z[:FIRST_STEPS]
    middle = (start.shape[0] - 1) / 2
    line = float(np.polyfit(np.arange(start.shape[0]), start, 1)[0])
    level, slope = np.full(memory.shape, start.mean() - line * middle), np.where(damping > 0, 0.5 * line, 0.0)
    levels, slopes = np.empty((z.shape[0], memory.shape[0])), np.empty((z.shape[0], memory.shape[0]))
    for t, value in enumerate(z):
        expected = level + damping * slope
        wrong = value - expected
        level, slope = expected + memory * wrong, damping * slope + memory * share * wrong
        levels[t], slopes[t] = level, slope
    return levels, slopes, np.cumsum(damping ** np.arange(1, horizon + 1)[:, None], axis=0)


def _weights(errors: FloatArray, power: FloatArray) -> FloatArray:
    """(horizon, kinds) sum 1 at each step. errors: (steps measured, kinds) > 0. power: (horizon,) of the relative error; late steps use the last."""
    most = errors.shape[0]
    overall = np.log((errors / np.sqrt(np.arange(1, most + 1))[:, None]).sum(axis=0))
    each = np.log(errors)
    total = np.vstack([np.zeros(each.shape[1]), np.cumsum(each - each.mean(axis=1, keepdims=True), axis=0)])
    at = np.arange(most)
    low, high = np.maximum(at - NEIGHBOURS, 0), np.minimum(at + NEIGHBOURS + 1, most)
    near = (total[high] - total[low]) / (high - low)[:, None]
    score = (0.5 * (overall - overall.mean()) + 0.5 * near)[np.minimum(np.arange(power.shape[0]), most - 1)]
    raw = np.exp(-power[:, None] * (score - score.min(axis=1, keepdims=True)))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))
