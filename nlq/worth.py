"""What one row is worth: the sum over the rows that belong to it, where a ratio of the catalog says so (order value: revenue per order)."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.numbers import as_scalar
from nlq.said_units import money_refuses
from nlq.unbuildable import Unbuildable
from semantic.catalog.model import Catalog, SimpleMetric
from semantic.expr import Between, Comparison, Literal_, Not, Predicate, Related
from semantic.query import AggregateKind


def worth_of(catalog: Catalog, dataset: str) -> Related | None:
    """The money that one row of `dataset` is worth, where a ratio of the catalog says so (order value: revenue per order)."""
    for metric in catalog.metrics:
        parts = split_ratio(catalog, metric.name) if (metric.format or "").startswith("currency") else None
        if parts is not None and parts[1] == dataset:
            return parts[0]
    return None


def worth_condition(condition: Condition, worth: Related) -> Predicate:
    """ "orders over 1000 euros": the bound of a condition on numbers, on what a row is worth. Raises: Unbuildable for a percentage."""
    said = " ".join(u.text for u in condition.units)
    if refused := money_refuses(said):
        raise Unbuildable(refused)
    low = Literal_(value=as_scalar(condition.number or 0.0))
    if condition.op == "between" and condition.number_high is not None:
        between = Between(field=worth, low=low, high=Literal_(value=as_scalar(condition.number_high)))
        return Not(item=between) if condition.negate else between
    return Comparison.model_validate({"op": condition.op, "left": worth, "right": low})


def split_ratio(catalog: Catalog, name: str) -> tuple[Related, str] | None:
    """What a ratio metric divides row by row: the sum that belongs to one row of what it counts, and the dataset of those rows."""
    metric = catalog.metric(name)
    if metric.type != "ratio":
        return None
    above, below = catalog.metric(metric.numerator), catalog.metric(metric.denominator)
    if not (isinstance(above, SimpleMetric) and isinstance(below, SimpleMetric)) or below.where is not None or below.of is not None:
        return None
    if above.aggregate is not AggregateKind.SUM or below.aggregate is not AggregateKind.COUNT or above.dataset == below.dataset:
        return None
    if not any(r.from_dataset == above.dataset and r.to_dataset == below.dataset for r in catalog.relationships):
        return None
    return Related(aggregate="sum", dataset=above.dataset, of=above.of, where=above.where), below.dataset
