"""The field references of an expression or predicate, and the parts of a conjunction."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.expr import (
    And,
    Arithmetic,
    Between,
    Case,
    Comparison,
    DateDiff,
    DatePart,
    Expr,
    FieldRef,
    In,
    InWindow,
    IsNull,
    Like,
    MakeDate,
    Not,
    Or,
    Predicate,
    Related,
    Text,
    VersusAggregate,
)


def refs(node: Expr | Predicate) -> Iterator[FieldRef]:
    """Fields read on the row itself: not those inside `Has` and `Related`, which read other rows."""
    if isinstance(node, FieldRef):
        yield node
        return
    for child in children(node):
        yield from refs(child)


def related(node: Expr | Predicate) -> Iterator[Related]:
    """The `Related` values inside `node`."""
    if isinstance(node, Related):
        yield node
        return
    for child in children(node):
        yield from related(child)


def children(node: Expr | Predicate) -> tuple[Expr | Predicate, ...]:
    """The direct parts that are evaluated on the same row."""
    match node:
        case Arithmetic() | Comparison():
            return (node.left, node.right)
        case DateDiff():
            return (node.start, node.end)
        case DatePart():
            return (node.of,)
        case MakeDate():
            return (node.year, node.month, node.day)
        case Text():
            return (node.of, *node.others)
        case Case():
            otherwise: tuple[Expr, ...] = (node.otherwise,) if node.otherwise is not None else ()
            return (*(part for branch in node.branches for part in branch), *otherwise)
        case In() | Like() | IsNull() | InWindow():
            return (node.field,)
        case Between():
            return (node.field, node.low, node.high)
        case And() | Or():
            return node.items
        case Not():
            return (node.item,)
        case VersusAggregate():
            return (node.left, *node.per)
        case _:
            return ()


def conjuncts(predicate: Predicate | None) -> tuple[Predicate, ...]:
    """The parts that must all hold; nested `And` flattened."""
    if predicate is None:
        return ()
    if isinstance(predicate, And):
        return tuple(part for item in predicate.items for part in conjuncts(item))
    return (predicate,)


def all_of(*parts: Predicate | None) -> Predicate | None:
    """The conjunction of what is given, without repeats; None when nothing is."""
    kept = tuple(dict.fromkeys(part for whole in parts for part in conjuncts(whole)))
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else And(items=kept)
