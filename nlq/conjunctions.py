"""Predicates put together: all of them, bounds on how many related rows there are, and conditions that cannot hold at once."""

from __future__ import annotations

from collections.abc import Sequence

from semantic.expr import And, Comparison, FieldRef, Has, Literal_, Predicate


def counted(dataset: str, where: Predicate | None, op: str, count: int) -> Predicate:
    """A bound on how many related rows there are; bounds that zero satisfies are said as their opposite, negated."""
    if op in ("<", "<=") and count >= (1 if op == "<" else 0):
        return Has(dataset=dataset, where=where, negate=True, count_op=">=" if op == "<" else ">", count=count)
    return Has(dataset=dataset, where=where, count_op=op, count=count)


def contradicts(parts: Sequence[Predicate]) -> bool:
    """Whether one field of the same row would have to equal two different values."""
    wanted: dict[str, object] = {}
    for part in parts:
        for item in conjuncts(part):
            if not (
                isinstance(item, Comparison) and item.op == "=" and isinstance(item.left, FieldRef) and isinstance(item.right, Literal_)
            ):
                continue
            if wanted.setdefault(str(item.left), item.right.value) != item.right.value:
                return True
    return False


def conjunction(items: Sequence[Predicate]) -> Predicate:
    """One predicate for all; a single one stays itself."""
    return items[0] if len(items) == 1 else And(items=tuple(items))


def conjuncts(predicate: Predicate | None) -> tuple[Predicate, ...]:
    """The conditions that a predicate is the conjunction of; () for none."""
    return () if predicate is None else predicate.items if isinstance(predicate, And) else (predicate,)
