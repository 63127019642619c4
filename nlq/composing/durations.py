"""Time between two dates, of one row or of related rows."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.composing.local import narrow
from nlq.frame import MeasureItem, Mention
from nlq.predicates import Unbuildable
from semantic.expr import DateDiff, Expr, FieldRef, IsNull, Now, Predicate, Related
from semantic.query import Aggregate, AggregateKind, Measure

_FLIP = {"asc": False, "earliest": False, "desc": True, "latest": True}


def build_duration(draft: Draft, item: MeasureItem) -> Expr:
    return elapsed(draft, item)[0]


def elapsed(draft: Draft, item: MeasureItem) -> tuple[Expr, str]:
    """The time from one moment to the other, and the dataset whose rows have both."""
    first, second = _place(draft, item.start), _place(draft, item.end)
    if item.start is None and second is not None:
        earlier = _first_date(draft, item.end)
        return DateDiff(unit=item.unit, start=earlier, end=second[0], exact=item.exact), second[0].dataset
    if first is None:
        raise Unbuildable("duration without a date")
    if second is None:
        return DateDiff(unit=item.unit, start=first[0], end=Now(), exact=item.exact), first[0].dataset
    start, end = _event(draft, first, second[0].dataset), _event(draft, second, first[0].dataset)
    homes = [e.dataset for e in (start, end) if isinstance(e, FieldRef)]
    bases = [x for x in draft.graph.bases(homes) if x in homes] or draft.graph.bases(homes)
    if not bases:
        raise Unbuildable("dates of unrelated things")
    return DateDiff(unit=item.unit, start=start, end=end, exact=item.exact), bases[0]


def _place(draft: Draft, mention: Mention | None) -> tuple[FieldRef, str | None] | None:
    """The date that a mention means, and whether the first or last of several is meant."""
    if mention is None:
        return None
    target = draft.target(mention)
    if target is None:
        raise Unbuildable("duration without a date")
    which = "min" if mention.first else "max" if mention.last else None
    if target.kind == "dataset":
        ref = draft.predicates.time_field(target.dataset or "")
        if ref is None:
            raise Unbuildable("an event without a date")
        return ref, which
    if not draft.kinds.is_time(target):
        raise Unbuildable("duration of no date")
    return target.ref, which


def _event(draft: Draft, place: tuple[FieldRef, str | None], other: str) -> Expr:
    """A date of one row, or the first or last among rows that point to `other`."""
    ref, which = place
    if which is not None and ref.dataset != other and draft.graph.points_to(ref.dataset, other):
        return Related(aggregate=which, dataset=ref.dataset, of=ref)
    return ref


def _first_date(draft: Draft, end: Mention | None) -> FieldRef:
    """The primary date of the thing whose later date `end` names."""
    target = draft.target(end)
    ref = draft.predicates.time_field(target.dataset or "") if target is not None else None
    if target is None or ref is None or ref.field == target.field:
        raise Unbuildable("no earlier date")
    draft.guess(0.06, f"from {ref.field}")
    return ref


def ended(draft: Draft, item: MeasureItem) -> list[Predicate]:
    """Groups of a duration are those where it has ended at least once."""
    end = _place(draft, item.end)
    if end is None or not draft.catalog.field(end[0]).nullable or end[1] is not None:
        return []
    return [IsNull(field=end[0], negate=True)]


def duration_measure(draft: Draft, item: MeasureItem) -> Measure:
    expr, base = elapsed(draft, item)
    kind = AggregateKind(item.aggregate) if item.aggregate in ("avg", "sum", "min", "max", "median") else AggregateKind.AVG
    if item.aggregate is None:
        if item.superlative is not None:
            kind = AggregateKind.MAX if _FLIP[item.superlative] else AggregateKind.MIN
        else:
            draft.guess(0.08, "average duration")
    return Aggregate(aggregate=kind, dataset=base, of=expr, where=narrow(draft, item.conditions, base))
