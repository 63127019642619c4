"""What a forecast is made of, ready for small charts: trend, seasons, holidays, events, drivers, rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import AppError
from core.timeseries import FloatArray, Grain
from forecasting.decomposition import Decomposition, decompose
from forecasting.local_time import to_wall_clock
from forecasting.types import Forecast
from workers.forecasts.data import ForecastData
from workers.forecasts.making import input_of
from workers.forecasts.plan import Period
from workers.jobs.chart_data import instant
from workers.jobs.series import TOTAL

SHOWN_POINTS = 400
SHOWN_DAYS = 12
_GROUPS = {"holiday: ": "holidays", "event: ": "events"}


def parts_of(data: ForecastData, forecast: Forecast, grain: Grain, period: Period | None = None) -> dict[str, Any] | None:
    """{"parts": [{"name", "history", "ahead"}], "days": [{"name", "effect", "share", "ahead"}]} of the total; None when it cannot be taken apart.

    Points are in the metric's unit and add up to the value. days: the mean effect of a holiday or event on its days, the largest first,
    and what those that lie ahead add to the forecast, within `period` where one was asked for.
    """
    item = input_of(data.history[TOTAL], data, grain)
    try:
        found = decompose(item, forecast)
    except AppError:
        return None
    at = found.times[-SHOWN_POINTS:]
    past, ahead = _grouped(found.parts), _grouped(found.ahead)
    parts = [
        {
            "name": name,
            "history": [{"t": instant(t), "v": float(v)} for t, v in zip(at, values[-SHOWN_POINTS:], strict=True)],
            "ahead": [{"t": instant(t), "v": float(v)} for t, v in zip(forecast.times, ahead.get(name, ()), strict=False)],
        }
        for name, values in past.items()
    ]
    wall = to_wall_clock(forecast.times, item.time_zone)
    counts = np.ones(wall.shape[0], dtype=np.bool_)
    if period is not None:
        counts = (wall >= np.datetime64(period.start, "ns")) & (wall < np.datetime64(period.end, "ns"))
    return {"parts": parts, "days": days_of(found, counts)}


def _grouped(parts: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """All holidays as one part, all events as another."""
    found: dict[str, FloatArray] = {}
    for name, values in parts.items():
        group = next((label for prefix, label in _GROUPS.items() if name.startswith(prefix)), name)
        found[group] = found[group] + values if group in found else values
    return {name: found[name] for name in [*(n for n in found if n != "rest"), *(n for n in found if n == "rest")]}


def days_of(found: Decomposition, counts: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """counts: (h,) the steps ahead that were asked about."""
    days = []
    for name, values in found.parts.items():
        prefix = next((p for p in _GROUPS if name.startswith(p)), None)
        touched = np.flatnonzero(values)
        if prefix is None or not touched.size:
            continue
        effect = float(values[touched].mean())
        without = float((found.total[touched] - values[touched]).mean())
        days.append(
            {
                "name": name.removeprefix(prefix),
                "kind": _GROUPS[prefix],
                "effect": effect,
                "share": effect / without if without else None,
                "ahead": float(found.ahead[name][counts].sum()) if name in found.ahead else 0.0,
            }
        )
    return sorted(days, key=lambda day: -abs(float(str(day["effect"]))))[:SHOWN_DAYS]
