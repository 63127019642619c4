"""Two dates of the same rows, so far apart."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.numbers import as_scalar
from semantic.expr import And, Comparison, DateDiff, FieldRef, Literal_, Predicate

# Days are counted as the calendar does; the rest is elapsed time, so that six hours are not seven clock strikes and a month is a month.
_COUNTED = ("second", "day")


def lapse(condition: Condition, date: FieldRef, other: FieldRef) -> Predicate:
    """Whether `date` lies so long after (or before) `other`; at most so long never counts dates on the other side."""
    unit = condition.literal or "day"
    earlier, later = (date, other) if condition.hint == "before" else (other, date)
    between = DateDiff.model_validate({"unit": unit, "start": earlier, "end": later, "exact": unit not in _COUNTED})
    bound = Comparison(op=condition.op, left=between, right=Literal_(value=as_scalar(condition.number or 0.0)))
    if condition.op not in ("<", "<="):
        return bound
    return And(items=(Comparison(op=">=", left=between, right=Literal_(value=0)), bound))
