"""From the histories of a batch to a network that forecasts any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.pooled.network import Network, Recipe, learn
from forecasting.pooled.windows import CLIP, Shape, common_unit, last_window, scaled, training_windows

MIN_WINDOWS = 2_000
"""Fewer windows than this teach a network less than a theta model knows."""
MAX_WINDOWS_PER_SERIES = 500
WINDOWS_OF_FEW_SERIES = 12_000
"""A batch of a few long series may give this many windows together, beyond the cap per series."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A network with what it needs to read a series. size: what log-less series are divided by does not matter, windows carry their own."""

    shape: Shape
    common_unit: float
    network: Network

    def predict(self, histories: Sequence[FloatArray], logs: Sequence[bool]) -> list[FloatArray]:
        """(horizon,) for each history, in its own unit. logs: whether to look at it in logarithms."""
        z = [np.log(np.maximum(y, 1e-12)) if is_log else y for y, is_log in zip(histories, logs, strict=True)]
        windows = np.array([last_window(values, self.shape.length) for values in z])
        seen = scaled(windows, self.shape, np.array(logs, dtype=np.bool_), self.common_unit)
        out = seen.level + seen.unit * np.clip(self.network.predict(seen.inputs), -1.5 * CLIP, 1.5 * CLIP)
        return [np.exp(np.minimum(row, 700.0)) if is_log else row for row, is_log in zip(out, logs, strict=True)]


def learn_pooled(
    histories: Sequence[FloatArray], logs: Sequence[bool], shape: Shape, recipe: Recipe, seed: int, start: Learned | None = None
) -> Learned | None:
    """A network over all histories, or None when they hold too few windows. Continues from `start` when given."""
    rng = np.random.default_rng([seed, 17])
    z = [np.log(np.maximum(y, 1e-12)) if is_log else y for y, is_log in zip(histories, logs, strict=True)]
    windows, targets, owner = training_windows(z, shape, rng, max(MAX_WINDOWS_PER_SERIES, WINDOWS_OF_FEW_SERIES // max(1, len(z))))
    if windows.shape[0] < MIN_WINDOWS:
        return None
    is_log = np.array(logs, dtype=np.bool_)[owner]
    unit = start.common_unit if start is not None else common_unit(windows, shape, is_log)
    seen = scaled(windows, shape, is_log, unit)
    wanted = np.clip((targets - seen.level) / seen.unit, -CLIP, CLIP).astype(np.float32)
    network = learn(seen.inputs, wanted, recipe, seed, start.network if start is not None else None)
    return Learned(shape, unit, network)
