"""A metric's past as regular periods, what each of them was expected to be, and how far off one is."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from scipy import stats

from core.timeseries import FloatArray, Grain
from insights.types import Evidence, Period, Quantity
from insights.yearly import came_last_year

SEASONS: Mapping[Grain, int] = MappingProxyType({Grain.HOUR: 24, Grain.DAY: 7, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4})
MIN_ERRORS = 8  # expectations that came before, to know how wrong they are
RECENT = 6  # seasons that an expectation looks back
MEDIAN_OF = 4  # weeks (or days of hours): one odd week before must not make the next one look odd
SHORT_SEASONS = (Grain.HOUR, Grain.DAY)
OUTLIER = 4.0  # robust standard deviations: what was that far off before was an event and no noise
_NO_SEGMENTS: Mapping[str, tuple[tuple[str, ...], FloatArray]] = MappingProxyType({})
_NO_BASES: Mapping[str, FloatArray] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Days:
    """The metric by day, up to the end of the last period: values (n,), the last one's date is `last`. NaN is missing."""

    last: dt.date
    values: FloatArray
    receipts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event of the calendar, days inclusive. lasting: from `start` on, without an end."""

    name: str
    start: dt.date
    end: dt.date
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """What the metric should come to over a period, [start, end). known_until: the last day that is in `so_far`.

    forecast, probability: what the forecasts say of it, where they were asked; then nothing is reckoned here. model: the custom one that did.
    """

    period: Period
    value: float
    so_far: float
    known_until: dt.date
    forecast: float | None = None
    probability: float | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class MetricPast:
    """values: (n,) one per period, time ascending, the last one to be judged. NaN is missing.

    segments: dimension label -> (names, (n, names) values); of amounts that add up, or of a rate's numerator with `segment_bases` its
    denominators. days: also by day, when periods are longer. missing_since: the first period that has ended and has no data.
    receipts: which queries made the numbers. last_day: the same by day with segments, where the period runs until the last day there is.
    """

    quantity: Quantity
    grain: Grain
    periods: tuple[Period, ...]
    values: FloatArray
    segments: Mapping[str, tuple[tuple[str, ...], FloatArray]] = field(default_factory=lambda: _NO_SEGMENTS)
    receipts: tuple[int, ...] = ()
    segment_bases: Mapping[str, FloatArray] = field(default_factory=lambda: _NO_BASES)
    scale: float = 1.0
    kind: Literal["amount", "rate", "other"] = "amount"
    days: Days | None = None
    events: tuple[Event, ...] = ()
    goals: tuple[Goal, ...] = ()
    missing_since: Period | None = None
    parts: frozenset[str] = frozenset()
    last_day: MetricPast | None = None


def expectations(values: FloatArray, season: int, median_of: int = 1) -> FloatArray:
    """(n,) what each value was expected to be from earlier ones: a season ago, times how the metric has grown over a season since.

    NaN where there is no season before. Growth is the median over the last few steps of the ratio to a season ago. median_of: so many
    seasons back, each grown, and their median.
    """
    n = len(values)
    expected = np.full(n, np.nan)
    if n <= season:
        return expected
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = values[season:] / values[:-season]
    ratios = np.where(np.isfinite(ratios) & (ratios > 0), ratios, np.nan)
    window = max(RECENT, min(season, 14) * (2 if median_of > 1 else 1))
    growth = _median_before(ratios, window)
    grown = np.full((median_of, n - season), np.nan)
    for back in range(1, median_of + 1):
        if season * back < n:
            grown[back - 1, season * (back - 1) :] = values[: n - season * back] * growth[season * (back - 1) :] ** back
    grown = np.where(np.isfinite(grown), grown, np.nan)
    known = np.isfinite(grown).any(axis=0)
    expected[season:][known] = medians(grown[:, known].T)
    return expected


def _median_before(ratios: FloatArray, window: int) -> FloatArray:
    """(n,) the median of the `window` known ratios before each place; 1 where fewer than three are."""
    padded = np.concatenate([np.full(window, np.nan), ratios])[: len(ratios) + window - 1]
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    enough = np.isfinite(views).sum(axis=1) >= 3
    found = np.ones(len(ratios))
    found[enough] = medians(views[enough])
    return found


def medians(rows: FloatArray) -> FloatArray:
    """(n,) the median of what is known of each row of (n, m), at least one value of each. NumPy's own takes six times as long for short rows."""
    ordered, known, each = np.sort(rows, axis=1), np.isfinite(rows).sum(axis=1), np.arange(len(rows))
    middle: FloatArray = (ordered[each, (known - 1) // 2] + ordered[each, known // 2]) / 2  # NaN are sorted last
    return middle


def expected_of(past: MetricPast, values: FloatArray) -> FloatArray:
    """(n,) as `expectations`: with the season of the past's grain, or without, whichever was less wrong before."""
    season = SEASONS.get(past.grain, 1)
    plain = expectations(values, 1)
    if len(values) < 2 * season + MIN_ERRORS:
        return plain
    seasonal = expectations(values, season, MEDIAN_OF if past.grain in SHORT_SEASONS else 1)
    if past.grain in SHORT_SEASONS:
        return seasonal
    errors = [log_errors(values, np.where(np.isfinite(seasonal), found, np.nan)) for found in (plain, seasonal)]
    if min(map(len, errors)) < MIN_ERRORS:
        return seasonal
    return plain if usual_error(errors[0]) < usual_error(errors[1]) else seasonal


def expected_share(past: MetricPast, share: FloatArray) -> FloatArray:
    """(n,) of a share or a ratio to the rest, which has no growth of its own but may have a week."""
    if past.grain in SHORT_SEASONS and len(share) >= 4 * SEASONS[past.grain] + MIN_ERRORS:
        return expectations(share, SEASONS[past.grain], MEDIAN_OF)
    return expectations(share, 1)


def log_errors(values: FloatArray, expected: FloatArray) -> FloatArray:
    """(m,) of what came before the last value, known ones only."""
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.log(values / expected)
    return errors[:-1][np.isfinite(errors[:-1])]


def usual_error(errors: FloatArray) -> float:
    """Root mean square of the errors, events among them cut to what is still noise; above 0."""
    robust = 1.4826 * float(np.median(np.abs(errors)))
    cut = np.clip(errors, -OUTLIER * robust, OUTLIER * robust) if robust > 0 else errors
    return max(float(np.sqrt(np.mean(cut**2))), 1e-6)


def judged(values: FloatArray, expected: FloatArray) -> tuple[float, Evidence] | None:
    """(relative miss, test) of the last value: its error over the usual size of errors. None where that is not known."""
    errors = log_errors(values, expected)
    if len(errors) < MIN_ERRORS or not (expected[-1] > 0) or not values[-1] >= 0:
        return None
    # A value of 0 where something was expected counts as a hundredth of it: a logarithm needs a number.
    error = math.log(max(values[-1], expected[-1] * 0.01) / expected[-1])
    statistic = error / usual_error(errors)
    return abs(values[-1] / expected[-1] - 1.0), Evidence("t", statistic, float(2 * stats.t.sf(abs(statistic), len(errors))), len(errors))


def is_a_day_of_its_own(past: MetricPast) -> bool:
    """Whether the calendar or the year before knows why the last day is unlike others."""
    if past.grain is not Grain.DAY or past.days is None:
        return False
    last = past.days.last
    return any(e.start <= last <= e.end for e in past.events) or came_last_year(past.values, len(past.values) - 1)
