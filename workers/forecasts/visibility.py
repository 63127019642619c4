"""How much of the data a caller sees, as a key: figures made for one are shown only to those who see the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.catalog.references import references
from semantic.catalog.visible import applies, closed_fields
from semantic.expr import Predicate
from semantic.query import Measure
from workers.kinds import MeasureParams, SeriesParams

Fields = frozenset[tuple[str, str]]


def visibility_key(principal: Principal, catalog: Catalog, *parts: object) -> str:
    """`all` when nothing narrows what `parts` come to for the caller; else a hash of the row policies with the caller's values for them,
    and of what column rules and clearances do to the fields behind `parts` (metrics, predicates, groups)."""
    seen: list[object] = [
        [p.model_dump(mode="json", exclude={"roles"}), sorted(map(str, principal.attributes.get(p.attribute or "", ())))]
        for p in sorted((p for p in catalog.row_policies if applies(principal, p)), key=lambda p: p.name)
    ]
    closed = closed_fields(catalog, principal)
    touched = sorted([*field, closed[field]] for field in fields_behind(catalog, *parts) if field in closed) if closed else []
    if not seen and not touched:
        return "all"
    return _digest([seen, touched] if touched else seen)


def figures_key(principal: Principal, catalog: Catalog, params: MeasureParams) -> str:
    """`visibility_key` of what a forecast is made of."""
    return visibility_key(principal, catalog, params.asked, params.where, params.segments if isinstance(params, SeriesParams) else ())


def kept_params(params: Mapping[str, Any] | None, metric: str) -> SeriesParams:
    """What a stored forecast was made of, from what was kept of its parameters; of entries without any, its metric."""
    known = {name: value for name, value in (params or {}).items() if name in SeriesParams.model_fields and name != "time"}
    return SeriesParams.model_validate(known) if known else SeriesParams(metric=metric)


def fields_behind(catalog: Catalog, *parts: object) -> Fields:
    """Every (dataset, field) that `parts` rest on, also through the metrics and computed fields that they name."""
    found: set[tuple[str, str]] = set()
    metrics: set[str] = set()
    by_metric = {m.name: m for m in catalog.metrics}
    by_field = {(d.name, f.name): f for d in catalog.datasets for f in d.fields}
    stack: list[object] = list(parts)
    while stack:
        named = references(stack.pop())
        new_metrics = named.metrics - metrics
        metrics |= new_metrics
        stack += [by_metric[name] for name in new_metrics if name in by_metric]
        new_fields = named.fields - found
        found |= new_fields
        stack += [by_field[name].expression for name in new_fields if name in by_field]
    return frozenset(found)


def sees_as_much(reader: Principal, maker: Principal, catalog: Catalog) -> bool:
    """Whether everything that was made for `maker` may be told to `reader`: the same rows or all of them, and no field closed to the reader alone."""
    rows = visibility_key(reader, catalog)
    if rows != "all" and rows != visibility_key(maker, catalog):
        return False
    theirs = closed_fields(catalog, maker)
    return all(theirs.get(field) in (action, "hide") for field, action in closed_fields(catalog, reader).items())


def measure_key(measure: Measure, where: Predicate | None) -> str:
    """The same for the same figures: a measure with its filter."""
    return _digest([measure.model_dump(mode="json"), where.model_dump(mode="json") if where is not None else None])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]
