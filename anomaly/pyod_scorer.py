"""PyOD detectors as causal scorers: fitted on the past only, on raw windows or on residual features.

On metrics with real incidents they come behind the detector of `kernel` (docs/anomaly.md has the figures); they are here as baselines and as a second
opinion that a rule may ask for.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from anomaly.state import Scored, State
from core.errors import Invalid
from core.timeseries import FloatArray, TimeArray

Name = Literal["ecod", "iforest", "knn"]
WINDOW_ROWS = 12
LEAST_ROWS = 100
LARGEST_FIT_ROWS = 5_000
GROWTH = 1.3  # refit when the past has grown by so much


class PastEcod:
    """ECOD (Li et al. 2022) as PyOD scores a single new row. PyOD ranks the rows of a call among themselves as well, so a batch would
    look ahead: here each row is ranked among the past and itself only.
    """

    def fit(self, past: FloatArray) -> None:
        """past: (n, k). Sets decision_scores_ (n,)."""
        self._sorted = np.sort(past, axis=0)
        centred = past - past.mean(axis=0)
        self._skew = (centred**3).mean(axis=0) / ((centred**2).mean(axis=0) ** 1.5 + 1e-12)
        self.decision_scores_ = self.decision_function(past)

    def decision_function(self, rows: FloatArray) -> FloatArray:
        """(m,) sums over columns of the larger tail's -log probability, the tail on the side of the skew preferred."""
        n = len(self._sorted)
        total = np.zeros(len(rows))
        for k in range(rows.shape[1]):
            column = self._sorted[:, k]
            left = -np.log((np.searchsorted(column, rows[:, k], side="right") + 1) / (n + 1))
            right = -np.log((n - np.searchsorted(column, rows[:, k], side="left") + 1) / (n + 1))
            skewed = left * -np.sign(self._skew[k] - 1) + right * np.sign(self._skew[k] + 1)
            total += np.maximum(skewed, np.maximum(left, right))
        return total


def detector(name: str, seed: int = 0) -> Any:
    """A fresh PyOD detector.

    Raises: Invalid for a name that is not one of ecod, iforest, knn.
    """
    if name == "ecod":
        return PastEcod()
    if name == "iforest":
        from pyod.models.iforest import IForest

        return IForest(n_estimators=100, random_state=seed)
    if name == "knn":
        from pyod.models.knn import KNN

        return KNN()
    raise Invalid(f"Unknown detector {name!r}: expected ecod, iforest or knn.", code="bad_detector")


def raw_windows(values: FloatArray, rows: int = WINDOW_ROWS) -> FloatArray:
    """(n, rows): each value with those before it; the first ones repeat the first value."""
    padded = np.r_[np.full(rows - 1, values[0] if len(values) else 0.0), values]
    return np.lib.stride_tricks.sliding_window_view(padded, rows).astype(np.float64)


def usual_misses(scored: Scored, values: FloatArray) -> FloatArray:
    """(n,) miss of the expectation in usual errors, at most 50; what is unknown is 0."""
    z = np.nan_to_num((values - scored.expected) / scored.spread, nan=0.0, posinf=50.0, neginf=-50.0)
    return np.asarray(np.clip(z, -50, 50), np.float64)


def residual_features(scored: Scored, values: FloatArray) -> FloatArray:
    """(n, 4): miss in usual errors, its size, mean miss of six rows, jump."""
    z = usual_misses(scored, values)
    lasting = np.convolve(z, np.ones(6) / 6)[: len(z)]
    return np.column_stack([z, np.abs(z), lasting, np.r_[0.0, np.diff(z)]])


def causal_scores(features: FloatArray, name: Name, seed: int = 0) -> FloatArray:
    """(n,) scores in standard deviations of the scores of the past it was fitted on; NaN before LEAST_ROWS.

    The model for rows a..b is fitted on rows before a, refitted whenever the past has grown by 30 %, so later rows change nothing.
    Raises: Invalid for an unknown detector.
    """
    n = len(features)
    out = np.full(n, np.nan)
    start = LEAST_ROWS
    detector(name, seed)
    while start < n:
        stop = min(n, max(start + 1, int(start * GROWTH)))
        past = features[max(0, start - LARGEST_FIT_ROWS) : start]
        model = detector(name, seed)
        model.fit(past + 0.0)
        usual = np.asarray(model.decision_scores_, np.float64)
        raw = np.asarray(model.decision_function(features[start:stop]), np.float64)
        out[start:stop] = (raw - np.median(usual)) / (np.std(usual) + 1e-12)
        start = stop
    return out


def score_series(
    times: TimeArray, values: FloatArray, step_s: int, name: Name, on: Literal["windows", "residuals"] = "residuals"
) -> FloatArray:
    """(n,) causal scores of one series; NaN where the value is missing."""
    known = np.isfinite(values)
    out = np.full(len(values), np.nan)
    y = values[known]
    features = raw_windows(y) if on == "windows" else residual_features(State(step_s).advance(times[known], y), y)
    out[known] = causal_scores(features, name)
    return out
