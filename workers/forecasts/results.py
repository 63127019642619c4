"""The result of a forecast job, ready for charts: recent history, points ahead, the asked figure, goal, scenario and parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecasting.types import Forecast
from workers.forecasts.data import ForecastData
from workers.forecasts.partial import PartialBucket
from workers.jobs.chart_data import finite, history_points, instant


def shown(series_id: str, data: ForecastData, forecast: Forecast) -> dict[str, Any]:
    """One series. `partial` is the running bucket so far; it is in no history and no fit."""
    segment, history = data.segments[series_id], data.history[series_id]
    return {
        "id": segment.id,
        "label": segment.label,
        "segment": dict(segment.values),
        "history": history_points(history, len(forecast.times)),
        "partial": partial_json(data.partial.get(series_id)),
        "forecast": points(forecast),
        "model": forecast.model,
        "fallback": forecast.fallback,
        "backtest": {
            "mase": finite(forecast.backtest.mase) if forecast.backtest else None,
            "naive_mase": finite(forecast.backtest.naive_mase) if forecast.backtest else None,
        },
        "notes": list(forecast.notes),
    }


def points(forecast: Forecast) -> list[dict[str, Any]]:
    """{"t", "mean", "lower_80", ...} per step."""
    columns: Mapping[str, Any] = {
        "mean": forecast.mean,
        "lower_80": forecast.lower[80],
        "upper_80": forecast.upper[80],
        "lower_95": forecast.lower[95],
        "upper_95": forecast.upper[95],
    }
    return [
        {"t": instant(at)} | {name: finite(float(values[step])) for name, values in columns.items()}
        for step, at in enumerate(forecast.times)
    ]


def partial_json(bucket: PartialBucket | None) -> dict[str, Any] | None:
    """{"t", "v", "until"}: what the bucket had when the data end."""
    if bucket is None:
        return None
    return {"t": instant(bucket.start), "v": finite(bucket.value), "until": bucket.until.isoformat() if bucket.until else None}
