"""Fetches the series that a forecast or a detection works on: through the guard, with the rights of the job's user."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.errors import NotEnoughData
from core.timeseries import FloatArray, TimeArray, TimeSeries
from semantic.catalog.model import Catalog, SimpleMetric
from semantic.catalog.visible import visible_to
from semantic.expr import And, Predicate
from semantic.query import Aggregate, AggregateKind, ByField, ByTime, MetricRef, SemanticQuery
from semantic.states import OutputColumn, ResultTable
from workers.jobs.querying import Asking, Receipt, receipt_of, run_query
from workers.kinds import SeriesParams

TOTAL = "total"
_ADDITIVE = (AggregateKind.COUNT, AggregateKind.COUNT_DISTINCT, AggregateKind.SUM)


@dataclass(frozen=True, slots=True)
class Segment:
    """`id` is unique among a job's series: "total", or the values as JSON; `values` by field, empty for the total."""

    id: str
    label: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """series: the total first, then segments from the largest to the smallest by sum of absolute values.

    measure: how the numbers are to be shown. left_out: segments beyond `max_series`.
    """

    series: tuple[TimeSeries, ...]
    segments: Mapping[str, Segment]
    measure: OutputColumn
    catalog: Catalog
    receipt: Receipt
    left_out: int
    notes: tuple[str, ...]


def fetch_series(context: Asking, params: SeriesParams, *, narrow: Predicate | None = None) -> Fetched:
    """One series for the whole and one per combination of segment values; `narrow` limits which segments, not the whole.

    For counts and sums, a segment without rows in a bucket that the whole has rows in is 0 there; all else that is missing stays a gap.
    Raises: UserError for what cannot be asked; NotEnoughData without any row; TooLarge beyond 5 million points; Unavailable.
    """
    services = context.services
    catalog = services.catalog(context.tenant)
    visible = visible_to(catalog, context.principal)
    whole = run_query(context, catalog, visible, series_query(params, by_segment=False))
    frame = _frame(whole.result)
    if not frame["value"].notna().any():
        raise NotEnoughData("There is not a single value of this measure in the chosen time and filter; widen them.", code="no_rows")
    total = _series(TOTAL, frame, params)
    runs, segments = [whole], {TOTAL: Segment(TOTAL, "Total", {})}
    parts: list[TimeSeries] = []
    if params.segments:
        by_segment = run_query(context, catalog, visible, series_query(params, by_segment=True, narrow=narrow))
        runs.append(by_segment)
        fill = total.times if _is_additive(params, catalog) else None
        parts, named = _split(by_segment.result, params, fill)
        segments |= named
    parts.sort(key=lambda item: (-float(np.nansum(np.abs(item.values))), item.series_id))
    kept = parts[: params.max_series]
    return Fetched(
        series=(total, *kept),
        segments={item.series_id: segments[item.series_id] for item in (total, *kept)},
        measure=next(column for column in whole.result.columns if column.role == "measure"),
        catalog=visible,
        receipt=receipt_of(context, catalog, runs),
        left_out=len(parts) - len(kept),
        notes=whole.guarded.notes,
    )


def segment_id(values: Sequence[str]) -> str:
    """A segment's id among a job's series."""
    return json.dumps(list(values), ensure_ascii=False)


def segment_values(column: Sequence[Any]) -> list[str]:
    """A segment field's values as they are named; a missing one is "(none)"."""
    return ["(none)" if value is None else str(value) for value in column]


def series_query(params: SeriesParams, *, by_segment: bool, narrow: Predicate | None = None) -> SemanticQuery:
    """What is asked for the whole, or by segment."""
    where = params.where if narrow is None else narrow if params.where is None else And(items=(params.where, narrow))
    groups = [ByField(field=field) for field in params.segments] if by_segment else []
    return SemanticQuery(metrics=(params.asked,), by=(ByTime(grain=params.grain), *groups), where=where, time=params.time)


def _frame(result: ResultTable) -> pd.DataFrame:
    """Columns time (datetime64[ns], UTC, naive), value (float64) and one text column per segment field: segment_0 ..."""
    columns: dict[str, Any] = {}
    count = 0
    for position, column in enumerate(result.columns):
        data = result.table.column(position)
        if column.role == "time":
            times = pd.to_datetime(pd.Series(data.to_pandas()), utc=True)
            columns["time"] = times.dt.tz_localize(None).astype("datetime64[ns]")
        elif column.role == "measure":
            columns["value"] = pd.to_numeric(pd.Series(data.to_pandas()), errors="coerce").astype("float64")
        elif column.role in ("dimension", "key", "attribute"):
            columns[f"segment_{count}"] = segment_values(data.to_pylist())
            count += 1
    return pd.DataFrame(columns).dropna(subset=["time"]).sort_values("time", kind="stable")


def _series(series_id: str, frame: pd.DataFrame, params: SeriesParams) -> TimeSeries:
    times: TimeArray = frame["time"].to_numpy(dtype="datetime64[ns]")
    values: FloatArray = frame["value"].to_numpy(dtype=np.float64)
    return TimeSeries(series_id=series_id, times=times, values=values, grain=params.grain)


def _split(result: ResultTable, params: SeriesParams, fill: TimeArray | None) -> tuple[list[TimeSeries], dict[str, Segment]]:
    frame = _frame(result)
    fields = [f"segment_{i}" for i in range(len(params.segments))]
    made: list[TimeSeries] = []
    segments: dict[str, Segment] = {}
    for values, rows in frame.groupby(fields, sort=True, dropna=False):
        found = tuple(str(value) for value in (values if isinstance(values, tuple) else (values,)))
        series_id = segment_id(found)
        named = {str(field): value for field, value in zip(params.segments, found, strict=True)}
        segments[series_id] = Segment(series_id, " / ".join(found), named)
        series = _series(series_id, rows, params)
        made.append(series if fill is None else _zero_filled(series, fill))
    return made, segments


def _zero_filled(series: TimeSeries, times: TimeArray) -> TimeSeries:
    """`series` at each of `times` (sorted, unique): its own value where it has one, else 0."""
    position = np.searchsorted(times, series.times)
    inside = position < len(times)
    inside[inside] = times[position[inside]] == series.times[inside]
    values = np.zeros(len(times))
    values[position[inside]] = series.values[inside]
    return replace(series, times=times, values=values)


def _is_additive(params: SeriesParams, catalog: Catalog) -> bool:
    """Whether a bucket without rows means zero: counts and sums, not averages or ratios."""
    measure = params.asked
    if isinstance(measure, Aggregate):
        return measure.aggregate in _ADDITIVE
    if isinstance(measure, MetricRef):
        metric = catalog.metric(measure.metric)
        return isinstance(metric, SimpleMetric) and metric.aggregate in _ADDITIVE
    return False
