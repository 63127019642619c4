"""What a rule looks at: its series, fetched through the guard once for all rules that look at the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from anomaly.prepare import bucket_ends, step_seconds
from core.errors import Invalid
from core.timeseries import FloatArray, Grain, TimeArray, TimeSeries
from semantic.catalog.model import Catalog, CumulativeMetric, DerivedMetric, RatioMetric, SimpleMetric
from semantic.compile import compile_query
from semantic.expr import Absolute
from semantic.query import Aggregate, AggregateKind, ByTime, MetricRef, SemanticQuery, TimeWindow
from semantic.resolve.resolve import resolve
from semantic.states import OutputColumn
from workers.alerts.bands import Band, fetch_bands
from workers.alerts.rule import AnomalyRule, AnyRule, Completeness, ForecastRule, GoalRule
from workers.alerts.timing import history_start
from workers.jobs.dimensions import is_additive
from workers.jobs.querying import Asking, Receipt, run_query
from workers.jobs.series import Segment, fetch_series, series_query
from workers.kinds import SeriesParams

SAME_SLOT = {Grain.MINUTE: 10_080, Grain.HOUR: 168, Grain.DAY: 7, Grain.WEEK: 1, Grain.MONTH: 1}
SLOTS_BEFORE = 4
MOST_VOLUMES = 1000
NO_SUM = (AggregateKind.AVG, AggregateKind.MEDIAN, AggregateKind.QUANTILE, AggregateKind.MIN, AggregateKind.MAX)


@dataclass(frozen=True, slots=True)
class Look:
    """What is fetched; rules with an equal look share it."""

    metric: str
    where: str
    segments: tuple[str, ...]
    max_segments: int
    grain: Grain
    with_volumes: bool = False
    band_level: int = 0
    together: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: AnyRule) -> Look:
        where = "" if rule.where is None else rule.where.model_dump_json()
        level = rule.level if isinstance(rule, ForecastRule) else 0
        segments = tuple(map(str, rule.segments))
        together = rule.together if isinstance(rule, AnomalyRule) else ()
        return cls(rule.metric, where, segments, rule.max_segments, Grain(rule.grain), rule.min_volume > 0, level, together)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows per bucket of one table that the metric is made of. times (n,), counts (n,)."""

    times: TimeArray
    counts: FloatArray
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """series: the whole first, then segments. All times are UTC bucket starts as loaded; `zone` is the calendar's.

    volumes: of a ratio, the denominator of each series by its id, when a minimum volume was asked for. bands: what was forecast, by series.
    company: the metrics that the whole is judged together with. adds_up: whether values of several buckets may be summed.
    """

    series: tuple[TimeSeries, ...]
    segments: Mapping[str, Segment]
    measure: OutputColumn
    rows: tuple[RowCounts, ...]
    grain: Grain
    zone: str
    country: str | None
    receipt: Receipt
    left_out: int
    volumes: Mapping[str, TimeSeries] = field(default_factory=dict)
    bands: Mapping[str, Band] = field(default_factory=dict)
    company: tuple[TimeSeries, ...] = ()
    adds_up: bool = True


def fetch_history(asking: Asking, rule: AnyRule, *, counted: bool = True) -> History:
    """Raises: UserError for what cannot be asked; NotEnoughData without any row; Unavailable."""
    grain = Grain(rule.grain)
    window = _window(grain, asking.as_of)
    params = _params(rule, window)
    fetched = fetch_series(asking, params)
    whole = asking.services.catalog(asking.tenant)
    tables = fact_datasets(whole, rule.metric) if counted and rule.completeness.min_rows_share > 0 else ()
    calendar = fetched.catalog.calendar
    return History(
        series=fetched.series,
        segments=fetched.segments,
        measure=fetched.measure,
        rows=tuple(counts for name in tables if (counts := _row_counts(asking, whole, name, grain, window)) is not None),
        grain=grain,
        zone=calendar.time_zone,
        country=calendar.country,
        receipt=fetched.receipt,
        left_out=fetched.left_out,
        volumes=_volumes(asking, whole, rule, params),
        bands=fetch_bands(asking, rule) if isinstance(rule, ForecastRule) else {},
        company=_company(asking, rule, params),
        adds_up=is_additive(whole, MetricRef(metric=rule.metric)),
    )


def _params(rule: AnyRule, window: TimeWindow) -> SeriesParams:
    return SeriesParams(
        metric=rule.metric, where=rule.where, segments=rule.segments, grain=Grain(rule.grain), max_series=rule.max_segments, time=window
    )


def _window(grain: Grain, as_of: dt.datetime) -> TimeWindow:
    start = history_start(grain, as_of)
    return TimeWindow(window=Absolute(start=start.date() if grain is not Grain.MINUTE else start, end=as_of))


def refuse_what_cannot_be_asked(rule: AnyRule, visible: Catalog, as_of: dt.datetime) -> None:
    """Before a rule is kept: its metrics, filter, segments and grain make queries that the catalog allows. Nothing is run.

    Raises: UserError that says what cannot be asked.
    """
    metric = visible.metric(rule.metric)
    if isinstance(rule, GoalRule) and (isinstance(metric, RatioMetric) or getattr(metric, "aggregate", None) in NO_SUM):
        raise Invalid(
            f"A goal is reached by adding up the days; {metric.label or metric.name} is a ratio or an average, whose days are no sum. "
            "Watch it with a limit instead.",
            code="goal_of_a_ratio",
        )
    params = _params(rule, _window(Grain(rule.grain), as_of))
    asked = [series_query(params, by_segment=False), *([series_query(params, by_segment=True)] if rule.segments else [])]
    for name in rule.together if isinstance(rule, AnomalyRule) else ():
        asked.append(series_query(params.model_copy(update={"metric": name, "segments": ()}), by_segment=False))
    for query in asked:
        compile_query(resolve(query, visible, as_of=as_of))


def _company(asking: Asking, rule: AnyRule, params: SeriesParams) -> tuple[TimeSeries, ...]:
    """The whole of each metric that the rule names beside its own, under the same filter."""
    names = rule.together if isinstance(rule, AnomalyRule) else ()
    return tuple(fetch_series(asking, params.model_copy(update={"metric": name, "segments": ()})).series[0] for name in names)


def _volumes(asking: Asking, catalog: Catalog, rule: AnyRule, params: SeriesParams) -> dict[str, TimeSeries]:
    """The denominators, where the rule asks for a minimum volume of a ratio."""
    if rule.min_volume == 0 or not isinstance(metric := catalog.metric(rule.metric), RatioMetric):
        return {}
    below = fetch_series(asking, params.model_copy(update={"metric": metric.denominator, "max_series": MOST_VOLUMES}))
    return {series.series_id: series for series in below.series}


def fact_datasets(catalog: Catalog, metric: str) -> tuple[str, ...]:
    """The datasets whose rows the metric is made of; for compound metrics those of all its parts."""
    found = catalog.metric(metric)
    if isinstance(found, SimpleMetric):
        return (found.dataset,)
    if isinstance(found, RatioMetric):
        parts: Sequence[str] = (found.numerator, found.denominator)
    elif isinstance(found, CumulativeMetric):
        parts = (found.metric,)
    elif isinstance(found, DerivedMetric):
        known = {m.name for m in catalog.metrics}
        parts = [name for name in re.findall(r"[A-Za-z_]\w*", found.expression) if name in known]
    return tuple(dict.fromkeys(name for part in parts for name in fact_datasets(catalog, part)))


def _row_counts(asking: Asking, catalog: Catalog, dataset: str, grain: Grain, window: TimeWindow) -> RowCounts | None:
    if catalog.dataset(dataset).time is None:
        return None
    from semantic.catalog.visible import visible_to

    count = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset)
    query = SemanticQuery(metrics=(count,), by=(ByTime(grain=grain),), time=window)
    result = run_query(asking, catalog, visible_to(catalog, asking.principal), query).result
    time = next(i for i, c in enumerate(result.columns) if c.role == "time")
    value = next(i for i, c in enumerate(result.columns) if c.role == "measure")
    known = [(row[time], row[value]) for row in result.rows() if row[time] is not None]
    times = np.array([_naive(at) for at, _ in known], "datetime64[ns]")
    counts = np.array([float(count or 0) for _, count in known], np.float64)
    order = np.argsort(times, kind="stable")
    return RowCounts(times[order], counts[order], dataset)


def _naive(at: dt.datetime | dt.date) -> np.datetime64:
    if isinstance(at, dt.datetime):
        return np.datetime64(at.astimezone(dt.UTC).replace(tzinfo=None) if at.tzinfo else at, "ns")
    return np.datetime64(at, "ns")


def judged_until(history: History, completeness: Completeness, *, delay: dt.timedelta, now: dt.datetime) -> dt.datetime:
    """Buckets that end at or before this are judged: complete since `delay`, and not waiting for rows that come late."""
    until = now - delay
    times = history.series[0].times
    if not len(times):
        return until
    step = step_seconds(times, history.grain)
    for position in range(len(times) - 1, max(-1, len(times) - 2 - completeness.wait_buckets), -1):
        end = as_utc(bucket_ends(times[position : position + 1], history.grain, step)[0])
        waited = now - delay - end
        too_long = waited >= completeness.wait_buckets * dt.timedelta(seconds=step)
        if end > until or too_long:
            continue
        if any(_short_of_rows(counts, times[position], history.grain, completeness.min_rows_share) for counts in history.rows):
            until = min(until, end - dt.timedelta(seconds=1))
    return until


def _short_of_rows(rows: RowCounts, at: np.datetime64, grain: Grain, share: float) -> bool:
    """The bucket has fewer rows than `share` of the median of the same slot of four seasons before."""
    found, usual = usual_rows(rows, at, grain)
    return len(usual) == SLOTS_BEFORE and bool(found < share * np.median(usual))


def usual_rows(rows: RowCounts, at: np.datetime64, grain: Grain) -> tuple[float, FloatArray]:
    """Rows of the bucket, and of the same slot (weekday, hour of week) of up to four seasons before."""
    position = int(np.searchsorted(rows.times, at))
    found = rows.counts[position] if position < len(rows.times) and rows.times[position] == at else 0.0
    back = position - SAME_SLOT[grain] * np.arange(1, SLOTS_BEFORE + 1)
    return float(found), rows.counts[back[back >= 0]]


def stretch(grain: Grain, start: dt.datetime, end: dt.datetime) -> TimeWindow:
    """From start to end, as hours or as days."""
    if grain in (Grain.MINUTE, Grain.HOUR):
        return TimeWindow(window=Absolute(start=start, end=end))
    return TimeWindow(window=Absolute(start=start.date(), end=end.date()))


def cut(series: TimeSeries, until: dt.datetime) -> TimeSeries:
    """Only the buckets that end at or before `until`."""
    ends = bucket_ends(series.times, series.grain, step_seconds(series.times, series.grain))
    keep = ends <= np.datetime64(int(until.timestamp() * 1_000_000), "us")
    return series if keep.all() else replace(series, times=series.times[keep], values=series.values[keep])


def as_utc(at: object) -> dt.datetime:
    """An aware datetime from datetime64."""
    moment: dt.datetime = np.datetime64(at, "us").astype(dt.datetime)  # type: ignore[call-overload]
    return moment.replace(tzinfo=dt.UTC)
