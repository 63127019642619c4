"""Forecasts of parts -> forecasts of the measure: parts of the whole reconciled, ratios recombined, intervals from drawn paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.timeseries import FloatArray, Grain, TimeSeries
from forecasting.engine import Effort, forecast_many
from forecasting.hierarchy import Hierarchy, reconcile
from forecasting.types import Backtest, Forecast, ForecastInput
from semantic.catalog.model import CatalogCalendar
from workers.forecasts.data import ForecastData
from workers.forecasts.events import event_flags
from workers.forecasts.paths import Dependence, draw, estimate_dependence, interval, unknown_dependence, z_scores
from workers.jobs.series import TOTAL

ORIGINS = 5
COLD_POINTS = 14
"""A segment with fewer points than two weeks of days has no season of its own yet."""
ADDED_UP = "Adjusted so that the parts add up to the whole."  # the note by which reconciled rows are known
RATIO_PATHS = 1000


@dataclass(frozen=True, slots=True)
class Driver:
    """A regressor: past (times, values) and (h,) future."""

    name: str
    past: TimeSeries
    future: FloatArray


def input_of(series: TimeSeries, data: ForecastData, grain: Grain, driver: Driver | None = None) -> ForecastInput:
    """One series ready for the engine, with the calendar's holidays and events."""
    return _input(series, data.future, data.catalog.calendar, grain, driver)


def _input(series: TimeSeries, future: np.ndarray, calendar: CatalogCalendar, grain: Grain, driver: Driver | None = None) -> ForecastInput:
    zone = calendar.time_zone if grain in (Grain.MINUTE, Grain.HOUR) else None  # day and longer buckets are dates already
    flags = event_flags(calendar.events, series.times, future, grain)
    past, ahead = {name: pair[0] for name, pair in flags.items()}, {name: pair[1] for name, pair in flags.items()}
    if driver is not None:
        place = np.clip(np.searchsorted(driver.past.times, series.times), 0, len(driver.past) - 1)
        known = driver.past.times[place] == series.times
        past[driver.name], ahead[driver.name] = np.where(known, driver.past.values[place], 0.0), driver.future
    return ForecastInput(
        series=series,
        horizon_steps=len(future),
        future_times=future,
        country=calendar.country,
        time_zone=zone,
        regressors=past,
        future_regressors=ahead,
    )


def is_cold(series: TimeSeries, total: TimeSeries) -> bool:
    """Too young for a forecast of its own, beside a whole that is not."""
    return len(series) < COLD_POINTS <= len(total) // 2


def by_share(series: TimeSeries, total: TimeSeries, whole: Forecast) -> Forecast:
    """A young segment as its recent share of the whole; its interval is wider by what few points leave open.

    With n points, the share's own relative error is about their coefficient of variation / sqrt(n); both are added in quadrature.
    """
    n = max(1, len(series))
    recent = total.values[-n:]
    share = float(np.nansum(series.values) / max(np.nansum(recent), 1e-12)) if len(series) else 0.0
    ratios = series.values / np.where(recent == 0, np.nan, recent) if len(series) else np.array([np.nan])
    spread = float(np.nanstd(ratios)) if np.isfinite(ratios).sum() > 1 else share
    mean = whole.mean * share
    noise = np.abs(whole.mean) * spread * np.sqrt(1 + 1 / n)

    def bound(values: FloatArray, side: float, z: float) -> FloatArray:
        wide = np.sqrt((np.abs(values - whole.mean) * share) ** 2 + (z * noise) ** 2)
        found = mean + side * wide
        never_below = bool((total.values[np.isfinite(total.values)] >= 0).all())
        return np.asarray(np.maximum(found, 0.0) if never_below else found)

    z = {80: 1.2816, 95: 1.96}
    return Forecast(
        series_id=series.series_id,
        times=whole.times,
        mean=mean,
        lower={level: bound(whole.lower[level], -1.0, z[level]) for level in z},
        upper={level: bound(whole.upper[level], 1.0, z[level]) for level in z},
        model="share of the total",
        fallback=f"new: only {len(series)} points, so it is forecast as its recent share of the total",
    )


def added_up(forecasts: Mapping[str, Forecast], order: Sequence[str]) -> dict[str, Forecast]:
    """One part's forecasts with segments that sum to the total. Forecasts that were reconciled before stay as they are."""
    chosen = [forecasts[i] for i in order]
    if len(chosen) < 2 or all(ADDED_UP in f.notes for f in chosen):
        return {f.series_id: f for f in chosen}
    done = reconcile(chosen, Hierarchy({TOTAL: tuple(i for i in order if i != TOTAL)}))
    return {f.series_id: f if ADDED_UP in f.notes else replace(f, notes=(*f.notes, ADDED_UP)) for f in done}


@dataclass(frozen=True, slots=True)
class Tried:
    """What earlier origins of the total say: how errors go together, and how good the combined measure was."""

    dependence: Dependence
    backtest: Backtest | None


def try_origins(data: ForecastData, grain: Grain, *, seed: int = 0) -> Tried:
    """Forecasts the total's parts again from up to five earlier origins a horizon apart. Short histories: what is usual."""
    parts = [part[TOTAL] for part in data.parts]
    n = min(len(p) for p in parts)
    h = max(1, min(len(data.future), n // 4))
    cuts = [n - h * (k + 1) for k in range(ORIGINS) if n - h * (k + 1) >= max(2 * h, 10)]
    if not cuts:
        return Tried(unknown_dependence(len(parts)), None)
    inputs = [
        _input(replace(p, times=p.times[:cut], values=p.values[:cut]), p.times[cut : cut + h], data.catalog.calendar, grain)
        for p in parts
        for cut in cuts
    ]
    made = forecast_many(inputs, seed=seed, effort=Effort.QUICK)
    rows = [made[k * len(cuts) : (k + 1) * len(cuts)] for k in range(len(parts))]
    scores = [
        np.stack([z_scores(p.values[cut : cut + h], f) for cut, f in zip(cuts, row, strict=True)])
        for p, row in zip(parts, rows, strict=True)
    ]
    return Tried(estimate_dependence(scores), None if data.formula.is_plain else _tested(data, rows, cuts, h, grain))


def combine(data: ForecastData, made: Sequence[Mapping[str, Forecast]], tried: Tried, *, seed: int = 0) -> dict[str, Forecast]:
    """The measure's forecasts from those of its parts: the value at the parts' means, intervals from paths drawn together."""
    if data.formula.is_plain:
        return dict(made[0])
    found = {}
    for number, series_id in enumerate(data.order):
        parts = [part[series_id] for part in made]
        mean = data.formula.evaluate([p.mean for p in parts])
        samples = data.formula.evaluate(list(draw(parts, tried.dependence, seed=seed + number, count=RATIO_PATHS)))
        history = data.history[series_id].values
        known = history[np.isfinite(history)]
        last = float(known[-1]) if known.size else 0.0
        filled = np.where(np.isfinite(mean), mean, last)
        bands = [interval(samples[:, step], float(filled[step])) for step in range(filled.shape[0])]
        top = 1.0 if known.size and known.min() >= 0 and known.max() <= 1 and data.measure.format == "percent" else np.inf
        found[series_id] = Forecast(
            series_id=series_id,
            times=parts[0].times,
            mean=filled,
            lower={level: np.minimum([b[f"lower_{level}"] for b in bands], top) for level in (80, 95)},
            upper={level: np.maximum(np.minimum([b[f"upper_{level}"] for b in bands], top), np.minimum(filled, top)) for level in (80, 95)},
            model="from its parts: " + "; ".join(dict.fromkeys(p.model for p in parts)),
            fallback=next((p.fallback for p in parts if p.fallback), None),
            backtest=tried.backtest if series_id == TOTAL else None,
            notes=tuple(dict.fromkeys(note for p in parts for note in p.notes if note != ADDED_UP)),
        )
    return found


def _tested(data: ForecastData, rows: Sequence[Sequence[Forecast]], cuts: Sequence[int], h: int, grain: Grain) -> Backtest | None:
    """The combined measure's error at the origins beside repeating the last season, both scaled by that season's changes."""
    season = {Grain.HOUR: 24, Grain.DAY: 7, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4}.get(grain, 1)
    parts = [part[TOTAL].values[-min(len(p[TOTAL]) for p in data.parts) :] for part in data.parts]
    actual = data.formula.evaluate(parts)
    ours, naive = [], []
    for k, cut in enumerate(cuts):
        point = data.formula.evaluate([row[k].mean for row in rows])
        ours.append(actual[cut : cut + h] - point)
        if cut >= season:
            naive.append(actual[cut : cut + h] - actual[cut - season + np.arange(h) % season])
    scale = float(np.nanmean(np.abs(actual[season:] - actual[:-season]))) if actual.shape[0] > season else float("nan")
    if not naive or not np.isfinite(scale) or scale == 0:
        return None
    error, base = float(np.nanmean(np.abs(np.concatenate(ours)))) / scale, float(np.nanmean(np.abs(np.concatenate(naive)))) / scale
    return Backtest(error, base, float("nan"), float("nan"), len(cuts), {})
