"""Ways to weigh the members of a series, from their errors on its folds and on those of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray
from forecasting.backtests import Trial
from forecasting.usual_errors import UNKNOWN, USUAL_FOLDS
from forecasting.weights import least_absolute, stack

MIN_BATCH = 10
"""With fewer series than this the batch's weights are noise, and each series weighs its members by its own folds."""
POWERS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)
OWN_SHARES = (1.0, 0.5, 0.2, 0.0)
TILTS = (0.0, 0.5, 1.0, 2.0, 3.0)
EVEN_SHARE = 0.5
"""Weight of the even mixture beside the one learned; the learned one alone was worse on months and no better elsewhere."""
COMMON = 0.8
"""The mixture learned over the batch is over members that spoke on this share of the series; others get half of its median weight."""
TINY = 1e-3


@dataclass(frozen=True, slots=True)
class Way:
    """Weights in proportion to exp(-power * error), error being own_share of the series' relative log error and the rest of the batch's.

    learned: the mixture that made the batch's absolute error least, tilted by the series' own errors instead.
    """

    power: float
    own_share: float = 1.0
    learned: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the members of one series. Arrays over all members; NaN where unknown.

    own: (folds + 1, members) relative log errors, row k without fold k, the last with all. batch and learned: the same of the batch, or None.
    present: (members,) whether there is a forecast from the end.
    """

    own: FloatArray
    batch: FloatArray | None
    learned: FloatArray | None
    present: npt.NDArray[np.bool_]


def member_names(trials: Sequence[Trial]) -> tuple[str, ...]:
    """All members that forecast any of the series, sorted."""
    return tuple(sorted({name for t in trials for name in t.ahead}))


def lone_view(t: Trial, names: tuple[str, ...], usual: Mapping[str, float] | None = None) -> View:
    """A series by itself: its own errors, pulled towards what members usually do."""
    expected = np.array([UNKNOWN if usual is None else usual.get(name, UNKNOWN) for name in names])
    own = _own(_fold_errors(t, names))
    folds = np.array([max(len(t.cuts) - 1, 1)] * len(t.cuts) + [len(t.cuts)], dtype=np.float64)[:, None]
    pulled = (folds * np.nan_to_num(own) + USUAL_FOLDS * expected) / (folds + USUAL_FOLDS)
    return View(np.where(np.isfinite(own), pulled, expected), None, None, np.array([name in t.ahead for name in names]))


def batch_views(trials: Sequence[Trial], sizes: Sequence[float], names: tuple[str, ...]) -> list[View]:
    """The series of a batch, which learn from each other; what is used at a fold is learned without the folds of the same number."""
    own = [_own(_fold_errors(t, names)) for t in trials]
    most = max(len(t.cuts) for t in trials)
    with_folds = [k for k, t in enumerate(trials) if t.cuts]
    batch = np.array([_mean_of([own[k][min(row, own[k].shape[0] - 1)] for k in with_folds]) for row in [*range(most), 10**6]])
    learned = _learned(trials, sizes, names, most)
    views = []
    for t, errors in zip(trials, own, strict=True):
        rows = [*range(len(t.cuts)), most]
        present = np.array([name in t.ahead for name in names])
        views.append(View(errors, batch[rows], None if learned is None else learned[rows], present))
    return views


def ways_for(views: Sequence[View]) -> tuple[Way, ...]:
    """Those that make sense for these series."""
    if not views or views[0].batch is None:
        return tuple(Way(power) for power in POWERS)
    found = [Way(power, share) for share in OWN_SHARES for power in POWERS]
    return tuple(found if views[0].learned is None else found + [Way(power, learned=True) for power in TILTS])


def weights_of(view: View, ways: tuple[Way, ...], left_out: int | None) -> FloatArray:
    """(ways, members) sum 1 over those present. left_out: the fold whose errors are not used, unless it is the only one."""
    row = -1 if left_out is None else left_out
    own, present = view.own[row], view.present
    batch = np.zeros(own.shape[0]) if view.batch is None else view.batch[row]
    if view.batch is not None:
        own = np.where(np.isfinite(own), own, batch)
    elif np.isfinite(own).any():
        own = np.where(np.isfinite(own), own, np.nanmedian(own))
    else:
        own = np.zeros(own.shape[0])
    least = own[present].min()
    raw = np.array(
        [
            view.learned[row] * np.exp(-way.power * (own - least))
            if way.learned and view.learned is not None
            else _exponential(way.own_share * own + (1 - way.own_share) * batch, way.power, present)
            for way in ways
        ]
    )
    raw = raw * present
    total = raw.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, raw / np.maximum(total, 1e-300), present / present.sum()))


def _exponential(error: FloatArray, power: float, present: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(np.exp(-power * np.maximum(error - error[present].min(), 0.0)))


def _fold_errors(t: Trial, names: tuple[str, ...]) -> FloatArray:
    """(members, folds) mean absolute error in units of the seasonal difference; NaN where unknown."""
    errors = np.full((len(names), len(t.cuts)), np.nan)
    for row, name in enumerate(names):
        if name in t.at_folds:
            wrong = np.abs(t.at_folds[name] - t.actual)
            known = np.isfinite(wrong)
            count = known.sum(axis=1)
            errors[row] = np.where(count > 0, np.where(known, wrong, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return errors / t.scale


def _own(errors: FloatArray) -> FloatArray:
    """(folds + 1, members) as in View; with a single fold it serves itself too."""
    folds = errors.shape[1]
    without = [np.delete(errors, k, axis=1) if folds > 1 else errors for k in range(folds)]
    return np.array([relative_errors(part) for part in [*without, errors]])


def relative_errors(errors: FloatArray) -> FloatArray:
    """(members,) logarithm of a member's error over the members' mean error on the folds where it spoke; NaN where it never did.

    errors: (members, folds).
    """
    known = np.isfinite(errors)
    count = known.sum(axis=0)
    usual = np.where(count > 0, np.where(known, errors, 0.0).sum(axis=0) / np.maximum(count, 1), 0.0)
    own, reference = np.where(known, errors, 0.0).sum(axis=1), (known * usual).sum(axis=1)
    return np.where(known.any(axis=1), np.log((own + TINY) / (reference + TINY)), np.nan)


def _mean_of(rows: Sequence[FloatArray]) -> FloatArray:
    """(members,) mean of the known values; the worst of the others where none is known."""
    table = np.array(rows)
    known = np.isfinite(table)
    count = known.sum(axis=0)
    mean = np.where(known, table, 0.0).sum(axis=0) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, mean[count > 0].max() if (count > 0).any() else 0.0))


def _learned(trials: Sequence[Trial], sizes: Sequence[float], names: tuple[str, ...], most: int) -> FloatArray | None:
    """(folds + 1, members) the batch's mixture without each fold, and with all; None where too few series share members."""
    with_folds = [k for k, t in enumerate(trials) if t.cuts]
    spoke = [sum(_speaks(trials[k], name) for k in with_folds) for name in names]
    common = [row for row, count in enumerate(spoke) if count >= COMMON * len(with_folds)]
    shared = tuple(names[row] for row in common)
    rows = []
    for left_out in [*range(most), None]:
        usable = [
            k
            for k in with_folds
            if all(name in trials[k].at_folds for name in shared) and (left_out is None or len(trials[k].cuts) > max(left_out, 1))
        ]
        if len(usable) < MIN_BATCH or len(shared) < 2:
            return None
        found = learn_mixture([trials[k] for k in usable], [sizes[k] for k in usable], shared, left_out)
        weights = np.full(len(names), 0.5 * float(np.median(found)))
        weights[common] = found
        rows.append(weights)
    return np.array(rows)


def _speaks(t: Trial, name: str) -> bool:
    return name in t.at_folds and bool(np.isfinite(t.at_folds[name]).all())


def learn_mixture(trials: Sequence[Trial], sizes: Sequence[float], names: tuple[str, ...], left_out: int | None) -> FloatArray:
    """(members,) weights that make the batch's absolute error least, half-way to even ones. Errors count both in units of the seasonal
    difference and relative to the size of the series."""

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
