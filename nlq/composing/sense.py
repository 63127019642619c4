"""Groups that would say nothing: things counted by themselves, and rows that belong to none of what is ranked."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.draft import Draft
from nlq.conjunctions import conjunction
from nlq.predicates import Unbuildable
from semantic.catalog.model import DatasetKind, FieldRole
from semantic.expr import FieldRef, IsNull, Predicate
from semantic.query import Aggregate, AggregateKind, ByEntity, ByField, GroupBy, Measure


def refuse_one_each(draft: Draft, by: Sequence[GroupBy], measures: Sequence[Measure]) -> None:
    """How many different values of its own a thing has is always one. Raises: Unbuildable."""
    things = {draft.catalog.entity(b.entity).dataset for b in by if isinstance(b, ByEntity) and not b.via}
    for measure in measures:
        if not isinstance(measure, Aggregate) or measure.aggregate is not AggregateKind.COUNT_DISTINCT:
            continue
        if isinstance(measure.of, FieldRef) and measure.dataset == measure.of.dataset and measure.dataset in things:
            raise Unbuildable("each has one of its own")


def doubt_distinct(draft: Draft, base: str | None) -> None:
    """ "unique visitors per week": those who came, by what they did; by the day on which each was first known it says nothing that "visitors" does not."""
    f = draft.frame
    rows = draft.catalog.dataset(base) if base is not None else None
    things = rows is not None and rows.kind is DatasetKind.DIMENSION and rows.time is not None
    if things and f.distinct and (f.grain or f.times) and len([m for m in f.mentions if not m.explained]) == 1:
        draft.guess(0.45, "different ones by their own day")


def of_someone(draft: Draft, by: Sequence[GroupBy], base: str | None, where: Predicate | None) -> Predicate | None:
    """Ranked things are things: rows of none ("which customer has the highest": bills have no customer) are left out."""
    ranked = draft.frame.superlative is not None or draft.frame.limit_asked
    parts = [where] if where is not None else []
    for group in by:
        if isinstance(group, ByField) and ranked and len(by) == 1 and group.field.dataset == base and _may_lack(draft, group.field):
            parts.append(IsNull(field=group.field, negate=True))  # "most common reason": none is no reason
        if not isinstance(group, ByEntity) or len(group.via) > 1 or not ranked:
            continue
        entity = draft.catalog.entity(group.entity)
        ways = [r for r in draft.catalog.relationships if r.from_dataset == base and r.to_dataset == entity.dataset]
        ways = [r for r in ways if not group.via or r.name in group.via]
        if (
            len(ways) == 1
            and len(entity.key) == 1
            and any(draft.catalog.dataset(base or "").field(n).nullable for n in ways[0].from_fields)
        ):
            key = FieldRef(dataset=entity.dataset, field=entity.key[0], via=group.via)
            parts.append(IsNull(field=key, negate=True))
    return conjunction(parts) if parts else None


def _may_lack(draft: Draft, ref: FieldRef) -> bool:
    """Whether rows may have no such label."""
    field = draft.catalog.field(ref)
    return field.nullable and field.role in (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.KEY)
