"""Intervals from the errors that the same mixture made on rolling origins, pooled over like series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray


@dataclass(frozen=True, slots=True)
class Residuals:
    """errors: (folds, h) actual less forecast over the series' unit of error; NaN where unknown."""

    errors: FloatArray


def quantile_by_horizon(pool: Sequence[FloatArray], horizon: int, q: float) -> FloatArray:
    """(horizon,) the q-quantile of pooled scaled errors at each step, smoothed over neighbouring steps and never narrowing with distance.

    pool: (folds, horizon) arrays. q in (0, 1); below one half gives the lower side.
    """
    stacked = np.concatenate([p for p in pool if p.size], axis=0)
    half = max(1, horizon // 6)
    raw = np.full(horizon, np.nan)
    for step in range(horizon):
        window = stacked[:, max(0, step - half) : step + half + 1].ravel()
        window = window[np.isfinite(window)]
        if window.size:
            raw[step] = finite_sample_quantile(window, q)
    known = np.isfinite(raw)
    if not known.any():
        return raw
    return np.asarray(np.interp(np.arange(horizon), np.flatnonzero(known), raw[known]))


def finite_sample_quantile(values: FloatArray, q: float) -> float:
    """The conformal quantile: the rank counts the new point itself, so few values give a wider answer."""
    n = values.shape[0]
    level = np.clip(q + (2 * q - 1) / (2 * n), 0.0, 1.0)
    return float(np.quantile(values, level))


def prior_quantile(horizon: int, q: float) -> FloatArray:
    """(horizon,) errors in units of the seasonal difference when nothing was measured: Gaussian, growing as the root of the step."""
    from scipy.stats import norm

    return np.asarray(norm.ppf(q) * 1.2533 * 0.8 * np.sqrt(1.0 + 0.25 * np.arange(horizon)))
