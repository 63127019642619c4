"""Calendar arithmetic: the start of a period, steps between periods, the days of a window."""

from __future__ import annotations

import datetime as dt

from dateutil.relativedelta import relativedelta

from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Unit, Window


def window_bounds(window: Window, as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[dt.date | None, dt.date | None]:
    """The days [start, end) of a calendar or absolute window; used for nested phrases ("since last month") and labels."""
    today = as_of.date()
    if isinstance(window, Absolute):
        return day_or_none(window.start), day_or_none(window.end)
    if isinstance(window, Calendar_):
        start = floor(today, window.unit, calendar, window.fiscal)
        start = shift(start, window.unit, window.offset)
        end = shift(start, window.unit, 1)
        return start, (min(end, today + dt.timedelta(days=1)) if window.to_date else end)
    if window.anchor == "period":
        current = floor(today, window.unit, calendar, window.fiscal)
        return shift(current, window.unit, -window.count), current
    return shift(today, window.unit, -window.count), today + dt.timedelta(days=1)


def floor(day: dt.date, unit: Unit, calendar: CatalogCalendar, fiscal: bool) -> dt.date:
    if unit is Unit.WEEK:
        back = day.weekday() if calendar.week_start == "monday" else (day.weekday() + 1) % 7
        return day - dt.timedelta(days=back)
    if unit is Unit.MONTH:
        return day.replace(day=1)
    first = calendar.fiscal_year_start_month if fiscal else 1
    if unit is Unit.QUARTER:
        months = (day.month - first) % 3
        return (day.replace(day=1)) - relativedelta(months=months)
    if unit is Unit.YEAR:
        return day.replace(day=1) - relativedelta(months=(day.month - first) % 12)
    return day


def shift(day: dt.date, unit: Unit, count: int) -> dt.date:
    step = {
        Unit.DAY: relativedelta(days=count), Unit.WEEK: relativedelta(weeks=count), Unit.MONTH: relativedelta(months=count),
        Unit.QUARTER: relativedelta(months=3 * count), Unit.YEAR: relativedelta(years=count),
    }.get(unit, relativedelta())  # fmt: skip
    return day + step


def day_or_none(value: dt.datetime | dt.date | None) -> dt.date | None:
    return None if value is None else day_of(value)


def day_of(value: dt.datetime | dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
