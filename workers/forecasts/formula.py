"""What a measure is computed from: parts that add up over time, and how they combine. Ratios and averages are forecast as their parts."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import Invalid, UserError
from core.timeseries import FloatArray
from semantic.catalog.model import Catalog, CumulativeMetric, DerivedMetric, RatioMetric, SimpleMetric
from semantic.expr import And, FieldRef, Predicate
from semantic.query import Aggregate, AggregateKind, Calculation, Constant, Measure, MetricRef

_SUMS = (AggregateKind.COUNT, AggregateKind.SUM)
_OPS: dict[type[ast.operator], Literal["+", "-", "*", "/"]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
MAX_PARTS = 6


@dataclass(frozen=True, slots=True)
class Part:
    """The `index`-th part."""

    index: int


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Operation:
    op: Literal["+", "-", "*", "/"]
    left: Node
    right: Node


Node = Part | Number | Operation


@dataclass(frozen=True, slots=True)
class Formula:
    """parts: what is forecast, each once. `adds_up`: the parts' values over time and over segments may be summed before `evaluate`."""

    parts: tuple[Measure, ...]
    node: Node
    adds_up: bool

    @property
    def is_plain(self) -> bool:
        """The measure is its own and only part."""
        return self.node == Part(0)

    def evaluate(self, values: Sequence[FloatArray]) -> FloatArray:
        """values: one array per part, of one shape. Division by zero gives NaN."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = _value(self.node, values)
        return np.where(np.isfinite(found), found, np.nan)


def formula_of(measure: Measure, catalog: Catalog) -> Formula:
    """How to forecast `measure`: by its summable parts where it is made of such, else as it is.

    Raises: UserError `not_forecastable` for running totals; NotFound for an unknown metric.
    """
    _refuse(measure, catalog)
    parts: list[Measure] = []
    try:
        node = _tree(measure, catalog, parts, None)
    except _Indivisible:
        return Formula((measure,), Part(0), adds_up=False)
    if len(parts) > MAX_PARTS or _is_linear(node):  # a sum of parts behaves like one series; forecasting it whole adds no errors up
        return Formula((measure,), Part(0), adds_up=True)
    return Formula(tuple(parts), node, adds_up=True)


class _Indivisible(Exception):
    """Something that cannot be summed over time: a count of different things, a median, an extreme."""


def _refuse(measure: Measure, catalog: Catalog) -> None:
    if isinstance(measure, Constant):
        raise UserError("A constant cannot be forecast; name a metric.", code="not_forecastable", status=422)
    metric = catalog.metric(measure.metric) if isinstance(measure, MetricRef) else None
    if isinstance(metric, CumulativeMetric):
        raise UserError(
            f"{metric.label.capitalize()} is a running total and cannot be forecast by itself; forecast {metric.metric!r}, which it adds up.",
            code="not_forecastable",
            status=422,
            suggestions=(metric.metric,),
        )


def _tree(measure: Measure, catalog: Catalog, parts: list[Measure], where: Predicate | None) -> Node:
    if isinstance(measure, Constant):
        return Number(measure.value)
    if isinstance(measure, Calculation):
        return Operation(measure.op, _tree(measure.left, catalog, parts, where), _tree(measure.right, catalog, parts, where))
    if isinstance(measure, Aggregate):
        if measure.aggregate is AggregateKind.AVG:
            total = measure.model_copy(update={"aggregate": AggregateKind.SUM, "where": _both(measure.where, where), "alias": None})
            count = total.model_copy(update={"aggregate": AggregateKind.COUNT})
            return Operation("/", _part(total, parts), _part(count, parts))
        if measure.aggregate not in _SUMS:
            raise _Indivisible
        return _part(measure.model_copy(update={"where": _both(measure.where, where), "alias": None}), parts)
    where = _both(measure.where, where)
    metric = catalog.metric(measure.metric)
    if isinstance(metric, RatioMetric):
        top = _tree(MetricRef(metric=metric.numerator), catalog, parts, where)
        bottom = _tree(MetricRef(metric=metric.denominator), catalog, parts, where)
        ratio = Operation("/", top, bottom)
        return ratio if metric.scale == 1.0 else Operation("*", ratio, Number(metric.scale))
    if isinstance(metric, DerivedMetric):
        return _expression(ast.parse(metric.expression, mode="eval").body, catalog, parts, where)
    if not isinstance(metric, SimpleMetric) or _is_balance(metric, catalog):
        raise _Indivisible
    if metric.aggregate is AggregateKind.AVG:
        whole = Aggregate(
            aggregate=AggregateKind.AVG,
            dataset=metric.dataset,
            of=metric.of,
            where=_both(metric.where, where),
            time_field=metric.time_field,
        )
        return _tree(whole, catalog, parts, None)
    if metric.aggregate not in _SUMS:
        raise _Indivisible
    return _part(MetricRef(metric=metric.name, where=where), parts)


def _is_balance(metric: SimpleMetric, catalog: Catalog) -> bool:
    """A sum that may not be added over time, such as stock on hand."""
    time = metric.time_field or FieldRef(dataset=metric.dataset, field=catalog.dataset(metric.dataset).time or "")
    return any((f.dataset, f.field) == (time.dataset, time.field) for f in metric.non_additive)


def _expression(node: ast.expr, catalog: Catalog, parts: list[Measure], where: Predicate | None) -> Node:
    if isinstance(node, ast.Name):
        return _tree(MetricRef(metric=node.id), catalog, parts, where)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Number(float(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Operation("*", Number(-1.0), _expression(node.operand, catalog, parts, where))
    if isinstance(node, ast.BinOp) and type(node.op) in _OPS:
        left = _expression(node.left, catalog, parts, where)
        return Operation(_OPS[type(node.op)], left, _expression(node.right, catalog, parts, where))
    raise Invalid("The metric's expression may hold names, numbers, + - * / and parentheses only.", code="bad_expression")


def _part(measure: Measure, parts: list[Measure]) -> Part:
    if measure not in parts:
        parts.append(measure)
    return Part(parts.index(measure))


def _both(a: Predicate | None, b: Predicate | None) -> Predicate | None:
    return a if b is None else b if a is None or a == b else And(items=(a, b))


def _is_linear(node: Node) -> bool:
    """Sums and differences of parts, with constant factors."""
    if isinstance(node, Part):
        return True
    if isinstance(node, Number):
        return False
    if node.op in "+-":
        return _is_linear(node.left) and _is_linear(node.right)
    if node.op == "*":
        return (_is_constant(node.left) and _is_linear(node.right)) or (_is_linear(node.left) and _is_constant(node.right))
    return _is_linear(node.left) and _is_constant(node.right)


def _is_constant(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Operation) and _is_constant(node.left) and _is_constant(node.right))


def _value(node: Node, values: Sequence[FloatArray]) -> FloatArray:
    if isinstance(node, Part):
        return values[node.index]
    if isinstance(node, Number):
        return np.asarray(node.value, dtype=np.float64)
    left, right = _value(node.left, values), _value(node.right, values)
    if node.op == "+":
        return np.asarray(left + right)
    if node.op == "-":
        return np.asarray(left - right)
    return np.asarray(left * right if node.op == "*" else left / right)
