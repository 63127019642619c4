"""Windows between two dates in words: 2025, Q1 2025, March 2025, 5 Mar 2025, 1 Mar to 15 Apr 2025."""

from __future__ import annotations

import datetime as dt
import re

from core.formats import current
from semantic.expr import Absolute

_DAY = dt.timedelta(days=1)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$")
_RAW = re.compile(r"from (\d{4}-\d\d-\d\d)(?: 00:00:00)? to before (\d{4}-\d\d-\d\d)(?: 00:00:00)?")


def window_said(window: Absolute) -> str:
    """The end is said inclusively when both ends are midnights.

    >>> window_said(Absolute(start=dt.date(2025, 3, 1), end=dt.date(2025, 4, 1)))
    'March 2025'
    >>> window_said(Absolute(start=dt.date(2025, 3, 1), end=dt.date(2025, 4, 16)))
    '1 Mar to 15 Apr 2025'
    """
    start, end = _day(window.start), _day(window.end)
    if start is None and end is None:
        return _clock(window)
    if start is None:
        return f"before {_said(end)}"
    if end is None:
        return f"from {_said(start)} on" if window.end is None else _clock(window)
    last = end - _DAY
    if (start.month, start.day) == (1, 1) == (end.month, end.day):
        return str(start.year) if end.year == start.year + 1 else f"{start.year} to {last.year}"
    if start.day == 1 == end.day:
        months = (end.year - start.year) * 12 + end.month - start.month
        if months == 1:
            return f"{start:%B %Y}"
        if months == 3 and start.month % 3 == 1:
            return f"Q{start.month // 3 + 1} {start.year}"
        return f"{start:%b %Y} to {last:%b %Y}"
    if last == start:
        return _said(start)
    return current().days(start, last)


def plain_dates(text: str) -> str:
    """A sentence about a query with its windows in words.

    >>> plain_dates("revenue, from 2025-01-01 to before 2026-01-01")
    'revenue, 2025'
    """
    return _RAW.sub(lambda m: window_said(Absolute(start=dt.date.fromisoformat(m[1]), end=dt.date.fromisoformat(m[2]))), text)


def point_said(point: str) -> str:
    """A point of a chart: a date in words, anything else as it is.

    >>> point_said("2025-06-01T00:00:00"), point_said("2025-06-01T09:30:00"), point_said("EMEA")
    ('1 Jun 2025', '1 Jun 2025, 09:30', 'EMEA')
    """
    if not _ISO.match(point):
        return point
    at = dt.datetime.fromisoformat(point)
    return _said(at.date()) if at.time() == dt.time() else f"{_said(at.date())}, {current().clock(at)}"


def days_said(text: str) -> str:
    """Words with their ISO days in the own format.

    >>> days_said("order date is 2026-03-01"), days_said("code is 2026-13-45")
    ('order date is 1 Mar 2026', 'code is 2026-13-45')
    """

    def said(found: re.Match[str]) -> str:
        try:
            return _said(dt.date.fromisoformat(found[0]))
        except ValueError:
            return found[0]

    return re.sub(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])", said, text)


def _day(value: dt.date | dt.datetime | None) -> dt.date | None:
    """None also for a time of day."""
    if not isinstance(value, dt.datetime):
        return value
    return value.date() if value.time() == dt.time() else None


def _said(day: dt.date | None) -> str:
    return "" if day is None else current().day(day)


def _clock(window: Absolute) -> str:
    def one(value: dt.date | dt.datetime | None) -> str:
        return f"{_said(value)}, {current().clock(value)}" if isinstance(value, dt.datetime) else _said(value)

    if window.start is None:
        return f"before {one(window.end)}" if window.end is not None else "all time"
    return f"from {one(window.start)} on" if window.end is None else f"{one(window.start)} to {one(window.end)}"
