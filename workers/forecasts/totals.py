"""One figure for an asked period: what came already plus what is to come, with an interval of the sum."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.timeseries import FloatArray, TimeSeries
from forecasting.types import Forecast
from semantic.expr import Unit
from semantic.windows import add_units
from workers.forecasts.data import ForecastData
from workers.forecasts.paths import Dependence, draw, interval
from workers.forecasts.plan import Period
from workers.jobs.series import TOTAL


@dataclass(frozen=True, slots=True)
class PeriodTotal:
    """expected: the figure; known: of it already seen (None for measures that are no sums). samples: (count,) possible figures.

    running: (count, steps) the figure so far after each step inside the period; times: (steps,) of those steps. before: a year earlier.
    """

    expected: float
    known: float | None
    samples: FloatArray
    running: FloatArray
    times: np.ndarray
    before: float | None


def period_total(
    data: ForecastData,
    made: Sequence[Mapping[str, Forecast]],
    series_id: str,
    period: Period,
    dependence: Dependence,
    *,
    ever: bool = False,
    seed: int = 0,
) -> PeriodTotal:
    """made: per part, series id -> forecast. ever: count all since the data begin, as it will be at the period's end."""
    period = Period(moment(data.parts[0][TOTAL].times[0]), period.end, period.label) if ever else period
    start, end = np.datetime64(period.start, "ns"), np.datetime64(period.end, "ns")
    forecasts = [part[series_id] for part in made]
    times = forecasts[0].times
    inside = (times >= start) & (times < end)
    paths = draw(forecasts, dependence, seed=seed)[:, :, inside]
    before = None if ever else _year_before(data, series_id, period)
    if not data.formula.adds_up:
        point = forecasts[0].mean[inside]
        past = _within(data.history[series_id], start, end)
        expected = float(point[-1]) if point.size else float(past[-1]) if past.size else float("nan")
        samples = paths[0][:, -1] if point.size else np.full(paths.shape[1], expected)
        return PeriodTotal(expected, None, samples, paths[0], times[inside], before)
    seen = [float(np.nansum(_within(part[series_id], start, end))) for part in data.parts]
    sums = [known + float(f.mean[inside].sum()) for known, f in zip(seen, forecasts, strict=True)]
    running = data.formula.evaluate([known + np.cumsum(path, axis=1) for known, path in zip(seen, paths, strict=True)])
    one = np.ones(1)
    expected = float(data.formula.evaluate([s * one for s in sums])[0])
    so_far = float(data.formula.evaluate([s * one for s in seen])[0])
    has_past = any(_within(part[series_id], start, end).size for part in data.parts)
    samples = running[:, -1] if running.shape[1] else np.full(paths.shape[1], expected)
    return PeriodTotal(expected, so_far if has_past else None, samples, running, times[inside], before)


def total_json(found: PeriodTotal, series_id: str, label: str) -> dict[str, Any]:
    """{"id", "label", "expected", "lower_80" ..., "known", "before"}."""

    def finite(value: float | None) -> float | None:
        return value if value is not None and np.isfinite(value) else None

    bounds = interval(found.samples, found.expected) if np.isfinite(found.expected) else {}
    return {
        "id": series_id,
        "label": label,
        "expected": finite(found.expected),
        "known": finite(found.known),
        "before": finite(found.before),
    } | bounds


def _within(series: TimeSeries, start: np.datetime64, end: np.datetime64) -> FloatArray:
    return series.values[(series.times >= start) & (series.times < end)]


def _year_before(data: ForecastData, series_id: str, period: Period) -> float | None:
    """The same period a year earlier; None where history does not hold all of it."""
    start, end = (np.datetime64(add_units(moment, Unit.YEAR, -1), "ns") for moment in (period.start, period.end))
    history = data.history[series_id]
    if (
        not len(history)
        or data.covered.first > start
        or history.times[0] > start + np.timedelta64(7, "D")
        or data.last < end - np.timedelta64(32, "D")
    ):
        return None
    if not data.formula.adds_up:
        found = _within(history, start, end)
        return float(found[-1]) if found.size else None
    value = float(data.formula.evaluate([np.array([np.nansum(_within(part[series_id], start, end))]) for part in data.parts])[0])
    return value if np.isfinite(value) else None


def moment(at: np.datetime64) -> dt.datetime:
    """Naive wall-clock time of a bucket start."""
    found: dt.datetime = at.astype("datetime64[us]").astype(dt.datetime)
    return found
