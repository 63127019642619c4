"""What goes into and comes out of a forecast. Pure numbers, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.timeseries import FloatArray, TimeArray, TimeSeries


@dataclass(frozen=True, slots=True)
class ForecastInput:
    """One series to forecast.

    series: as loaded (irregular, gaps, repeats and an incomplete last bucket allowed). horizon_steps >= 1.
    future_times: (horizon_steps,) datetime64[ns] to forecast; None continues the grid. as_of: aware; a bucket ending later is incomplete.
    season_steps: the main season when the caller knows it; others are found. regressors: name -> (n,) aligned with series;
    future_regressors: name -> (horizon_steps,). country: ISO code for holidays. time_zone: where business follows local time.
    """

    series: TimeSeries
    horizon_steps: int
    future_times: TimeArray | None = None
    as_of: datetime | None = None
    season_steps: int | None = None
    regressors: Mapping[str, FloatArray] = field(default_factory=dict)
    future_regressors: Mapping[str, FloatArray] = field(default_factory=dict)
    country: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the chosen model did on rolling origins of the same series, beside the seasonal naive. NaN when history is too short."""

    mase: float
    naive_mase: float
    coverage_80: float
    coverage_95: float
    folds: int
    by_model: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Forecast:
    """times: (h,) UTC bucket starts; mean: (h,); lower / upper: level in percent (80, 95, ...) -> (h,). All finite.

    model names the model or mixture used; fallback says why a simpler one had to serve, or None. notes are sentences for people
    ("the last bucket was incomplete and left out").
    """

    series_id: str
    times: TimeArray
    mean: FloatArray
    lower: Mapping[int, FloatArray]
    upper: Mapping[int, FloatArray]
    model: str
    fallback: str | None = None
    backtest: Backtest | None = None
    notes: tuple[str, ...] = ()
    components: Mapping[str, FloatArray] = field(default_factory=dict)
