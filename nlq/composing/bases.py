"""The dataset whose rows a measure is computed from."""

from __future__ import annotations

from nlq.composing.draft import Draft
from semantic.catalog.model import SimpleMetric
from semantic.query import Aggregate, Calculation, Measure, MetricRef


def bases_of(draft: Draft, measure: Measure) -> list[str]:
    if isinstance(measure, Calculation):
        return [*bases_of(draft, measure.left), *bases_of(draft, measure.right)]
    base = base_of(draft, measure)
    return [base] if base is not None else []


def base_of(draft: Draft, measure: Measure) -> str | None:
    if isinstance(measure, Aggregate):
        return measure.dataset
    if isinstance(measure, MetricRef):
        return metric_base(draft, measure.metric)
    if isinstance(measure, Calculation):
        return base_of(draft, measure.left) or base_of(draft, measure.right)
    return None


def metric_base(draft: Draft, name: str, depth: int = 0) -> str | None:
    metric = draft.catalog.metric(name)
    if isinstance(metric, SimpleMetric):
        return metric.dataset
    if depth > 5:
        return None
    if metric.type == "ratio":
        return metric_base(draft, metric.numerator, depth + 1)
    if metric.type == "cumulative":
        return metric_base(draft, metric.metric, depth + 1)
    for other in draft.catalog.metrics:
        if other.name != name and other.name in metric.expression:
            return metric_base(draft, other.name, depth + 1)
    return None


def all_bases(draft: Draft, measure: Measure) -> set[str]:
    if isinstance(measure, MetricRef):
        return set(draft.kinds.metric_datasets(measure.metric))
    if isinstance(measure, Calculation):
        return all_bases(draft, measure.left) | all_bases(draft, measure.right)
    return {measure.dataset} if isinstance(measure, Aggregate) else set()
