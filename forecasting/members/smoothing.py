"""Exponential smoothing, theta and complex smoothing from statsforecast, on seasonally adjusted series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.timeseries import FloatArray
from forecasting.adjust import Adjusted, adjust, present_seasons
from forecasting.prepare import Prepared

MAX_FIT_POINTS = 400
"""A smoothing model forgets: its last 400 points say all, and a fit costs in proportion to them."""


def adjusted(series: Prepared) -> Adjusted:
    """The series without the seasons its data shows; multiplicative when all values are well above zero."""
    seasons = present_seasons(series.y, series.seasons)
    cycles = 12
    multiplicative = bool(series.y.min() > 0.1 * series.y.mean() > 0)
    return adjust(series.y, seasons, series.horizon, multiplicative=multiplicative, cycles=cycles)


def on_adjusted(model: Callable[[FloatArray, int], FloatArray]) -> Callable[[Prepared], FloatArray]:
    """A member that forecasts the adjusted series with `model(rest, horizon)` and puts the seasons back."""

    def fit(series: Prepared) -> FloatArray:
        parts = adjusted(series)
        return parts.restore(model(parts.rest[-MAX_FIT_POINTS:], series.horizon))

    return fit


def ets(rest: FloatArray, horizon: int) -> FloatArray:
    """Exponential smoothing without season, error and trend form chosen by AICc."""
    from statsforecast.models import AutoETS

    return np.asarray(AutoETS(season_length=1, model="ZZN").forecast(rest, horizon)["mean"])


def dynamic_theta(rest: FloatArray, horizon: int) -> FloatArray:
    """Dynamic optimised theta. Source: Fiorucci et al. (2016)."""
    from statsforecast.models import DynamicOptimizedTheta

    return np.asarray(DynamicOptimizedTheta(season_length=1).forecast(rest, horizon)["mean"])


def complex_smoothing(rest: FloatArray, horizon: int) -> FloatArray:
    """Complex exponential smoothing without season. Source: Svetunkov et al. (2022)."""
    from statsforecast.models import AutoCES

    return np.asarray(AutoCES(season_length=1, model="N").forecast(rest, horizon)["mean"])
