"""Exponential smoothing, theta and complex smoothing from statsforecast, on seasonally adjusted series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.timeseries import FloatArray
from forecasting.adjust import FAST_DECAY, SLOW_DECAY, Adjusted, adjust
from forecasting.members.logarithm import in_logarithms
from forecasting.prepare import Prepared

MAX_FIT_POINTS = 200
"""A smoothing model forgets, and a fit costs in proportion to its points: 200 were as good as 400 on hours and days, and better on weeks."""

MAX_CLASSICAL_POINTS = 240


def adjusted(series: Prepared) -> Adjusted:
    """The series without the seasons its data shows; multiplicative when all values are well above zero."""
    if "adjusted" not in series.memo:
        multiplicative = bool(series.y.min() > 0.1 * series.y.mean() > 0)
        decay = FAST_DECAY if series.step.approximate_seconds < 80_000 else SLOW_DECAY
        series.memo["adjusted"] = adjust(series.y, series.seasons, series.horizon, multiplicative=multiplicative, decay=decay)
    found: Adjusted = series.memo["adjusted"]
    return found


def on_adjusted(model: Callable[[FloatArray, int], FloatArray]) -> Callable[[Prepared], FloatArray]:
    """A member that forecasts the adjusted series with `model(rest, horizon)` and puts the seasons back."""

    def fit(series: Prepared) -> FloatArray:
        parts = adjusted(series)
        return parts.restore(model(parts.rest[-MAX_FIT_POINTS:], series.horizon))

    return fit


def damped_trend(rest: FloatArray, horizon: int) -> FloatArray:
    """Exponential smoothing with a damped trend, of growth in percent where values are well above zero. Source: Gardner and McKenzie (1985).

    In logarithms mixtures were .1 to .3 % better on public months and weeks, and 1 % on series forecast alone.
    """
    return _with_trend(rest, horizon, damped=True)


def trend(rest: FloatArray, horizon: int) -> FloatArray:
    """Exponential smoothing with a trend that lasts, in percent as in `damped_trend`. Source: Holt (1957)."""
    return _with_trend(rest, horizon, damped=False)


def _with_trend(rest: FloatArray, horizon: int, *, damped: bool) -> FloatArray:
    from statsforecast.models import AutoETS

    z, back = in_logarithms(rest)
    return back(np.asarray(AutoETS(season_length=1, model="AAN", damped=damped).forecast(z, horizon)["mean"]))


def classical_theta(series: Prepared) -> FloatArray:
    """(horizon,) dynamic theta on the classical decomposition with its seasonality test. Source: Fiorucci et al. (2016).

    It differs from the others in its seasonal indices: all cycles count alike, and the test lets them in wholly or not at all.
    """
    from statsforecast.models import DynamicTheta

    season = max((s for s in series.seasons if s <= 24 and 2 * s + 2 <= series.y.shape[0]), default=1)
    return np.asarray(DynamicTheta(season_length=season).forecast(series.y[-MAX_CLASSICAL_POINTS:], series.horizon)["mean"])


def level(rest: FloatArray, horizon: int) -> FloatArray:
    """Simple exponential smoothing: the last level, held."""
    from statsforecast.models import SimpleExponentialSmoothingOptimized

    return np.asarray(SimpleExponentialSmoothingOptimized().forecast(rest, horizon)["mean"])


def dynamic_theta(rest: FloatArray, horizon: int) -> FloatArray:
    """Dynamic optimised theta. Source: Fiorucci et al. (2016)."""
    from statsforecast.models import DynamicOptimizedTheta

    return np.asarray(DynamicOptimizedTheta(season_length=1).forecast(rest, horizon)["mean"])


def complex_smoothing(rest: FloatArray, horizon: int) -> FloatArray:
    """Complex exponential smoothing without season. Source: Svetunkov et al. (2022)."""
    from statsforecast.models import AutoCES

    return np.asarray(AutoCES(season_length=1, model="N").forecast(rest, horizon)["mean"])
