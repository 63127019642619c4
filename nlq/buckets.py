"""Aggregates over periods: "average daily orders" is orders over days, "lowest monthly revenue" is the month that has it."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.assign import Assignment
from nlq.frame import Frame, MeasureItem, OrderItem
from nlq.kinds import Kinds
from nlq.predicates import Unbuildable
from semantic.catalog.model import Catalog, DatasetKind, SimpleMetric
from semantic.expr import DatePart, FieldRef
from semantic.query import Aggregate, AggregateKind


def settle_buckets(frame: Frame, measures: list[MeasureItem], assignment: Assignment, kinds: Kinds) -> None:
    """Rewrites the one measure of a question about single periods. Changes `frame` and `measures`. Raises: Unbuildable."""
    bucket = frame.bucket
    if bucket is None:
        return
    frame.bucket = None
    item = measures[0] if len(measures) == 1 else None
    inner = _whole(item, assignment, kinds) if item is not None else None
    if item is None or inner is None:
        if len(measures) != 1 or frame.grain:
            raise Unbuildable(f"what is to be aggregated by {bucket} is unclear")
        frame.grain = bucket
        return
    if item.aggregate == "avg":
        measures[0] = MeasureItem("ratio", left=inner, right=MeasureItem("buckets", unit=bucket, left=inner))
    elif item.aggregate in ("max", "min"):
        if frame.grain or frame.groups:
            raise Unbuildable(f"the {item.aggregate} {bucket} of each group")
        frame.grain = bucket
        frame.superlative = OrderItem(measure=inner, descending=item.aggregate == "max")
        measures[0] = inner
    else:
        raise Unbuildable(f"{item.aggregate} over {bucket}s")


def _whole(item: MeasureItem, assignment: Assignment, kinds: Kinds) -> MeasureItem | None:
    """The measure of one period: a count or a sum; None when it is itself an average or a rate."""
    target = assignment.target(item.mention)
    if target is None:
        return None
    if item.kind == "count" or target.kind == "dataset":
        return MeasureItem("count", None, item.mention, conditions=item.conditions, units=item.units)
    if target.kind == "metric":
        metric = kinds.catalog.metric(target.name)
        summed = isinstance(metric, SimpleMetric) and metric.aggregate in (
            AggregateKind.SUM,
            AggregateKind.COUNT,
            AggregateKind.COUNT_DISTINCT,
        )
        return MeasureItem("aggregate", None, item.mention, conditions=item.conditions) if summed else None
    field = kinds.field(target)
    if field is not None and field.additive and field.aggregate in (AggregateKind.SUM, None) and kinds.is_measure(target):
        return MeasureItem("aggregate", "sum", item.mention, conditions=item.conditions, units=item.units)
    return None


def count_buckets(unit: str, dataset: str, catalog: Catalog) -> Aggregate:
    """How many periods the rows of a dataset fall into. Raises: Unbuildable."""
    time = catalog.dataset(dataset).time
    if time is None:
        raise Unbuildable("no date to count periods by")
    start = DatePart.model_validate({"part": f"trunc_{unit}", "of": FieldRef(dataset=dataset, field=time)})
    return Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=dataset, of=start)


def is_counted(item: MeasureItem, assignment: Assignment, catalog: Catalog) -> bool:
    """Whether events are named where an average is asked for: which of their numbers is meant is not said."""
    target = assignment.target(item.mention)
    if target is None or target.kind != "dataset" or item.mention is None:
        return False
    named = any(k.target.kind == "metric" and k.exact and k.score >= 0.98 for k in item.mention.links)
    return named and catalog.dataset(target.dataset or "").kind is DatasetKind.FACT


def plain_units(words: Sequence[str]) -> str | None:
    """The period that an adjective such as "daily" names."""
    named = {
        "daily": "day",
        "weekly": "week",
        "monthly": "month",
        "quarterly": "quarter",
        "yearly": "year",
        "annual": "year",
        "hourly": "hour",
    }
    return next((named[w] for w in words if w in named), None)
