"""A stored forecast against what came: pure numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.timeseries import FloatArray, Grain, TimeSeries
from forecasting.types import Forecast

SEASON = {Grain.MINUTE: 60, Grain.HOUR: 168, Grain.DAY: 7, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4, Grain.YEAR: 1}
WORST = 5


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """Sums over the (points,) steps whose value is known: misses of ours and of repeating the last season, of values, and hits of bands."""

    points: int
    missed: float
    signed: float
    naive_missed: float
    naive_points: int
    size: float
    naive_size: float
    inside_80: int
    inside_95: int

    @property
    def error(self) -> float | None:
        return self.missed / self.size if self.size > 0 else None


def score_series(forecast: Forecast, actual: TimeSeries, grain: Grain) -> SeriesScore | None:
    """actual: whole buckets only, with a season of history before the forecast. None when no step is known yet."""
    place = np.clip(np.searchsorted(actual.times, forecast.times), 0, max(len(actual) - 1, 0))
    if not len(actual):
        return None
    known = (actual.times[place] == forecast.times) & np.isfinite(actual.values[place])
    if not known.any():
        return None
    value = actual.values[place][known]
    missed = value - forecast.mean[known]
    naive = _repeated(actual, forecast.times, SEASON[grain])[known]
    usable = np.isfinite(naive)

    def inside(level: int) -> int:
        return int(((value >= forecast.lower[level][known]) & (value <= forecast.upper[level][known])).sum())

    return SeriesScore(
        points=int(known.sum()),
        missed=float(np.abs(missed).sum()),
        signed=float(-missed.sum()),
        naive_missed=float(np.abs(value - naive)[usable].sum()),
        naive_points=int(usable.sum()),
        size=float(np.abs(value).sum()),
        naive_size=float(np.abs(value[usable]).sum()),
        inside_80=inside(80),
        inside_95=inside(95),
    )


def together(scores: Mapping[str, SeriesScore], *, headline: str | None) -> dict[str, Any]:
    """{"points", "error", "naive_error", "bias", "coverage_80", "coverage_95", "worst"} over series.

    headline: the series whose error stands for all (the total), where it was forecast; bands count over all of them.
    """
    errors = [scores[headline]] if headline is not None and headline in scores else list(scores.values())
    points = sum(s.points for s in scores.values())
    size, naive_size = sum(s.size for s in errors), sum(s.naive_size for s in errors)
    ranked = sorted(((s.error, i) for i, s in scores.items() if s.error is not None), reverse=True)
    return {
        "points": points,
        "error": sum(s.missed for s in errors) / size if size > 0 else None,
        "naive_error": sum(s.naive_missed for s in errors) / naive_size if naive_size > 0 else None,
        "bias": sum(s.signed for s in errors) / size if size > 0 else None,
        "coverage_80": sum(s.inside_80 for s in scores.values()) / points,
        "coverage_95": sum(s.inside_95 for s in scores.values()) / points,
        "worst": [{"series": i, "error": error} for error, i in ranked[:WORST]],
    }


def _repeated(actual: TimeSeries, times: np.ndarray, season: int) -> FloatArray:
    """(h,) the last season before the forecast, repeated; NaN where it is not known."""
    first = int(np.searchsorted(actual.times, times[0]))
    last = actual.values[max(0, first - season) : first]
    if last.shape[0] < season:
        return np.full(times.shape[0], np.nan)
    return np.asarray(last[np.arange(times.shape[0]) % season])
