"""Pieces rather than rows: the quantity that is summed where "items" or "best selling" is said."""

from __future__ import annotations

from nlq.composing.bases import metric_base
from nlq.composing.draft import Draft
from nlq.frame import Mention
from nlq.numbers import as_scalar
from nlq.text import keys_of, lemma
from semantic.catalog.model import FieldRole, SimpleMetric
from semantic.expr import Comparison, Expr, FieldRef, Literal_, Predicate, Related
from semantic.query import Aggregate, AggregateKind, Measure, MetricRef

_SOLD = frozenset(lemma(w) for w in ("sales", "sold"))
_PIECES = frozenset(lemma(w) for w in ("items", "units", "pieces", "articles"))


def own_sales(draft: Draft, thing: str) -> Measure | None:
    """How much was sold of things that tell it themselves ("sales" of a song)."""
    fields = [f for f in draft.catalog.dataset(thing).fields if f.role is FieldRole.MEASURE and not f.hidden]
    told = [f for f in fields if set(keys_of(f.label)) & _SOLD]
    return Aggregate(aggregate=AggregateKind.SUM, dataset=thing, of=FieldRef(dataset=thing, field=told[0].name)) if len(told) == 1 else None


def sold(draft: Draft, fact: str) -> Measure | None:
    """How much was sold: the metric that says so, or the fact's one quantity."""
    for metric in draft.catalog.metrics:
        if not metric.hidden and set(keys_of("units sold")) <= set(keys_of(metric.label)) and metric_base(draft, metric.name) == fact:
            return MetricRef(metric=metric.name)
    fields = [f for f in draft.catalog.dataset(fact).fields if f.role is FieldRole.MEASURE and not f.hidden]
    amounts = [f for f in fields if set(keys_of(f.label)) & {"quantity", "qty"}]
    if len(amounts) != 1:
        return None
    draft.guess(0.05, f"{amounts[0].label} is summed")
    return Aggregate(aggregate=AggregateKind.SUM, dataset=fact, of=FieldRef(dataset=fact, field=amounts[0].name))


def pieces_of(draft: Draft, mention: Mention | None, fact: str) -> FieldRef | None:
    """The quantity that is summed where pieces rather than rows are meant ("more than 3 items")."""
    if mention is None or not set(mention.unit.keys) & _PIECES:
        return None
    measure = sold(draft, fact)
    of: Expr | None = measure.of if isinstance(measure, Aggregate) else None
    if measure is not None and measure.kind == "metric":
        metric = draft.catalog.metric(measure.metric)
        of = metric.of if isinstance(metric, SimpleMetric) and metric.where is None else None
    return of if isinstance(of, FieldRef) else None


def pieces_condition(of: FieldRef, op: str, number: float) -> Predicate:
    """Rows with so many pieces in the rows that belong to them."""
    total = Related(aggregate="sum", dataset=of.dataset, of=of)
    return Comparison.model_validate({"op": op, "left": total, "right": Literal_(value=as_scalar(number))})
