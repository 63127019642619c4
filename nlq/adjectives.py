"""Which numbers an adjective compares: the words to look for in the names of fields."""

from __future__ import annotations

_SIZE = ("area", "size", "population", "amount", "volume", "capacity")
_MONEY = ("price", "cost", "fare", "amount")
_RATING = ("rating", "score")
_SPAN = ("length", "duration", "distance")

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "highest": ("altitude", "elevation", "height", "rating", "score", "amount", "value", "price"),
    "lowest": ("altitude", "elevation", "price", "rating", "score", "amount"),
    "tallest": ("height", "altitude", "elevation"),
    "largest": _SIZE,
    "biggest": _SIZE,
    "greatest": _SIZE,
    "smallest": _SIZE,
    "longest": _SPAN,
    "shortest": (*_SPAN, "height"),
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
    "oldest": ("age",),
    "youngest": ("age",),
}
