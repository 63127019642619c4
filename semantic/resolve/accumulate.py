"""Cumulative measures: which earlier rows they read, and which groups they allow."""

from __future__ import annotations

import datetime as dt

from core.errors import Invalid
from core.timeseries import Grain
from semantic.query import ByTime, SemanticQuery
from semantic.resolve.binder import Binder
from semantic.resolve.types import Accumulated, Formula, Operation
from semantic.windows import Bounds, add_units, floor_to, make_bounds

_COARSER = (Grain.MINUTE, Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)


def accumulated_in(formula: Formula) -> tuple[Accumulated, ...]:
    match formula:
        case Accumulated():
            return (formula,)
        case Operation():
            return accumulated_in(formula.left) + accumulated_in(formula.right)
        case _:
            return ()


def window_unit(part: Accumulated) -> Grain | None:
    """The unit of a sliding window."""
    return Grain(part.grain_to_date.removeprefix("window:")) if part.buckets is not None and part.grain_to_date else None


def check_accumulated(query: SemanticQuery, parts: list[Accumulated]) -> None:
    """Raises: Invalid `bad_grain` where the time group does not fit the accumulation; `bad_query` for two time groups."""
    times = [by for by in query.by if isinstance(by, ByTime)]
    if len(times) > 1:
        raise Invalid("A cumulative metric needs one time group; found several.", code="bad_query")
    if not times:
        return
    grain = times[0].grain
    for part in parts:
        unit = window_unit(part)
        if unit is not None and unit is not grain:
            raise Invalid(
                f"This metric adds up over the last {part.buckets} {unit.value}s, so it can be grouped by {unit.value}; found {grain.value}.",
                code="bad_grain",
                suggestions=(unit.value,),
            )
        if unit is None and part.grain_to_date and _COARSER.index(grain) > _COARSER.index(Grain(part.grain_to_date)):
            raise Invalid(
                f"A {part.grain_to_date}-to-date metric needs a grain within the {part.grain_to_date}; found {grain.value}.",
                code="bad_grain",
                suggestions=("month", "day"),
            )


def earlier(part: Accumulated, query: SemanticQuery, binder: Binder, bounds: Bounds | None) -> Bounds | None:
    """The window the accumulation reads: from where its first shown bucket (or, without a time group, the window's end) starts to add up."""
    calendar, now = binder.catalog.calendar, binder.now
    times = [by for by in query.by if isinstance(by, ByTime)]
    unit = window_unit(part)
    if times and (bounds is None or bounds.start is None):
        return bounds
    if times and bounds is not None and bounds.start is not None:
        first = floor_to(bounds.start.replace(tzinfo=None), times[0].grain, calendar, times[0].fiscal)
    else:
        tomorrow = add_units(floor_to(now, Grain.DAY, calendar), Grain.DAY, 1)
        last = bounds.end.replace(tzinfo=None) if bounds is not None and bounds.end is not None else tomorrow
        first = add_units(last, unit if unit is not None else Grain.DAY, -1)
    start: dt.datetime | None = None
    if unit is not None and part.buckets is not None:
        start = add_units(first, unit, 1 - part.buckets)
    elif part.grain_to_date:
        start = floor_to(first, Grain(part.grain_to_date), calendar)
    end = bounds.end.replace(tzinfo=None) if bounds is not None and bounds.end is not None else None
    if not times and end is None:
        end = add_units(floor_to(now, Grain.DAY, calendar), Grain.DAY, 1)
    return make_bounds(start, end, "accumulated", calendar, now)
