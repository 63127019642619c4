"""Reads the weights of the pre-trained networks, package data made by `python -m benchmarks.forecast_pretraining`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from forecasting.pretrained.windows import Float32

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Layers:
    """One feed-forward network with residual blocks and a linear short cut. weights[k]: (in, out), biases[k]: (out,).

    In order: first layer, two for each block, last layer, short cut.
    """

    weights: tuple[Float32, ...]
    biases: tuple[Float32, ...]

    def features(self, inputs: Float32) -> Float32:
        """(k, inputs) -> (k, hidden + inputs) what the last layer and the short cut see."""
        w, b = self.weights, self.biases
        hidden = inputs @ w[0] + b[0]
        for at in range(1, len(w) - 2, 2):
            inner = np.maximum(hidden, 0) @ w[at] + b[at]
            hidden = hidden + np.maximum(inner, 0) @ w[at + 1] + b[at + 1]
        return np.concatenate([np.maximum(hidden, 0), inputs], axis=1)

    @property
    def last(self) -> tuple[Float32, Float32]:
        """(hidden + inputs, horizon) weights and (horizon,) biases from `features` to what is said."""
        return np.concatenate(self.weights[-2:]), self.biases[-2] + self.biases[-1]

    def __call__(self, inputs: Float32) -> Float32:
        """(k, inputs) -> (k, horizon)."""
        weights, bias = self.last
        out: Float32 = self.features(inputs) @ weights + bias
        return out


@dataclass(frozen=True, slots=True)
class Committee:
    """Networks that learned alike from other draws; their mean speaks. length: steps they see. horizon: steps they say."""

    length: int
    horizon: int
    networks: tuple[Layers, ...]

    def __call__(self, inputs: Float32) -> Float32:
        return np.asarray(np.mean([network(inputs) for network in self.networks], axis=0), dtype=np.float32)


@cache
def committee(season: int) -> Committee | None:
    """The networks for series with a season of so many steps, or None where there are none."""
    path = FOLDER / f"season_{season}.npz"
    if not path.exists():
        return None
    with np.load(path) as kept:
        count, layers = int(kept["networks"]), int(kept["layers"])
        networks = tuple(
            Layers(
                tuple(kept[f"w{k}_{at}"].astype(np.float32) for at in range(layers)),
                tuple(kept[f"b{k}_{at}"].astype(np.float32) for at in range(layers)),
            )
            for k in range(count)
        )
        return Committee(int(kept["length"]), networks[0].weights[-1].shape[1], networks)
