"""Weights of the members over a batch of like series, from all their backtests at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.timeseries import FloatArray

EVEN_PULL = 0.005
"""Strength of the pull towards even weights, as a share of the members' mean squared forecast."""
MAX_ROWS = 40_000


def stack(actual: Sequence[FloatArray], points: Sequence[FloatArray], units: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """(k,) actual values and (k, members) forecasts in units, rows with a NaN left out.

    actual: per series (folds, h). points: per series (members, folds, h). units: per series > 0.
    """
    a = np.concatenate([x.ravel() / u for x, u in zip(actual, units, strict=True)])
    p = np.concatenate([x.reshape(x.shape[0], -1).T / u for x, u in zip(points, units, strict=True)])
    known = np.isfinite(a) & np.isfinite(p).all(axis=1)
    return a[known], p[known]


def least_absolute(actual: FloatArray, points: FloatArray, *, rounds: int = 20) -> FloatArray:
    """(members,) weights >= 0 with sum 1 that make the mean absolute error of the mixture least.

    actual: (k,), points: (k, members), k > 0. Iteratively reweighted least squares on the simplex, pulled a little towards even weights.
    """
    members = points.shape[1]
    even = np.full(members, 1.0 / members)
    if members == 1 or not actual.shape[0]:
        return even
    if actual.shape[0] > MAX_ROWS:
        keep = np.linspace(0, actual.shape[0] - 1, MAX_ROWS).astype(np.int64)
        actual, points = actual[keep], points[keep]
    wrong = points - actual[:, None]
    weights = even
    for _ in range(rounds):
        error = wrong @ weights
        floor = 0.05 * float(np.abs(error).mean()) + 1e-12
        row = 1.0 / np.maximum(np.abs(error), floor)
        gram = (wrong * row[:, None]).T @ wrong
        pull = EVEN_PULL * float(np.trace(gram)) / members
        gram = gram + pull * np.eye(members)
        weights = _on_simplex(gram, pull * even)
    return weights


def _on_simplex(gram: FloatArray, linear: FloatArray) -> FloatArray:
    """argmin w' gram w / 2 - linear' w with w >= 0, sum w = 1, through non-negative least squares with a heavy row for the sum."""
    from scipy.optimize import nnls  # 0.4 s of processor time, which a process that only serves what was forecast has no use for

    size = float(np.trace(gram)) / gram.shape[0] + 1e-12
    root = np.linalg.cholesky(gram / size + 1e-9 * np.eye(gram.shape[0]))
    heavy = 1e3
    a = np.vstack([root.T, heavy * np.ones(gram.shape[0])])
    b = np.r_[np.linalg.solve(root, linear / size), heavy]
    found = nnls(a, b)[0]
    return np.asarray(found / found.sum())
