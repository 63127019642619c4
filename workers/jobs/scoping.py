"""A filter in a reader's words, for the name of what is told: "revenue in EMEA"."""

from __future__ import annotations

from semantic.expr import And, Comparison, FieldRef, In, Literal_, Predicate

MAX_NAMED = 3


def scoped(label: str, where: Predicate | None) -> str:
    """The metric's label with the values that a simple filter keeps; "(filtered)" for any other filter."""
    if where is None:
        return label
    values = _values(where)
    if values is None:
        return f"{label} (filtered)"
    shown = [str(value) for value in values]
    text = ", ".join(shown) if len(shown) <= MAX_NAMED else f"{', '.join(shown[:MAX_NAMED])} and {len(shown) - MAX_NAMED} more"
    return f"{label} in {text}"


def _values(where: Predicate) -> list[object] | None:
    if isinstance(where, And):
        parts = [_values(item) for item in where.items]
        return None if any(part is None for part in parts) else [value for part in parts if part for value in part]
    if isinstance(where, Comparison) and where.op == "=" and isinstance(where.left, FieldRef) and isinstance(where.right, Literal_):
        return [where.right.value]
    if isinstance(where, In) and not where.negate and isinstance(where.field, FieldRef):
        return list(where.values)
    return None
