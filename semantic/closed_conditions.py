"""Conditions on values that the caller sees masked or as a pseudonym: by the real value they would match nothing, and say so to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from core.errors import QueryRejected
from core.principal import Principal
from semantic.catalog.model import Catalog, Metric
from semantic.catalog.references import parts, references, walk
from semantic.catalog.visible import closed_fields
from semantic.expr import Between, Comparison, FieldRef, In, Like, Literal_, VersusAggregate

_PSEUDONYM = re.compile(r"[0-9a-f]{16}")
_SMALLEST_NUMBER = 2**31  # pseudonyms of whole numbers have 63 bits; one in four billion is smaller
Leaf = Comparison | In | Between | Like | VersusAggregate


def refuse_closed_conditions(query: object, catalog: Catalog, principal: Principal) -> None:
    """Looks at every condition of a query (or predicate) and of the metrics that it names. A pseudonym as it is shown may be asked for; `is null` always.

    catalog: the whole one. Raises: QueryRejected `closed_condition`.
    """
    closed = {field: action for field, action in closed_fields(catalog, principal).items() if action != "hide"}
    if not closed:
        return
    for part in walk((query, *_metrics_in(query, catalog))):
        if isinstance(part, Leaf):
            field = _closed_in(part, catalog, closed)
            if field is not None and not _asks_for_pseudonyms(part, closed):
                label = catalog.field(FieldRef(dataset=field[0], field=field[1])).label
                shown = "as a pseudonym" if closed[field] == "hash" else "masked"
                raise QueryRejected(
                    f"“{label}” is shown to you {shown}, so a condition on its real value would find nothing.",
                    code="closed_condition",
                    suggestions=("use the pseudonym as answers show it", "ask without this condition"),
                )


def _metrics_in(query: object, catalog: Catalog) -> tuple[Metric, ...]:
    """The metrics that it names, with those that they are made of."""
    known = {m.name: m for m in catalog.metrics}
    found: dict[str, Metric] = {}
    stack = list(references(query).metrics)
    while stack:
        metric = known.get(stack.pop())
        if metric is not None and metric.name not in found:
            found[metric.name] = metric
            stack += parts(metric)
    return tuple(found.values())


def _closed_in(leaf: Leaf, catalog: Catalog, closed: Mapping[tuple[str, str], str]) -> tuple[str, str] | None:
    """The closed field that a condition with a literal rests on, also through computed fields."""
    if isinstance(leaf, Comparison) and not any(isinstance(part, Literal_) for part in walk((leaf.left, leaf.right))):
        return None
    computed = {(d.name, f.name): f.expression for d in catalog.datasets for f in d.fields if f.expression is not None}
    seen: set[tuple[str, str]] = set()
    stack: list[object] = [leaf]
    while stack:
        fields = references(stack.pop()).fields - seen
        seen |= fields
        stack += [computed[name] for name in fields if name in computed]
    return min(seen & closed.keys(), default=None)


def _asks_for_pseudonyms(leaf: Leaf, closed: Mapping[tuple[str, str], str]) -> bool:
    if isinstance(leaf, In):
        sides: list[object] = [leaf.field]
        values: list[object] = list(leaf.values)
    elif isinstance(leaf, Comparison) and leaf.op in ("=", "!="):
        sides = [side for side in (leaf.left, leaf.right) if not isinstance(side, Literal_)]
        values = [side.value for side in (leaf.left, leaf.right) if isinstance(side, Literal_)]
    else:
        return False
    plain = all(isinstance(side, FieldRef) and closed.get((side.dataset, side.field)) == "hash" for side in sides)
    return plain and _are_pseudonyms(values)


def _are_pseudonyms(values: Iterable[object]) -> bool:
    return all(
        _PSEUDONYM.fullmatch(value.lower()) is not None if isinstance(value, str) else isinstance(value, int) and value >= _SMALLEST_NUMBER
        for value in values
        if value is not None
    )
