"""What a query is compared with: another window, or another group of rows."""

from __future__ import annotations

from core.errors import Invalid
from semantic.expr import Calendar_, Not, Predicate, Unit
from semantic.query import ByTime, ComparePeriod, SemanticQuery
from semantic.resolve.binder import Binder
from semantic.resolve.walk import all_of, conjuncts, refs
from semantic.windows import Bounds, Shift, period_shift, resolve_window, shift_bounds


def compare_bounds(query: SemanticQuery, binder: Binder, bounds: Bounds | None) -> tuple[Bounds | None, Shift | None, str]:
    """The window to compare with, how its time buckets move onto the main ones, and its label.

    Raises: Invalid `open_window` when there is nothing to shift.
    """
    compare = query.compare
    if not isinstance(compare, ComparePeriod):
        raise TypeError("a period comparison was expected")
    calendar = binder.catalog.calendar
    grains = [by.grain for by in query.by if isinstance(by, ByTime)]
    if compare.to == "window":
        if compare.window is None:
            raise Invalid("Comparing with a window needs the window.", code="bad_query")
        other = resolve_window(compare.window, calendar, binder.as_of)
        return other, _between(other, bounds) if grains else None, other.label
    shift, words = _shift(query, compare, bounds)
    if grains and Unit(grains[0].value) is Unit.WEEK:
        shift = _in_weeks(shift)
    back = Shift(shift.unit, -shift.count) if grains else None
    if bounds is None or (bounds.start is None and bounds.end is None):
        if not grains:
            raise Invalid(
                "Comparing with another period needs a time window or a time group.", code="open_window", suggestions=("this year",)
            )
        return None, back, words
    moved = shift_bounds(bounds, shift, words, calendar, binder.now)
    return moved, back, moved.label


def _shift(query: SemanticQuery, compare: ComparePeriod, bounds: Bounds | None) -> tuple[Shift, str]:
    if compare.to == "same_period_last_year":
        return Shift(Unit.YEAR, -1), "same period last year"
    if compare.to == "offset":
        if compare.unit is None or not compare.count:
            raise Invalid("Comparing with an offset needs count and unit, such as 4 weeks.", code="bad_query")
        unit = compare.unit.value
        return Shift(compare.unit, -compare.count), f"{compare.count} {unit}{'s' if compare.count > 1 else ''} earlier"
    grains = [by.grain for by in query.by if isinstance(by, ByTime)]
    if bounds is None and grains:
        return Shift(Unit(grains[0].value), -1), f"previous {grains[0].value}"
    if bounds is None or query.time is None:
        raise Invalid(
            "Comparing with the previous period needs a time window or a time group.", code="open_window", suggestions=("this month",)
        )
    window = query.time.window
    words = "previous period"
    if isinstance(window, Calendar_):  # of a running period as much of the one before as has passed
        words = f"previous {window.unit.value}{' to date' if window.to_date and window.unit is not Unit.DAY else ''}"
    return period_shift(window, bounds), words


def _in_weeks(shift: Shift) -> Shift:
    """Months and years as whole weeks, so that weeks stay weeks (a year is 52)."""
    weeks = {Unit.YEAR: 52.0, Unit.QUARTER: 13.0, Unit.MONTH: 52 / 12}
    return Shift(Unit.WEEK, round(weeks[shift.unit] * shift.count)) if shift.unit in weeks else shift


def _between(other: Bounds, bounds: Bounds | None) -> Shift:
    """The days from the other window's start to the main one's."""
    if bounds is None or bounds.start is None or other.start is None:
        raise Invalid("To compare two windows over time, both need a start.", code="open_window")
    start, from_ = bounds.start.replace(tzinfo=None), other.start.replace(tzinfo=None)
    if start.day == from_.day == 1 and start.time() == from_.time():
        return Shift(Unit.MONTH, (start.year - from_.year) * 12 + start.month - from_.month)
    return Shift(Unit.DAY, (start - from_).days)


def group_sides(where: Predicate | None, against: Predicate) -> tuple[Predicate | None, Predicate | None]:
    """The conditions of the main rows and of the compared ones.

    Conditions of the query on the fields that `against` names belong to the main rows only; without any, the main rows are the rest.
    """
    named = {(ref.dataset, ref.field, ref.via) for ref in refs(against)}
    parts = conjuncts(where)
    own = [part for part in parts if named & {(ref.dataset, ref.field, ref.via) for ref in refs(part)}]
    common = [part for part in parts if part not in own]
    base = all_of(*parts) if own else all_of(*common, Not(item=against))
    return base, all_of(*common, against)
