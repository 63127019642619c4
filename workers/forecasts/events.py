"""The days of the business's own events, as flags for the forecast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from core.timeseries import FloatArray, Grain, TimeArray
from semantic.catalog.model import CalendarEvent

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEEN_AT_LEAST = 2  # an event that was seen once cannot be told from an outlier


def event_days(event: CalendarEvent, first_year: int, last_year: int) -> tuple[dt.date, ...]:
    """Every day of the event in these years, ascending.

    >>> black_friday = CalendarEvent(name="Black Friday", month=11, weekday="thursday", nth=4, offset_days=1)
    >>> event_days(black_friday, 2025, 2026)
    (datetime.date(2025, 11, 28), datetime.date(2026, 11, 27))
    """
    starts = list(event.dates)
    if event.month is not None:  # also of the years beside these: what begins in one may come in the other
        around = range(max(first_year - 1, dt.MINYEAR), min(last_year + 1, dt.MAXYEAR) + 1)
        starts = [day for year in around if (day := _yearly(event, year)) is not None]
    first, last = dt.date(first_year, 1, 1).toordinal(), dt.date(last_year, 12, 31).toordinal()
    days = {start.toordinal() + event.offset_days + k for start in starts for k in range(event.length_days)}
    return tuple(dt.date.fromordinal(day) for day in sorted(days) if first <= day <= last)


def event_flags(
    events: Sequence[CalendarEvent], history: TimeArray, future: TimeArray, grain: Grain
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Event name -> 1.0 on its days in (n,) history and (h,) future; events seen fewer than two times, and grains above a day, have none."""
    if grain not in (Grain.DAY, Grain.HOUR, Grain.MINUTE) or not len(history) or not len(future):
        return {}
    past, ahead = history.astype("datetime64[D]"), future.astype("datetime64[D]")
    first, last = int(str(past[0])[:4]), int(str(ahead[-1])[:4])
    found = {}
    for event in events:
        days = np.array(event_days(event, first, last), dtype="datetime64[D]")
        seen = days[(days >= past[0]) & (days <= past[-1])]
        if seen.size >= _SEEN_AT_LEAST * event.length_days:
            found[f"event: {event.name}"] = np.isin(past, days).astype(np.float64), np.isin(ahead, days).astype(np.float64)
    return found


def _yearly(event: CalendarEvent, year: int) -> dt.date | None:
    """The day of the rule in a year; None where it has none (a fifth Monday, 29 February)."""
    month = event.month or 1
    try:
        if event.day is not None:
            return dt.date(year, month, event.day)
        first = dt.date(year, month, 1)
        ahead = (_WEEKDAYS.index(event.weekday or "monday") - first.weekday()) % 7 + 7 * ((event.nth or 1) - 1)
        return first.replace(day=1 + ahead)
    except ValueError:
        return None
