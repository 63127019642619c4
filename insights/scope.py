"""What the filters of a query leave, in the few words that go after the name of a figure."""

from __future__ import annotations

from collections.abc import Sequence

from semantic.catalog.model import Catalog
from semantic.expr import Comparison, FieldRef, In, Literal_, Predicate
from semantic.query import ByField, SemanticQuery
from semantic.resolve.walk import conjuncts

_MOST_FILTERS, _LONGEST = 2, 60


def scope_of(query: SemanticQuery, catalog: Catalog) -> str:
    """ " for Germany and France", " for channel email", " excluding Home": all filters of a query by values of fields that no column shows.

    Empty where there are none, many, or one that is more than values: half of the filters would be misleading.
    """
    shown = {(b.field.dataset, b.field.field) for b in query.by if isinstance(b, ByField)}
    kept, left_out = list[str](), list[str]()
    for predicate in conjuncts(query.where):
        chosen = _values(predicate)
        if chosen is None:
            return ""
        field, values, denied = chosen
        if (field.dataset, field.field) not in shown:
            (left_out if denied else kept).append(_said_values(values, catalog.dataset(field.dataset).field(field.field).label))
    if len(kept) + len(left_out) > _MOST_FILTERS:
        return ""
    said = [*([f" for {', '.join(kept)}"] if kept else []), *([f" excluding {' or '.join(left_out)}"] if left_out else [])]
    text = "".join(said)
    return text if len(text) <= _LONGEST else ""


def _values(predicate: Predicate) -> tuple[FieldRef, tuple[str, ...], bool] | None:
    """(field, values, whether they are what it is not) of a filter by texts."""
    if isinstance(predicate, In) and isinstance(predicate.field, FieldRef):
        field, values, denied = predicate.field, predicate.values, predicate.negate
    elif isinstance(predicate, Comparison) and predicate.op in ("=", "!=") and isinstance(predicate.left, FieldRef):
        if not isinstance(predicate.right, Literal_):
            return None
        field, denied = predicate.left, predicate.op == "!="
        values = () if predicate.right.value is None else (predicate.right.value,)
    else:
        return None
    texts = tuple(v for v in values if isinstance(v, str) and v.strip())
    return (field, texts, denied) if texts and len(texts) == len(values) else None


def _said_values(values: Sequence[str], label: str) -> str:
    """Names stand by themselves; what could be any word, or a code, comes with what it is a value of."""
    said = f"{', '.join(values[:-1])} and {values[-1]}" if len(values) > 1 else values[0]
    named = all(value[:1].isupper() and any(c.islower() for c in value) for value in values)
    return said if named else f"{label} {said}"
