"""Two ends of a way: which relationship a place or an account is reached by, from the words beside it."""

from __future__ import annotations

from nlq.lexicon import is_one_of_several
from nlq.text import keys_of, lemma
from semantic.catalog.model import Catalog
from semantic.expr import Comparison, FieldRef, In, Predicate

_ENDS = {
    "from": frozenset(lemma(w) for w in ("from", "origin", "departure", "depart", "source", "start", "sender", "pickup", "payer", "seller", "outgoing")),
    "to": frozenset(lemma(w) for w in ("to", "destination", "arrival", "arrive", "target", "end", "receiver", "recipient", "dropoff", "payee", "buyer", "incoming")),
}  # fmt: skip


def says(label: str, hint: str) -> bool:
    """Whether a name is of the end that the hint tells of.

    >>> says("origin code", "from"), says("destination city", "from")
    (True, False)
    """
    return bool(set(keys_of(label)) & _ENDS.get(hint, frozenset()))


def way_to(dataset: str, hint: str, catalog: Catalog) -> tuple[str, ...]:
    """The one relationship to a dataset that fits the hint ("from", "to", or "@" and its name); empty without a hint, or where there is no choice."""
    if hint.startswith("@"):
        return tuple(r.name for r in catalog.relationships if r.name == hint[1:] and r.to_dataset == dataset)
    found = [
        r.name
        for r in catalog.relationships
        if r.to_dataset == dataset and r.role is not None and is_one_of_several(r, catalog) and says(r.role, hint)
    ]
    return (found[0],) if len(found) == 1 else ()


def other_side(catalog: Catalog, thing: str, pairs: str, where: Predicate | None) -> tuple[str, ...]:
    """Of a table that pairs things of one kind, the side that a condition does not tell of: "which states border Hesse"."""
    sides = [r for r in catalog.relationships if r.from_dataset == pairs and r.to_dataset == thing]
    told = where.left if isinstance(where, Comparison) else where.field if isinstance(where, In) else None
    if len(sides) != 2 or not isinstance(told, FieldRef) or (told.field,) not in [r.from_fields for r in sides]:
        return ()
    return tuple(r.name for r in sides if r.from_fields != (told.field,))
