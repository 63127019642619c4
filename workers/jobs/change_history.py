"""What came before a change: the periods before it, and its days where they add up."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.timeseries import Grain
from insights.dated import MAX_DAYS, MIN_DAYS, DayParts
from insights.periods import grain_of
from insights.types import Period
from semantic.expr import Absolute
from semantic.query import ByTime, Measure, Order, SemanticQuery, TimeWindow
from semantic.windows import add_units
from workers.jobs.budget import Run
from workers.jobs.composition import Composition
from workers.jobs.querying import Ran
from workers.kinds import ExplainParams

HISTORY_STEPS = 25
LEAST_DAYS = 420  # a year and its feasts
PERIODS_BY_DAY = 8  # of a length that is no step of a grain
SAME = 1e-6  # of the metric: days in another order of summing


@dataclass(frozen=True, slots=True)
class History:
    """known: value of each period before by its start. days: by day up to the period's end. receipt: which query; None where none was asked."""

    known: Mapping[dt.datetime, float] = field(default_factory=dict)
    days: DayParts | None = None
    receipt: int | None = None


def history_of(
    run: Run, params: ExplainParams, made_of: Composition, periods: tuple[Period, Period], values: tuple[float, float]
) -> History:
    """periods, values: (before, after). One query; by day where days add up to what was measured, else by the period's grain.

    Raises: what `Run.ask` raises.
    """
    period = periods[1]
    start, end = _naive(period.start), _naive(period.end)
    if start is None or end is None:
        return History()
    grain = grain_of(period)
    length = (end - start).days
    if made_of.kind != "other" and MIN_DAYS <= length <= MAX_DAYS and start.time() == end.time() == dt.time():
        first = add_units(start, grain, -HISTORY_STEPS) if grain is not None else start - dt.timedelta(days=PERIODS_BY_DAY * length)
        measures = [m for m in (made_of.top, made_of.base) if m is not None]
        ran = _asked(run, params, measures, Grain.DAY, min(first, start - dt.timedelta(days=LEAST_DAYS)), end)
        days, seen = _day_parts(ran, end.date(), made_of.scale, run.last)
        if days is not None and _adds_up(days, periods, values):
            return History(_by_period(days, seen, start, grain) if grain is not None else {}, days, run.last)
    if grain is None:
        return History()
    ran = _asked(run, params, [params.asked], grain, add_units(start, grain, -HISTORY_STEPS), start)
    known = {moment: values[0] for moment, values in _rows(ran) if math.isfinite(values[0])}
    if grain is Grain.WEEK and known:
        known.pop(min(known))  # the catalog's weeks may start on another day: the first is cut
    return History(known, None, run.last)


def _asked(run: Run, params: ExplainParams, measures: list[Measure], grain: Grain, start: dt.datetime, end: dt.datetime) -> Ran:
    time = TimeWindow(window=Absolute(start=start, end=end), field=params.time.field if params.time else None)
    order = (Order(target="by", index=0, descending=False),)
    return run.ask(SemanticQuery(metrics=tuple(measures), by=(ByTime(grain=grain),), where=params.where, order=order, time=time))


def _rows(ran: Ran) -> list[tuple[dt.datetime, list[float]]]:
    """(start, measures) of each row; NaN where there is no value."""
    columns = ran.result.columns
    time = next(i for i, column in enumerate(columns) if column.role == "time")
    places = [i for i, column in enumerate(columns) if column.role == "measure"]
    return [(moment_of(row[time]), [_number(row[i]) for i in places]) for row in ran.result.rows() if row[time] is not None]


def _day_parts(ran: Ran, end: dt.date, scale: float, receipt: int) -> tuple[DayParts | None, set[dt.date]]:
    """The days from the first one with rows on, and those with rows."""
    rows = [(moment.date(), values) for moment, values in _rows(ran) if math.isfinite(values[0]) and moment.date() < end]
    if not rows:
        return None, set()
    first = min(day for day, _ in rows)
    count = (end - first).days
    columns = np.zeros((len(rows[0][1]), count))
    for day, values in rows:
        columns[:, (day - first).days] += np.nan_to_num(np.asarray(values), nan=0.0)
    bases = columns[1] if len(columns) > 1 else None
    return DayParts(end - dt.timedelta(days=1), columns[0], bases, scale, (receipt,)), {day for day, _ in rows}


def _adds_up(days: DayParts, periods: tuple[Period, Period], values: tuple[float, float]) -> bool:
    """Whether the days give the periods' own values: a level (what is in stock) does not add up over days."""
    checked = 0
    for period, value in zip(periods, values, strict=True):
        if period.start is None or period.end is None:
            continue
        found = days.whole(period.start.date(), period.end.date())
        if math.isfinite(found):
            checked += 1
            if not math.isclose(found, value, rel_tol=SAME, abs_tol=1e-9):
                return False
    return checked > 0


def _by_period(days: DayParts, seen: set[dt.date], start: dt.datetime, grain: Grain) -> dict[dt.datetime, float]:
    """The first period may be a part of one, where the data begin."""
    first = days.last - dt.timedelta(days=len(days.tops) - 1)
    known: dict[dt.datetime, float] = {}
    end = start
    for _ in range(HISTORY_STEPS):
        begin = add_units(end, grain, -1)
        if end.date() <= first:
            break
        if any(begin.date() <= day < end.date() for day in seen):
            value = days.whole(max(begin.date(), first), end.date())
            if math.isfinite(value):
                known[begin] = value
        end = begin
    return known


def moment_of(value: dt.datetime | dt.date) -> dt.datetime:
    """The naive start of a row's period."""
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())


def _naive(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.replace(tzinfo=None) if moment is not None else None


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
