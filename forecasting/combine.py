"""From the members' forecasts to one: what the batch says of each member, tilted by what the series itself says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.backtests import Trial
from forecasting.weights import least_absolute, stack

POWERS = (0.0, 0.5, 1.0, 2.0, 3.0)
LONE_POWER = 3.0
MIN_BATCH = 10
"""With fewer series than this the batch's weights are noise: even weights, tilted by the series' own backtests."""
EVEN_SHARE = 0.5
"""Weight of the even mixture beside the one learned; the learned one alone was worse on months and no better elsewhere."""


@dataclass(frozen=True, slots=True)
class Combiner:
    """names: (members,). base: (members,) weights of the batch. power: how hard a series' own relative errors tilt them, >= 0."""

    names: tuple[str, ...]
    base: FloatArray
    power: float

    def weights(self, relative: FloatArray, present: FloatArray) -> FloatArray:
        """(members,) sum 1. relative: (members,) error over the best member's, >= 1. present: (members,) 1.0 where there is a forecast."""
        raw = self.base * relative**-self.power * present
        raw = raw if raw.sum() > 0 else present
        return np.asarray(raw / raw.sum())


def member_names(trials: Sequence[Trial]) -> tuple[str, ...]:
    """All members that forecast any of the series, sorted."""
    return tuple(sorted({name for t in trials for name in t.ahead}))


def learn_combiner(trials: Sequence[Trial], sizes: Sequence[float]) -> Combiner:
    """How to weigh the members of a batch of like series.

    sizes: per series its mean absolute value. Errors count both in units of the seasonal difference and relative to the size of the series.
    The power is the one that does best on folds that were left out.
    """
    names = member_names(trials)
    even = np.full(len(names), 1.0 / max(1, len(names)))
    usable = [k for k, t in enumerate(trials) if t.cuts and all(name in t.at_folds for name in names)]
    if len(usable) < MIN_BATCH:
        return Combiner(names, even, LONE_POWER)
    everyone = _base([trials[k] for k in usable], [sizes[k] for k in usable], names, None)
    usable = [k for k in usable if len(trials[k].cuts) >= 2]
    if len(usable) < MIN_BATCH:
        return Combiner(names, everyone, LONE_POWER)
    losses = np.zeros(len(POWERS))
    for left_out in range(max(len(trials[k].cuts) for k in usable)):
        chosen = [trials[k] for k in usable if len(trials[k].cuts) > left_out]
        base = _base(chosen, [sizes[k] for k in usable if len(trials[k].cuts) > left_out], names, left_out)
        for t in chosen:
            relative = relative_errors(t, names, left_out)
            points = np.array([t.at_folds[name][left_out] for name in names])
            known = np.isfinite(t.actual[left_out])
            if not known.any() or not np.isfinite(points).all():
                continue
            for row, power in enumerate(POWERS):
                weights = Combiner(names, base, power).weights(relative, np.ones(len(names)))
                losses[row] += float(np.abs(mix(points, weights) - t.actual[left_out])[known].mean()) / t.scale
    return Combiner(names, everyone, POWERS[int(np.argmin(losses))])


def _base(trials: Sequence[Trial], sizes: Sequence[float], names: tuple[str, ...], left_out: int | None) -> FloatArray:
    def kept(values: FloatArray) -> FloatArray:
        return values if left_out is None else np.delete(values, left_out, axis=0)

    actual = [kept(t.actual) for t in trials]
    points = [np.array([kept(t.at_folds[name]) for name in names]) for t in trials]
    both_actual, both_points = [], []
    for units in ([t.scale for t in trials], [max(size, 1e-12) for size in sizes]):
        a, p = stack(actual, points, units)
        if not a.shape[0]:
            return np.full(len(names), 1.0 / len(names))
        common = float(np.abs(p.mean(axis=1) - a).mean()) + 1e-12
        both_actual.append(a / common)
        both_points.append(p / common)
    learned = least_absolute(np.concatenate(both_actual), np.concatenate(both_points))
    mixed = learned + EVEN_SHARE / len(names)
    return np.asarray(mixed / mixed.sum())


def relative_errors(trial: Trial, names: tuple[str, ...], left_out: int | None = None) -> FloatArray:
    """(members,) mean absolute error over the folds, over that of the best member; the median of the others where unknown; 1 without folds."""
    errors = np.full(len(names), np.nan)
    for column, name in enumerate(names):
        if name in trial.at_folds:
            wrong = np.abs(trial.at_folds[name] - trial.actual)
            wrong = wrong if left_out is None else np.delete(wrong, left_out, axis=0)
            if np.isfinite(wrong).any():
                errors[column] = float(np.nanmean(wrong))
    known = np.isfinite(errors)
    if not known.any():
        return np.ones(len(names))
    tiny = 1e-3 * trial.scale
    relative = (errors + tiny) / (errors[known].min() + tiny)
    return np.asarray(np.where(known, relative, np.median(relative[known])))


def mix(points: FloatArray, weights: FloatArray) -> FloatArray:
    """Half the weighted mean, half the weighted median, of (members, ...) forecasts along the first axis: the median stops explosions."""
    mean = np.tensordot(weights, points, axes=1)
    order = np.argsort(points, axis=0)
    ranked = np.take_along_axis(points, order, axis=0)
    cumulated = np.cumsum(weights[order], axis=0)
    middle = np.argmax(cumulated >= 0.5 - 1e-12, axis=0)
    median = np.take_along_axis(ranked, middle[None], axis=0)[0]
    return np.asarray(0.5 * (mean + median))


@dataclass(frozen=True, slots=True)
class Mixture:
    """The combined forecast of one series. ahead: (h,). at_folds: (folds, h), each fold weighed without its own errors.

    spreads: (folds,) and spread_ahead: mean standard deviation between the members that count. weights: member -> weight at the end.
    """

    ahead: FloatArray
    at_folds: FloatArray
    spreads: FloatArray
    spread_ahead: float
    weights: dict[str, float]


def mixture(combiner: Combiner, t: Trial) -> Mixture:
    """The members of one trial put together, at its end and as it would have been done at each fold."""
    names = [name for name in combiner.names if name in t.ahead]
    present = np.array([float(name in t.ahead) for name in combiner.names])
    kept = combiner.weights(relative_errors(t, combiner.names), present)[present > 0]
    points = np.array([t.ahead[name] for name in names])
    at_folds = np.full(t.actual.shape, np.nan)
    spreads = np.full(len(t.cuts), np.nan)
    for row in range(len(t.cuts)):
        there = [k for k, name in enumerate(names) if name in t.at_folds and np.isfinite(t.at_folds[name][row]).all()]
        if there:
            honest = combiner.weights(relative_errors(t, combiner.names, row if len(t.cuts) > 1 else None), present)[present > 0][there]
            honest = honest / honest.sum() if honest.sum() > 0 else np.full(len(there), 1.0 / len(there))
            said = np.array([t.at_folds[names[k]][row] for k in there])
            at_folds[row], spreads[row] = mix(said, honest), disagreement(said, honest)
    return Mixture(mix(points, kept), at_folds, spreads, disagreement(points, kept), dict(zip(names, kept.tolist(), strict=True)))


def disagreement(points: FloatArray, weights: FloatArray) -> float:
    """Mean over steps of the standard deviation between members with at least 5 % of the weight; NaN for a single one."""
    counting = points[weights >= 0.05]
    return float(counting.std(axis=0).mean()) if counting.shape[0] > 1 else float("nan")
