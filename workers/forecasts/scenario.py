"""What if a driver grew: the same forecast with another future of one metric that the past moved with. Refused where the past shows no effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import Invalid, NotEnoughData, UserError
from core.timeseries import FloatArray, Grain, TimeSeries
from forecasting.decomposition import decompose
from forecasting.engine import forecast
from forecasting.types import Forecast
from semantic.query import MetricRef
from workers.forecasts.data import ForecastData
from workers.forecasts.making import Driver, input_of
from workers.jobs.chart_data import instant
from workers.jobs.querying import Asking
from workers.jobs.series import TOTAL, fetch_series
from workers.kinds import ForecastParams, ScenarioParams, SeriesParams

MIN_POINTS = 60
OUTSIDE = 1.25
"""A driver pushed this far above anything seen is a guess, and said to be one."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """points: (h,) what comes with the driver changed; base: without. effect_per_percent: of the whole horizon."""

    driver: str
    label: str
    change_percent: float
    times: np.ndarray
    base: FloatArray
    points: FloatArray
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        base, changed = float(self.base.sum()), float(self.points.sum())
        return {
            "driver": self.driver,
            "label": self.label,
            "change_percent": self.change_percent,
            "forecast": [{"t": instant(t), "v": float(v)} for t, v in zip(self.times, self.points, strict=True)],
            "base": base,
            "changed": changed,
            "difference": changed - base,
            "percent": (changed / base - 1) * 100 if base else None,
            "notes": list(self.notes),
        }


def run_scenario(
    context: Asking, params: ForecastParams, data: ForecastData, made: Sequence[Mapping[str, Forecast]], grain: Grain
) -> Scenario:
    """Raises: NotFound for an unknown driver; Invalid `bad_driver`; UserError `no_driver_effect`; NotEnoughData `driver_too_short`."""
    asked = params.scenario
    if asked is None:
        raise Invalid("No scenario was asked for.", code="bad_driver")
    metric = data.catalog.metric(asked.driver)
    if asked.driver == params.metric:
        raise Invalid(f"{metric.label.capitalize()} cannot drive itself; name another metric.", code="bad_driver")
    driver, notes = _driver(context, params, asked, data, grain)
    factor = 1 + asked.change_percent / 100
    base, changed, moved = [], [], False
    for part, series, forecasts in zip(data.formula.parts, data.parts, made, strict=True):
        own = forecasts[TOTAL]
        base.append(own.mean)
        if isinstance(part, MetricRef) and part.metric == asked.driver:
            changed.append(own.mean * factor)
            moved = True
            continue
        effect = _effect(series[TOTAL], data, grain, driver, factor)
        moved = moved or effect is not None
        changed.append(own.mean if effect is None else own.mean * effect if (own.mean > 0).all() else own.mean)
    if not moved:
        raise UserError(
            f"The past shows no effect of {metric.label} on this measure at a {grain.value}'s grain that could be told from chance, "
            "so a scenario would be made up. Try another driver or filter, or ask for the forecast without it.",
            code="no_driver_effect",
            status=422,
        )
    highest = float(np.nanmax(driver.past.values))
    if float(driver.future.max()) * factor > OUTSIDE * highest:
        notes.append(f"{metric.label.capitalize()} would be well above anything seen so far, where its effect is unknown.")
    notes.append(
        f"How {metric.label} and this measure moved together in the past, on the same {grain.value}, is carried on; "
        "that one causes the other is an assumption, and effects that come later are not counted."
    )
    base_value, changed_value = data.formula.evaluate(base), data.formula.evaluate(changed)
    total, moved_to = float(np.nansum(base_value)), float(np.nansum(changed_value))
    if total and abs(moved_to / total - 1) > abs(factor - 1):
        notes.append(
            f"It moved more than in proportion to {metric.label}: both probably follow demand, so take this as the most that could come of it."
        )
    return Scenario(
        driver=asked.driver,
        label=metric.label,
        change_percent=asked.change_percent,
        times=made[0][TOTAL].times,
        base=base_value,
        points=changed_value,
        notes=tuple(notes),
    )


def _driver(context: Asking, params: ForecastParams, asked: ScenarioParams, data: ForecastData, grain: Grain) -> tuple[Driver, list[str]]:
    """The driver's past and its own forecast, narrowed like the measure where that is possible."""
    notes: list[str] = []
    wanted = SeriesParams(metric=asked.driver, where=params.where, time=params.time, grain=grain)
    try:
        found = fetch_series(context, wanted)
    except UserError:
        if params.where is None:
            raise
        found = fetch_series(context, wanted.model_copy(update={"where": None}))
        notes.append(f"The filter does not apply to {asked.driver}, so the whole of it was taken.")
    series = found.series[0]
    whole = (series.times >= data.covered.first) & (series.times < data.covered.end)
    past = replace(series, times=series.times[whole], values=series.values[whole])
    if len(past) < MIN_POINTS or float(np.nanstd(past.values)) == 0:
        raise NotEnoughData(
            f"Expected {MIN_POINTS} {grain.value}s or more of {asked.driver} that vary; found {len(past)}.", code="driver_too_short"
        )
    future = forecast(input_of(past, data, grain)).mean
    return Driver(f"driver: {asked.driver}", past, future), notes


def _effect(series: TimeSeries, data: ForecastData, grain: Grain, driver: Driver, factor: float) -> FloatArray | None:
    """(h,) forecast with the changed driver relative to the forecast with the expected one; None when the engine keeps no effect."""
    expected = input_of(series, data, grain, driver)
    base = forecast(expected)
    if driver.name not in decompose(expected, base).parts:
        return None
    changed = forecast(input_of(series, data, grain, replace(driver, future=driver.future * factor)))
    return np.asarray(changed.mean / np.where(base.mean == 0, 1.0, base.mean))
