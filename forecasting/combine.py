"""From the members' forecasts to one."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.backtests import Trial

FAILURE_RATIO = 1.6
"""A member whose backtest error is above this many times the best one's is a clear failure and left out."""


def errors(trial: Trial) -> dict[str, float]:
    """Member -> mean absolute scaled error over its folds; only members with an error at every fold."""
    known = np.isfinite(trial.actual)
    found = {}
    for name, point in trial.at_folds.items():
        if known.any() and np.isfinite(point[known]).all():
            found[name] = float(np.abs(point - trial.actual)[known].mean()) / trial.scale
    return found


def choose(trial: Trial) -> dict[str, float]:
    """Member -> weight (sum 1): clear failures dropped, the others by the inverse of their backtest error."""
    scores = {name: error for name, error in errors(trial).items() if name in trial.ahead}
    if not scores:
        sound = [name for name in trial.ahead if name != "naive"] or list(trial.ahead)
        return {name: 1.0 / len(sound) for name in sound}
    best = min(scores.values())
    kept = {name: error for name, error in scores.items() if error <= FAILURE_RATIO * best + 1e-9}
    raw = {name: 1.0 / (error + 0.1 * best + 1e-9) for name, error in kept.items()}
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def mix(points: dict[str, FloatArray], weights: dict[str, float]) -> FloatArray:
    """Weighted mean of the members' forecasts, of any one shape."""
    return np.asarray(sum(weight * points[name] for name, weight in weights.items()))
