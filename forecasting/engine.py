"""The forecast of one series or of many: prepare, let the pool try, choose, and put intervals around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from enum import StrEnum

import numpy as np

from core.errors import Invalid, NotEnoughData
from core.timeseries import FloatArray
from forecasting.backtests import Trial
from forecasting.batch import Plan, like_groups, pool_of, run_trials
from forecasting.combine import Mixture, combine
from forecasting.conformal import Units, error_units, likeness, quantiles_by_horizon, widening
from forecasting.members.pretrained import trained_season
from forecasting.pooled.copies import teachers
from forecasting.prepare import Prepared, prepare
from forecasting.seasons import weekly_or_shorter
from forecasting.sudden_end import CHANCE_OF_STAYING
from forecasting.types import Backtest, Forecast, ForecastInput
from forecasting.usual_errors import usual_errors
from forecasting.young_shift import USUAL_STAY, chance_of_return, reach_back, reach_on

LEVELS = (80, 95)


class Effort(StrEnum):
    """How much time a forecast may take: quick is one fold, normal three, thorough six."""

    QUICK = "quick"
    NORMAL = "normal"
    THOROUGH = "thorough"


FEW_SERIES = 40
FOLDS = {Effort.QUICK: 1, Effort.NORMAL: 3, Effort.THOROUGH: 6}
NETWORK_EFFORT = {Effort.QUICK: 0.5, Effort.NORMAL: 1.0, Effort.THOROUGH: 2.0}


def forecast(item: ForecastInput, *, levels: tuple[int, ...] = LEVELS, seed: int = 0, effort: Effort = Effort.NORMAL) -> Forecast:
    """One series' forecast with intervals, deterministic by seed.

    Raises: Invalid for a bad horizon, regressor, zone or level; NotEnoughData (`nothing_to_forecast`) when no value is finite.
    """
    _check_levels(levels)
    series = prepare(item)
    plan = Plan(folds=FOLDS[effort], pooled_effort=0.0, seed=seed, thorough=effort is Effort.THOROUGH)
    return _finish([series], run_trials([series], plan, None, lambda done: None), levels)[0]


def backtest(item: ForecastInput, *, folds: int = 3, seed: int = 0) -> Backtest:
    """How the choice of `forecast` did on rolling origins of one series, without making a forecast.

    Raises: what `forecast` raises; NotEnoughData (`too_short`) when the series is too short for a single fold.
    """
    if folds < 1:
        raise Invalid(f"Expected 1 fold or more; found {folds}.", code="bad_folds")
    series = prepare(item)
    found = _finish([series], run_trials([series], Plan(folds, 0.0, seed), None, lambda done: None), LEVELS)[0].backtest
    if found is None:
        raise NotEnoughData(
            f"Series {series.series_id!r}: expected {item.horizon_steps + 10} points or more to backtest; found {series.y.shape[0]}.",
            code="too_short",
        )
    return found


def forecast_many(
    items: Sequence[ForecastInput],
    *,
    levels: tuple[int, ...] = LEVELS,
    seed: int = 0,
    processes: int = 1,
    effort: Effort = Effort.NORMAL,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Forecast]:
    """Forecasts in the order of items; like series learn from each other. A series that cannot be forecast gets `last_resort`.

    on_progress(done, total) is called in this process and may raise to stop the work.
    """
    _check_levels(levels)
    prepared: dict[int, Prepared] = {}
    failed: dict[int, str] = {}
    for row, item in enumerate(items):
        try:
            prepared[row] = prepare(item)
        except Exception as error:  # one bad series never fails the rest
            failed[row] = str(error)
    done = len(failed)

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if on_progress:
            on_progress(done, len(items))

    made: dict[int, Forecast] = {}
    rows = list(prepared)
    plan = Plan(folds=FOLDS[effort], pooled_effort=NETWORK_EFFORT[effort], seed=seed, thorough=effort is Effort.THOROUGH)
    with pool_of(min(processes, max(1, len(items) // 4))) as executor:
        for group in like_groups([prepared[row] for row in rows]):
            members = [prepared[rows[position]] for position in group]
            try:
                trials = run_trials(members, plan, executor, advance)
            except BrokenExecutor:  # a worker process was killed: this process does the rest
                executor = None
                trials = run_trials(members, plan, None, lambda more: None)
            for position, result in zip(group, _finish(members, trials, levels), strict=True):
                made[rows[position]] = result
    return [last_resort(item, levels, failed[row]) if row in failed else made[row] for row, item in enumerate(items)]


def last_resort(item: ForecastInput, levels: tuple[int, ...], reason: str) -> Forecast:
    """The last finite value (0 without one) as a forecast without spread, for a series that could not be prepared; `fallback` says why."""
    finite = item.series.values[np.isfinite(item.series.values)]
    if item.future_times is not None and item.future_times.shape[0]:
        times = item.future_times.astype("datetime64[ns]")
    else:
        known = item.series.times[~np.isnat(item.series.times)].astype("datetime64[ns]")
        origin = known.max() if known.size else np.datetime64(0, "ns")
        times = origin + np.arange(1, max(1, item.horizon_steps) + 1) * np.timedelta64(86_400_000_000_000, "ns")
    flat = np.full(times.shape[0], float(finite[-1]) if finite.size else 0.0)
    bounds = dict.fromkeys(levels, flat)
    return Forecast(item.series.series_id, times, flat, bounds, dict(bounds), model="last_value", fallback=reason)


def _check_levels(levels: tuple[int, ...]) -> None:
    if not levels or any(not 1 <= level <= 99 for level in levels):
        raise Invalid(f"Expected interval levels from 1 to 99 percent, such as (80, 95); found {levels}.", code="bad_level")


def _finish(prepared: Sequence[Prepared], trials: Sequence[Trial], levels: tuple[int, ...]) -> list[Forecast]:
    """Combines and puts intervals around one group of like series."""
    mixed = combine(
        trials, [float(np.abs(s.y).mean()) for s in prepared], [usual_errors(s.step, s.y.shape[0], trained_season(s)) for s in prepared]
    )
    like = likeness([s.y for s in prepared], [t.actual - m.at_folds for t, m in zip(trials, mixed, strict=True)])
    units = [error_units(s.y, t.cuts, t.actual, m, s.all_seasons, like=like) for s, t, m in zip(prepared, trials, mixed, strict=True)]
    pool = np.concatenate([(t.actual - m.at_folds) / u.at_folds for t, m, u in zip(trials, mixed, units, strict=True)])
    wider = widening(_distinct_folds(prepared, trials))
    bounds = {}
    for level in sorted(levels):
        tail = (1 - level / 100) / 2
        down, up = quantiles_by_horizon(pool, pool.shape[1], (tail, 1 - tail))
        bounds[level] = wider * down, wider * up
    return [_one(s, t, m, u, bounds) for s, t, m, u in zip(prepared, trials, mixed, units, strict=True)]


def _distinct_folds(prepared: Sequence[Prepared], trials: Sequence[Trial]) -> float:
    """Folds of the series that are not copies of each other, each by the share of its steps that is known; with many series all are counted, since
    it no longer matters."""
    own = teachers(prepared) if 1 < len(prepared) <= FEW_SERIES else [True] * len(prepared)
    return float(sum(np.isfinite(t.actual).mean(axis=1).sum() for t, counts in zip(trials, own, strict=True) if counts))


def _one(series: Prepared, t: Trial, mixed: Mixture, units: Units, bounds: dict[int, tuple[FloatArray, FloatArray]]) -> Forecast:
    lower, upper = {}, {}
    low = high = mixed.ahead
    unit = units.ahead
    chance = (
        np.zeros(series.horizon)
        if series.shift is None
        else chance_of_return(series.y.shape[0] - series.shift.at, series.horizon, _stay(series))
    )
    for level, (down, up) in bounds.items():
        low, high = np.minimum(low, mixed.ahead + unit * down), np.maximum(high, mixed.ahead + unit * up)
        tail = (1 - level / 100) / 2
        if series.shift is not None:
            low, high = reach_back(low, high, mixed.ahead, series.shift, chance, tail)
        if series.doubt is not None:
            low, high = reach_on(low, high, mixed.ahead, series.doubt, CHANCE_OF_STAYING, tail)
        lower[level], upper[level] = low, high
    at = series.future_steps - 1
    shut = _closed(series)
    constant = _constant(series)

    def out(values: FloatArray) -> FloatArray:
        if constant is not None:
            return np.where(shut, 0.0, constant)
        kept = values[at] if series.floor is None else np.maximum(values[at], series.floor)
        return np.asarray(np.where(shut, 0.0, kept))

    return Forecast(
        series_id=series.series_id,
        times=series.future_times,
        mean=out(mixed.ahead),
        lower={level: out(v) for level, v in lower.items()},
        upper={level: out(v) for level, v in upper.items()},
        model="constant" if constant is not None else _named(mixed.weights),
        fallback=t.failure or (None if t.cuts else f"{series.y.shape[0]} points are too few for a backtest"),
        backtest=_backtest(t, mixed, units, bounds),
        notes=series.notes,
    )


def _stay(series: Prepared) -> float:
    """Buckets that a passing change of level usually lasts: a day or a week of them where that is longer."""
    return max([USUAL_STAY, *weekly_or_shorter(series.step, series.seasons)[:1]])


def _named(weights: dict[str, float]) -> str:
    """The members by weight, those below 5 % unnamed."""
    ranked = sorted(weights.items(), key=lambda pair: -pair[1])
    return " + ".join(f"{name} {weight:.0%}" for name, weight in ranked if weight >= 0.05) if len(ranked) > 1 else ranked[0][0]


def _constant(series: Prepared) -> float | None:
    """The one value a series of at least two points ever had, or None."""
    seen = series.raw[np.isfinite(series.raw)]
    return float(seen[0]) if seen.shape[0] > 1 and bool((seen == seen[0]).all()) else None


def _closed(series: Prepared) -> np.ndarray:
    """(h,) True where the business is closed."""
    if not series.closed.size:
        return np.zeros(series.future_steps.shape[0], dtype=np.bool_)
    return np.asarray(series.closed[(series.y.shape[0] - 1 + series.future_steps) % series.closed.shape[0]])


def _backtest(t: Trial, mixed: Mixture, units: Units, bounds: dict[int, tuple[FloatArray, FloatArray]]) -> Backtest | None:
    known = np.isfinite(t.actual) & np.isfinite(mixed.at_folds)
    if not known.any():
        return None
    wrong = t.actual - mixed.at_folds
    scaled = wrong / units.at_folds
    judged = known & np.isfinite(scaled)

    def covered(level: int) -> float:
        if level not in bounds or not judged.any():
            return float("nan")
        down, up = bounds[level]
        return float(((scaled >= np.minimum(down, 0)) & (scaled <= np.maximum(up, 0)))[judged].mean())

    error = float(np.abs(wrong)[known].mean()) / t.scale
    naive = float(np.abs(t.actual - t.naive)[known].mean()) / t.scale
    by_model = {
        name: float(np.abs(t.actual - point)[known].mean()) / t.scale
        for name, point in t.at_folds.items()
        if np.isfinite(point[known]).all()
    }
    return Backtest(error, naive, covered(80), covered(95), len(t.cuts), by_model)
