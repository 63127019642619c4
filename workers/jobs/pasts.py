"""Fetches what a scan looks at: a metric's periods, its days, its segments, its goals and the events of the calendar."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import NotFound, UserError
from core.ids import JobId
from core.store import findings
from core.store import goals as stored_goals
from core.store.findings import ForecastEntry
from core.timeseries import FloatArray, Grain
from insights.past import SHORT_SEASONS, Days, Event, Goal, MetricPast
from insights.periods import period_of
from insights.types import Period, Quantity
from semantic.expr import Absolute, FieldRef, Predicate
from semantic.query import ByField, ByTime, Measure, MetricRef, Order, SemanticQuery, TimeWindow
from semantic.states import OutputColumn
from semantic.windows import add_units, floor_to, local_now
from workers.forecasts.events import event_days
from workers.forecasts.visibility import visibility_key
from workers.jobs.budget import Run
from workers.jobs.calendar_like import is_cut, without_calendar
from workers.jobs.change_cube import NONE
from workers.jobs.composition import Composition, composition
from workers.jobs.dimensions import base_dataset, telling_dimensions
from workers.jobs.querying import Ran
from workers.jobs.scoping import scoped
from workers.jobs.steps import COUNT, SEGMENT_STEPS, Steps, asked_steps, complete_steps

MAX_DIMENSIONS = 4  # per metric
MAX_SEGMENTS = 12
MAX_VALUES = 60  # of a dimension that is looked at: of more, each is small
DAYS = 480
ENDED = 3  # periods without data: then they have ended, and are not late
SPARSE = 0.05  # of the periods without rows: then none means nothing happened


@dataclass(frozen=True, slots=True)
class Asked:
    """What a scan was asked: rows, grain, and the period (None: the last complete one)."""

    where: Predicate | None
    grain: Grain
    period: TimeWindow | None


@dataclass(frozen=True, slots=True)
class Found:
    past: MetricPast
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Metric:
    """One metric in one run."""

    run: Run
    asked: Asked
    measure: MetricRef
    made_of: Composition

    def query(self, measures: Sequence[Measure], grain: Grain, start: dt.datetime | None, end: dt.datetime, field: FieldRef | None) -> Ran:
        by = (ByTime(grain=grain),) if field is None else (ByTime(grain=grain), ByField(field=field))
        time = TimeWindow(window=Absolute(start=start, end=end), field=self.asked.period.field if self.asked.period else None)
        return self.run.ask(SemanticQuery(metrics=tuple(measures), by=by, where=self.asked.where, time=time))

    @property
    def parts(self) -> list[Measure]:
        return [m for m in (self.made_of.top, self.made_of.base) if m is not None]


def past_of(run: Run, asked: Asked, name: str) -> Found | None:
    """The metric's past; None where there are too few periods. Raises: BudgetSpent; UserError for what cannot be asked; Unavailable."""
    metric = _Metric(run, asked, MetricRef(metric=name), composition(run.visible, MetricRef(metric=name)))
    first = run.last + 1
    read = _steps(metric)
    if read is None:
        return None
    steps, values, column, missing_since, note = read
    if steps.how == "day" and metric.made_of.kind == "other":
        return None
    read_by = _segments(metric, steps.tail(SEGMENT_STEPS.get(steps.grain, len(steps.bounds))))
    segments, bases = _columns(read_by, steps.tail(SEGMENT_STEPS.get(steps.grain, len(steps.bounds))), metric)
    receipts = tuple(range(first, run.last + 1))
    days = _days(metric, steps, values)
    label = scoped(column.label, asked.where)
    past = MetricPast(
        quantity=Quantity(label, column.format, column.unit, column.good_direction, name),
        grain=steps.grain, periods=steps.periods, values=values, segments=segments, receipts=receipts, segment_bases=bases,
        scale=metric.made_of.scale, kind=metric.made_of.kind, days=days, events=_events(run, steps), goals=_goals(run, metric, steps, days),
        missing_since=missing_since, parts=frozenset(_parts(run, name)),
    )  # fmt: skip
    past = replace(past, last_day=_last_day(past, metric, steps, read_by))
    return Found(past, tuple(text for text in (steps.note, note) if text))


def _parts(run: Run, name: str) -> set[str]:
    """The metric and what it is made of."""
    found = composition(run.visible, MetricRef(metric=name))
    inner = {m.metric for _, m in found.parts if isinstance(m, MetricRef)}
    return {name, *(part for child in inner if child != name for part in _parts(run, child))}


_Read = tuple[Steps, FloatArray, OutputColumn, Period | None, str]


def _steps(metric: _Metric) -> _Read | None:
    """The steps, their values, how these are written, the first missing period, and a note. One query."""
    run, asked = metric.run, metric.asked
    calendar, as_of = run.catalog.calendar, run.asking.as_of
    if asked.period is not None:
        steps = asked_steps(asked.period, calendar, as_of)
        if steps.how == "grain":
            ran = metric.query([metric.measure], steps.grain, steps.start, steps.end, None)
            known = _by_start(ran)
            values = _on(steps, known, metric.made_of.kind)
            return _trimmed(steps, values, _column(ran), None, "")
        ran = metric.query(metric.parts, Grain.DAY, steps.start, steps.end, None)
        measure = metric.query([metric.measure], Grain.DAY, steps.bounds[-1][0], steps.end, None)
        top, base = (_summed(steps, _rows(ran, place)) for place in (0, min(1, len(metric.parts) - 1)))
        values = top if metric.made_of.base is None else _ratio(top, base) * metric.made_of.scale
        return _trimmed(steps, values, _column(measure), None, "")
    newest = SemanticQuery(
        metrics=(metric.measure,), by=(ByTime(grain=asked.grain),), where=asked.where, limit=COUNT[asked.grain],
        order=(Order(target="by", index=0, descending=True),), complete_periods_only=True,
    )  # fmt: skip
    ran = run.ask(newest)
    known = {start: value for start, value in _by_start(ran).items() if math.isfinite(value)}
    if len(known) < 2:
        return None
    last = max(known)
    complete = add_units(floor_to(local_now(calendar, as_of), asked.grain, calendar), asked.grain, -1)
    late = 0
    while add_units(last, asked.grain, late) < complete and late <= ENDED:
        late += 1
    end = add_units(last, asked.grain, 1)
    if late and asked.grain not in SHORT_SEASONS and is_cut(run, metric.measure, asked.where, last, end):
        last = add_units(last, asked.grain, -1)
    steps = complete_steps(asked.grain, last)
    values = _on(steps, known, metric.made_of.kind)
    missing = period_of(end, add_units(end, asked.grain, 1), "") if 0 < late <= ENDED else None
    note = f"The data end with {steps.periods[-1].label}." if late > ENDED else ""
    return _trimmed(steps, values, _column(ran), missing, note)


def _trimmed(steps: Steps, values: FloatArray, column: OutputColumn, missing: Period | None, note: str) -> _Read | None:
    """From the first known value on: before it there were no data."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return None
    first = int(known[0])
    return steps.tail(len(values) - first), values[first:], column, missing, note


def _on(steps: Steps, known: Mapping[dt.datetime, float], kind: str) -> FloatArray:
    """(steps,) with gaps as NaN; of an amount that often has no rows, none is 0."""
    values = np.array([known.get(start, math.nan) for start, _ in steps.bounds])
    inside = np.flatnonzero(np.isfinite(values))
    if kind == "amount" and len(inside):
        since = values[inside[0] :]
        if np.isnan(since[:-1]).mean() > SPARSE:
            values[inside[0] :] = np.nan_to_num(since, nan=0.0)
    return values


_Segments = dict[str, tuple[tuple[str, ...], FloatArray]]


def _segments(metric: _Metric, steps: Steps) -> dict[str, Ran]:
    """Of amounts and rates, by the telling dimensions."""
    found: dict[str, Ran] = {}
    if metric.made_of.kind == "other" or not steps.bounds:
        return found
    grain = Grain.DAY if steps.how == "day" else steps.grain
    for ref in _dimensions(metric, steps.end):
        try:
            found[metric.run.visible.field(ref).label] = metric.query(metric.parts, grain, steps.start, steps.end, ref)
        except UserError:
            continue  # cannot be split by this without multiplying rows
    return found


def _columns(read: Mapping[str, Ran], steps: Steps, metric: _Metric) -> tuple[_Segments, dict[str, FloatArray]]:
    """(names, values) per step and, of rates, denominators."""
    segments: _Segments = {}
    bases: dict[str, FloatArray] = {}
    for label, ran in read.items():
        tops = _by_segment(ran, 0, steps)
        names = tuple(sorted(tops, key=lambda name: (-float(tops[name].sum()), name))[:MAX_SEGMENTS])
        if len(names) < 2:
            continue
        segments[label] = names, np.column_stack([tops[name] for name in names])
        if metric.made_of.base is not None:
            found = _by_segment(ran, 1, steps)
            empty = np.zeros(len(steps.bounds))
            bases[label] = np.column_stack([found.get(name, empty) for name in names])
    return segments, bases


def _last_day(past: MetricPast, metric: _Metric, steps: Steps, read: Mapping[str, Ran]) -> MetricPast | None:
    """The last day of a period that was read by day, with its segments: whether it has come in whole."""
    days = past.days
    if steps.how != "day" or days is None or past.kind != "amount" or steps.grain is Grain.DAY:
        return None
    count = min(SEGMENT_STEPS[Grain.DAY], len(days.values))
    starts = [steps.end - dt.timedelta(days=k) for k in range(count, 0, -1)]
    daily = Steps(Grain.DAY, tuple((start, start + dt.timedelta(days=1)) for start in starts), "grain")
    segments, _ = _columns(read, daily, metric)
    values = days.values[-count:]
    return replace(
        past, grain=Grain.DAY, periods=daily.periods, values=values, segments=segments, days=Days(days.last, values, days.receipts)
    )


def _dimensions(metric: _Metric, end: dt.datetime) -> tuple[FieldRef, ...]:
    """The nearest first, and of those the ones with fewer values."""
    visible = metric.run.visible
    fields = telling_dimensions(visible, metric.made_of.top, metric.run.ran[-1].guarded.datasets, 12)
    sizes = {ref: visible.field(ref).cardinality or len(visible.field(ref).values) for ref in fields}
    able = [ref for ref in fields if sizes[ref] <= MAX_VALUES]
    base = base_dataset(visible, metric.made_of.top, metric.run.ran[-1].guarded.datasets)
    field = metric.asked.period.field if metric.asked.period else None
    if base is not None and any(ref.dataset == base for ref in able):
        able = list(without_calendar(metric.run, able, base, end, metric.asked.where, field))
    return tuple(able[:MAX_DIMENSIONS])


def _by_segment(ran: Ran, place: int, steps: Steps) -> dict[str, FloatArray]:
    """Segment -> (steps,) sums; 0 where a segment had no rows."""
    columns = ran.result.columns
    key = next(i for i, column in enumerate(columns) if column.role in ("dimension", "key", "attribute"))
    time, value = _time(ran), _measures(ran)[place]
    at = _place_of(steps)
    found: dict[str, FloatArray] = {}
    for row in ran.result.rows():
        step = at(_moment(row[time])) if row[time] is not None else None
        if step is not None:
            name = NONE if row[key] is None else str(row[key])
            found.setdefault(name, np.zeros(len(steps.bounds)))[step] += _number(row[value], 0.0)
    return found


def _days(metric: _Metric, steps: Steps, values: FloatArray) -> Days | None:
    """By day up to the end of the last step: odd days, events and goals are seen there."""
    last = steps.end.date() - dt.timedelta(days=1)
    if steps.grain is Grain.DAY and steps.how == "grain":
        return Days(last, values)
    if steps.grain in (Grain.HOUR, Grain.MINUTE):
        return None
    start = steps.end - dt.timedelta(days=DAYS)
    ran = metric.query([metric.measure], Grain.DAY, start, steps.end, None)
    daily = Steps(Grain.DAY, tuple((start + dt.timedelta(days=k), start + dt.timedelta(days=k + 1)) for k in range(DAYS)), "grain")
    found = _on(daily, _by_start(ran), metric.made_of.kind)
    known = np.flatnonzero(np.isfinite(found))
    return Days(last, found[known[0] :], (metric.run.last,)) if len(known) else None


def _events(run: Run, steps: Steps) -> tuple[Event, ...]:
    """Each occurrence of the calendar's events in the last two years of the past."""
    last = steps.end.date()
    made: list[Event] = []
    for event in run.catalog.calendar.events:
        days = list(event_days(event, last.year - 1, last.year))
        while days:
            start = end = days.pop(0)
            while days and days[0] == end + dt.timedelta(days=1):
                end = days.pop(0)
            made.append(Event(event.name, start, end))
    return tuple(made)


def _goals(run: Run, metric: _Metric, steps: Steps, days: Days | None) -> tuple[Goal, ...]:
    """Goals of the metric whose period runs, without a filter of their own; as the forecasts say where they were asked."""
    if metric.asked.where is not None or metric.asked.period is not None or days is None or metric.made_of.kind != "amount":
        return ()
    name = metric.measure.metric
    with run.asking.services.store.read() as connection:
        found = stored_goals.list_all(connection, run.asking.tenant, metric=name, on=days.last)
        key = visibility_key(run.asking.principal, run.catalog, metric.measure)
        known = {goal: status for (goal, _), status in stored_goals.statuses(connection, run.asking.tenant, {key}).items()}
    made: list[Goal] = []
    for goal in found:
        if goal.asked.filters is not None or goal.asked.starts_on > days.last or goal.asked.direction != "at_least":
            continue
        age = (days.last - goal.asked.starts_on).days + 1
        if age > len(days.values):
            continue
        start, end = (dt.datetime.combine(day, dt.time()) for day in (goal.asked.starts_on, goal.asked.ends_on))
        status = known[goal.id].status if goal.id in known else {}
        forecast, probability = status.get("expected"), status.get("probability")
        model = _custom_model(run, known[goal.id].job_id) if goal.id in known else ""
        so_far = float(np.nansum(days.values[-age:]))
        made.append(Goal(period_of(start, end, ""), goal.asked.target, so_far, days.last, forecast, probability, model))
    return tuple(made)


def _custom_model(run: Run, job: JobId) -> str:
    """The promoted custom model that made a forecast, as name/version; empty for Querent's own."""
    with run.asking.services.store.read() as connection:
        try:
            entry = findings.get(connection, run.asking.tenant, ForecastEntry, job).entry
        except NotFound:
            return ""
    return entry.model if isinstance(entry, ForecastEntry) and re.fullmatch(r".+/\d+", entry.model) else ""


def _place_of(steps: Steps) -> Any:
    """A moment -> the step it is in, or None."""
    starts = [start for start, _ in steps.bounds]
    if steps.how == "grain":
        exact = {start: i for i, start in enumerate(starts)}
        return exact.get
    from bisect import bisect_right

    def find(moment: dt.datetime) -> int | None:
        place = bisect_right(starts, moment) - 1
        return place if place >= 0 and moment < steps.bounds[place][1] else None

    return find


def _summed(steps: Steps, rows: Sequence[tuple[dt.datetime, float]]) -> FloatArray:
    """(steps,) sums of days; NaN for a step before the first day with data."""
    at = _place_of(steps)
    values = np.zeros(len(steps.bounds))
    first = min((start for start, value in rows if math.isfinite(value)), default=None)
    for start, value in rows:
        step = at(start)
        if step is not None and math.isfinite(value):
            values[step] += value
    if first is None:
        return np.full(len(values), np.nan)
    values[[end <= first for _, end in steps.bounds]] = np.nan
    partly = [start < first < end for start, end in steps.bounds]
    values[partly] = np.nan
    return values


def _ratio(top: FloatArray, base: FloatArray) -> FloatArray:
    return np.asarray(np.divide(top, base, out=np.full(len(top), np.nan), where=base > 0), np.float64)


def _by_start(ran: Ran) -> dict[dt.datetime, float]:
    return dict(_rows(ran, 0))


def _rows(ran: Ran, place: int) -> list[tuple[dt.datetime, float]]:
    time, value = _time(ran), _measures(ran)[place]
    return [(_moment(row[time]), _number(row[value], math.nan)) for row in ran.result.rows() if row[time] is not None]


def _time(ran: Ran) -> int:
    return next(i for i, column in enumerate(ran.result.columns) if column.role == "time")


def _measures(ran: Ran) -> list[int]:
    return [i for i, column in enumerate(ran.result.columns) if column.role == "measure"]


def _column(ran: Ran) -> OutputColumn:
    return ran.result.columns[_measures(ran)[0]]


def _number(value: Any, missing: float) -> float:
    if value is None:
        return missing
    found = float(value)
    return found if math.isfinite(found) else missing


def _moment(value: dt.datetime | dt.date) -> dt.datetime:
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
