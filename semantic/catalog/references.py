"""What a part of the catalog refers to: fields, datasets, metrics, relationships, found by walking its values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from semantic.catalog.model import CumulativeMetric, DerivedMetric, Metric, RatioMetric
from semantic.expr import FieldRef, Has, Related
from semantic.query import Aggregate, ByEntity, MetricRef

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class References:
    """fields: (dataset, field). datasets: named without a field. via: relationship names."""

    fields: frozenset[tuple[str, str]]
    datasets: frozenset[str]
    metrics: frozenset[str]
    entities: frozenset[str]
    via: frozenset[str]


def references(part: object) -> References:
    """Everything that `part` (any catalog or query value, or a tuple of them) refers to."""
    fields: set[tuple[str, str]] = set()
    datasets: set[str] = set()
    metrics: set[str] = set()
    entities: set[str] = set()
    via: set[str] = set()
    for value in walk(part):
        if isinstance(value, FieldRef):
            fields.add((value.dataset, value.field))
            via.update(value.via)
        elif isinstance(value, Has | Related):
            datasets.add(value.dataset)
            via.update(value.via)
        elif isinstance(value, Aggregate):
            datasets.add(value.dataset)
        elif isinstance(value, MetricRef):
            metrics.add(value.metric)
        elif isinstance(value, ByEntity):
            entities.add(value.entity)
            via.update(value.via)
        elif isinstance(value, RatioMetric | DerivedMetric | CumulativeMetric):
            metrics.update(parts(value))
    return References(frozenset(fields), frozenset(datasets), frozenset(metrics), frozenset(entities), frozenset(via))


def parts(metric: Metric) -> tuple[str, ...]:
    """Names of the metrics that this one is made of."""
    if isinstance(metric, RatioMetric):
        return metric.numerator, metric.denominator
    if isinstance(metric, CumulativeMetric):
        return (metric.metric,)
    if isinstance(metric, DerivedMetric):
        return tuple(dict.fromkeys(_NAME.findall(metric.expression)))
    return ()


def walk(part: object) -> Iterator[object]:
    """Every value inside `part`, itself first."""
    stack = [part]
    while stack:
        value = stack.pop()
        yield value
        if isinstance(value, BaseModel):
            stack.extend(getattr(value, name) for name in type(value).model_fields)
        elif isinstance(value, tuple | list):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
