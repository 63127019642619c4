"""Where in time a change sits: the few days of a longer period that were unlike the days around them. An outage of a day is 3 % of a month.

Each period is fitted on its own, with as many days before it: a straight line with a week, on logarithms, that odd days cannot pull. What is
left of every run of days, one day to half the period, is compared with what is left of runs as long in earlier periods fitted alike; so
noise, its memory, and the bends that a line does not follow are all in the yardstick.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.timeseries import FloatArray
from insights.past import usual_error
from insights.types import Evidence

BoolArray = npt.NDArray[np.bool_]

MIN_DAYS = 5
MAX_DAYS = 100  # a longer period has seasons of its own, and a few days are little of it
LEAD_DAYS = 56  # before the period, for the level, the course and the week
RUNS = (1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28)
MIN_PAST = 8  # separate runs of that length before, to know what is usual
STEP_DAYS = 7  # from one earlier period to the next
MAX_PAST = 60  # of them
MOST_EMPTY = 0.2  # of the days: then no day is odd for being empty
FLOOR = 0.01  # of the median: a day of nothing counts as this
CERTAIN_P = 0.01
MOST = 2  # of one period
_ROUNDS = 8
_BISQUARE = 4.685  # Tukey's, 95 % efficient at the normal distribution


@dataclass(frozen=True, slots=True)
class DayParts:
    """A metric by day up to and including `last`: tops (n,), and of a rate the bases (n,); 0 where a day had no rows.

    scale: of a rate, top / base x scale. receipts: which query made it.
    """

    last: dt.date
    tops: FloatArray
    bases: FloatArray | None = None
    scale: float = 1.0
    receipts: tuple[int, ...] = ()

    def at(self, day: dt.date) -> int:
        """The place of a day; below 0 or beyond the end where it is not known."""
        return len(self.tops) - 1 - (self.last - day).days

    @property
    def values(self) -> FloatArray:
        """(n,) the metric itself; NaN for a rate of nothing."""
        if self.bases is None:
            return self.tops
        rates = np.divide(self.tops, self.bases, out=np.full(len(self.tops), np.nan), where=self.bases > 0)
        return np.asarray(rates * self.scale, np.float64)

    def whole(self, start: dt.date, end: dt.date) -> float:
        """The metric over [start, end); NaN where not all of it is known."""
        first, last = self.at(start), self.at(end)
        if first < 0 or last > len(self.tops) or first >= last:
            return math.nan
        top = float(self.tops[first:last].sum())
        if self.bases is None:
            return top
        base = float(self.bases[first:last].sum())
        return top / base * self.scale if base else math.nan


@dataclass(frozen=True, slots=True)
class DatedPart:
    """The days [start, end): value and expected are the metric over them; effect: what they added to the metric of the whole period."""

    start: dt.date
    end: dt.date
    value: float
    expected: float
    effect: float
    test: Evidence


def dated_parts(days: DayParts, start: dt.date, end: dt.date) -> tuple[DatedPart, ...]:
    """The odd runs of days of the period [start, end), the oddest first, as far as they are certain."""
    first, length = days.at(start), (end - start).days
    lead = max(length, LEAD_DAYS)
    if not MIN_DAYS <= length <= MAX_DAYS or first + length > len(days.tops) or first < lead:
        return ()
    logs = _logs(days)
    if logs is None or not np.isfinite(logs[first : first + length]).any():
        return ()
    past = [_left(logs, at, length, lead)[0] for at in range(first - length, lead - 1, -STEP_DAYS)[:MAX_PAST]]
    if not past:
        return ()
    left, fitted, normal = _left(logs, first, length, lead)
    inside, around = slice(first, first + length), slice(first - lead, first + length)
    found: list[_Run] = []
    rest = left.copy()
    for _ in range(MOST):
        best = _oddest(rest, past)
        if best is None or best.test.p >= CERTAIN_P:
            break
        found = _joined(found, best, left)
        rest[best.at : best.at + best.size] = np.nan
    few = [run for run in found if run.size <= length // 2]  # most of a period is no part of it
    return tuple(_part(days, (inside, around), run, (fitted, normal), start) for run in few)


@dataclass(frozen=True, slots=True)
class _Run:
    """Days at, at + 1, ... of a period, size of them."""

    at: int
    size: int
    test: Evidence


def _joined(found: list[_Run], new: _Run, left: FloatArray) -> list[_Run]:
    """With the new run; one that follows another in the same direction makes it longer, with the weaker test of the two."""
    for place, old in enumerate(found):
        touches = new.at == old.at + old.size or old.at == new.at + new.size
        if touches and np.sign(left[new.at]) == np.sign(left[old.at]):
            test = max((old.test, new.test), key=lambda test: test.p)
            return [*found[:place], _Run(min(old.at, new.at), old.size + new.size, test), *found[place + 1 :]]
    return [*found, new]


def _logs(days: DayParts) -> FloatArray | None:
    """(n,) logarithms, an empty day at the floor; None for amounts below zero and for series that are mostly empty."""
    values = days.values
    known = values[np.isfinite(values)]
    if not len(known) or (known < 0).any() or (known == 0).mean() > MOST_EMPTY:
        return None
    middle = float(np.median(known))
    return None if middle <= 0 else np.asarray(np.log(np.maximum(values, FLOOR * middle)), np.float64)


def _left(logs: FloatArray, first: int, length: int, lead: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    """(left (length,), fitted (lead + length,), normal (lead + length,)): a line and a week by reweighted least squares."""
    y = logs[first - lead : first + length]
    n = len(y)
    course = np.linspace(-1.0, 1.0, n)
    week = (np.arange(n)[:, None] % 7 == np.arange(1, 7)[None, :]).astype(np.float64)
    design = np.column_stack([np.ones(n), course, week])
    known = np.isfinite(y)
    weights = known.astype(np.float64)
    fitted = np.full(n, float(np.nanmedian(y)) if known.any() else 0.0)
    for _ in range(_ROUNDS):
        root = np.sqrt(weights[known])[:, None]
        fitted = design @ np.linalg.lstsq(design[known] * root, y[known] * root[:, 0], rcond=None)[0]
        gap = np.where(known, y - fitted, 0.0)
        spread = 1.4826 * float(np.median(np.abs(gap[known]))) or 1e-9
        weights = np.where(known, np.clip(1.0 - (gap / (_BISQUARE * spread)) ** 2, 0.0, 1.0) ** 2, 0.0)
        if (weights > 0).sum() < design.shape[1] + 2:
            weights = known.astype(np.float64)
    return np.where(known, y - fitted, np.nan)[lead:], fitted, weights > 0.25


def _oddest(left: FloatArray, past: list[FloatArray]) -> _Run | None:
    """The run that is furthest off; p is times all runs that were tried."""
    tried, best = 0, None
    for size in RUNS:
        if size > len(left) // 2:
            break
        earlier = np.concatenate([_sums(item, size) for item in past])
        earlier = earlier[np.isfinite(earlier)]
        separate = (STEP_DAYS * (len(past) - 1) + len(left)) // size
        if separate < MIN_PAST or len(earlier) < MIN_PAST:
            break
        sums = _sums(left, size)
        tried += int(np.isfinite(sums).sum())
        if not np.isfinite(sums).any():
            continue
        at = int(np.nanargmax(np.abs(sums)))
        statistic = float(sums[at]) / usual_error(earlier)
        if best is None or abs(statistic) > abs(best[2]):
            best = (at, size, statistic, separate)
    if best is None:
        return None
    p = min(1.0, float(2 * stats.t.sf(abs(best[2]), best[3] - 1)) * tried)
    return _Run(best[0], best[1], Evidence("t, best of runs of days", best[2], p, best[3]))


def _sums(values: FloatArray, size: int) -> FloatArray:
    """(n - size + 1,) of each run; NaN where a day of it is missing."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, size).sum(axis=1), np.float64)


def _part(days: DayParts, where: tuple[slice, slice], run: _Run, fit: tuple[FloatArray, BoolArray], start: dt.date) -> DatedPart:
    (inside, around), (fitted, normal) = where, fit
    at, size, test = run.at, run.size, run.test
    chosen = slice(inside.start + at, inside.start + at + size)
    of_fit = slice(inside.start - around.start + at, inside.start - around.start + at + size)
    usual = np.exp(fitted)
    dates = start + dt.timedelta(days=at), start + dt.timedelta(days=at + size)
    if days.bases is None:
        # The fit is of logarithms, whose middle lies below the mean: normal days say by how much.
        usual = usual * float(days.tops[around][normal].sum() / usual[normal].sum())
        value, expected = float(days.tops[chosen].sum()), float(usual[of_fit].sum())
        return DatedPart(*dates, value, expected, value - expected, test)
    bases = days.bases
    would = usual / days.scale * bases[around]
    would = would * float(days.tops[around][normal].sum() / would[normal].sum())
    top, base, expected_top = float(days.tops[chosen].sum()), float(bases[chosen].sum()), float(would[of_fit].sum())
    whole_base = float(bases[inside].sum())
    return DatedPart(
        *dates, top / base * days.scale, expected_top / base * days.scale, (top - expected_top) / whole_base * days.scale, test
    )  # fmt: skip
