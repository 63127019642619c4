"""Which numbers an adjective compares: the words to look for in the names of fields."""

from __future__ import annotations

from semantic.catalog.model import Dataset, FieldRole

_SIZE = ("area", "size", "population", "amount", "volume", "capacity")
_MONEY = ("price", "cost", "fare", "fee", "charge", "amount")
_RATING = ("rating", "score")
_SPAN = ("length", "duration", "distance", "runtime")
_TEXT = ("word", "words", "page", "pages")

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "highest": ("altitude", "elevation", "height", "rating", "score", "amount", "value", "price"),
    "lowest": ("altitude", "elevation", "price", "rating", "score", "amount"),
    "tallest": ("height", "altitude", "elevation"),
    "largest": _SIZE,
    "biggest": _SIZE,
    "greatest": _SIZE,
    "smallest": _SIZE,
    "longest": (*_SPAN, *_TEXT),
    "shortest": (*_SPAN, "height", *_TEXT),
    "deepest": ("depth",),
    "heaviest": ("weight",),
    "lightest": ("weight",),
    "fastest": ("speed",),
    "slowest": ("speed",),
    "cheapest": _MONEY,
    "costliest": _MONEY,
    "priciest": _MONEY,
    "expensive": _MONEY,
    "valuable": ("value", "price", "amount"),
    "best": _RATING,
    "worst": _RATING,
    "richest": ("income", "salary", "wealth"),
    "paid": ("salary", "wage", "pay", "compensation"),
    "oldest": ("age",),
    "youngest": ("age",),
}

_COMPARATIVES = {
    "longer": "longest", "shorter": "shortest", "taller": "tallest", "larger": "largest", "bigger": "biggest", "greater": "greatest", "smaller": "smallest",
    "heavier": "heaviest", "lighter": "lightest", "deeper": "deepest", "faster": "fastest", "slower": "slowest", "cheaper": "cheapest", "pricier": "priciest",
    "older": "oldest", "younger": "youngest", "richer": "richest",
}  # fmt: skip


def compared_field(words: str, dataset: Dataset) -> str | None:
    """The number of `dataset` that a comparison is about ("longer than": its duration); None when none or several fit.

    >>> compared_field("more than", Dataset(name="d", database="x", table="d", label="d", fields=()))
    """
    wanted = ADJECTIVES.get(_COMPARATIVES.get(words.lower().split()[0] if words.split() else "", ""), ())
    numbers = [f for f in dataset.fields if f.role is FieldRole.MEASURE and not f.hidden]
    for key in wanted:
        found = [f.name for f in numbers if key in f.label.lower().split() or any(key in s.lower().split() for s in f.synonyms)]
        if found:
            return found[0] if len(found) == 1 else None
    return None
