"""Conditions that are nothing but values of one field."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.expr import Comparison, FieldRef, In, Literal_, Not, Predicate, Scalar


@dataclass(frozen=True, slots=True)
class Chosen:
    """The field is one of the values, or with `denied` none of them."""

    field: FieldRef
    values: tuple[Scalar, ...]
    denied: bool = False


def chosen(predicate: Predicate) -> Chosen | None:
    """What a condition chooses of a field; None for any other condition, and for NULL."""
    if isinstance(predicate, Not):
        found = chosen(predicate.item)
        return None if found is None else Chosen(found.field, found.values, not found.denied)
    if isinstance(predicate, In) and isinstance(predicate.field, FieldRef):
        return Chosen(predicate.field, predicate.values, predicate.negate)
    if isinstance(predicate, Comparison) and predicate.op in ("=", "!=") and isinstance(predicate.left, FieldRef):
        value = predicate.right.value if isinstance(predicate.right, Literal_) else None
        return None if value is None else Chosen(predicate.left, (value,), predicate.op == "!=")
    return None
