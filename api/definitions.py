"""What the numbers of an answer mean: the catalog's definition of every metric and field used."""

from __future__ import annotations

from collections.abc import Iterator

from api.schemas import Definition
from semantic.catalog.model import Catalog, CumulativeMetric, DerivedMetric, Metric, RatioMetric, SimpleMetric
from semantic.expr import Arithmetic, DateDiff, Expr, FieldRef, Literal_
from semantic.query import Aggregate, Calculation, Constant, Measure, MetricRef, SemanticQuery


def definitions(query: SemanticQuery, catalog: Catalog) -> list[Definition]:
    """Definitions of the query's measures and of the metrics that they are made of, each once, in order of first use."""
    found: dict[str, Definition] = {}
    for measure in query.metrics:
        for definition in _of_measure(measure, catalog):
            found.setdefault(definition.name, definition)
    return list(found.values())


def _of_measure(measure: Measure, catalog: Catalog) -> Iterator[Definition]:
    if isinstance(measure, MetricRef):
        yield from metric_definitions(catalog.metric(measure.metric), catalog)
    elif isinstance(measure, Calculation):
        yield from _of_measure(measure.left, catalog)
        yield from _of_measure(measure.right, catalog)
    elif isinstance(measure, Aggregate):
        inner = "rows" if measure.of is None else describe(measure.of)
        dataset = catalog.dataset(measure.dataset)
        name = measure.alias or f"{measure.aggregate}_{inner}"
        yield Definition(
            name=name, label=measure.alias or f"{measure.aggregate.value.replace('_', ' ')} of {inner}", description="Made for this question.",
            kind="ad-hoc aggregate", formula=f"{measure.aggregate}({inner}) of {dataset.label}",
        )  # fmt: skip
    else:
        assert isinstance(measure, Constant)


def metric_definitions(metric: Metric, catalog: Catalog) -> Iterator[Definition]:
    """The metric's own definition, then those of its parts."""
    yield Definition(
        name=metric.name, label=metric.label, description=metric.description, kind=f"{metric.type} metric", formula=formula(metric, catalog)
    )
    parts: tuple[str, ...] = ()
    if isinstance(metric, RatioMetric):
        parts = (metric.numerator, metric.denominator)
    elif isinstance(metric, CumulativeMetric):
        parts = (metric.metric,)
    elif isinstance(metric, DerivedMetric):
        known = {m.name for m in catalog.metrics}
        parts = tuple(word for word in _words(metric.expression) if word in known)
    for part in parts:
        yield from metric_definitions(catalog.metric(part), catalog)


def formula(metric: Metric, catalog: Catalog) -> str:
    """The metric as a line that a person reads: sum(order lines.net amount)."""
    if isinstance(metric, RatioMetric):
        scale = f" x {metric.scale:g}" if metric.scale != 1 else ""
        return f"{metric.numerator} / {metric.denominator}{scale}"
    if isinstance(metric, DerivedMetric):
        return metric.expression
    if isinstance(metric, CumulativeMetric):
        span = f"over {metric.window_count} {metric.window_unit}" if metric.window_count else f"{metric.grain_to_date} to date"
        return f"{metric.metric} {span}"
    assert isinstance(metric, SimpleMetric)
    inner = "rows" if metric.of is None else describe(metric.of)
    narrowed = " where a condition holds" if metric.where is not None else ""
    return f"{metric.aggregate}({inner}) of {catalog.dataset(metric.dataset).label}{narrowed}"


def describe(expr: Expr) -> str:
    """An expression in words, as far as words are short."""
    if isinstance(expr, FieldRef):
        return f"{expr.dataset}.{expr.field}"
    if isinstance(expr, Arithmetic):
        return f"({describe(expr.left)} {expr.op} {describe(expr.right)})"
    if isinstance(expr, DateDiff):
        return f"{expr.unit}s from {describe(expr.start)} to {describe(expr.end)}"
    if isinstance(expr, Literal_):
        return str(expr.value)
    return expr.kind.replace("_", " ")


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
