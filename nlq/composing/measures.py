"""One measure of the frame -> one measure of the query."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.buckets import count_buckets
from nlq.composing.amounts import MONEY_NOUNS, dataset_amount, field_measure, subtype_metric
from nlq.composing.bases import base_of
from nlq.composing.counts import count_rows, frequency
from nlq.composing.draft import Draft
from nlq.composing.durations import duration_measure
from nlq.composing.local import narrow
from nlq.composing.things import spread_of
from nlq.conjunctions import conjuncts
from nlq.frame import MeasureItem
from nlq.lexicon import Target
from nlq.linking import ValueLink
from nlq.predicates import Unbuildable
from semantic.catalog.model import DatasetKind, FieldRole, SimpleMetric
from semantic.expr import Arithmetic, Comparison, FieldRef, IsNull, Predicate
from semantic.query import Aggregate, AggregateKind, Calculation, Constant, Measure, MetricRef


def build_measure(draft: Draft, item: MeasureItem, groups: Sequence[str]) -> Measure:
    if item.given is not None:
        return item.given
    if item.constant is not None:
        return Constant(value=item.constant)
    if item.kind == "duration":
        return duration_measure(draft, item)
    if item.kind == "distinct_of":
        entity_target = draft.target(item.mention)
        entity = draft.entities.get(entity_target.dataset or "") if entity_target is not None else None
        if entity is None or len(entity.key) != 1 or item.label is None:
            raise Unbuildable("no key to count")
        return Aggregate(
            aggregate=AggregateKind.COUNT_DISTINCT, dataset=item.label, of=FieldRef(dataset=entity.dataset, field=entity.key[0])
        )
    if item.label == "time" and item.mention is not None:
        return _moment(draft, item)
    if item.kind == "of_value" or (item.kind == "count" and item.mention is None and item.conditions):
        return _of_value(draft, item)
    if item.kind == "buckets" and item.left is not None:
        whole = base_of(draft, build_measure(draft, item.left, groups))
        return count_buckets(item.unit, whole or "", draft.catalog)
    if item.kind in ("ratio", "percent", "expression"):
        return _calculation(draft, item, groups)
    if item.kind == "rate":
        return _rate(draft, item, groups)
    target = draft.target(item.mention)
    if target is None:
        if item.kind == "count" and item.mention is None:
            return frequency(draft, item, groups)
        raise Unbuildable("a measure of nothing")
    if (
        target.kind == "metric"
        and item.aggregate in ("avg", "median", "min", "max", "stddev")
        and isinstance(draft.catalog.metric(target.name), SimpleMetric)
    ):
        draft.guess(0.45, f"{item.aggregate} of a metric that is already an aggregate")
    if target.kind == "metric":
        where = narrow(draft, item.conditions, _metric_dataset(draft, target))
        spread = item.aggregate not in (None, "sum", "avg") and draft.catalog.metric(target.name).type == "ratio"
        if spread and item.aggregate is not None and item.superlative is None:
            draft.explained.add(id(item.mention))
            return spread_of(draft, target.name, item.aggregate, where)
        return MetricRef(metric=target.name, where=where)
    if target.kind in ("segment", "term"):
        raise Unbuildable("not a measure")
    dataset = target.dataset or ""
    if target.kind == "dataset":
        if item.aggregate not in (None, "sum") and item.kind == "count":
            raise Unbuildable("an aggregate of counts")
        amount = None if item.units or item.distinct else subtype_metric(draft, dataset, None)
        if item.label == "when":
            ref = draft.predicates.time_field(dataset)
            if ref is None:
                raise Unbuildable("no date")
            return Aggregate(aggregate=AggregateKind(item.aggregate or "max"), dataset=dataset, of=ref)
        if item.kind == "aggregate" or amount is not None:
            return dataset_amount(draft, item, target, groups)
        if not item.units and item in draft.frame.rank_by and item.mention is not None and set(item.mention.unit.keys) & MONEY_NOUNS:
            draft.guess(0.45, f"counts {dataset}")  # "clubs by payments": how many, or how much?
        return count_rows(draft, item, dataset, groups)
    return field_measure(draft, item, target, groups)


def _moment(draft: Draft, item: MeasureItem) -> Measure:
    """ "latest invoice of each account": ranked by its date."""
    target = draft.target(item.mention)
    ref = draft.predicates.time_field(target.dataset or "") if target is not None else None
    if ref is None:
        raise Unbuildable("no time to rank by")
    kind = AggregateKind.MAX if item.superlative == "latest" else AggregateKind.MIN
    return Aggregate(aggregate=kind, dataset=ref.dataset, of=ref)


def _of_value(draft: Draft, item: MeasureItem) -> Measure:
    """ "number of admins", "total deposits": rows with a value, or their one amount."""
    value = draft.value(item.conditions[0])
    if value is None:
        raise Unbuildable("a measure of no value")
    rows = _rows_called(draft, value) if item.kind == "count" else value.dataset
    where = narrow(draft, item.conditions, rows)
    if item.kind == "count":
        person = _persons_tied(draft, rows)
        if person is not None:
            return Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=rows, of=person, where=where)
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=rows, where=where)
    amounts = [f for f in draft.catalog.dataset(value.dataset).fields if f.role is FieldRole.MEASURE and f.additive and not f.hidden]
    if len(amounts) != 1:
        raise Unbuildable("which amount is meant is unclear")
    of = FieldRef(dataset=value.dataset, field=amounts[0].name)
    return Aggregate(aggregate=AggregateKind(item.aggregate or "sum"), dataset=value.dataset, of=of, where=where)


def _rows_called(draft: Draft, value: ValueLink) -> str:
    """ "number of breakdowns", the name of a reason: the events that have it, for as a reason it is one."""
    if not any(e.dataset == value.dataset and value.field in e.display for e in draft.catalog.entities):
        return value.dataset
    facts = [r.from_dataset for r in draft.catalog.relationships if r.to_dataset == value.dataset and r.from_dataset != value.dataset]
    events = [d for d in dict.fromkeys(facts) if draft.catalog.dataset(d).kind is DatasetKind.FACT]
    return events[0] if len(events) == 1 else value.dataset


def _persons_tied(draft: Draft, rows: str) -> FieldRef | None:
    """ "number of directors", the part that persons play in films: each person once, for the rows of a bridge only tie them together."""
    if draft.catalog.dataset(rows).kind is not DatasetKind.BRIDGE:
        return None
    ends = {r.to_dataset for r in draft.catalog.relationships if r.from_dataset == rows}
    persons = [e for e in draft.entities.values() if e.dataset in ends and draft.kinds.has_names_of_persons(e.dataset)]
    if len(persons) != 1 or len(persons[0].key) != 1:
        return None
    return FieldRef(dataset=persons[0].dataset, field=persons[0].key[0])


def _metric_dataset(draft: Draft, target: Target) -> str:
    metric = draft.catalog.metric(target.name)
    return metric.dataset if isinstance(metric, SimpleMetric) else ""


def _calculation(draft: Draft, item: MeasureItem, groups: Sequence[str]) -> Measure:
    if item.left is None or item.right is None:
        raise Unbuildable("half a ratio")
    if item.kind == "expression" and item.aggregate is not None:
        raise Unbuildable("an aggregate of a formula over several tables")
    if item.kind == "ratio" and item.aggregate == "avg":
        row = _row_ratio(draft, item)
        if row is not None:
            return row
    left = build_measure(draft, item.left, groups)
    right = build_measure(draft, item.right, groups)
    result: Measure = Calculation(op=item.op, left=left, right=right)
    if item.scale != 1.0:
        result = Calculation(op="*", left=result, right=Constant(value=item.scale))
    return result


def _row_ratio(draft: Draft, item: MeasureItem) -> Measure | None:
    """The average over rows of one field over another."""
    if item.left is None or item.right is None:
        return None
    left, right = draft.target(item.left.mention), draft.target(item.right.mention)
    if left is None or right is None or left.kind != "field" or right.kind != "field" or left.dataset != right.dataset:
        return None
    expr = Arithmetic(
        op="/",
        left=left.ref,
        right=right.ref,
    )
    return Aggregate(aggregate=AggregateKind.AVG, dataset=left.dataset or "", of=expr)


def _rate(draft: Draft, item: MeasureItem, groups: Sequence[str]) -> Measure:
    condition = item.conditions[0]
    value = draft.value(condition)
    target = draft.target(condition.mention) if condition.mention is not None else None
    dataset = value.dataset if value is not None else target.dataset if target is not None else None
    if dataset is None and condition.mention is not None and condition.mention.links:
        dataset = condition.mention.links[0].target.dataset
    if dataset is None:
        raise Unbuildable("rate of nothing")
    part = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=draft.predicates.build([condition], dataset))
    whole = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=_done_at_all(draft, part.where))
    return Calculation(op="*", left=Calculation(op="/", left=part, right=whole), right=Constant(value=item.scale))


def _done_at_all(draft: Draft, where: Predicate | None) -> Predicate | None:
    """ "on time rate", one date held against another: of the rows that have the first, for what is not done yet is neither on time nor late."""
    held = [p for p in conjuncts(where) if isinstance(p, Comparison) and isinstance(p.left, FieldRef) and isinstance(p.right, FieldRef)]
    done = [p.left for p in held if isinstance(p.left, FieldRef) and p.left.dataset and draft.catalog.field(p.left).role is FieldRole.TIME]
    return IsNull(field=done[0], negate=True) if len(done) == 1 and draft.catalog.field(done[0]).nullable else None
