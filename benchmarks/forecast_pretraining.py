"""Trains the networks of `forecasting.pretrained` on generated series: `python -m benchmarks.forecast_pretraining --season 12`.

They see nothing but `benchmarks.forecast_prior`: no series of anyone. Takes 5 to 25 minutes of one core for each network; the same
seed, steps, torch and kind of processor give the same weights.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.forecast_prior import Array, Rng, series_of_prior
from forecasting.pretrained.weights import FOLDER
from forecasting.pretrained.windows import look

BATCH, CHUNK = 1024, 8192
"""Series are drawn a chunk at a time."""
DECAY, WARM_UP = 1e-4, 200
WHOLE_SHARE, SHORTEST = 0.35, 8
"""Share of windows that are full; the others are cut to any length, short ones as often as long ones."""


@dataclass(frozen=True, slots=True)
class Shape:
    """length: steps that are seen. horizon: steps that are said. steps: of learning, of each network. hidden, blocks: of the network. half: products in half precision.

    looks: how often a drawn series is looked at, cut to another length, and seen from another of `spare` origins.
    """

    length: int
    horizon: int
    steps: tuple[int, ...]
    hidden: int = 192
    blocks: int = 2
    half: bool = False
    looks: int = 3
    spare: int = 0
    rate: float = 1.5e-3

    @property
    def drawn(self) -> int:
        """Steps of a drawn series."""
        return self.length + self.horizon + self.spare


SHAPES = {
    12: Shape(132, 24, (14_000, 8_000), hidden=384, blocks=3, half=True, looks=6, spare=48, rate=1e-3),
    4: Shape(40, 12, (6_000,)),
    52: Shape(130, 52, (6_000,)),
}


def examples(rng: Rng, series: Array, shape: Shape, season: int) -> tuple[Array, Array]:
    """What a network sees of each series that is cut to some length, and what it should say; constants are left out."""
    count = series.shape[0]
    lengths = np.exp(rng.uniform(np.log(SHORTEST), np.log(shape.length + 1), count)).astype(np.int64)
    lengths = np.where(rng.random(count) < WHOLE_SHARE, shape.length, lengths)
    windows = series[:, : shape.length].astype(np.float64)
    windows[np.arange(shape.length) < (shape.length - lengths)[:, None]] = np.nan
    varies = np.nanmax(windows, axis=1) > np.nanmin(windows, axis=1)
    seen = look(windows[varies], season)
    return seen.inputs, seen.wanted(series[varies, shape.length : shape.length + shape.horizon].astype(np.float64))


def train(season: int, steps: int, seed: int) -> list[tuple[Array, Array]]:
    """(weights, biases) of the layers in the order of `forecasting.pretrained.weights.Layers`."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    shape, rng = SHAPES[season], np.random.default_rng(seed)
    check = [
        torch.from_numpy(a)
        for a in examples(np.random.default_rng(10_007), series_of_prior(rng, 4096, shape.length + shape.horizon, season), shape, season)
    ]
    layers = _layers(check[0].shape[1], shape)
    parameters = [p for layer in layers for p in layer.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=shape.rate, weight_decay=DECAY)
    at, looks, ready = 0, shape.looks, 0
    for step in range(steps):
        if at + BATCH > ready:
            if looks == shape.looks:
                drawn, looks = series_of_prior(rng, CHUNK, shape.drawn, season), 0
            drawn = drawn[rng.permutation(CHUNK)]
            first = int(rng.integers(0, shape.spare + 1)) if shape.spare else 0
            inputs, wanted = (torch.from_numpy(a) for a in examples(rng, drawn[:, first:], shape, season))
            at, looks, ready = 0, looks + 1, inputs.shape[0]
        for group in optimiser.param_groups:
            group["lr"] = shape.rate * min(1.0, step / WARM_UP) * (0.5 * (1 + np.cos(np.pi * step / steps)) + 1e-3)
        loss = (_forward(layers, inputs[at : at + BATCH], shape.half) - wanted[at : at + BATCH]).abs().mean()
        at += BATCH
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if step % 500 == 499:
            with torch.no_grad():
                print(step + 1, round((_forward(layers, check[0]) - check[1]).abs().mean().item(), 4), flush=True)
    return [(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()) for layer in layers]


def _layers(inputs: int, shape: Shape) -> list[Any]:
    from torch.nn import Linear
    from torch.nn.init import zeros_

    layers = [
        Linear(inputs, shape.hidden),
        *(Linear(shape.hidden, shape.hidden) for _ in range(2 * shape.blocks)),
        Linear(shape.hidden, shape.horizon),
        Linear(inputs, shape.horizon),
    ]
    for layer in [*layers[2:-2:2], layers[-1]]:
        zeros_(layer.weight)
        zeros_(layer.bias)
    return layers


def _forward(layers: list[Any], inputs: Any, half: bool = False) -> Any:
    """half: products of the hidden layers in half precision, twice as fast; sums and the short cut stay in full."""
    import torch

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        hidden = layers[0](inputs).float()
        for at in range(1, len(layers) - 2, 2):
            hidden = hidden + layers[at + 1](torch.relu(layers[at](torch.relu(hidden)))).float()
        top = layers[-2](torch.relu(hidden)).float()
    return top + layers[-1](inputs)


def write(networks: Sequence[list[tuple[Array, Array]]], season: int, path: Path) -> None:
    """Weights in half precision: forecasts differ by a thousandth of the usual change."""
    kept: dict[str, Any] = {"networks": len(networks), "layers": len(networks[0]), "length": SHAPES[season].length}
    for k, layers in enumerate(networks):
        for at, (weights, biases) in enumerate(layers):
            kept[f"w{k}_{at}"], kept[f"b{k}_{at}"] = weights.astype(np.float16), biases.astype(np.float16)
    np.savez_compressed(path, **kept)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.forecast_pretraining", description="Trains the pre-trained networks on generated series."
    )
    parser.add_argument("--season", type=int, choices=sorted(SHAPES), required=True)
    parser.add_argument(
        "--steps", type=int, nargs="+", default=None, help="of each network; default: those the weights in the package were made with"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="default: beside the code that reads them")
    options = parser.parse_args(argv)
    steps = options.steps or SHAPES[options.season].steps
    networks = [train(options.season, count, options.seed) for count in steps]
    write(networks, options.season, options.out or FOLDER / f"season_{options.season}.npz")
    return 0


if __name__ == "__main__":
    sys.exit(main())
