"""What a pre-trained network sees of a series: its last values without their season, in one unit, in logarithms where well above zero."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray

Float32 = npt.NDArray[np.float32]

CLIP = 20.0
LEVEL_SPAN = 3
"""The level is the mean of so many last values."""
DECAY = 0.98
"""A value counts this share of the next younger one when the season is found."""
MEMORY_PARTS = 12
"""How much of the window is known is said as so many shares of equal parts."""
SEASON_RIDGE = 0.5
"""The season's pattern is shrunk as if one value for each two positions had said that there is none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """inputs: (k, inputs) what the network sees. level, unit: (k, 1), season: (k, season) the pattern ahead, in units.

    Back: value = level + unit * (output + season), then out of the logarithm where is_log: (k, 1).
    """

    inputs: Float32
    level: FloatArray
    unit: FloatArray
    season: FloatArray
    is_log: npt.NDArray[np.bool_]

    def ahead(self, steps: int) -> FloatArray:
        """(k, steps) the season ahead, in units."""
        return self.season[:, np.arange(steps) % self.season.shape[1]]

    def wanted(self, future: FloatArray) -> Float32:
        """(k, steps) values that came -> what a network should have said."""
        z = np.where(self.is_log, np.log(np.maximum(future, 1e-3 * np.exp(np.where(self.is_log, self.level, 0.0)))), future)
        said = (z - self.level) / self.unit - self.ahead(future.shape[1])
        return np.clip(said, -2 * CLIP, 2 * CLIP).astype(np.float32)

    def back(self, output: npt.NDArray[np.floating]) -> FloatArray:
        """(k, steps) what the network said -> values."""
        z = self.level + self.unit * (output + self.ahead(output.shape[1]))
        return np.asarray(np.where(self.is_log, np.exp(np.minimum(np.where(self.is_log, z, 0.0), 700.0)), z))


def look(windows: FloatArray, season: int) -> Seen:
    """windows: (k, length) the last values, NaN before a series begins; at least four known. season: steps, 1 for none."""
    known = np.isfinite(windows)
    counts = known.sum(axis=1)
    size = np.maximum(np.nanmean(np.abs(windows), axis=1, keepdims=True), 1e-300)
    is_log = np.asarray(np.nanmin(windows, axis=1, keepdims=True) > 0.1 * size)
    z = np.where(is_log, np.log(np.where(is_log & known, windows, 1.0)), windows / size)
    z = np.where(known, z, np.nan)
    pattern = _patterns(z, counts, season)
    length = windows.shape[1]
    rest = z - pattern[:, (np.arange(length) - length) % season]
    level = np.nanmean(rest[:, -LEVEL_SPAN:], axis=1, keepdims=True)
    unit = np.maximum(0.5 * _change(rest, 1) + 0.5 * _change(z, season), 1e-6)
    values = np.where(known, (rest - level) / unit, 0.0)
    ahead = pattern / unit
    part = length / MEMORY_PARTS
    memory = np.clip(counts[:, None] / part - np.arange(MEMORY_PARTS), 0.0, 1.0)
    inputs = np.concatenate([np.clip(np.c_[values, ahead], -CLIP, CLIP), memory, is_log], axis=1).astype(np.float32)
    back = np.where(is_log, 1.0, size)
    return Seen(inputs, level * back, unit * back, ahead, is_log)


def _patterns(z: FloatArray, counts: npt.NDArray[np.integer], season: int) -> FloatArray:
    """(k, season) the seasonal pattern from the first step ahead on."""
    if season == 1:
        return np.zeros((z.shape[0], 1))
    found = np.zeros((z.shape[0], season))
    for count in np.unique(counts):
        rows = counts == count
        found[rows] = z[rows, z.shape[1] - count :] @ _pattern_of(int(count), season).T
    return found


@cache
def _pattern_of(count: int, season: int) -> FloatArray:
    """(season, count) how the pattern ahead follows from so many values: penalised least squares of a smooth level and a pattern.

    The level is that of Whittaker (1923): its second differences are penalised so that half of a wave of two seasons is left to it.
    """
    smooth = (2 - 2 * np.cos(np.pi / season)) ** -2
    bends = np.diff(np.eye(count), 2, axis=0)
    place = np.eye(season)[(np.arange(count) - count) % season]
    weight = DECAY ** np.arange(count)[::-1]
    both = np.c_[np.eye(count), place]
    normal = (both.T * weight) @ both
    normal[:count, :count] += smooth * weight.mean() * bends.T @ bends
    normal[count:, count:] += SEASON_RIDGE * np.eye(season) + 100.0
    return np.asarray(np.linalg.solve(normal, both.T * weight)[count:])


def _change(z: FloatArray, lag: int) -> FloatArray:
    """(k, 1) mean absolute change over `lag` steps; over one where a window is too short."""
    seen = np.abs(z[:, lag:] - z[:, :-lag])
    count = np.isfinite(seen).sum(axis=1, keepdims=True)
    mean = np.nansum(seen, axis=1, keepdims=True) / np.maximum(count, 1)
    return np.asarray(mean if lag == 1 else np.where(count > 0, mean, _change(z, 1)))
