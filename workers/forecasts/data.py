"""The series of a forecast job: the measure's parts by segment, on one grid of whole buckets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import NotEnoughData, UserError
from core.timeseries import FloatArray, Grain, TimeArray, TimeSeries
from semantic.catalog.model import Catalog
from semantic.expr import Predicate
from semantic.query import Measure
from semantic.states import OutputColumn
from workers.forecasts.formula import Formula, Part, formula_of
from workers.forecasts.partial import Coverage, PartialBucket, coverage, following_times, needs_days, split
from workers.jobs.querying import Asking, Receipt
from workers.jobs.series import TOTAL, Fetched, Segment, fetch_series
from workers.kinds import SeriesParams

OTHER = "other"
MIN_BUCKETS = 3
SUM_TOLERANCE = 0.002
"""Segments whose sum is this close to the whole, relative to it, are its parts; rounding of stored decimals is far below."""


@dataclass(frozen=True, slots=True)
class ForecastData:
    """order: series ids, the total first. parts: per part of the formula, series id -> whole buckets. history: of the measure itself.

    future: (horizon,) the bucket starts to forecast, one grid for all. adds_up: whether segments add up to the total in every part.
    """

    formula: Formula
    order: tuple[str, ...]
    segments: Mapping[str, Segment]
    parts: tuple[Mapping[str, TimeSeries], ...]
    history: Mapping[str, TimeSeries]
    partial: Mapping[str, PartialBucket]
    future: TimeArray
    covered: Coverage
    adds_up: bool
    measure: OutputColumn
    catalog: Catalog
    receipt: Receipt
    left_out: int
    notes: tuple[str, ...]

    @property
    def last(self) -> np.datetime64:
        """Start of the last whole bucket."""
        return np.datetime64(self.history[TOTAL].times[-1])


def fetch_data(
    context: Asking,
    params: SeriesParams,
    horizon_steps: int,
    *,
    until: dt.datetime | None = None,
    narrow: Predicate | None = None,
    in_parts: bool = True,
) -> ForecastData:
    """Everything that the forecast of `params` needs. until: forecast at least up to this wall-clock time (exclusive).

    narrow: limits which segments, not the whole. in_parts False: a ratio is taken as one series, as a custom model wants it.

    Raises: UserError for what cannot be asked or forecast; NotEnoughData `no_rows` and `too_short`; Unavailable.
    """
    catalog = context.services.catalog(context.tenant)
    formula = formula_of(params.asked, catalog)
    if not in_parts and not formula.is_plain:
        formula = Formula((params.asked,), Part(0), adds_up=False)
    if formula.is_plain:
        whole = fetch_series(context, params, narrow=narrow)
        fetched = [whole]
    else:
        whole = fetch_series(context, params.model_copy(update={"segments": ()}))
        fetched = [fetch_series(context, _of(params, part), narrow=narrow) for part in formula.parts]
    days = _days(context, params, formula.parts[0]) if needs_days(params.grain) else None
    calendar, zone_free = catalog.calendar, whole.series[0]
    covered = coverage(zone_free.times, params.grain, calendar, context.as_of, days.series[0] if days else None)
    covered = _common(covered, fetched)
    history, partial = split(zone_free, covered)
    _check_length(history, params)
    parts = tuple({s.series_id: _trimmed(split(s, covered)[0], formula) for s in f.series} for f in fetched)
    order, segments = _order(fetched, params.max_series)
    parts = tuple(_complete(part, order, history.times) for part in parts)
    notes = [*whole.notes]
    left_out = max(f.left_out for f in fetched)
    adds_up = formula.adds_up and len(order) > 1 and all(_sums(part, order, strict=left_out == 0) for part in parts)
    if adds_up and left_out:
        parts = tuple({**part, OTHER: _rest(part, order)} for part in parts)
        order, segments = (*order, OTHER), {**segments, OTHER: Segment(OTHER, f"Other ({left_out})", {})}
    elif len(order) > 1 and not adds_up:
        notes.append("The segments do not add up to the whole (they overlap or are not sums), so each is forecast for itself.")
    histories = {TOTAL: history}
    partials = {TOTAL: partial} if partial else {}
    for series_id in order:
        if series_id != TOTAL:
            histories[series_id] = _evaluated(formula, parts, series_id)
            if formula.is_plain and series_id != OTHER:
                found = split(next(s for s in fetched[0].series if s.series_id == series_id), covered)[1]
                partials |= {series_id: found} if found else {}
    return ForecastData(
        formula=formula,
        order=order,
        segments=segments,
        parts=parts,
        history=histories,
        partial=partials,
        future=_future(history, params.grain, horizon_steps, until),
        covered=covered,
        adds_up=adds_up,
        measure=whole.measure,
        catalog=whole.catalog,
        receipt=_receipt([whole, *([] if formula.is_plain else fetched), *([days] if days else [])]),
        left_out=0 if adds_up else left_out,
        notes=tuple(notes),
    )


def _of(params: SeriesParams, part: Measure) -> SeriesParams:
    return SeriesParams(
        measure=part, where=params.where, time=params.time, segments=params.segments, grain=params.grain, max_series=params.max_series
    )


def _days(context: Asking, params: SeriesParams, part: Measure) -> Fetched | None:
    """The measure by day; None where that cannot be asked."""
    try:
        return fetch_series(context, _of(params, part).model_copy(update={"grain": Grain.DAY, "segments": ()}))
    except UserError:
        return None


def _common(covered: Coverage, fetched: Sequence[Fetched]) -> Coverage:
    """The span that all parts have data for."""
    first = max([covered.first, *(f.series[0].times[0] for f in fetched)])
    lasts = [f.series[0].times[f.series[0].times < covered.end] for f in fetched]
    if len(fetched) == 1 or any(not times.size for times in lasts):
        return replace(covered, first=first)
    earliest, latest = min(times[-1] for times in lasts), max(times[-1] for times in lasts)
    return replace(covered, first=first, end=covered.end if earliest == latest else earliest + np.timedelta64(1, "ns"))


def _check_length(history: TimeSeries, params: SeriesParams) -> None:
    found = int(np.isfinite(history.values).sum())
    if found < MIN_BUCKETS:
        finer = {"year": "month", "quarter": "month", "month": "week", "week": "day"}.get(params.grain.value)
        hint = f"take a finer grain such as {finer}, or widen time and filter" if finer else "widen time and filter"
        raise NotEnoughData(
            f"Expected {MIN_BUCKETS} complete {params.grain.value}s or more to forecast from; found {found}; {hint}.", code="too_short"
        )


def _trimmed(series: TimeSeries, formula: Formula) -> TimeSeries:
    """Without the zeros before the first sale: what did not exist yet says nothing about what comes."""
    if not formula.adds_up or series.series_id == TOTAL:
        return series
    begun = np.flatnonzero(series.values != 0)
    first = int(begun[0]) if begun.size else 0
    return replace(series, times=series.times[first:], values=series.values[first:])


def _order(fetched: Sequence[Fetched], most: int) -> tuple[tuple[str, ...], dict[str, Segment]]:
    segments: dict[str, Segment] = {}
    for one in fetched:
        for series in one.series:
            segments.setdefault(series.series_id, one.segments[series.series_id])
    order = tuple(segments)[: most + 1]
    return order, {series_id: segments[series_id] for series_id in order}


def _complete(part: Mapping[str, TimeSeries], order: Sequence[str], times: TimeArray) -> dict[str, TimeSeries]:
    """A segment that this part has no row of is zero throughout."""
    zeros = np.zeros(times.shape[0])
    return {i: part[i] if i in part and len(part[i]) else TimeSeries(i, times, zeros, part[TOTAL].grain) for i in order}


def _on(times: TimeArray, series: TimeSeries) -> FloatArray:
    """(n,) the series at these times, 0 where it has none."""
    place = np.clip(np.searchsorted(series.times, times), 0, max(len(series) - 1, 0))
    found = series.times[place] == times
    return np.where(found, np.nan_to_num(series.values[place]), 0.0)


def _sums(part: Mapping[str, TimeSeries], order: Sequence[str], *, strict: bool) -> bool:
    total = part[TOTAL]
    added = np.sum([_on(total.times, part[i]) for i in order if i != TOTAL], axis=0)
    scale = float(np.nansum(np.abs(total.values))) or 1.0
    missing = np.nan_to_num(total.values) - added
    return bool((np.abs(missing).sum() if strict else -np.minimum(missing, 0).sum()) <= SUM_TOLERANCE * scale)


def _rest(part: Mapping[str, TimeSeries], order: Sequence[str]) -> TimeSeries:
    total = part[TOTAL]
    added = np.sum([_on(total.times, part[i]) for i in order if i != TOTAL], axis=0)
    return replace(total, series_id=OTHER, values=np.maximum(np.nan_to_num(total.values) - added, 0.0))


def _evaluated(formula: Formula, parts: Sequence[Mapping[str, TimeSeries]], series_id: str) -> TimeSeries:
    if formula.is_plain:
        return parts[0][series_id]
    times = parts[0][TOTAL].times
    return TimeSeries(series_id, times, formula.evaluate([_on(times, part[series_id]) for part in parts]), parts[0][TOTAL].grain)


def _future(history: TimeSeries, grain: Grain, steps: int, until: dt.datetime | None) -> TimeArray:
    times = following_times(np.datetime64(history.times[-1]), grain, steps)
    if until is None:
        return times
    end = np.datetime64(until, "ns")
    count = steps
    while times[-1] < end and count < 2000:
        count = count + max(1, count // 2)
        times = following_times(np.datetime64(history.times[-1]), grain, count)
    kept: TimeArray = times[: max(steps, int((times < end).sum()))]
    return kept


def _receipt(fetched: Sequence[Fetched]) -> Receipt:
    first = fetched[0].receipt
    sql = tuple(dict.fromkeys(text for f in fetched for text in f.receipt.sql))
    return replace(first, sql=sql, rows_read=sum(f.receipt.rows_read for f in fetched))
