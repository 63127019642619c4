"""Possible futures drawn from a forecast's intervals, so that sums, ratios and dates of reaching a value get intervals of their own.

A forecast gives each step's interval; it does not say how errors of steps go together. That is estimated from the same engine's errors at
earlier origins (`Dependence`), and paths are drawn through a Gaussian copula: right at each step, and together as wide as the past says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray
from forecasting.types import Forecast

COUNT = 2000
LEVELS = (80, 95)
_Z80, _Z95 = 1.2815515655, 1.9599639845
PRIOR_SHARED, PRIOR_NEAR, PRIOR_WEIGHT = 0.3, 0.5, 3.0
"""Without earlier origins: a third of an error's variance is shared by all steps. Its weight is that of three origins."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """How errors go together. shared: correlation of far steps; near: what neighbours have on top, falling by `near` a step.

    between: (p, p) correlation of the parts of a ratio at one step. origins: how many were looked at.
    """

    shared: float
    near: float
    between: FloatArray
    origins: int

    def as_json(self) -> dict[str, object]:
        return {"shared": round(self.shared, 4), "near": round(self.near, 4), "between": self.between.tolist(), "origins": self.origins}


def unknown_dependence(parts: int) -> Dependence:
    return Dependence(PRIOR_SHARED, PRIOR_NEAR, np.full((parts, parts), PRIOR_NEAR) + (1 - PRIOR_NEAR) * np.eye(parts), 0)


def z_scores(actual: FloatArray, forecast: Forecast) -> FloatArray:
    """(h,) where each actual value lies in its forecast's distribution, in standard normal units; NaN where it is missing."""
    knots, z = _knots(forecast), np.array([-_Z95, -_Z80, 0.0, _Z80, _Z95])
    found = np.full(actual.shape[0], np.nan)
    for step, value in enumerate(actual):
        column = knots[:, step]
        if np.isfinite(value) and column[-1] > column[0]:
            inside = float(np.interp(value, column, z))
            below, above = column[1] - column[0], column[-1] - column[-2]
            if value < column[0]:
                inside = -_Z95 - (column[0] - value) / max(below, 1e-12) * (_Z95 - _Z80)
            elif value > column[-1]:
                inside = _Z95 + (value - column[-1]) / max(above, 1e-12) * (_Z95 - _Z80)
            found[step] = np.clip(inside, -6.0, 6.0)
    return found


def estimate_dependence(scores: Sequence[FloatArray]) -> Dependence:
    """From errors at earlier origins. scores: per part, (origins, h) `z_scores`, same origins for each part."""
    parts = len(scores)
    z = np.stack([np.asarray(part, dtype=np.float64) for part in scores])
    known = np.isfinite(z)
    if z.shape[1] == 0 or known.sum() < 4:
        return unknown_dependence(parts)
    z = np.where(known, z, 0.0)
    size = float((z**2).sum() / known.sum()) or 1.0
    horizon, origins = z.shape[2], z.shape[1]

    def at_lags(lags: range) -> float:
        top = sum(float((z[:, :, lag:] * z[:, :, : horizon - lag]).sum()) for lag in lags)
        pairs = sum(int((known[:, :, lag:] & known[:, :, : horizon - lag]).sum()) for lag in lags)
        return top / max(pairs, 1) / size

    weight = origins / (origins + PRIOR_WEIGHT)
    far = at_lags(range(max(1, horizon // 3), horizon)) if horizon > 1 else PRIOR_SHARED
    shared = float(np.clip(weight * far + (1 - weight) * PRIOR_SHARED, 0.0, 0.95))
    first = at_lags(range(1, 2)) if horizon > 1 else PRIOR_NEAR
    near = float(np.clip((first - shared) / (1 - shared), 0.0, 0.95)) if horizon > 2 else PRIOR_NEAR
    between = np.eye(parts)
    pairs = float(known.all(axis=0).sum())  # parts are compared step by step, so every step tells
    sure = pairs / (pairs + PRIOR_WEIGHT)
    for a in range(parts):
        for b in range(a):
            top = float((z[a] * z[b]).sum())
            scale = float(np.sqrt((z[a] ** 2).sum() * (z[b] ** 2).sum())) or 1.0
            between[a, b] = between[b, a] = np.clip(sure * top / scale + (1 - sure) * PRIOR_NEAR, -0.995, 0.995)
    return Dependence(shared, near, _positive(between), origins)


def draw(forecasts: Sequence[Forecast], dependence: Dependence, *, seed: int = 0, count: int = COUNT) -> npt.NDArray[np.float64]:
    """(parts, count, h) possible futures of the parts of one measure, drawn together. Steps whose interval is a point stay there."""
    rng = np.random.default_rng(seed)
    horizon, parts = forecasts[0].mean.shape[0], len(forecasts)
    gaps = np.abs(np.subtract.outer(np.arange(horizon), np.arange(horizon)))
    over_time = dependence.shared + (1 - dependence.shared) * np.where(gaps == 0, 1.0, dependence.near ** np.minimum(gaps, 400))
    root_time = np.linalg.cholesky(over_time + 1e-9 * np.eye(horizon))
    root_parts = np.linalg.cholesky(dependence.between[:parts, :parts] + 1e-9 * np.eye(parts))
    half = rng.standard_normal((parts, count // 2, horizon))
    noise = np.concatenate([half, -half], axis=1)  # antithetic pairs: the middle of the paths is the middle of the forecast
    z = np.einsum("pq,qch->pch", root_parts, noise @ root_time.T)
    return np.stack([_at(forecast, z[row]) for row, forecast in enumerate(forecasts)])


def interval(samples: FloatArray, expected: float) -> dict[str, float]:
    """lower_80 ... upper_95 of (count,) samples, each holding `expected`; NaN samples are left out."""
    kept = samples[np.isfinite(samples)]
    found: dict[str, float] = {}
    for level in LEVELS:
        tail = (100 - level) / 2
        low, high = np.percentile(kept, [tail, 100 - tail]) if kept.size else (expected, expected)
        found[f"lower_{level}"], found[f"upper_{level}"] = float(min(low, expected)), float(max(high, expected))
    return found


def _knots(forecast: Forecast) -> FloatArray:
    """(5, h) values at the standard normal points of the 95 % and 80 % bounds and the middle."""
    rows = (forecast.lower[95], forecast.lower[80], forecast.mean, forecast.upper[80], forecast.upper[95])
    return np.maximum.accumulate(np.stack(rows), axis=0)


def _at(forecast: Forecast, z: FloatArray) -> FloatArray:
    """(count, h) the forecast's values at standard normal points; straight between knots and beyond them."""
    knots = _knots(forecast)
    floor = 0.0 if bool((knots >= 0).all()) else -np.inf
    grid = np.array([-_Z95, -_Z80, 0.0, _Z80, _Z95])
    place = np.clip(np.searchsorted(grid, z) - 1, 0, 3)
    steps = np.broadcast_to(np.arange(z.shape[1]), z.shape)
    low, high = knots[place, steps], knots[place + 1, steps]
    share = (z - grid[place]) / (grid[place + 1] - grid[place])
    return np.asarray(np.maximum(low + share * (high - low), floor))


def _positive(matrix: FloatArray) -> FloatArray:
    """The nearest correlation matrix that can be drawn from."""
    values, vectors = np.linalg.eigh(matrix)
    if values.min() > 1e-6:
        return matrix
    fixed = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / np.outer(scale, scale))
