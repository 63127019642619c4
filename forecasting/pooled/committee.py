"""Which networks look at a batch: a few shapes that fail in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.timeseries import FloatArray
from forecasting.pooled.boosting import Boosted, learn_boosted
from forecasting.pooled.learner import Learned, learn_pooled
from forecasting.pooled.network import Recipe
from forecasting.pooled.tuned import RECIPE, Tuned, learn_tuned
from forecasting.pooled.windows import Shape, uses_logarithm
from forecasting.pretrained.weights import committee

MAX_HORIZON = 400
MOST_FOLDS, LONG_HISTORY = 3, 10
"""On histories shorter than ten horizons a network speaks at the last two folds only: before the third it would have seen too little, and
its errors there would say nothing of the one that has seen all."""
TUNED_LEAST = 12
"""Known steps that a window needs for a network that was trained before."""
LEARN_AGAIN_SHARE = 0.5
"""Steps of the second learning, on all data, which starts from the first."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One network of the committee, or boosted trees. adjusted: it sees series without their seasons, which are put back into its word.

    trained_season: begins with the pre-trained network of that season; 0 begins with nothing.
    """

    name: str
    shape: Shape
    recipe: Recipe
    adjusted: bool = False
    trees: bool = False
    trained_season: int = 0


@dataclass(frozen=True, slots=True)
class Opinions:
    """at_folds: per series (folds, h); ahead: per series (h,). NaN where a series was too short."""

    name: str
    at_folds: list[FloatArray]
    ahead: list[FloatArray]


def seats(seasons: tuple[int, ...], horizon: int, lengths: Sequence[int], effort: float = 1.0) -> tuple[Seat, ...]:
    """The committee for series with these candidate seasons and lengths; none when horizons are too long for a direct network."""
    if horizon > MAX_HORIZON or not lengths:
        return ()
    typical = int(np.median(lengths))
    fitting = [s for s in seasons if s <= 300 and 2 * s + horizon <= typical]
    long = fitting[-1] if fitting else 1
    short = fitting[0] if fitting and fitting[0] <= 31 else 1
    least = min(max(8, long + long // 2), max(60, long + long // 6))
    base = max(60, long + long // 6)
    wide = 2 * long if long > 60 else 30
    steps = 1200 if long <= 31 or horizon > 100 else 2000
    recipe = Recipe(hidden=256 if long > 60 else 128 if long > 31 else 64, steps=int(steps * effort))

    def shape(length: int, own: bool, span: int = short) -> Shape:
        return Shape(length, horizon, span, own, min(least, length))

    trees = Seat("boosted_trees", shape(max(18, long + long // 2), True, 6), recipe, adjusted=True, trees=True)
    if long <= 31:
        return (
            Seat("pooled_network_wide", shape(wide, False), recipe),
            Seat("pooled_network_adjusted_wide", shape(wide, False, 1), recipe, adjusted=True),
            trees,
        )
    return (
        Seat("pooled_network", shape(base, True), recipe),
        Seat("pooled_network_relative", shape(base, False), recipe),
        Seat("pooled_network_wide", shape(wide, True), recipe),
        trees,
    )


def tuned_seats(season: int, horizon: int, effort: float = 1.0) -> tuple[Seat, ...]:
    """One that begins with the pre-trained network of this season, where there is one and it says as many steps."""
    known = committee(season)
    if known is None or horizon > known.horizon:
        return ()
    recipe = replace(RECIPE, steps=int(RECIPE.steps * effort))
    return (Seat("tuned_network", Shape(known.length, horizon, 1, True, TUNED_LEAST), recipe, trained_season=season),)


def ask(
    seat: Seat, histories: Sequence[FloatArray], at_cuts: Sequence[Sequence[FloatArray]], teaching: Sequence[bool], seed: int
) -> Opinions | None:
    """What one network says of every series at every fold and at its end; None when the batch teaches too little.

    histories: (n,) complete. at_cuts: per series its history as known at each fold, latest fold first. teaching: which of them
    may be learned from. The network that speaks at the folds
    has seen only what came before the earliest of them.
    """
    folds = [len(cuts) for cuts in at_cuts]
    typical = float(np.median([y.shape[0] for y in histories]))
    most = MOST_FOLDS if typical >= LONG_HISTORY * seat.shape.horizon else 2
    at_cuts = [cuts[:most] for cuts in at_cuts]
    before = [cuts[-1] if cuts else y for y, cuts in zip(histories, at_cuts, strict=True)]
    logs = [uses_logarithm(y) for y in before]
    with_folds = [k for k, cuts in enumerate(at_cuts) if cuts and teaching[k]]
    h = seat.shape.horizon
    at_folds = [np.full((count, h), np.nan) for count in folds]
    first = _learn(seat, [before[k] for k in with_folds], [logs[k] for k in with_folds], seed, None)
    if first is not None:
        _speak(first, at_cuts, logs, at_folds)
    taught = [k for k, teaches in enumerate(teaching) if teaches]
    second = _learn(seat, [histories[k] for k in taught], [logs[k] for k in taught], seed + 1, first)
    if second is None:
        return None
    long_enough = [k for k, y in enumerate(histories) if y.shape[0] >= seat.shape.least]
    ahead = [np.full(h, np.nan) for _ in histories]
    for k, point in zip(long_enough, second.predict([histories[k] for k in long_enough], [logs[k] for k in long_enough]), strict=True):
        ahead[k] = point
    return Opinions(seat.name, at_folds, ahead)


def _learn(
    seat: Seat, histories: Sequence[FloatArray], logs: Sequence[bool], seed: int, first: Learned | Boosted | Tuned | None
) -> Learned | Boosted | Tuned | None:
    """What the seat learns of these histories; a network goes on from what it learned `first`, trees begin anew."""
    if seat.trees:
        return learn_boosted(histories, logs, seat.shape, seed)
    recipe = seat.recipe
    if first is not None:
        recipe = replace(recipe, steps=int(recipe.steps * LEARN_AGAIN_SHARE), epochs=recipe.epochs * LEARN_AGAIN_SHARE)
    if seat.trained_season:
        return learn_tuned(histories, seat.shape, seat.trained_season, recipe, seed, first if isinstance(first, Tuned) else None)
    return learn_pooled(histories, logs, seat.shape, recipe, seed, first if isinstance(first, Learned) else None)


def _speak(learned: Learned | Boosted | Tuned, at_cuts: Sequence[Sequence[FloatArray]], logs: list[bool], into: list[FloatArray]) -> None:
    places = [(k, row) for k, cuts in enumerate(at_cuts) for row, y in enumerate(cuts) if y.shape[0] >= learned.shape.least]
    if not places:
        return
    points = learned.predict([at_cuts[k][row] for k, row in places], [logs[k] for k, _ in places])
    for (k, row), point in zip(places, points, strict=True):
        into[k][row] = point
