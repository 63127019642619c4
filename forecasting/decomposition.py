"""What a series and its forecast are made of: trend, seasons, time of year, holidays, regressors and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray, TimeArray
from forecasting.adjust import adjust, centred_mean
from forecasting.members.naive import short_season
from forecasting.prepare import Prepared, prepare
from forecasting.types import Forecast, ForecastInput

_SEASON_NAMES = ((86_400.0, "time of day"), (7 * 86_400.0, "day of week"), (365.25 * 86_400.0, "time of year"))


@dataclass(frozen=True, slots=True)
class Decomposition:
    """times: (n,) UTC bucket starts of history. parts: name -> (n,) in the metric's unit; they add up to `total`, the gap-filled history.

    `trend` and `rest` are always there. ahead: the same names without `rest` -> (h,), adding up to the forecast's mean.
    """

    times: TimeArray
    total: FloatArray
    parts: Mapping[str, FloatArray]
    ahead: Mapping[str, FloatArray]


def decompose(item: ForecastInput, forecast: Forecast | None = None) -> Decomposition:
    """The parts of a series and, with its forecast, of what is to come. Effects that multiply are given as what they add at their time.

    Raises: what `prepare` raises; Invalid never for short series: those have trend and rest only.
    """
    from forecasting.local_time import to_utc

    series = prepare(item)
    n, h = series.y.shape[0], series.horizon
    parts, future = _effects(series)
    is_log = bool(series.y.min() > 0.1 * series.y.mean() > 0)
    seasonal = adjust(series.y, series.seasons, h, multiplicative=is_log)
    clean = centred_mean(seasonal.rest, max(3, min(short_season(series), n))) if n >= 3 else seasonal.rest
    at = np.arange(n + h)
    for season, profile in seasonal.profiles.items():
        if profile.any():
            shape = profile[at % season]
            level = np.r_[clean, np.full(h, clean[-1])]
            added = level * (np.exp(shape) - 1.0) if is_log else shape
            parts[_season_name(series, season)], future[_season_name(series, season)] = added[:n], added[n:]
    aligned = series.effects.restore_past(series.filled)
    total = aligned if series.shift is None else series.shift.to_past(aligned)
    parts = {"trend": clean, **parts}
    if series.shift is not None:
        parts["change of level"], future["change of level"] = total - aligned, np.zeros(h)
    parts["rest"] = total - np.sum(list(parts.values()), axis=0)
    ahead: dict[str, FloatArray] = {}
    if forecast is not None:
        steps = series.future_steps - 1
        ahead = {name: values[steps] for name, values in future.items()}
        ahead = {"trend": forecast.mean - np.sum([np.zeros(steps.shape[0]), *ahead.values()], axis=0), **ahead}
    return Decomposition(to_utc(series.wall_times(n), item.time_zone), total, parts, ahead)


def _effects(series: Prepared) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """What each effect adds to history and horizon."""
    n = series.y.shape[0]
    level = np.r_[series.y, np.full(series.horizon, float(np.mean(series.y[-max(1, short_season(series)) :])))]
    past, future = {}, {}
    for name, effect in series.effects.parts.items():
        added = level * (np.exp(effect) - 1.0) if series.effects.is_log else effect
        past[name], future[name] = added[:n], added[n:]
    return past, future


def _season_name(series: Prepared, season: int) -> str:
    seconds = season * series.step.approximate_seconds
    for length_s, name in _SEASON_NAMES:
        if abs(seconds - length_s) < 0.02 * length_s:
            return name
    return f"season of {season} steps"
