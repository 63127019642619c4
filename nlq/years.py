"""Windows over columns that hold plain years."""

from __future__ import annotations

import datetime as dt

from nlq.numbers import as_scalar
from nlq.unbuildable import Unbuildable
from semantic.expr import Absolute, Between, Calendar_, Comparison, FieldRef, Literal_, Not, Predicate, Rolling, Window


def in_years(ref: FieldRef, window: Window, as_of: dt.datetime, *, text: bool = False) -> Predicate:
    """Whether a plain year lies in a window of whole years. text: the years are kept as texts of four digits. Raises: Unbuildable."""
    low, high = (None if y is None else Literal_(value=f"{y:04}" if text else y) for y in whole_years(window, as_of))
    if low is not None and low == high:
        return Comparison(op="=", left=ref, right=low)
    if low is not None and high is not None:
        return Between(field=ref, low=low, high=high)
    if low is not None:
        return Comparison(op=">=", left=ref, right=low)
    if high is not None:
        return Comparison(op="<=", left=ref, right=high)
    raise Unbuildable("no bounds")


def text_years(ref: FieldRef, op: str, low: float | None, high: float | None, *, negate: bool) -> Predicate:
    """A bound on a number that is kept as text: equal to it, or years in their order. Raises: Unbuildable."""
    first, last = (None if n is None else Literal_(value=str(as_scalar(n))) for n in (low, high))
    if op == "between" and first is not None and last is not None:
        within = Between(field=ref, low=first, high=last)
        return Not(item=within) if negate else within
    if first is None or op == "between":
        raise Unbuildable("no number")
    return Comparison.model_validate({"op": op, "left": ref, "right": first})


def whole_years(window: Window, as_of: dt.datetime) -> tuple[int | None, int | None]:
    """First and last whole years of a window. Raises: Unbuildable when it does not consist of whole years."""
    if isinstance(window, Absolute):
        start, end = _date(window.start), _date(window.end)
        if (start is not None and (start.month, start.day) != (1, 1)) or (end is not None and (end.month, end.day) != (1, 1)):
            raise Unbuildable("not whole years")
        return (start.year if start else None), (end.year - 1 if end else None)
    year = as_of.year
    if isinstance(window, Calendar_) and window.unit.value == "year":
        return year + window.offset, year + window.offset
    if isinstance(window, Rolling) and window.unit.value == "year":
        return (year - window.count, year - 1) if window.anchor == "period" else (year - window.count, year)
    raise Unbuildable("not whole years")


def _date(value: dt.datetime | dt.date | None) -> dt.date | None:
    return value.date() if isinstance(value, dt.datetime) else value
