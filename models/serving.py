"""A promoted custom model in the engine's place: the same inputs, the same kind of forecasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from core.errors import UserError
from core.timeseries import FloatArray, TimeArray
from forecasting.engine import LEVELS, forecast_many
from forecasting.grid import time_at
from forecasting.local_time import to_utc
from forecasting.prepare import Prepared, prepare
from forecasting.types import Forecast, ForecastInput
from models.conformance.made_up import SEASON_STEPS, future, history
from models.conformance.subject import Subject
from models.sdk.card import ModelCard
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed
from models.sdk.schemas import FORECAST, check_schema
from models.sdk.tables import per_series

BATCH_SERIES = 50
_COLUMNS = ("mean", "lower_80", "upper_80", "lower_95", "upper_95")
_Z = {80: NormalDist().inv_cdf(0.9), 95: NormalDist().inv_cdf(0.975)}


@dataclass(frozen=True, slots=True)
class Ready:
    """One series as the contract wants it. times (n,), ahead (h,): UTC; values (n,): NaN in gaps."""

    name: str
    times: TimeArray
    values: FloatArray
    ahead: TimeArray


def ready(item: ForecastInput) -> Ready:
    """Raises: Invalid, NotEnoughData, as the engine does for what cannot be forecast."""
    series: Prepared = prepare(item, closed_as_zeros=True)
    n = series.raw.shape[0]
    times = to_utc(time_at(np.arange(n), series.start, series.step), item.time_zone)
    return Ready(item.series.series_id, times, series.raw, series.future_times)


def ask(subject: Subject, card: ModelCard, items: Sequence[Ready], item: ForecastInput) -> dict[str, dict[str, FloatArray]]:
    """series -> column -> (h,), checked: finite, ordered, one row per step. item: whose grain and calendar stand for all.

    Raises: ModelFailed, also for an answer that does not fit; Unavailable.
    """
    assert item.series.grain is not None
    grain = item.series.grain.value
    context = Context(grain, SEASON_STEPS.get(grain, 1), card.seed, item.time_zone, item.country)
    names = {f"s{position}": one for position, one in enumerate(items)}  # a model need not know what our segments are called
    asked = future({name: one.ahead for name, one in names.items()})
    table = subject.run({"history": history({name: (one.times, one.values) for name, one in names.items()}), "future": asked}, context)
    try:
        check_schema(table, FORECAST, "The model's answer")
    except ValueError as error:
        raise ModelFailed(str(error)) from error
    same = table.num_rows == asked.num_rows and all(
        table.column(name).combine_chunks().equals(asked.column(name).combine_chunks()) for name in ("series_id", "time")
    )
    if not same:
        raise ModelFailed(f"The model answered {table.num_rows} rows for {asked.num_rows} asked for, or others than those.")
    found: dict[str, dict[str, FloatArray]] = {}
    start = 0
    for name, times, _ in per_series(asked):
        part = table.slice(start, len(times))
        columns = {column: np.asarray(part.column(column).to_numpy(zero_copy_only=False), np.float64) for column in _COLUMNS}
        if not all(np.isfinite(numbers).all() for numbers in columns.values()):
            raise ModelFailed("The model answered numbers that are not finite.")
        ordered = [columns[column] for column in ("lower_95", "lower_80", "mean", "upper_80", "upper_95")]
        slack = 1e-9 * np.abs(columns["mean"]) + 1e-12
        if any((low > high + slack).any() for low, high in pairwise(ordered)):
            raise ModelFailed("The model's intervals are crossed.")
        found[names[name].name] = columns
        start += len(times)
    return found


def forecast_with(
    subject: Subject,
    card: ModelCard,
    label: str,
    inputs: Sequence[ForecastInput],
    *,
    levels: tuple[int, ...] = LEVELS,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Forecast]:
    """Forecasts in the order of `inputs`. label: `name/version`, which each forecast names as its model.

    Series that the model cannot serve (too short, too far, of a grain it does not know) and batches on which it fails are forecast by
    Querent's own engine; their `fallback` says why. Raises: Unavailable; what on_progress raises.
    """
    made: dict[int, Forecast] = {}
    reasons: dict[int, str] = {}
    able: list[tuple[int, Ready]] = []
    for row, item in enumerate(inputs):
        try:
            one = ready(item)
        except UserError as error:
            reasons[row] = error.message
            continue
        why = _unable(one, item, card)
        if why is None:
            able.append((row, one))
        else:
            reasons[row] = why
    for start in range(0, len(able), BATCH_SERIES):
        batch = able[start : start + BATCH_SERIES]
        try:
            found = ask(subject, card, [one for _, one in batch], inputs[batch[0][0]])
        except ModelFailed as error:
            subject.fresh()
            reasons |= {row: error.message for row, _ in batch}
            continue
        made |= {row: _forecast(one, found[one.name], label, levels) for row, one in batch}
        if on_progress is not None:
            on_progress(min(len(inputs), start + len(batch)), len(inputs))
    rest = sorted(reasons)
    own = forecast_many([inputs[row] for row in rest], levels=levels) if rest else []
    made |= {row: _instead(forecast, label, reasons[row]) for row, forecast in zip(rest, own, strict=True)}
    if on_progress is not None:
        on_progress(len(inputs), len(inputs))
    return [made[row] for row in range(len(inputs))]


def without_custom(
    inputs: Sequence[ForecastInput],
    label: str,
    reason: str,
    levels: tuple[int, ...] = LEVELS,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Forecast]:
    """Querent's own forecasts where the custom model cannot be had at all; each says why."""
    return [_instead(forecast, label, reason) for forecast in forecast_many(inputs, levels=levels, on_progress=on_progress)]


def _instead(forecast: Forecast, label: str, reason: str) -> Forecast:
    note = f"Model {label} did not serve this series: {reason} Querent's own model did."
    return replace(forecast, fallback=f"instead of {label}: {reason}"[:500], notes=(*forecast.notes, note))


def _unable(one: Ready, item: ForecastInput, card: ModelCard) -> str | None:
    if item.series.grain is None or item.series.grain.value not in card.grains:
        return "It does not serve this grain."
    if len(one.values) < card.min_history:
        return f"It needs {card.min_history} steps of history; there are {len(one.values)}."
    if len(one.ahead) > card.horizon:
        return f"It forecasts at most {card.horizon} steps; {len(one.ahead)} were asked for."
    return None


def _forecast(one: Ready, columns: dict[str, FloatArray], label: str, levels: tuple[int, ...]) -> Forecast:
    mean = columns["mean"]
    low = {level: _bound(columns, "lower", level) for level in levels}
    high = {level: _bound(columns, "upper", level) for level in levels}
    return Forecast(one.name, one.ahead, mean, low, high, model=label, notes=(f"Forecast by {label}.",))


def _bound(columns: dict[str, FloatArray], side: str, level: int) -> FloatArray:
    """A level that the contract does not have is scaled from its nearest one, as if errors were normal."""
    if level in _Z:
        return columns[f"{side}_{level}"]
    near = 80 if level < 88 else 95
    ratio = NormalDist().inv_cdf(0.5 + level / 200) / _Z[near]
    return np.asarray(columns["mean"] + ratio * (columns[f"{side}_{near}"] - columns["mean"]))
