"""Gradient-boosted trees over the lags of many series: one model that forecasts any of them, any step ahead.

Trees see what a network's smooth functions do not: thresholds, and steps that behave differently. They are learned from the same windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.timeseries import FloatArray
from forecasting.pooled.windows import CLIP, Shape, common_unit, last_window, scaled, training_windows

ROWS_PER_SERIES, MAX_ROWS = 600, 120_000
MIN_ROWS = 2_000
ROUNDS, LEARNING_RATE, LEAVES, LEAST_IN_LEAF = 80, 0.1, 15, 40
"""Twice the rounds at half the rate, 8 or 31 leaves, and half the rows were all within 1 % on months and days; time is spent per leaf."""
MEANS = (3, 6, 12, 24)
LAGS = 14


@dataclass(frozen=True, slots=True)
class Boosted:
    """A fitted model with what it needs to read a series."""

    shape: Shape
    common_unit: float
    model: Any

    def predict(self, histories: Sequence[FloatArray], logs: Sequence[bool]) -> list[FloatArray]:
        """(horizon,) for each history, in its own unit. logs: whether to look at it in logarithms."""
        z = [np.log(np.maximum(y, 1e-12)) if is_log else y for y, is_log in zip(histories, logs, strict=True)]
        windows = np.array([last_window(values, self.shape.length) for values in z])
        seen = scaled(windows, self.shape, np.array(logs, dtype=np.bool_), self.common_unit)
        h = self.shape.horizon
        rows = np.repeat(np.arange(len(z)), h)
        out = self.model.predict(features(seen.inputs, rows, np.tile(np.arange(h), len(z)))).reshape(len(z), h)
        points = seen.level + seen.unit * out
        return [np.exp(np.minimum(row, 700.0)) if is_log else row for row, is_log in zip(points, logs, strict=True)]


def learn_boosted(histories: Sequence[FloatArray], logs: Sequence[bool], shape: Shape, seed: int) -> Boosted | None:
    """Trees over all histories, or None when they hold too few windows."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rng = np.random.default_rng([seed, 29])
    z = [np.log(np.maximum(y, 1e-12)) if is_log else y for y, is_log in zip(histories, logs, strict=True)]
    windows, targets, owner = training_windows(z, shape, rng, 200)
    wanted_rows = min(MAX_ROWS, ROWS_PER_SERIES * len(z), windows.shape[0] * shape.horizon)
    if wanted_rows < MIN_ROWS:
        return None
    is_log = np.array(logs, dtype=np.bool_)[owner]
    unit = common_unit(windows, shape, is_log)
    seen = scaled(windows, shape, is_log, unit)
    rows, steps = rng.integers(0, windows.shape[0], wanted_rows), rng.integers(0, shape.horizon, wanted_rows)
    unit_of = np.broadcast_to(seen.unit, seen.level.shape)[:, 0]
    target = np.clip((targets[rows, steps] - seen.level[rows, 0]) / unit_of[rows], -CLIP, CLIP)
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=ROUNDS,
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST_IN_LEAF,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    return Boosted(shape, unit, model.fit(features(seen.inputs, rows, steps), target))


def features(inputs: np.ndarray, rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(k, features) float32: the last lags, means over the last steps, how they vary, and the step ahead."""
    base = np.column_stack(
        [inputs[:, -LAGS:], *[inputs[:, -width:].mean(axis=1) for width in MEANS], inputs.std(axis=1), inputs[:, -6:].std(axis=1)]
    )
    return np.column_stack([base[rows], steps.astype(np.float32)])
