"""Counts: of rows, of different things, of whatever is talked about."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.bases import metric_base
from nlq.composing.bridges import tie_of
from nlq.composing.draft import Draft
from nlq.composing.local import narrow
from nlq.composing.pieces import own_sales, sold
from nlq.frame import MeasureItem, Mention
from nlq.lexicon import Target
from nlq.parsing.words import COMMON, SELLING
from nlq.predicates import Unbuildable
from nlq.text import keys_of, lemma
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole
from semantic.expr import FieldRef
from semantic.query import Aggregate, AggregateKind, Measure

_STOCK = frozenset(lemma(w) for w in ("inventory", "stock", "snapshot"))
_SALES = frozenset(lemma(w) for w in ("sales", "sale", "sold", "order", "purchase", "transaction"))


def implied_count(draft: Draft) -> MeasureItem:
    """Nothing was said to be computed: count the rows of what is talked about."""
    mention = next(
        (m for m in draft.frame.mentions if (t := draft.target(m)) is not None and t.kind == "dataset" and m not in draft.frame.groups),
        None,
    )
    if mention is None:
        mention = _done_to(draft)
        if mention is None:
            raise Unbuildable("nothing to compute")
        return MeasureItem("count", None, mention)
    draft.guess(0.1, "counts rows")
    return MeasureItem("count", None, mention)


def _done_to(draft: Draft) -> Mention | None:
    """ "orders cancelled by month", read as one date: the rows that it is of, where words before the verb name them."""
    for shown in draft.frame.outputs:
        target = draft.target(shown)
        named = any(k.target == target and k.context for k in shown.links) and len(shown.unit.text.split()) > 1
        if target is not None and named and draft.kinds.is_time(target) and shown.unit.text.lower().endswith("ed") and draft.frame.grain:
            rows = Mention(shown.unit, "count", ())
            draft.settle(rows, Target("dataset", target.dataset or "", target.dataset))
            return rows
    return None


def frequency(draft: Draft, item: MeasureItem, groups: Sequence[str]) -> Measure:
    """ "most common X": count rows of the fact that X describes."""
    facts = [
        t.dataset for m in draft.frame.mentions if (t := draft.target(m)) is not None and t.kind == "dataset" and t.dataset not in groups
    ]
    valued = [v.dataset for c in draft.frame.conditions if (v := draft.value(c)) is not None]
    group = groups[0] if groups else None
    for dataset in [*facts, *valued]:
        if item.label in SELLING and dataset == group:
            continue  # "best selling products in the category": the rows of the products themselves tell no sales
        if dataset is not None and (group is None or draft.graph.points_to(dataset, group)):
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset)
    if group is None:
        raise Unbuildable("how often what")
    own = draft.catalog.dataset(group)
    told = own_sales(draft, group) if item.label in SELLING else None
    if told is not None:
        return told
    if item.label in COMMON and _own_label(draft, group):
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=group)  # "most common gender": of the persons themselves
    children = events_of(draft, group, item.label or "")
    if own.kind is DatasetKind.FACT or not children:
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=group)
    nearest = children[0]
    if item.label not in SELLING and len({draft.graph.distance(c, group) for c in children[:2]}) < len(children[:2]):
        draft.guess(0.45, "of which rows it is the most")
    if item.label in SELLING:
        amount = sold(draft, nearest)
        if amount is not None:
            return amount
    draft.guess(0.1 if len(children) == 1 else 0.3, "counts related rows")
    return Aggregate(aggregate=AggregateKind.COUNT, dataset=nearest)


def _own_label(draft: Draft, group: str) -> bool:
    """Whether what is asked for is a label of things, and not the things themselves."""
    found = [t for m in draft.frame.outputs if (t := draft.target(m)) is not None]
    fields = [draft.kinds.field(t) for t in found if t.kind == "field" and t.dataset == group]
    things = any(t.kind == "dataset" for t in found)
    return (
        bool(fields) and not things and all(f is not None and f.role is not FieldRole.KEY and not _names(draft, group, f) for f in fields)
    )


def _names(draft: Draft, group: str, field: CatalogField) -> bool:
    """Whether a name tells the things apart."""
    if draft.kinds.bears_name(group, field.name):
        return True
    rows = draft.catalog.dataset(group).row_count
    return field.role is FieldRole.NAME and not (field.cardinality is not None and rows and field.cardinality < 0.8 * rows)


def events_of(draft: Draft, group: str, label: str) -> list[str]:
    """Datasets whose rows tell how often a thing comes, the nearest first: of those that sell, sales; never what is only in stock."""
    catalog = draft.catalog
    kinds = (DatasetKind.FACT, DatasetKind.BRIDGE)
    found = [d for d in catalog.datasets if d.name != group and draft.graph.points_to(d.name, group)]
    if label in COMMON and all(draft.graph.distance(d.name, group) > 1 for d in found if d.kind in kinds):
        found = [d for d in found if draft.graph.distance(d.name, group) == 1] or found  # "most common job": of the employees
    else:
        found = [d for d in found if d.kind in kinds and not _among_themselves(draft, d.name, group)]
    found = [d for d in found if not is_stock(d)] or found
    sales = [d for d in found if label in SELLING and set(keys_of(f"{d.name} {d.label}")) & _SALES]
    tying = {d.name for d in found if d.kind is DatasetKind.BRIDGE}
    return sorted((d.name for d in sales or found), key=lambda c: (draft.graph.distance(c, group), c in tying, c))


def _among_themselves(draft: Draft, dataset: str, group: str) -> bool:
    """Whether rows only tie such things to each other (prerequisites of courses)."""
    ends = [r.to_dataset for r in draft.catalog.relationships if r.from_dataset == dataset]
    return len(ends) > 1 and set(ends) == {group}


def is_stock(dataset: Dataset) -> bool:
    """Whether rows tell what was there at a time rather than what happened."""
    return dataset.kind is DatasetKind.SNAPSHOT or bool(set(keys_of(f"{dataset.name} {dataset.label}")) & _STOCK)


def count_rows(draft: Draft, item: MeasureItem, dataset: str, groups: Sequence[str]) -> Measure:
    rows = draft.catalog.dataset(dataset)
    stored = next((f for f in rows.fields if f.role is FieldRole.MEASURE and _counts_rows(rows, f)), None)
    if stored is not None and not item.distinct:
        draft.guess(0.05, f"{stored.label} is summed")
        return Aggregate(
            aggregate=AggregateKind.SUM,
            dataset=dataset,
            of=FieldRef(dataset=dataset, field=stored.name),
            where=narrow(draft, item.conditions, dataset),
        )
    if _each_by_itself(draft, dataset):
        raise Unbuildable("each is counted by itself")
    events = _events_of_one(draft, item, dataset)
    if events is not None:
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=events, where=narrow(draft, item.conditions, events))
    base = count_base(draft, dataset, groups, item)
    where = narrow(draft, item.conditions, base)
    if base == dataset:
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=where)
    found = draft.catalog.dataset(dataset)
    key = draft.entities[dataset].key if dataset in draft.entities else found.primary_key
    if len(key) != 1:
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=where)
    return Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=base, of=FieldRef(dataset=dataset, field=key[0]), where=where)


_COUNTED = frozenset(("count", "row", "record", "event", "total"))


def _counts_rows(rows: Dataset, field: CatalogField) -> bool:
    """Whether a number says how many such things a row stands for ("trip count" of trips); the word count of articles counts none of them."""
    said = keys_of(field.label)
    return said[-1:] == ("count",) and set(said) <= {*_COUNTED, *keys_of(f"{rows.name} {rows.label}")}


def _events_of_one(draft: Draft, item: MeasureItem, dataset: str) -> str | None:
    """ "how many guitars did we sell", where Guitars is the name of one category: the events that are told of, for there is one of that name."""
    said = item.mention.unit if item.mention is not None else None
    same = [c for c in draft.frame.conditions if c.kind == "value" and said is not None and c.units and c.units[0].start == said.start]
    named = [v for c in same if (v := draft.value(c)) is not None and v.dataset == dataset]
    if not named or not all(draft.kinds.is_name_of_thing(v.dataset, v.field) for v in named):
        return None
    told = [t.dataset for c in draft.frame.conditions if c.mention is not None and (t := draft.target(c.mention)) is not None]
    found = [d for d in told if d is not None and d != dataset and draft.graph.points_to(d, dataset)]
    found = found or [d.name for d in draft.catalog.datasets if d.kind is DatasetKind.FACT and draft.graph.distance(d.name, dataset) == 1]
    if len(set(found)) != 1:
        raise Unbuildable("there is one of that name")
    return found[0]


def _each_by_itself(draft: Draft, dataset: str) -> bool:
    """Things counted by themselves are one each ("how many friends does each pupil have", where friends are pupils)."""
    groups = [t for m in draft.frame.groups if (t := draft.target(m)) is not None]
    return any(t.kind == "dataset" and t.dataset == dataset and not t.via for t in groups)


def count_base(draft: Draft, dataset: str, groups: Sequence[str], item: MeasureItem) -> str:
    parted = any(t.dataset in groups and t.via for m in draft.frame.mentions if (t := draft.target(m)) is not None)
    tied = tie_of(draft, dataset, groups[0]) if len(groups) == 1 and not parted else None
    if tied is not None:
        return tied  # "articles by author": of all who wrote them, not of the one who edits
    others = [g for g in groups if g != dataset and not draft.graph.points_to(dataset, g)]
    if not others and item.distinct:
        facts = [
            t.dataset
            for m in draft.frame.measures
            if m is not item and (t := draft.target(m.mention)) is not None and t.dataset not in (None, dataset)
        ]
        facts += [
            b
            for m in draft.frame.measures
            if (t := draft.target(m.mention)) is not None and t.kind == "metric" and (b := metric_base(draft, t.name)) is not None
        ]
        for fact in facts:
            if (
                fact is not None
                and draft.graph.points_to(fact, dataset)
                and fact != dataset
                and all(draft.graph.points_to(fact, g) for g in groups)
            ):
                return fact
    if not others:
        return dataset
    context = [
        t.dataset
        for m in draft.frame.mentions
        if m.role in ("related", "context", "count", "aggregate") and (t := draft.target(m)) is not None and t.dataset is not None
    ]
    bases = draft.graph.bases([dataset, *others])
    if not bases:
        raise Unbuildable(f"{dataset} cannot be grouped by {others}")
    named = [b for b in bases if b in context or b in groups]
    if not named and len(bases) > 1 and bases[0] not in groups:
        hops = [sum(len(draft.graph.path_up(b, n) or ()) for n in [dataset, *others]) for b in bases[:2]]
        if hops[0] == hops[1]:
            draft.guess(0.15, "several ways to relate")
    return named[0] if named else bases[0]
