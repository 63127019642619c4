"""Figures per thing, over the rows that belong to it: spread of a ratio, things per thing, things that were sold."""

from __future__ import annotations

from nlq.composing.amounts import QUANTILES
from nlq.composing.bases import metric_base
from nlq.composing.draft import Draft
from nlq.composing.pieces import pieces_of, sold
from nlq.frame import MeasureItem
from nlq.predicates import Unbuildable
from nlq.text import keys_of, lemma
from nlq.worth import split_ratio
from semantic.catalog.model import DatasetKind, SimpleMetric
from semantic.expr import FieldRef, Predicate
from semantic.query import Aggregate, AggregateKind, Measure

PIECES_OR_KINDS = "how many pieces, or how many kinds"
_REVENUE = frozenset(lemma(w) for w in ("revenue", "sales", "turnover"))


def spread_of(draft: Draft, name: str, kind: str, where: Predicate | None) -> Measure:
    """ "median order value": over the orders, not of the one ratio. Raises: Unbuildable where the ratio counts no rows of its own."""
    parts = split_ratio(draft.catalog, name)
    if parts is None:
        raise Unbuildable(f"the {kind} of a rate")
    quantile = QUANTILES.get(kind)
    chosen = AggregateKind.QUANTILE if quantile is not None else AggregateKind(kind)
    return Aggregate(aggregate=chosen, dataset=parts[1], of=parts[0], quantile=quantile, where=where)


def per_thing(draft: Draft, measures: list[MeasureItem]) -> None:
    """ "products per order", "average items per order by channel": the rows that tie them over how many orders there are. Changes `measures`."""
    f = draft.frame
    item = measures[0] if len(measures) == 1 else None
    mention = item.mention if item is not None else f.outputs[0] if not measures and len(f.outputs) == 1 else None
    group = f.groups[0] if f.groups else None
    if mention is None or group is None or not group.per or group.plural or f.list_verb or f.question_word:
        return
    if f.limit_asked or f.rank_by or f.superlative is not None:
        return
    if (item is not None and (item.aggregate != "avg" or item.kind not in ("count", "aggregate"))) or not mention.plural:
        return
    thing, whole = draft.target(mention), draft.target(group)
    if thing is None or whole is None or thing.kind != "dataset" or whole.kind != "dataset" or whole.dataset not in draft.entities:
        return
    if any(r.from_dataset == whole.dataset and r.to_dataset == thing.dataset for r in draft.catalog.relationships):
        raise Unbuildable("each has one of them")  # "offices per lawyer"
    near = [b for b in draft.graph.bases([thing.dataset or "", whole.dataset or ""]) if b not in (thing.dataset, whole.dataset)]
    if not near or draft.graph.points_to(thing.dataset or "", whole.dataset or ""):
        return
    of = pieces_of(draft, mention, near[0])
    kind = AggregateKind.SUM if of is not None else AggregateKind.COUNT
    part = MeasureItem("given", given=Aggregate(aggregate=kind, dataset=near[0], of=of))
    draft.explained.add(id(mention))
    measures[:] = [MeasureItem("ratio", left=part, right=MeasureItem("distinct_of", None, group, label=near[0]))]
    f.outputs, f.groups, f.measures = [], f.groups[1:], measures


def count_sold(draft: Draft, measures: list[MeasureItem]) -> None:
    """ "how many products did we sell in May": those of the sales, in that time. Raises: Unbuildable where pieces may be meant."""
    f = draft.frame
    item = measures[0] if len(measures) == 1 else None
    target = draft.target(item.mention) if item is not None and item.kind == "count" else None
    if "sold" not in f.notes or item is None or target is None or target.kind != "dataset":
        return
    dataset, fact = target.dataset or "", _selling(draft)
    if fact is None or draft.catalog.dataset(dataset).kind is not DatasetKind.DIMENSION or not draft.graph.points_to(fact, dataset):
        return
    if any(c.kind == "related" for c in f.conditions):
        return
    direct = any(r.from_dataset == fact and r.to_dataset == dataset for r in draft.catalog.relationships)
    if direct and not item.distinct and sold(draft, fact) is not None:
        raise Unbuildable(PIECES_OR_KINDS)
    key = draft.catalog.dataset(dataset).primary_key
    if len(key) == 1:
        of = FieldRef(dataset=dataset, field=key[0])
        measures[0] = MeasureItem("given", given=Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=fact, of=of))


def _selling(draft: Draft) -> str | None:
    """The dataset whose rows are sales: that of the metric that is called so."""
    for metric in draft.catalog.metrics:
        if isinstance(metric, SimpleMetric) and not metric.hidden:
            names = {frozenset(keys_of(t)) for t in (metric.label, *metric.synonyms)}
            if any(n <= _REVENUE for n in names if n):
                return metric_base(draft, metric.name)
    return None
