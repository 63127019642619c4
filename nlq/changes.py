"""Growth and change: beside a window of one step they compare that window with the one before; over several steps they run along time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from nlq.frame import Frame, MovedItem
from nlq.timephrase import window_bounds
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Calendar_
from semantic.query import Having, Measure

_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "=", "!=": "!="}


def settle_changes(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> None:
    """Turns growth into a comparison where the window is a single step of it ("yoy growth in Q1 2026"). Changes `frame`, a composer's own."""
    changes = [t for t in frame.transforms if t.kind in ("growth", "difference")]
    if frame.moved and frame.compare is None:
        frame.compare = "previous_period"
    if changes and frame.times and frame.compare is None:
        frame.compare = _comparison(frame, changes[0].grain, as_of, calendar)
    if changes and frame.compare is not None:
        frame.transforms = [t for t in frame.transforms if t not in changes]
        if frame.grain_implied:
            frame.grain = None
    if frame.compare == "same_period_last_year" and frame.times:
        window = frame.times[0].window
        if isinstance(window, Calendar_) and window.offset == 0 and not window.to_date:
            frame.times = [replace(frame.times[0], window=window.model_copy(update={"to_date": True})), *frame.times[1:]]


def _comparison(frame: Frame, grain: str | None, as_of: dt.datetime, calendar: CatalogCalendar) -> str | None:
    start, end = window_bounds(frame.times[0].window, as_of, calendar)
    if start is None or end is None:
        return None
    days = (end - start).days
    stated = None if frame.grain_implied else frame.grain
    if grain == "year":
        return "same_period_last_year" if days <= _DAYS["year"] or stated not in (None, "year") else None
    if grain is not None:
        return "previous_period" if days <= _DAYS[grain] else None
    return "previous_period" if stated is None and (frame.groups or days <= _DAYS["month"]) else None


def runs_past(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> bool:
    """Whether the window reaches beyond now, so that empty buckets in it are not yet there rather than empty."""
    if not frame.times:
        return False
    end = window_bounds(frame.times[0].window, as_of, calendar)[1]
    return end is not None and end > as_of.date() + dt.timedelta(days=1)


def moved_having(item: MovedItem, measure: Measure) -> Having:
    """ "fell more than 20 %": the change in percent lies below -20."""
    op, value = (item.op, item.value) if item.rising else (_MIRRORED[item.op], -item.value)
    return Having(measure=measure, op=op, value=value, change="percent" if item.percent else "difference")  # type: ignore[arg-type]
