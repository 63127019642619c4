"""Dated events of the calendar inside an explained period: what they did to the metric, by a structural model of its days."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from core.timeseries import Grain
from insights.looks.events import MAX_EVENTS, effect_fact
from insights.past import Days, Event, MetricPast
from insights.study import Study
from insights.types import Fact
from semantic.expr import Absolute
from semantic.query import ByTime, SemanticQuery, TimeWindow
from workers.forecasts.events import event_days
from workers.jobs.budget import Run
from workers.kinds import ExplainParams

DAYS = 240
CERTAIN_P = 0.01


def event_facts(run: Run, params: ExplainParams, study: Study) -> tuple[Fact, ...]:
    """One fact per event that is certain; one more query where the calendar has an event in a period whose days are not known."""
    start, end = study.period.start, study.period.end
    if start is None or end is None:
        return ()
    near = _events(run, start.date(), (end - dt.timedelta(seconds=1)).date())
    if not near:
        return ()
    days = _known_days(study) or _asked_days(run, params, end.replace(tzinfo=None))
    past = MetricPast(study.quantity, Grain.DAY, (study.baseline, study.period), np.array([study.before, study.after]), kind=study.kind)
    facts = [fact for event in near[:MAX_EVENTS] if (fact := effect_fact(past, days, event)) is not None]
    return tuple(fact for fact in facts if fact.test is not None and fact.test.p * len(near) < CERTAIN_P)


def _known_days(study: Study) -> Days | None:
    """From the query that the explanation made already."""
    if study.days is None or len(study.days.tops) < DAYS:
        return None
    return Days(study.days.last, study.days.values[-DAYS:], study.days.receipts)


def _asked_days(run: Run, params: ExplainParams, end: dt.datetime) -> Days:
    first = end - dt.timedelta(days=DAYS)
    time = TimeWindow(window=Absolute(start=first, end=end), field=params.time.field if params.time else None)
    result = run.ask(SemanticQuery(metrics=(params.asked,), by=(ByTime(grain=Grain.DAY),), where=params.where, time=time)).result
    at = next(i for i, column in enumerate(result.columns) if column.role == "time")
    value = next(i for i, column in enumerate(result.columns) if column.role == "measure")
    known = {_date(row[at]): float(row[value]) for row in result.rows() if row[at] is not None and row[value] is not None}
    values = np.array([known.get(first.date() + dt.timedelta(days=k), math.nan) for k in range(DAYS)])
    return Days(first.date() + dt.timedelta(days=DAYS - 1), values, (run.last,))


def _events(run: Run, first: dt.date, last: dt.date) -> list[Event]:
    found: list[Event] = []
    for event in run.catalog.calendar.events:
        inside = [day for day in event_days(event, first.year, last.year) if first <= day <= last]
        if inside:
            found.append(Event(event.name, inside[0], inside[-1]))
    return found


def _date(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
