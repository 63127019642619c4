"""Aggregates of fields, and the amount that the name of a dataset stands for."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.buckets import is_counted
from nlq.composing.counts import count_base, count_rows
from nlq.composing.draft import Draft
from nlq.composing.local import narrow
from nlq.conjunctions import conjunction
from nlq.flags import flag
from nlq.frame import MeasureItem
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from nlq.text import keys_of, lemma
from semantic.catalog.infer.vocabulary import INTENSIVE, MONEY
from semantic.catalog.model import DatasetKind, FieldRole, FieldType, SimpleMetric
from semantic.expr import FieldRef, IsNull
from semantic.query import Aggregate, AggregateKind, Measure, MetricRef

QUANTILES = {"p25": 0.25, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
MONEY_NOUNS = frozenset(lemma(w) for w in ("sale", "sales", "revenue", "payment", "spend", "cost", "income", "expense", "turnover"))


def same_measure(draft: Draft, a: MeasureItem, b: MeasureItem) -> bool:
    if a is b:
        return True
    if a.kind != b.kind or a.kind not in ("count", "aggregate"):
        return False
    ta, tb = draft.target(a.mention), draft.target(b.mention)
    if ta is None or tb is None or ta != tb or [id(c) for c in a.conditions] != [id(c) for c in b.conditions]:
        return False
    return (a.aggregate or "default") == (b.aggregate or "default") or (
        default_aggregate(draft, ta) in (a.aggregate or default_aggregate(draft, ta), b.aggregate or default_aggregate(draft, ta))
        and None in (a.aggregate, b.aggregate)
    )


def default_aggregate(draft: Draft, target: Target) -> str:
    catalog_field = draft.kinds.field(target)
    if catalog_field is None:
        return "sum"
    return catalog_field.aggregate.value if catalog_field.aggregate is not None else "sum"


def field_measure(draft: Draft, item: MeasureItem, target: Target, groups: Sequence[str]) -> Measure:
    catalog_field = draft.kinds.field(target)
    if catalog_field is None:
        raise Unbuildable("no field")
    dataset = target.dataset or ""
    ref = FieldRef(dataset=dataset, field=target.field or "")
    level = level_metric(draft, ref) if item.kind != "count" and item.aggregate is None and item.superlative is None else None
    if level is not None:
        draft.explained.add(id(item.mention))
        return MetricRef(metric=level.name, where=narrow(draft, item.conditions, dataset))
    base = dataset
    others = [g for g in groups if g != dataset and not draft.graph.points_to(dataset, g)]
    if item.kind == "count" and catalog_field.role is not FieldRole.MEASURE:
        kind = AggregateKind.COUNT_DISTINCT
        if draft.kinds.is_time(target):
            happened = IsNull(field=ref, negate=True) if catalog_field.nullable else None
            parts = [p for p in (narrow(draft, item.conditions, dataset), happened) if p is not None]
            where = conjunction(parts) if parts else None
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=where, time_field=ref)
        if catalog_field.role is FieldRole.FLAG:
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=flag(ref, catalog_field, value=True))
        if (
            catalog_field.role is not FieldRole.KEY
            and catalog_field.values
            and all(v.strip().replace(".", "", 1).isdigit() for v in catalog_field.values)
        ):
            raise Unbuildable("numbers kept as text")
        if others:
            base = count_base(draft, dataset, groups, item)
        return Aggregate(aggregate=kind, dataset=base, of=ref, where=narrow(draft, item.conditions, base))
    kind = _aggregate_kind(draft, item, target)
    if kind in (AggregateKind.SUM, AggregateKind.AVG, AggregateKind.MEDIAN) and catalog_field.type not in (
        FieldType.INTEGER,
        FieldType.DECIMAL,
        FieldType.FLOAT,
    ):
        much = _much_of_it(draft, item, ref) if draft.kinds.is_time(target) else None
        if much is not None:
            return much
        if draft.kinds.is_time(target) and item.aggregate in ("sum", None):
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=narrow(draft, item.conditions, dataset), time_field=ref)
        if _asks_how_much(item):
            raise Unbuildable(f"{catalog_field.label} is no amount")  # "how much did we spend on fuel"
        if item.aggregate == "sum" or item.aggregate is None:
            return Aggregate(
                aggregate=AggregateKind.COUNT_DISTINCT if catalog_field.role is FieldRole.KEY else AggregateKind.COUNT,
                dataset=dataset,
                of=ref,
            )
        raise Unbuildable(f"{kind} of text")
    if kind is AggregateKind.SUM and (catalog_field.format in ("percent", "percent_points") or catalog_field.unit == "fraction"):
        raise Unbuildable(f"{catalog_field.label} is a part of something else: it can be averaged, and does not add up.")
    if item.distinct and kind is AggregateKind.COUNT:
        kind = AggregateKind.COUNT_DISTINCT
    quantile = QUANTILES.get(item.aggregate or "")
    if others and not all(draft.graph.connected(dataset, o) for o in others):
        raise Unbuildable("groups are unrelated to the number")
    if others and kind in (AggregateKind.SUM, AggregateKind.AVG):
        # "credits earned by each student": the number of the course, over the rows that tie courses to students.
        tie = next((b for b in draft.graph.bases([dataset, *groups]) if b != dataset), None)
        if tie is not None:
            draft.guess(0.06, f"over the rows of {tie}")
            return Aggregate(aggregate=kind, dataset=tie, of=ref, quantile=quantile, where=narrow(draft, item.conditions, tie))
    return Aggregate(aggregate=kind, dataset=dataset, of=ref, quantile=quantile, where=narrow(draft, item.conditions, dataset))


def level_metric(draft: Draft, ref: FieldRef) -> SimpleMetric | None:
    """ "stock by warehouse", of snapshots: what the latest ones come to; neither a sum over days nor their average is there at any time."""
    rate = INTENSIVE & set(draft.catalog.field(ref).label.lower().split())
    if rate or draft.catalog.dataset(ref.dataset).kind is not DatasetKind.SNAPSHOT:
        return None
    sums = [m for m in draft.catalog.metrics if isinstance(m, SimpleMetric) and m.of == ref and m.aggregate is AggregateKind.SUM]
    return next((m for m in sums if m.non_additive and m.where is None), None)


def _asks_how_much(item: MeasureItem) -> bool:
    return any(u.text.lower().startswith("how much") for u in item.units)


def _much_of_it(draft: Draft, item: MeasureItem, done: FieldRef) -> Measure | None:
    """ "how much did we pay out in May": the amount of the rows by the day on which it was done, never how many they are."""
    amount = draft.kinds.main_amount(done.dataset) if _asks_how_much(item) else None
    if amount is None:
        return None
    draft.guess(0.08, f"how much means {amount.label}")
    of = FieldRef(dataset=done.dataset, field=amount.name)
    happened = IsNull(field=done, negate=True) if draft.catalog.field(done).nullable else None
    parts = [p for p in (narrow(draft, item.conditions, done.dataset), happened) if p is not None]
    where = conjunction(parts) if parts else None
    return Aggregate(aggregate=AggregateKind.SUM, dataset=done.dataset, of=of, where=where, time_field=done)


def _aggregate_kind(draft: Draft, item: MeasureItem, target: Target) -> AggregateKind:
    said = item.aggregate
    if said is None:
        if item.superlative is not None and item.superlative in ("latest", "earliest"):
            return AggregateKind.MAX if item.superlative == "latest" else AggregateKind.MIN
        catalog_field = draft.kinds.field(target)
        if catalog_field is not None and draft.kinds.is_time(target):
            return AggregateKind.MAX
        return AggregateKind(default_aggregate(draft, target))
    if said.startswith("p") and said[1:].isdigit():
        return AggregateKind.QUANTILE
    return AggregateKind(said)


def dataset_amount(draft: Draft, item: MeasureItem, target: Target, groups: Sequence[str]) -> Measure:
    """ "total payments", "average sale": the dataset's one additive amount, else its rows."""
    dataset = draft.catalog.dataset(target.dataset or "")
    if item.aggregate not in (None, "sum") and is_counted(item, draft.assignment, draft.catalog):
        raise Unbuildable(f"the {item.aggregate} of what is not said")
    own = subtype_metric(draft, dataset.name, item.aggregate)
    if own is not None:
        return MetricRef(metric=own, where=narrow(draft, item.conditions, dataset.name))
    amounts = [f for f in dataset.fields if f.role is FieldRole.MEASURE and not f.hidden]
    said = set(item.mention.unit.keys) if item.mention is not None else set()
    called = [f for f in amounts if said & set(keys_of(f.label)) and MONEY & set(f.label.lower().split())]  # "sales" with a sale price
    additive = [f for f in amounts if f.aggregate is AggregateKind.SUM] or (called if item.aggregate in (None, "sum") else amounts)
    sharing = [f for f in additive if said & set(keys_of(f.label))]
    additive = sharing if len(sharing) == 1 and len(additive) > 1 else additive
    other = (
        len(additive) == 1
        and not (MONEY | {"quantity"}) & set(additive[0].label.lower().split())
        and not said & set(keys_of(additive[0].label))
    )
    if item.aggregate in (None, "sum") and (not additive or (item.aggregate is None and other)):  # "authors by loans": not their renewals
        return count_rows(draft, item, dataset.name, groups)
    if len(additive) == 1 or (item.aggregate != "sum" and len(amounts) == 1):
        draft.guess(0.08, f"{dataset.label} means {additive[0].label}")
        kind = AggregateKind(item.aggregate or additive[0].aggregate or "sum")
        return Aggregate(
            aggregate=kind,
            dataset=dataset.name,
            of=FieldRef(dataset=dataset.name, field=additive[0].name),
            where=narrow(draft, item.conditions, dataset.name),
        )
    main = draft.kinds.main_amount(dataset.name) if _asks_how_much(item) else None
    if main is not None:
        draft.guess(0.1, f"how much means {main.label}")
        of = FieldRef(dataset=dataset.name, field=main.name)
        return Aggregate(aggregate=AggregateKind.SUM, dataset=dataset.name, of=of, where=narrow(draft, item.conditions, dataset.name))
    if item.aggregate == "sum" and _asks_how_much(item):
        raise Unbuildable("which amount is unclear")
    if item.aggregate == "sum":
        draft.guess(0.45 if said & MONEY_NOUNS else 0.1, f"counts {dataset.label}")
        return count_rows(draft, item, dataset.name, groups)
    raise Unbuildable("which number is unclear")


def subtype_metric(draft: Draft, dataset: str, aggregate: str | None) -> str | None:
    """The metric over the amounts that a subtype table stands for ("premiums", "loss reserves")."""
    if draft.catalog.dataset(dataset).kind is not DatasetKind.SUBTYPE:
        return None
    wanted = aggregate or "sum"
    for metric in draft.catalog.metrics:
        if isinstance(metric, SimpleMetric) and metric.dataset == dataset and metric.aggregate.value == wanted and metric.of is not None:
            return metric.name
    return None
