"""What the filters of a query leave, in the few words that go after the name of a figure."""

from __future__ import annotations

from collections.abc import Sequence

from semantic.catalog.model import Catalog
from semantic.chosen import chosen
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
        found = chosen(predicate)
        names = [v for v in found.values if isinstance(v, str) and v.strip()] if found is not None else []
        if found is None or len(names) < len(found.values):
            return ""
        if (found.field.dataset, found.field.field) not in shown:
            (left_out if found.denied else kept).append(_said_values(names, catalog.field(found.field).label))
    if len(kept) + len(left_out) > _MOST_FILTERS:
        return ""
    said = [*([f" for {', '.join(kept)}"] if kept else []), *([f" excluding {' or '.join(left_out)}"] if left_out else [])]
    text = "".join(said)
    return text if len(text) <= _LONGEST else ""


def _said_values(values: Sequence[str], label: str) -> str:
    """Names stand by themselves; what could be any word, or a code, comes with what it is a value of."""
    said = f"{', '.join(values[:-1])} and {values[-1]}" if len(values) > 1 else values[0]
    named = all(value[:1].isupper() and any(c.islower() for c in value) for value in values)
    return said if named else f"{label} {said}"
