"""The forecast of one series or of many: prepare, let the pool try, choose, and put intervals around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from core.errors import Invalid
from core.timeseries import FloatArray
from forecasting.backtests import Trial, trial
from forecasting.combine import choose, errors, mix
from forecasting.conformal import prior_quantile, quantile_by_horizon
from forecasting.members.pool import POOL
from forecasting.prepare import Prepared, prepare
from forecasting.types import Backtest, Forecast, ForecastInput

LEVELS = (80, 95)
MIN_POOLED_ERRORS = 40


class Effort(StrEnum):
    """How much time a forecast may take: quick is one fold, normal three, thorough six."""

    QUICK = "quick"
    NORMAL = "normal"
    THOROUGH = "thorough"


FOLDS = {Effort.QUICK: 1, Effort.NORMAL: 3, Effort.THOROUGH: 6}


def forecast(item: ForecastInput, *, levels: tuple[int, ...] = LEVELS, seed: int = 0, effort: Effort = Effort.NORMAL) -> Forecast:
    """One series' forecast with intervals, deterministic by seed.

    Raises: Invalid for a bad horizon, regressor, zone or level; NotEnoughData (`nothing_to_forecast`) when no value is finite.
    """
    _check_levels(levels)
    series = prepare(item)
    return _finish([series], [trial(series, POOL, folds=FOLDS[effort])], levels)[0]


def forecast_many(
    items: Sequence[ForecastInput],
    *,
    levels: tuple[int, ...] = LEVELS,
    seed: int = 0,
    processes: int = 1,
    effort: Effort = Effort.NORMAL,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Forecast]:
    """Forecasts in the order of items. A series that cannot be forecast gets `last_resort`; none fails the rest."""
    _check_levels(levels)
    prepared: list[Prepared] = []
    trials: list[Trial] = []
    failed: dict[int, str] = {}
    for row, item in enumerate(items):
        try:
            series = prepare(item)
            found = trial(series, POOL, folds=FOLDS[effort])
        except Exception as error:  # one bad series never fails the rest
            failed[row] = str(error)
        else:
            prepared.append(series)
            trials.append(found)
        if on_progress:
            on_progress(row + 1, len(items))
    made = iter(_finish(prepared, trials, levels))
    return [last_resort(item, levels, failed[row]) if row in failed else next(made) for row, item in enumerate(items)]


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
    weights = [choose(t) for t in trials]
    scaled = [_scaled_errors(t, w) for t, w in zip(trials, weights, strict=True)]
    return [_one(s, t, w, scaled, levels) for s, t, w in zip(prepared, trials, weights, strict=True)]


def _scaled_errors(t: Trial, weights: dict[str, float]) -> FloatArray:
    if not t.at_folds or not set(weights) <= set(t.at_folds):
        return np.full((0, t.actual.shape[1]), np.nan)
    return np.asarray((t.actual - mix(t.at_folds, weights)) / t.scale)


def _one(series: Prepared, t: Trial, weights: dict[str, float], pool: list[FloatArray], levels: tuple[int, ...]) -> Forecast:
    h = series.horizon
    mean = mix(t.ahead, weights)
    like = [p for p in pool if p.shape[1] == h]
    enough = sum(int(np.isfinite(p).sum()) for p in like) >= MIN_POOLED_ERRORS
    lower, upper = {}, {}
    low, high = mean, mean
    for level in sorted(levels):
        tail = (1 - level / 100) / 2
        if enough:
            down, up = quantile_by_horizon(like, h, tail), quantile_by_horizon(like, h, 1 - tail)
        else:
            down, up = prior_quantile(h, tail), prior_quantile(h, 1 - tail)
        constant = bool(series.y.max() == series.y.min())
        unit = 0.0 if constant else t.scale
        low, high = np.minimum(low, mean + unit * down), np.maximum(high, mean + unit * up)
        lower[level], upper[level] = low, high
    at = series.future_steps - 1
    shut = _closed(series)

    def out(values: FloatArray) -> FloatArray:
        kept = values[at] if series.floor is None else np.maximum(values[at], series.floor)
        return np.asarray(np.where(shut, 0.0, kept))

    scores = errors(t)
    return Forecast(
        series_id=series.series_id,
        times=series.future_times,
        mean=out(mean),
        lower={level: out(v) for level, v in lower.items()},
        upper={level: out(v) for level, v in upper.items()},
        model=" + ".join(sorted(weights, key=lambda name: -weights[name])),
        fallback=None if t.at_folds else f"{series.y.shape[0]} points are too few for a backtest",
        backtest=_backtest(t, weights, scores),
        notes=series.notes,
    )


def _closed(series: Prepared) -> np.ndarray:
    """(h,) True where the business is closed."""
    if not series.closed.size:
        return np.zeros(series.future_steps.shape[0], dtype=np.bool_)
    return np.asarray(series.closed[(series.y.shape[0] - 1 + series.future_steps) % series.closed.shape[0]])


def _backtest(t: Trial, weights: dict[str, float], scores: dict[str, float]) -> Backtest | None:
    if not scores:
        return None
    known = np.isfinite(t.actual)
    error = np.abs(_scaled_errors(t, weights))
    naive = float((np.abs(t.naive - t.actual)[known]).mean() / t.scale)
    return Backtest(float(np.nanmean(error)), naive, float("nan"), float("nan"), len(t.cuts), scores)
