"""What a series and its forecast are made of: trend, seasons, time of year, holidays, regressors and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray, TimeArray
from forecasting.adjust import adjust, centred_mean
from forecasting.members.naive import short_season
from forecasting.prepare import Prepared, prepare
from forecasting.seasons import weekly_or_shorter
from forecasting.types import Forecast, ForecastInput

MEDIAN_CYCLES = 3
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
    """The parts of a series and, with its forecast, of what is to come. What multiplies is given as what it adds at its time.

    Raises: what `prepare` raises; Invalid never for short series: those have trend and rest only.
    """
    from forecasting.local_time import to_utc

    series = prepare(item, closed_as_zeros=True)
    n, h = series.y.shape[0], series.horizon
    is_log = bool(series.y.min() > 0.1 * series.y.mean() > 0)
    seasonal = adjust(series.y, series.seasons, h, multiplicative=is_log)
    trend = _trend(seasonal.rest, short_season(series), weekly_or_shorter(series.step, series.seasons))
    at = np.arange(n + h)
    seasons = Stage({_season_name(series, s): profile[at % s] for s, profile in seasonal.profiles.items() if profile.any()}, is_log)
    effects = Stage(series.effects.parts, series.effects.is_log)
    adjusted = seasons.on(trend, 0)
    aligned = series.effects.restore_past(series.filled)
    total = aligned if series.shift is None else series.shift.to_past(aligned)
    parts = {"trend": trend, **effects.added(adjusted, 0), **seasons.added(trend, 0)}
    if series.shift is not None:
        parts["change of level"] = total - aligned
    parts["rest"] = total - np.sum(list(parts.values()), axis=0)
    ahead: dict[str, FloatArray] = {}
    if forecast is not None:
        steps = series.future_steps - 1
        mean = np.full(h, np.nan)
        mean[steps] = forecast.mean
        adjusted = effects.off(mean, n)
        trend = seasons.off(adjusted, n)
        future = {"trend": trend, **effects.added(adjusted, n), **seasons.added(trend, n)}
        if series.shift is not None:
            future["change of level"] = np.zeros(h)
        ahead = {name: values[steps] for name, values in future.items()}
    return Decomposition(to_utc(series.wall_times(n), item.time_zone), total, parts, ahead)


@dataclass(frozen=True, slots=True)
class Stage:
    """What seasons, or causes, do to a series. parts: name -> (n + h,) added, or in logarithms multiplied when is_log."""

    parts: Mapping[str, FloatArray]
    is_log: bool

    def on(self, base: FloatArray, first: int) -> FloatArray:
        """(k,) base, which begins at step `first`, with all parts."""
        total = self._total(first, base.shape[0])
        return np.asarray(base * np.exp(total) if self.is_log else base + total)

    def off(self, values: FloatArray, first: int) -> FloatArray:
        """The inverse of `on`."""
        total = self._total(first, values.shape[0])
        return np.asarray(values / np.exp(total) if self.is_log else values - total)

    def added(self, base: FloatArray, first: int) -> dict[str, FloatArray]:
        """What each part adds to base; together they add up to what `on` does. Where they multiply each has its share of the logarithm.
        Source: the logarithmic mean Divisia decomposition, Ang (2005)."""
        shares = {name: values[first : first + base.shape[0]] for name, values in self.parts.items()}
        if not self.is_log:
            return {name: np.asarray(values) for name, values in shares.items()}
        total = self._total(first, base.shape[0])
        small = np.abs(total) < 1e-9
        factor = base * np.where(small, 1.0, np.expm1(total) / np.where(small, 1.0, total))
        return {name: np.asarray(factor * values) for name, values in shares.items()}

    def _total(self, first: int, steps: int) -> FloatArray:
        return np.asarray(np.sum([np.zeros(steps), *(values[first : first + steps] for values in self.parts.values())], axis=0))


def _trend(rest: FloatArray, season: int, within_week: tuple[int, ...]) -> FloatArray:
    """(n,) the level of (n,) seasonally adjusted values: averaged over one cycle, of days or weeks after medians over three, which a few unusual days do not lift."""
    from scipy.ndimage import median_filter

    n = rest.shape[0]
    if n < 3:
        return rest
    if season in within_week and n >= MEDIAN_CYCLES * season:
        rest = median_filter(rest, size=MEDIAN_CYCLES * season | 1, mode="reflect")
    return centred_mean(rest, max(3, min(season, n)))


def _season_name(series: Prepared, season: int) -> str:
    seconds = season * series.step.approximate_seconds
    for length_s, name in _SEASON_NAMES:
        if abs(seconds - length_s) < 0.02 * length_s:
            return name
    return f"season of {season} steps"
