"""A derived number's change told by the numbers that it is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from core.errors import Invalid

MAX_PARTS = 6  # 720 orders


@dataclass(frozen=True, slots=True)
class PartChange:
    """effect: what this part's move adds to the change of the whole; the effects of all parts sum to it."""

    name: str
    before: float
    after: float
    effect: float


def parts_of_change(
    formula: Callable[[Mapping[str, float]], float], names: Sequence[str], before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[PartChange, ...]:
    """The change of formula(parts), shared among the parts: each part's effect averaged over all orders of moving them. Largest first.

    NaN effects where the formula has no value on the way. Raises: Invalid for more than six parts. Source: Shapley (1953).

    >>> [round(p.effect, 2) for p in parts_of_change(lambda v: v["a"] * v["b"], "ab", {"a": 2.0, "b": 3.0}, {"a": 4.0, "b": 3.0})]
    [6.0, 0.0]
    """
    if len(names) > MAX_PARTS:
        raise Invalid(f"At most {MAX_PARTS} parts can be told apart; found {len(names)}.", code="too_many_parts")
    effects = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        here = dict(before)
        value = formula(here)
        for name in order:
            here[name] = after[name]
            moved = formula(here)
            effects[name] += (moved - value) / len(orders)
            value = moved
    found = [PartChange(name, before[name], after[name], effects[name]) for name in names]
    return tuple(sorted(found, key=lambda part: (-abs(part.effect) if math.isfinite(part.effect) else 0.0, part.name)))
