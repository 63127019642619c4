"""The pre-trained network, whose last layer is taught further by the series of a batch: what all series have in common, then what these have.

It needs fewer windows than a network that knows nothing. All layers taught further were 3 to 15 % worse by themselves on public house sales,
employment and generated months, no better in the mixture, and five times as slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.pooled.network import Float32, Recipe, descend, error_gradient
from forecasting.pooled.windows import Shape, last_window, training_windows
from forecasting.pretrained.weights import Layers, committee
from forecasting.pretrained.windows import look

MIN_WINDOWS = 100
"""In batches of twelve public series of 30 to 180 months (100 to 500 windows) errors were 2.4 % lower with this network and the one it begins with, .9 %
with that alone."""
MAX_WINDOWS_PER_SERIES = 60
RECIPE = Recipe(steps=300, batch=256, rate=1e-3, epochs=8.0, least_steps=8)


@dataclass(frozen=True, slots=True)
class Tuned:
    """season: steps, of the network that was taught further. shape.horizon: steps it still says."""

    shape: Shape
    season: int
    network: Layers

    def predict(self, histories: Sequence[FloatArray], logs: Sequence[bool]) -> list[FloatArray]:
        """(horizon,) for each history; NaN for a constant. logs: not asked, windows say it themselves."""
        windows = np.array([last_window(y, self.shape.length) for y in histories])
        seen = look(windows, self.season)
        said = seen.back(self.network(seen.inputs).astype(np.float64))
        return list(np.where(_varies(windows)[:, None], said, np.nan))


def learn_tuned(
    histories: Sequence[FloatArray], shape: Shape, season: int, recipe: Recipe, seed: int, start: Tuned | None = None
) -> Tuned | None:
    """The network of this season after it looked at all histories; None where there is none, or too little to look at."""
    rng = np.random.default_rng([seed, 19])
    windows, future, _ = training_windows(histories, shape, rng, MAX_WINDOWS_PER_SERIES)
    known = committee(season)
    if known is None or windows.shape[0] < MIN_WINDOWS:
        return None
    varies = _varies(windows)
    seen = look(windows[varies], season)
    network = start.network if start is not None else first_steps(known.networks[0], shape.horizon)
    last = [part.copy() for part in network.last]
    descend(last, _gradients, network.features(seen.inputs), seen.wanted(future[varies]), recipe, rng)
    return Tuned(shape, season, _with_last(network, *last))


def _with_last(network: Layers, weights: Float32, bias: Float32) -> Layers:
    hidden = network.weights[-2].shape[0]
    return Layers((*network.weights[:-2], weights[:hidden], weights[hidden:]), (*network.biases[:-2], bias, np.zeros_like(bias)))


def first_steps(network: Layers, horizon: int) -> Layers:
    """A copy that says the first steps only."""
    last = len(network.weights) - 2
    cut = [
        (w[:, :horizon].copy(), b[:horizon].copy()) if at >= last else (w.copy(), b.copy())
        for at, (w, b) in enumerate(zip(network.weights, network.biases, strict=True))
    ]
    return Layers(tuple(w for w, _ in cut), tuple(b for _, b in cut))


def _varies(windows: FloatArray) -> np.ndarray:
    return np.asarray(np.nanmax(windows, axis=1) > np.nanmin(windows, axis=1))


def _gradients(last: list[Float32], features: Float32, target: Float32) -> list[Float32]:
    """Of the last weights and biases."""
    g = error_gradient(features @ last[0] + last[1], target)
    return [features.T @ g, g.sum(0)]
