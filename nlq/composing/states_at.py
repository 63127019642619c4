""" "Headcount as of 31 December": what was there then; figures that are kept only as they are now cannot tell."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from nlq.composing.bases import bases_of
from nlq.composing.counts import is_stock
from nlq.composing.draft import Draft
from nlq.conjunctions import conjunction, conjuncts
from nlq.predicates import Unbuildable
from nlq.text import keys_of, lemma, words_of
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole
from semantic.expr import Absolute, FieldRef, InWindow, IsNull, Or, Predicate
from semantic.query import Aggregate, AggregateKind, Measure, MetricRef

_AT = ("as of", "at the end of", "at end of")
_NOW = ("today", "now", "right now")
_ENDED = frozenset(
    "terminated termination closed closing cancelled cancellation churned ended end left leaving deactivated departed".split()
)
_LEVELS = frozenset(lemma(w) for w in ("balance", "stock", "inventory", "hand", "headcount"))


def still_there(draft: Draft, measure: Measure, base: str | None) -> Predicate | None:
    """For rows of things that begin and end: that they had not ended then. Raises: Unbuildable for figures as they are now."""
    f = draft.frame
    phrase = f.times[0] if f.times and not draft.window_done else None
    if phrase is not None and base is not None and phrase.label.lower() in _NOW:
        dataset = draft.catalog.dataset(base)
        draft.window_done = dataset.kind is DatasetKind.DIMENSION and _tells_now(draft, measure, dataset)  # "balance today"
        return None
    if phrase is None or base is None or not phrase.label.lower().startswith(_AT) or not isinstance(phrase.window, Absolute):
        return None
    at = phrase.window.end
    day = at.date() if isinstance(at, dt.datetime) else at
    if day is None or phrase.window.start is not None or day > draft.as_of.date():
        return None
    dataset = draft.catalog.dataset(base)
    if _tells_now(draft, measure, dataset):
        raise Unbuildable("What this was on that day is not kept so that it can be read; what it is now is.")
    ends = [x for x in dataset.fields if x.role is FieldRole.TIME and x.nullable and not x.hidden and set(words_of(x.label)) & _ENDED]
    if dataset.kind is DatasetKind.FACT or len(ends) != 1:
        return None
    end = FieldRef(dataset=base, field=ends[0].name)
    return Or(items=(IsNull(field=end), InWindow(field=end, window=Absolute(start=day))))


def as_it_was(draft: Draft, where: Predicate | None, base: str | None) -> Predicate | None:
    """ "active subscriptions on 30 September": that had begun by then and had not ended, whatever came after."""
    phrase = draft.frame.times[0] if len(draft.frame.times) == 1 and not draft.window_done else None
    window = phrase.window if phrase is not None else None
    if phrase is None or not isinstance(window, Absolute) or not (phrase.point or phrase.label.lower().startswith(_AT)):
        return where
    at = window.end.date() if isinstance(window.end, dt.datetime) else window.end
    if at is None or at > draft.as_of.date() or phrase.label.lower().startswith(("since", "after", "before", "until")):
        return where
    parts = list(conjuncts(where))
    for n, part in enumerate(parts):
        if (
            not isinstance(part, IsNull)
            or part.negate
            or not isinstance(part.field, FieldRef)
            or part.field.dataset != base
            or part.field.via
        ):
            continue
        if not set(words_of(draft.catalog.field(part.field).label)) & _ENDED:
            continue
        parts[n] = Or(items=(part, InWindow(field=part.field, window=Absolute(start=at))))
        draft.frame.times = [replace(phrase, window=Absolute(end=at))]
        return conjunction(parts)
    return where


def _tells_now(draft: Draft, measure: Measure, dataset: Dataset) -> bool:
    metric = draft.catalog.metric(measure.metric) if isinstance(measure, MetricRef) else None
    if getattr(metric, "non_additive", ()):
        return False  # snapshots: the latest ones by then
    of = _field(draft, measure)
    if of is None or of.role is not FieldRole.MEASURE:
        return is_stock(dataset) and bool(bases_of(draft, measure))
    return dataset.kind is not DatasetKind.FACT or is_stock(dataset) or bool(set(keys_of(of.label)) & _LEVELS)


def _field(draft: Draft, measure: Measure) -> CatalogField | None:
    """The number that a measure is made of."""
    of = measure.of if isinstance(measure, Aggregate) and measure.aggregate is not AggregateKind.COUNT else None
    if isinstance(measure, MetricRef):
        metric = draft.catalog.metric(measure.metric)
        of = getattr(metric, "of", None)
    return draft.catalog.field(of) if isinstance(of, FieldRef) else None
