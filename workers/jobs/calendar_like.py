"""Dimensions that only say when: year, month, season, weekday columns. A change between two periods is no news by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from core.errors import UserError
from core.timeseries import Grain
from semantic.expr import Absolute, FieldRef, Predicate
from semantic.query import Aggregate, AggregateKind, ByTime, Measure, Order, SemanticQuery, TimeWindow
from workers.jobs.budget import Run

LOOKED_AT = dt.timedelta(days=7)
ROWS_A_DAY = 5  # with fewer, one value a day says nothing


def without_calendar(
    run: Run, fields: Sequence[FieldRef], dataset: str, end: dt.datetime, where: Predicate | None, time_field: FieldRef | None
) -> tuple[FieldRef, ...]:
    """Those of the dataset's own fields that have several values on some day of the week before `end`; fields of other datasets stay.

    One query. Where it cannot be asked, or days have few rows, all stay.
    """
    own = [field for field in fields if field.dataset == dataset and not field.via]
    if not own:
        return tuple(fields)
    counts = [Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=dataset, of=field, alias=f"n{i}") for i, field in enumerate(own)]
    rows = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, alias="rows")
    time = TimeWindow(window=Absolute(start=end - LOOKED_AT, end=end), field=time_field)
    try:
        ran = run.ask(SemanticQuery(metrics=(rows, *counts), by=(ByTime(grain=Grain.DAY),), where=where, time=time))
    except UserError:
        return tuple(fields)
    places = [i for i, column in enumerate(ran.result.columns) if column.role == "measure"]
    days = [[float(row[i] or 0) for i in places] for row in ran.result.rows()]
    days = [day for day in days if day[0] >= ROWS_A_DAY]
    if not days:
        return tuple(fields)
    only_when = {field for i, field in enumerate(own, start=1) if max(day[i] for day in days) <= 1}
    return tuple(field for field in fields if field not in only_when)


def is_cut(run: Run, measure: Measure, where: Predicate | None, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether the data of the last period [start, end) with any stop before its last day: then the rest of it is missing and not low. One query.

    For periods after which there are no data at all; of others the last day may be one without business.
    """
    newest = SemanticQuery(
        metrics=(measure,), by=(ByTime(grain=Grain.DAY),), where=where, time=TimeWindow(window=Absolute(start=start, end=end)), limit=1,
        order=(Order(target="by", index=0, descending=True),),
    )  # fmt: skip
    result = run.ask(newest).result
    at = next(i for i, column in enumerate(result.columns) if column.role == "time")
    days = [row[at] for row in result.rows() if row[at] is not None]
    return bool(days) and days[0].timetuple()[:3] < (end - dt.timedelta(days=1)).timetuple()[:3]
