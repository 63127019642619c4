""" "Average revenue per customer", "revenue per visit": a total over how many there are."""

from __future__ import annotations

from dataclasses import replace

from nlq.composing.draft import Draft
from nlq.frame import MeasureItem
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from semantic.catalog.model import DatasetKind, SimpleMetric
from semantic.query import AggregateKind, MetricRef

# So many things fit a table or a chart; of more of them, "per" asks for one number over their count.
_FEW_THINGS = 50


def average_per(draft: Draft, measures: list[MeasureItem]) -> None:
    """ "average revenue per customer": the total over the number of customers that have any."""
    f = draft.frame
    facts = [
        m
        for m in f.groups
        if not m.plural
        and (t := draft.target(m)) is not None
        and t.kind == "dataset"
        and draft.catalog.dataset(t.dataset or "").kind is DatasetKind.FACT
    ]
    if len(measures) == 1 and len(f.groups) > 1 and len(facts) == 1 and facts[0] is f.groups[0] and facts[0].per:
        target = draft.target(measures[0].mention)
        field = draft.kinds.field(target) if target is not None else None
        summed = (
            target is not None
            and field is not None
            and draft.kinds.is_amount(target)
            and field.additive
            and measures[0].aggregate in (None, "sum", "avg")
        )
        if target is not None and (target.kind == "metric" or summed):
            if summed:
                measures[0] = replace(measures[0], aggregate="sum")
            measures[0] = MeasureItem("ratio", None, left=measures[0], right=MeasureItem("count", None, facts[0], units=[facts[0].unit]))
            f.groups = f.groups[1:]
            return
    if _formula_per_thing(draft, measures) or _per_number(draft, measures) or _per_thing(draft, measures):
        return
    if len(measures) != 1 or len(f.groups) != 1 or f.outputs or f.grain or f.cycle or f.rank_by:
        return
    item, group = measures[0], f.groups[0]
    target, entity = draft.target(item.mention), draft.target(group)
    if item.aggregate != "avg" or target is None or entity is None or entity.kind != "dataset" or group.plural:
        return
    base = draft.kinds.metric_dataset(target) if target.kind == "metric" else None
    if item.kind == "count" and target.kind == "dataset":
        base = target.dataset
    if item.counted and draft.kinds.is_amount(target) and (field := draft.kinds.field(target)) is not None and field.additive:
        base = target.dataset  # "average number of vacation days per employee"
    adds_up = base is None and _adds_up_over_many(draft, item, target, entity)
    base = target.dataset if adds_up else base
    if (
        base is None
        or not draft.graph.points_to(base, entity.dataset or "")
        or (target.kind == "metric" and not isinstance(draft.catalog.metric(target.name), SimpleMetric))
    ):
        return
    total = MeasureItem(item.kind, "sum" if item.counted or adds_up else None, item.mention, conditions=item.conditions, units=item.units)
    whole = MeasureItem("distinct_of", None, group, label=base)
    measures[0] = MeasureItem("ratio", None, left=total, right=whole)
    f.groups = []


def _adds_up_over_many(draft: Draft, item: MeasureItem, target: Target, thing: Target) -> bool:
    """ "average hours per matter": what adds up comes to so much for each of many things; the amount of one event ("claim amount") is its own."""
    field = draft.kinds.field(target)
    named = item.mention is not None and any(k.target == target and k.context for k in item.mention.links)
    if field is None or named or not field.additive or field.aggregate is not AggregateKind.SUM or target.dataset == thing.dataset:
        return False
    return (draft.catalog.dataset(thing.dataset or "").row_count or 0) > _FEW_THINGS


def _formula_per_thing(draft: Draft, measures: list[MeasureItem]) -> bool:
    """ "average of revenue minus cost per order": the difference of the totals over the number of orders."""
    f, item = draft.frame, measures[0] if len(measures) == 1 else None
    left, group = item.left if item is not None else None, f.groups[0] if f.groups else None
    if item is None or left is None or item.kind != "expression" or item.op not in ("+", "-") or left.aggregate != "avg":
        return False
    target, thing = draft.target(left.mention), draft.target(group)
    base = draft.kinds.metric_dataset(target) if target is not None and target.kind == "metric" else None
    if group is None or not group.per or base is None or thing is None or thing.kind != "dataset":
        raise Unbuildable("an average of totals: per what is not said")
    if thing.dataset not in draft.entities or not draft.graph.points_to(base, thing.dataset or ""):
        return False
    total = replace(item, left=replace(left, aggregate=None))
    measures[0] = MeasureItem("ratio", left=total, right=MeasureItem("distinct_of", None, group, label=base))
    f.groups = f.groups[1:]
    return True


def _per_thing(draft: Draft, measures: list[MeasureItem]) -> bool:
    """ "revenue per customer by segment": a metric over how many customers have any, when the things are many or something else groups."""
    f = draft.frame
    if _ranks_labels_per_thing(draft):
        raise Unbuildable("a ranking by a figure per thing")
    if (
        len(measures) != 1
        or not f.groups
        or not f.groups[0].per
        or f.groups[0].plural
        or f.list_verb
        or f.question_word
        or f.limit_asked
        or f.superlative is not None
    ):
        return False
    item, target, thing = measures[0], draft.target(measures[0].mention), draft.target(f.groups[0])
    counted = next((k.target for k in f.groups[0].links if k.target.kind == "metric" and k.exact and k.score >= 0.98), None)
    base = draft.kinds.metric_dataset(target) if target is not None and target.kind == "metric" else None
    apart = base is not None and thing is not None and not draft.graph.points_to(base, thing.dataset or "")
    if counted is not None and apart and item.aggregate is None:
        # "revenue per visit": the thing is a measure of its own.
        measures[0] = MeasureItem("ratio", left=item, right=MeasureItem("given", given=MetricRef(metric=counted.name)))
        f.groups = f.groups[1:]
        return True
    own = (
        target is not None
        and target.kind == "field"
        and draft.kinds.is_amount(target)
        and thing is not None
        and target.dataset == thing.dataset
        and not thing.via
    )
    bare = len(f.groups) > 1 and item.aggregate is None and not item.units
    averaged = item.aggregate == "avg" and not item.distinct and thing is not None and thing.kind == "dataset"
    if own and (bare or averaged):
        # Its own amount per thing is the average over the things.
        measures[0] = MeasureItem("aggregate", "avg", item.mention, conditions=item.conditions)
        f.groups = f.groups[1:]
        return True
    home = _summed_in(draft, item, target)
    sorted_otherwise = any(o.measure is not None or o.mention is not None or o.grain for o in f.orders)
    if home is None or item.units or thing is None or thing.kind != "dataset" or sorted_otherwise:
        return False
    dataset = thing.dataset or ""
    if dataset not in draft.entities or not draft.graph.points_to(home, dataset) or home == dataset or (thing.via and len(f.groups) == 1):
        return False  # "projects per manager": of all employees, few play that part
    rows = draft.catalog.dataset(dataset).row_count or len(draft.catalog.dataset(dataset).fields[0].values) or 10 * _FEW_THINGS
    if len(f.groups) == 1 and not (f.grain or f.cycle) and rows <= _FEW_THINGS:
        return False
    measures[0] = MeasureItem("ratio", None, left=item, right=MeasureItem("distinct_of", None, f.groups[0], label=home))
    f.groups = f.groups[1:]
    return True


def _per_number(draft: Draft, measures: list[MeasureItem]) -> bool:
    """ "average profit per ticket" of rows that share ticket numbers: the total over how many numbers there are."""
    f = draft.frame
    if len(measures) != 1 or len(f.groups) != 1 or f.outputs or f.grain or f.cycle or f.rank_by or f.superlative is not None:
        return False
    item, group = measures[0], f.groups[0]
    target, thing = draft.target(item.mention), draft.target(group)
    field = draft.kinds.field(target) if target is not None else None
    if target is None or thing is None or field is None or thing.kind != "field" or not draft.kinds.is_key(thing):
        return False
    summed = item.aggregate == "avg" and not item.distinct and field.additive and draft.kinds.is_amount(target)
    leads = any(r.from_dataset == thing.dataset and thing.field in r.from_fields for r in draft.catalog.relationships)
    if not summed or leads or target.dataset != thing.dataset or not group.per or group.plural:
        return False
    whole = MeasureItem("aggregate", "count_distinct", group, units=[group.unit])
    measures[0] = MeasureItem("ratio", left=replace(item, aggregate="sum"), right=whole)
    f.groups = []
    return True


def _ranks_labels_per_thing(draft: Draft) -> bool:
    """ "which segment has the highest revenue per customer": the segments are ranked, and not the customers with their segments."""
    f = draft.frame
    per = f.groups[0] if f.groups and f.groups[0].per and not f.groups[0].plural else None
    thing = draft.target(per) if per is not None else None
    ranked = f.superlative is not None or f.limit_asked or bool(f.rank_by)
    labels = [t for m in f.outputs if (t := draft.target(m)) is not None and t.kind == "field" and not draft.kinds.is_measure(t)]
    return bool(
        ranked and labels and thing is not None and thing.kind == "dataset" and thing.dataset in draft.entities and not f.limit_per_group
    )


def _summed_in(draft: Draft, item: MeasureItem, target: Target | None) -> str | None:
    """The dataset over whose rows a measure is summed or counted; None for averages and rates."""
    if target is None:
        return None
    if target.kind == "dataset":
        return target.dataset if item.kind == "count" and not item.distinct else None
    if target.kind == "metric":
        metric = draft.catalog.metric(target.name)
        summed = isinstance(metric, SimpleMetric) and metric.aggregate in (AggregateKind.SUM, AggregateKind.COUNT)
        return metric.dataset if item.aggregate is None and isinstance(metric, SimpleMetric) and summed else None
    field = draft.kinds.field(target)
    if item.aggregate == "sum" and field is not None and field.additive and draft.kinds.is_amount(target):
        return target.dataset
    return None
