"""Phrases as measures: "total cost", "number of active customers with transactions", "total amount from sells"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from semantic.catalog.infer.glossary.conditions import said_condition, split_conditions
from semantic.catalog.infer.glossary.draft import SOURCE, Draft, aggregate_of, key_of
from semantic.catalog.infer.words import singular
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, Entity, FieldRole, FieldType, Metric, SimpleMetric
from semantic.expr import And, Comparison, FieldRef, Has, Literal_, Predicate
from semantic.query import AggregateKind

_LEAD = re.compile(
    r"^(?:the\s+)?(?P<agg>total number|number|count|total|sum|overall|average|avg|mean|max(?:imum)?|min(?:imum)?|highest|lowest|median)"
    r"(?:\s+of)?\s+(?:the\s+|all\s+|distinct\s+)*(?P<rest>.+)$",
    re.IGNORECASE,
)
_OF_AMOUNT = re.compile(r"^(?:total\s+)?(?:amount|value|sum)\s+of\s+(?P<rest>.+)$", re.IGNORECASE)
_FILTERED = re.compile(r"^(?P<measure>.+?)\s+(?:from|for|of|on|in)\s+(?P<value>[\w' -]+)$", re.IGNORECASE)


_COLUMN = re.compile(
    r"^(?:the\s+)?(?P<agg>total|sum|average|avg|mean|max(?:imum)?|min(?:imum)?|median)\s+(?:of\s+)?(?P<table>\w+)\.(?P<column>\w+)$",
    re.IGNORECASE,
)


def find_metric(draft: Draft, phrase: str, context: Iterable[str] = ()) -> Metric | None:
    """The metric that a phrase means: known by name, or made of an aggregate word and a field. None where it is unclear.

    `context` are dataset names that the same formula speaks of: they decide between equals.
    """
    text = phrase.strip(" .,;\"'")
    near = set(context)
    parts = split_conditions(text)
    if parts is not None:
        return _where(draft, *parts, near, text)
    column = _COLUMN.match(text)
    if column:
        return _of_column(draft, column)
    named = _choose(draft, draft.metrics_called(text), near)
    if named:
        return named
    count = re.fullmatch(r"(?:total\s+)?(?P<rest>.+?)\s+count", text, re.IGNORECASE)
    if count:
        found = _choose(draft, draft.metrics_called(f"number of {count['rest']}"), near)
        if found:
            return found
    lead = _LEAD.match(text)
    if lead:
        aggregate = AggregateKind.COUNT if "number" in lead["agg"].lower() else aggregate_of(lead["agg"])
        if aggregate == AggregateKind.COUNT:
            return _count(draft, lead["rest"], text)
        if aggregate is not None:
            found = _aggregate(draft, aggregate, lead["rest"], near, text)
            if found:
                return found
            amount = _OF_AMOUNT.match(lead["rest"])
            if amount and aggregate == AggregateKind.SUM:
                return find_metric(draft, f"total {amount['rest']} amount", near) or find_metric(draft, amount["rest"], near)
    return _filtered(draft, text, near)


def _of_column(draft: Draft, match: re.Match[str]) -> Metric | None:
    """ "sum of table.column"."""
    dataset, aggregate = draft.table(match["table"]), aggregate_of(match["agg"])
    field = draft.column(dataset, match["column"]) if dataset else None
    return make_metric(draft, dataset, aggregate, field, None, match.group()) if dataset and field and aggregate else None


def _where(draft: Draft, figure: str, conditions: str, near: set[str], label: str) -> Metric | None:
    """ "sum of amount where kind is payment": a known figure over some of its rows."""
    base = find_metric(draft, figure, near)
    if not isinstance(base, SimpleMetric) or base.where is not None:
        return None
    home = draft.datasets[base.dataset]
    where = said_condition(draft, home, conditions)
    if where is None or (isinstance(base.of, FieldRef) and base.of.dataset != home.name) or not isinstance(base.of, FieldRef | None):
        return None
    field = home.field(base.of.field) if isinstance(base.of, FieldRef) else None
    return make_metric(draft, home, base.aggregate, field, where, label)


def _choose(draft: Draft, metrics: Sequence[Metric], near: set[str]) -> Metric | None:
    """The only one; else the only glossary one; else the only one on a nearby dataset; else the only one on a fact."""
    if len(metrics) < 2:
        return metrics[0] if metrics else None
    for test in (
        lambda m: m.source == SOURCE,
        lambda m: isinstance(m, SimpleMetric) and m.dataset in near,
        lambda m: isinstance(m, SimpleMetric) and m.aggregate == AggregateKind.SUM,
        lambda m: isinstance(m, SimpleMetric) and draft.datasets[m.dataset].kind in (DatasetKind.FACT, DatasetKind.SUBTYPE),
    ):
        kept = [m for m in metrics if test(m)]
        if len(kept) == 1:
            return kept[0]
    return None


def _aggregate(draft: Draft, aggregate: AggregateKind, phrase: str, near: set[str], label: str) -> Metric | None:
    found = [(d, f) for d, f in draft.fields_called(phrase) if f.role == FieldRole.MEASURE]
    if not found:
        head = key_of(phrase)
        found = [(d, f) for d in draft.datasets.values() for f in d.fields if f.role == FieldRole.MEASURE and _close(key_of(f.label), head)]
    if len(found) > 1:
        found = [(d, f) for d, f in found if d.name in near] or found
    if len({(d.name, f.name) for d, f in found}) != 1:
        return None
    return make_metric(draft, found[0][0], aggregate, found[0][1], None, label)


def _close(label: tuple[str, ...], said: tuple[str, ...]) -> bool:
    """One inflected word apart: "selling price" and "sale price", "closing price" and "close"."""
    short = {w[:3] for w in said if w not in ("price", "amount", "value", "cost")}
    long = {w[:3] for w in label if w not in ("price", "amount", "value", "cost")}
    heads = {w for w in said if w in ("price", "amount", "value", "cost")}
    return bool(short) and short == long and (len(label) == 1 or heads <= set(label))


def make_metric(
    draft: Draft, dataset: Dataset, aggregate: AggregateKind, field: CatalogField | None, where: Predicate | None, label: str
) -> SimpleMetric:
    """That metric: an equal one that is there already, or a new one."""
    ref = FieldRef(dataset=dataset.name, field=field.name) if field else None
    metric = SimpleMetric(
        name=draft.metric_name(label),
        label=label.lower(),
        dataset=dataset.name,
        aggregate=aggregate,
        of=ref,
        where=where,
        unit=field.unit if field and aggregate not in (AggregateKind.COUNT, AggregateKind.COUNT_DISTINCT) else None,
        format=field.format if field and aggregate not in (AggregateKind.COUNT, AggregateKind.COUNT_DISTINCT) else None,
        source=SOURCE,
    )
    same = draft.same_metric(metric)
    if isinstance(same, SimpleMetric):
        return same
    draft.add_metric(metric)
    return metric


def _count(draft: Draft, phrase: str, label: str) -> Metric | None:
    """ "active customers with transactions": the distinct customers among transactions whose customer is active."""
    named = draft.metrics_called(f"number of {phrase}")
    if named:
        return named[0]
    clause = re.fullmatch(
        r"(?P<who>.+?)\s+(?:with|who have|that have|having)\s+(?:at least one\s+|any\s+)?(?P<what>.+)", phrase, re.IGNORECASE
    )
    who = clause["who"] if clause else phrase
    entity, condition = _adjectives(draft, who)
    if entity is None:
        return None
    home = draft.datasets[entity.dataset]
    if not clause:
        return make_metric(draft, home, AggregateKind.COUNT, None, condition, label) if condition else None
    others = draft.datasets_called(clause["what"])
    if len(others) != 1:
        return None
    links = [r for r in draft.relationships if r.from_dataset == others[0].name and r.to_dataset == home.name and len(r.from_fields) == 1]
    if len(links) != 1 or len(entity.key) != 1:
        return make_metric(draft, home, AggregateKind.COUNT, None, _and(condition, Has(dataset=others[0].name)), label)
    return make_metric(draft, others[0], AggregateKind.COUNT_DISTINCT, others[0].field(links[0].from_fields[0]), condition, label)


def _and(left: Predicate | None, right: Predicate) -> Predicate:
    return right if left is None else And(items=(left, right))


def _adjectives(draft: Draft, phrase: str) -> tuple[Entity | None, Predicate | None]:
    """An entity with at most one value of its own before it ("active customers")."""
    known = draft.entities_called(phrase)
    if known:
        return known[0], None
    first, _, rest = phrase.partition(" ")
    known = draft.entities_called(rest)
    if not known:
        return None, None
    condition = value_condition(draft.datasets[known[0].dataset], first)
    return (known[0], condition) if condition is not None else (None, None)


def value_condition(dataset: Dataset, phrase: str) -> Predicate | None:
    """The condition that a value of the dataset's categories or a flag states, if exactly one does."""
    wanted = key_of(phrase)
    found: list[Predicate] = []
    for field in dataset.fields:
        ref = FieldRef(dataset=dataset.name, field=field.name)
        if field.role == FieldRole.CATEGORY:
            for value in field.values:
                said = {key_of(value), *(key_of(s) for s in field.value_synonyms.get(value, ()))}
                if wanted in said or (len(wanted) == 1 and any(len(s) == 1 and _same_stem(s[0], wanted[0]) for s in said)):
                    literal = int(value) if field.type == FieldType.INTEGER else value
                    found.append(Comparison(op="=", left=ref, right=Literal_(value=literal)))
        elif field.role == FieldRole.FLAG and field.type == FieldType.BOOLEAN and key_of(field.label.removeprefix("is ")) == wanted:
            found.append(Comparison(op="=", left=ref, right=Literal_(value=True)))
    return found[0] if len(found) == 1 else None


def _same_stem(left: str, right: str) -> bool:
    """Inflections of one word: "sell" and "sells", "successful" and "success"."""
    if singular(left) == singular(right):
        return True
    return min(len(left), len(right)) > 4 and left[:5] == right[:5] and abs(len(left) - len(right)) <= 3


def _filtered(draft: Draft, text: str, near: set[str]) -> Metric | None:
    match = _FILTERED.match(text)
    if not match:
        return None
    base = find_metric(draft, match["measure"], near)
    if not isinstance(base, SimpleMetric) or base.where is not None:
        return None
    if base.dataset in {d.name for d in draft.datasets_called(match["value"])}:
        return base
    condition = value_condition(draft.datasets[base.dataset], match["value"])
    if condition is None:
        return None
    field = draft.datasets[base.dataset].field(base.of.field) if isinstance(base.of, FieldRef) and base.of.dataset == base.dataset else None
    if base.of is not None and field is None:
        return None
    return make_metric(draft, draft.datasets[base.dataset], base.aggregate, field, condition, text)
