"""Periods as people write them, and the grain they are made of."""

from __future__ import annotations

import datetime as dt

from core.formats import current
from core.timeseries import Grain
from insights.types import Period


def period_of(start: dt.datetime | None, end: dt.datetime | None, fallback: str) -> Period:
    """[start, end) with its label: "Mar 2026", "Q1 2026", "2026", "4 Mar 2026", "1 Mar to 9 Mar 2026"; `fallback` when an end is open."""
    if start is None or end is None:
        return Period(fallback, start, end)
    return Period(_label(start, end), start, end)


def during(period: Period) -> str:
    """The period with its preposition: on 4 Mar 2026, in Mar 2026, over 1 to 9 Mar 2026."""
    grain = grain_of(period)
    words = {Grain.DAY: "on", Grain.MONTH: "in", Grain.QUARTER: "in", Grain.YEAR: "in", Grain.HOUR: "at"}
    return f"{words.get(grain, 'over') if grain else 'over'} {period.label}"


def grain_of(period: Period) -> Grain | None:
    """The grain of which the period is exactly one step, if any. A week starts on whatever day the period does."""
    start, end = period.start, period.end
    if start is None or end is None:
        return None
    if _whole_months(start, end):
        return {1: Grain.MONTH, 3: Grain.QUARTER if start.month % 3 == 1 else None, 12: Grain.YEAR if start.month == 1 else None}.get(
            _months(start, end)
        )
    if (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0):
        return {1: Grain.DAY, 7: Grain.WEEK}.get((end.date() - start.date()).days)
    return Grain.HOUR if end - start == dt.timedelta(hours=1) and start.minute == 0 else None


def _label(start: dt.datetime, end: dt.datetime) -> str:
    grain = grain_of(Period("", start, end))
    if grain is Grain.YEAR:
        return str(start.year)
    if grain is Grain.QUARTER:
        return f"Q{(start.month - 1) // 3 + 1} {start.year}"
    if grain is Grain.MONTH:
        return f"{start:%b} {start.year}"
    if grain is Grain.DAY:
        return current().day(start)
    if (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0):
        last = end - dt.timedelta(days=1)
        if _whole_months(start, end):
            first, final = f"{start:%b}", f"{last:%b} {last.year}"
            return f"{first} to {final}" if start.year == last.year else f"{first} {start.year} to {final}"
        return current().days(start, last)
    say = current()
    return f"{say.day(start)} {say.clock(start)} to {'' if end.date() == start.date() else say.day(end) + ' '}{say.clock(end)}"


def _whole_months(start: dt.datetime, end: dt.datetime) -> bool:
    return start.day == end.day == 1 and start.time() == end.time() == dt.time() and _months(start, end) > 0


def _months(start: dt.datetime, end: dt.datetime) -> int:
    return (end.year - start.year) * 12 + end.month - start.month
