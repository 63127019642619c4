"""Windows of many series in one unit, so that one network can learn from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.pooled.network import Float32

CLIP = 8.0
MAX_CELLS = 24_000_000
"""Input and target cells kept for learning: 100 MB in single precision."""


@dataclass(frozen=True, slots=True)
class Shape:
    """length: steps of history a window shows. horizon: steps it predicts. level_span: last steps whose mean is the window's level.

    own_unit: True scales a window by its own mean departure from its level; False by one unit for all, so departures stay relative to the level.
    least: known steps a window needs.
    """

    length: int
    horizon: int
    level_span: int
    own_unit: bool
    least: int


@dataclass(frozen=True, slots=True)
class Scaled:
    """inputs: (k, length) in units, 0 before a series begins. level, unit: (k, 1), to go back: value = level + unit * output."""

    inputs: Float32
    level: FloatArray
    unit: FloatArray


def uses_logarithm(y: FloatArray) -> bool:
    """Is the series well above zero, so that its changes are better seen as ratios?"""
    return bool(y.min() > 0.001 * np.abs(y).mean())


def scaled(windows: FloatArray, shape: Shape, is_log: np.ndarray, common_unit: float) -> Scaled:
    """windows: (k, length), NaN before a series begins. is_log: (k,) whether values are logarithms."""
    level = np.nanmean(windows[:, -shape.level_span :], axis=1, keepdims=True)
    departure = np.nanmean(np.abs(windows - level), axis=1, keepdims=True)
    size = np.nanmean(np.abs(windows), axis=1, keepdims=True)
    least = np.where(is_log[:, None], 1e-4, 1e-4 * size + 1e-12)
    unit = np.maximum(departure, least) if shape.own_unit else common_unit * np.where(is_log[:, None], 1.0, np.maximum(size, 1e-12))
    inputs = np.clip(np.nan_to_num((windows - level) / unit), -CLIP, CLIP).astype(np.float32)
    return Scaled(inputs, level, unit)


def common_unit(windows: FloatArray, shape: Shape, is_log: np.ndarray) -> float:
    """Median relative departure of windows from their level."""
    level = np.nanmean(windows[:, -shape.level_span :], axis=1, keepdims=True)
    departure = np.nanmean(np.abs(windows - level), axis=1)
    size = np.where(is_log, 1.0, np.maximum(np.nanmean(np.abs(windows), axis=1), 1e-12))
    return max(float(np.median(departure / size)), 1e-4)


def last_window(z: FloatArray, length: int) -> FloatArray:
    """(length,) the last values, NaN before the series begins."""
    kept = z[-length:]
    return np.asarray(np.r_[np.full(length - kept.shape[0], np.nan), kept])


def training_windows(
    series: Sequence[FloatArray], shape: Shape, rng: np.random.Generator, most_per_series: int
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """(k, length) windows with NaN before a series begins, (k, horizon) what followed, (k,) which series.

    Every end of a window is used, or a random choice of them when there are too many.
    """
    rows = max(1, MAX_CELLS // (shape.length + shape.horizon))
    share = min(most_per_series, max(20, rows // max(1, len(series))))
    inputs, targets, owner = [], [], []
    for k, z in enumerate(series):
        ends = np.arange(shape.least, z.shape[0] - shape.horizon + 1)
        if ends.shape[0] > share:
            ends = np.sort(rng.choice(ends[-4 * share :], share, replace=False))
        if not ends.shape[0]:
            continue
        padded = np.r_[np.full(shape.length, np.nan), z]
        inputs.append(padded[ends[:, None] + np.arange(shape.length)])
        targets.append(z[ends[:, None] + np.arange(shape.horizon)])
        owner.append(np.full(ends.shape[0], k))
    if not inputs:
        return np.empty((0, shape.length)), np.empty((0, shape.horizon)), np.empty(0, dtype=np.int64)
    return np.concatenate(inputs), np.concatenate(targets), np.concatenate(owner)
