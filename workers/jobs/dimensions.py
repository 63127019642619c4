"""What a catalog says about a measure: whether its parts add up, and by which dimensions a change of it may be told."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import UserError
from semantic.catalog.model import Catalog, DatasetKind, FieldRole, RatioMetric, SimpleMetric
from semantic.expr import FieldRef
from semantic.joins import graph_of
from semantic.query import Aggregate, AggregateKind, Measure, MetricRef

MAX_VALUES = 200  # a dimension with more values gives a list of small segments, not an explanation
_ADDS_UP = (AggregateKind.COUNT, AggregateKind.SUM)
_ROLES = (FieldRole.CATEGORY, FieldRole.FLAG)


def is_additive(catalog: Catalog, measure: Measure) -> bool:
    """Whether the segments of any dimension add up to the whole: counts and sums; not distinct counts, averages, ratios."""
    if isinstance(measure, Aggregate):
        return measure.aggregate in _ADDS_UP
    if isinstance(measure, MetricRef):
        metric = catalog.metric(measure.metric)
        return isinstance(metric, SimpleMetric) and metric.aggregate in _ADDS_UP
    return False


def telling_dimensions(catalog: Catalog, measure: Measure, datasets: Sequence[str], limit: int) -> tuple[FieldRef, ...]:
    """Categories and flags of the measure's dataset and of what it points to, near ones first, then those with fewer values.

    Fields that are hidden, personal, or have one value or more than 200, tell nothing.
    """
    base = base_dataset(catalog, measure, datasets)
    if base is None:
        return ()
    graph = graph_of(catalog)
    ranked: list[tuple[int, int, str, FieldRef]] = []
    for dataset in catalog.datasets:
        if dataset.hidden or not (dataset.name == base or graph.reaches_to_one(base, dataset.name)):
            continue
        try:
            distance = 0 if dataset.name == base else len(graph.path(base, dataset.name))
        except UserError:
            continue  # several paths: which one is meant is for the person to say
        for field in dataset.fields:
            values = field.cardinality if field.cardinality is not None else len(field.values) or MAX_VALUES
            if field.role in _ROLES and not field.hidden and not field.pii and 1 < values <= MAX_VALUES:
                ranked.append((distance, values, str(field.name), FieldRef(dataset=dataset.name, field=field.name)))
    return tuple(ref for *_, ref in sorted(ranked, key=lambda item: item[:3])[:limit])


def base_dataset(catalog: Catalog, measure: Measure, datasets: Sequence[str]) -> str | None:
    """The dataset whose rows the measure is made of; for compound ones the numerator's, or the first fact among `datasets`."""
    if isinstance(measure, Aggregate):
        return measure.dataset
    if isinstance(measure, MetricRef):
        metric = catalog.metric(measure.metric)
        while isinstance(metric, RatioMetric):
            metric = catalog.metric(metric.numerator)
        if isinstance(metric, SimpleMetric):
            return metric.dataset
    facts = [name for name in datasets if catalog.dataset(name).kind is DatasetKind.FACT]
    return next(iter([*facts, *datasets]), None)
