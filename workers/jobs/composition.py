"""What a measure is made of: an amount that adds up, a rate of two amounts, or arithmetic over parts."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from semantic.catalog.model import Catalog, DerivedMetric, RatioMetric, SimpleMetric
from semantic.expr import And, Predicate
from semantic.query import Aggregate, AggregateKind, Calculation, Measure, MetricRef

MAX_PARTS = 6
_ADDS_UP = (AggregateKind.COUNT, AggregateKind.SUM)
Formula = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True, slots=True)
class Composition:
    """amount: `top` adds up over segments. rate: top / base x scale. other: `top` only.

    parts: label -> measure, for `formula` over labels; empty where there is nothing to take apart. base_label: what the base counts.
    """

    kind: Literal["amount", "rate", "other"]
    top: Measure
    base: Measure | None = None
    scale: float = 1.0
    base_label: str = ""
    parts: tuple[tuple[str, Measure], ...] = ()
    formula: Formula | None = None


def composition(catalog: Catalog, measure: Measure) -> Composition:
    """catalog: as visible to the user. Raises: NotFound for an unknown metric."""
    if isinstance(measure, Aggregate):
        return _aggregate(catalog, measure, measure)
    if isinstance(measure, Calculation) and measure.op == "/":
        top, base = composition(catalog, measure.left), composition(catalog, measure.right)
        if top.kind == base.kind == "amount":
            return Composition("rate", top.top, base.top, base_label=_label(catalog, measure.right))
    if not isinstance(measure, MetricRef):
        return Composition("other", measure)
    metric = catalog.metric(measure.metric)
    if isinstance(metric, SimpleMetric):
        same = Aggregate(
            aggregate=metric.aggregate, dataset=metric.dataset, of=metric.of, quantile=metric.quantile,
            where=_both(metric.where, measure.where), time_field=metric.time_field,
        )  # fmt: skip
        return _aggregate(catalog, same, measure)
    if isinstance(metric, RatioMetric):
        return _ratio(catalog, metric, measure)
    if isinstance(metric, DerivedMetric):
        return _derived(catalog, metric, measure)
    return Composition("other", measure)


def _aggregate(catalog: Catalog, aggregate: Aggregate, shown: Measure) -> Composition:
    if aggregate.aggregate in _ADDS_UP:
        return Composition("amount", shown)
    if aggregate.aggregate is AggregateKind.AVG and aggregate.of is not None:
        top = aggregate.changed(aggregate=AggregateKind.SUM, alias="querent_sum")
        base = aggregate.changed(aggregate=AggregateKind.COUNT, alias="querent_count")
        return Composition("rate", top, base, base_label=catalog.dataset(aggregate.dataset).label)
    return Composition("other", shown)


def _ratio(catalog: Catalog, metric: RatioMetric, measure: MetricRef) -> Composition:
    top = MetricRef(metric=metric.numerator, where=measure.where)
    base = MetricRef(metric=metric.denominator, where=measure.where)
    labels = catalog.metric(metric.numerator).label, catalog.metric(metric.denominator).label
    scale = metric.scale
    parts = ((labels[0], top), (labels[1], base)) if labels[0] != labels[1] else ()

    def formula(values: Mapping[str, float]) -> float:
        return values[labels[0]] / values[labels[1]] * scale if values[labels[1]] else math.nan

    kinds = {composition(catalog, top).kind, composition(catalog, base).kind}
    if kinds != {"amount"}:
        return Composition("other", measure, parts=parts, formula=formula)
    return Composition("rate", top, base, scale, labels[1], parts, formula)


def _derived(catalog: Catalog, metric: DerivedMetric, measure: MetricRef) -> Composition:
    tree = ast.parse(metric.expression, mode="eval").body
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    labels = {name: catalog.metric(name).label for name in names}
    if not names or len(names) > MAX_PARTS or len(set(labels.values())) < len(names):
        return Composition("other", measure)
    parts = tuple((labels[name], MetricRef(metric=name, where=measure.where)) for name in names)

    def formula(values: Mapping[str, float]) -> float:
        return _value(tree, {name: values[label] for name, label in labels.items()})

    adds_up = _is_linear(tree) and all(composition(catalog, part).kind == "amount" for _, part in parts)
    return replace(Composition("amount" if adds_up else "other", measure), parts=parts, formula=formula)


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    """NaN where a division has no value."""
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, values)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, values), _value(node.right, values)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right if right else math.nan
    return math.nan


def _is_linear(node: ast.expr) -> bool:
    """Whether segments of it add up: sums and differences of metrics, times or over plain numbers."""
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.UnaryOp):
        return _is_linear(node.operand)
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add | ast.Sub):
            return _is_linear(node.left) and _is_linear(node.right)
        if isinstance(node.op, ast.Mult):
            return (_is_linear(node.left) and _is_number(node.right)) or (_is_number(node.left) and _is_linear(node.right))
        if isinstance(node.op, ast.Div):
            return _is_linear(node.left) and _is_number(node.right)
    return False


def _is_number(node: ast.expr) -> bool:
    return not any(isinstance(inner, ast.Name) for inner in ast.walk(node))


def _both(first: Predicate | None, second: Predicate | None) -> Predicate | None:
    if first is None or second is None:
        return first if second is None else second
    return And(items=(first, second))


def _label(catalog: Catalog, measure: Measure) -> str:
    return catalog.metric(measure.metric).label if isinstance(measure, MetricRef) else getattr(measure, "alias", None) or "the base"
