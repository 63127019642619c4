"""Conditions that narrow one measure only."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.draft import Draft
from nlq.composing.pieces import pieces_condition, pieces_of
from nlq.conjunctions import conjunction
from nlq.frame import Condition
from nlq.parsing.comparisons import DIFFERENT
from nlq.predicates import Unbuildable
from semantic.expr import Comparison, FieldRef, Has, Literal_, Predicate, Related


def narrow(draft: Draft, conditions: Sequence[Condition], dataset: str) -> Predicate | None:
    if not conditions:
        return None
    counts = [c for c in conditions if c.measure is not None and c.kind == "number"]
    rest = [c for c in conditions if c not in counts]
    parts: list[Predicate] = []
    if rest:
        built = draft.predicates.build(rest, dataset)
        if built is not None:
            parts.append(built)
    for condition in counts:
        parts.append(count_condition(draft, condition, dataset))
    return conjunction(parts) if parts else None


def count_condition(draft: Draft, condition: Condition, base: str) -> Predicate:
    """ "authors with 3 or more papers": related rows, counted per row of the base."""
    target = draft.target(condition.mention)
    if target is None or condition.number is None:
        raise Unbuildable("counts nothing")
    if target.kind == "field" and draft.kinds.is_number(target):
        ref = target.ref
        return draft.predicates.field_predicate(condition, ref)
    dataset = target.dataset or ""
    if dataset == base or not draft.graph.connected(base, dataset):
        raise Unbuildable("counts its own rows")
    owner = _owner(draft, base, dataset)
    if owner is not None:  # "revenue of customers with more than one order": each row has one order at most, its customer has many
        return Has(dataset=owner, where=count_condition(draft, condition, owner))
    counted = _told_by_verb(draft, base, dataset) or _bridge_to(draft, base, dataset)
    draft.explained.add(id(condition.mention))
    op, count = condition.op, int(condition.number)
    of = pieces_of(draft, condition.mention, counted)
    if of is not None and condition.time is None:
        return pieces_condition(of, op, condition.number)
    key = draft.entities[dataset].key if dataset in draft.entities else ()
    if counted != dataset and DIFFERENT in draft.frame.notes and len(key) == 1 and condition.time is None and op != "between":
        different = Related(aggregate="count_distinct", dataset=counted, of=FieldRef(dataset=dataset, field=key[0]))
        return Comparison.model_validate({"op": op, "left": different, "right": Literal_(value=count)})
    time = draft.predicates.time_field(counted) if condition.time is not None else None
    where = draft.predicates.in_time(time, condition.time.window) if condition.time is not None and time is not None else None
    if condition.op == "between":
        raise Unbuildable("between on counts")
    zero = {"<": count > 0, "<=": count >= 0, "=": count == 0, "!=": count != 0, ">": count < 0, ">=": count <= 0}[op]
    if zero and op in ("<", "<="):
        flipped = {"<": ">=", "<=": ">"}[op]
        return Has(dataset=counted, where=where, negate=True, count_op=flipped, count=count)
    return Has(dataset=counted, where=where, count_op=op, count=count)


def _owner(draft: Draft, base: str, dataset: str) -> str | None:
    """Whose rows of `dataset` are counted, where a row of `base` has at most one of them. None where it may have many.

    Raises: Unbuildable where no thing, or several, have them.
    """
    if not draft.graph.points_to(base, dataset):
        return None
    owners = [
        e for e in draft.entities if e not in (base, dataset) and draft.graph.points_to(base, e) and draft.graph.points_to(dataset, e)
    ]
    if len(owners) != 1:
        raise Unbuildable("each row has one of them at most")
    return owners[0]


def _told_by_verb(draft: Draft, base: str, dataset: str) -> str | None:
    """ "who borrowed more than 15 books": the events that the verb names are counted, and no others that tie the two (holds)."""
    for condition in draft.frame.conditions:
        target = draft.target(condition.mention) if condition.kind == "related" and not condition.negate else None
        if target is None or condition.mention is None or not condition.mention.unit.text.lower().endswith(("ed", "ght", "ld", "nt")):
            continue
        events = target.dataset or ""
        if events != dataset and draft.graph.points_to(events, dataset) and draft.graph.points_to(events, base):
            return events
    return None


def _bridge_to(draft: Draft, base: str, dataset: str) -> str:
    """The dataset whose rows are counted: a bridge between the two where there is one."""
    path = draft.graph.path(base, dataset)
    if len(path) == 2 and not path[0].up and path[1].up:
        return path[0].target
    return dataset
