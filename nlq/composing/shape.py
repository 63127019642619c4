"""Rows or aggregates: what kind of table answers the question."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.draft import Draft
from nlq.frame import MeasureItem
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from semantic.catalog.model import DatasetKind, FieldRole


def is_aggregated(draft: Draft, measures: Sequence[MeasureItem]) -> bool:
    f = draft.frame
    if f.limit_per_group and f.outputs and f.groups:
        if f.top_asked and not (f.superlative or f.rank_by or f.orders or measures):
            raise Unbuildable("what makes them the top of each is not said")
        if f.superlative is not None or f.rank_by:
            return True
    if grouped_rows(draft, measures) or counted_rows(draft, measures) or grouped_having(draft):
        return True
    if f.rank_by and all(plain_rank(draft, m) for m in f.rank_by) and not measures:
        return False
    superlative = f.superlative
    if superlative is not None and superlative.measure is not None and not _row_superlative(draft, superlative.measure) and not measures:
        return True
    durations = [m for m in measures if m.kind == "duration"]
    if durations and len(durations) == len(measures) and durations[0].aggregate is None and (f.outputs or superlative is not None):
        return False
    if not measures and not f.rank_by and (f.groups and f.outputs) and not f.having:
        return False
    if not (measures or f.rank_by or f.superlative or f.outputs or f.list_verb or f.question_word) and _leaned_on(draft):
        return True
    if not measures and not f.rank_by and f.groups and not f.grain and not f.having and not f.count_word_alone:
        return False
    if not measures and f.grain and not f.rank_by:
        return True
    return bool(measures or f.rank_by or f.count_word_alone)


def _leaned_on(draft: Draft) -> bool:
    """ "clients onboarded in 2024 by sector": things that a condition leans on, counted by labels."""
    groups = [cf for m in draft.frame.groups if (t := draft.target(m)) is not None and (cf := draft.kinds.field(t)) is not None]
    labels = len(groups) == len(draft.frame.groups) and all(cf.role in (FieldRole.CATEGORY, FieldRole.FLAG) for cf in groups)
    first = draft.frame.mentions[0] if draft.frame.mentions else None
    target = draft.target(first) if first is not None and first.role == "context" else None
    return bool(groups) and labels and target is not None and target.kind == "dataset"


def counted_rows(draft: Draft, measures: Sequence[MeasureItem]) -> bool:
    """ "orders last week", "cancelled orders": events that nobody asked to list are counted, and so is anything held against another period."""
    f = draft.frame
    if measures or not f.names_one_thing() or f.groups:
        return False
    target = draft.target(f.outputs[0])
    if target is None or target.kind != "dataset":
        return False
    compared = bool(f.times) and not f.list_verb and (f.compare is not None or bool(f.transforms))  # "employees this year vs last year"
    return compared or draft.catalog.dataset(target.dataset or "").kind is DatasetKind.FACT


def grouped_having(draft: Draft) -> bool:
    """ "statuses with more than 3 orders", "titles with an average salary over 80k": labels or things of the rows that are computed."""
    f = draft.frame
    shown = [t for m in f.outputs if (t := draft.target(m)) is not None]
    having = [(c.measure, t) for c in f.having if c.measure is not None and (t := draft.target(c.mention)) is not None]
    if not shown or not having:
        return False
    if any(item.aggregate is not None and t.kind == "field" for item, t in having):
        homes = {t.dataset for t in shown}
        if any(t.dataset not in homes for _, t in having):
            return all(any(t.dataset != h and draft.graph.points_to(t.dataset or "", h or "") for _, t in having) for h in homes)
    if any(t.kind != "field" for t in shown):
        return False
    labels = all((cf := draft.kinds.field(t)) is not None and cf.role in (FieldRole.CATEGORY, FieldRole.FLAG) for t in shown)
    return labels and all(t.kind == "metric" or t.dataset == shown[0].dataset for _, t in having)


def grouped_rows(draft: Draft, measures: Sequence[MeasureItem]) -> bool:
    """ "orders by status": a thing by a label is counted; a thing by its own number or name is listed."""
    f = draft.frame
    if measures or f.rank_by or f.superlative is not None or len(f.outputs) != 1:
        return False
    target = draft.target(f.outputs[0])
    if target is None or target.kind != "dataset":
        return False
    if f.cycle or f.grain:
        return True
    groups = [t for m in f.groups if (t := draft.target(m)) is not None]
    if not groups or f.question_word == "who":
        return False
    things = [t for t in groups if t.kind == "dataset"]
    events = draft.catalog.dataset(target.dataset or "").kind is DatasetKind.FACT
    played = len(groups) == 1 and bool(groups[0].via) and not f.list_verb  # "members coached by each trainer"
    if things and not (
        (events or played or (not f.list_verb and (all(m.per for m in f.groups) or _are_many(draft, target))))  # "employees per depot"
        and all(t.dataset != target.dataset and draft.graph.points_to(target.dataset or "", t.dataset or "") for t in things)
    ):
        return False
    groups = [t for t in groups if t.kind != "dataset"]
    if any(t.kind != "field" for t in groups):
        return False
    fields = [cf for t in groups if (cf := draft.kinds.field(t)) is not None]
    labels = all(
        cf.role in (FieldRole.CATEGORY, FieldRole.FLAG) or (cf.role is FieldRole.NAME and t.dataset != target.dataset)
        for cf, t in zip(fields, groups, strict=True)
    )
    return labels and not any(
        cf.cardinality is not None and draft.catalog.dataset(t.dataset or "").row_count == cf.cardinality and t.dataset == target.dataset
        for cf, t in zip(fields, groups, strict=True)
    )


def _are_many(draft: Draft, target: Target) -> bool:
    """Whether nobody would read a list of all of them: "subscribers by plan" are counted."""
    return not draft.frame.question_word and (draft.catalog.dataset(target.dataset or "").row_count or 0) > _LISTED


_LISTED = 100


def plain_rank(draft: Draft, item: MeasureItem) -> bool:
    """Ranking by a stored number of the very rows that are listed ("cities by population")."""
    return item.kind == "aggregate" and item.aggregate is None and _row_superlative(draft, item)


def _row_superlative(draft: Draft, item: MeasureItem) -> bool:
    if item.kind == "duration":
        return item.aggregate is None
    if item.label == "time":
        return True
    if item.kind != "aggregate" or item.mention is None:
        return False
    target = draft.target(item.mention)
    if target is None or target.kind != "field":
        return False
    focus = focus_dataset(draft)
    if focus is None:
        return False
    columns = [draft.target(m) for m in draft.frame.outputs]
    if any(t is not None and t.kind == "dataset" and t.dataset == focus for t in columns) or any(
        m.role == "context" and (t := draft.target(m)) is not None and t.dataset == focus for m in draft.frame.mentions
    ):
        return target.dataset == focus or (draft.graph.points_to(focus, target.dataset or "") and focus != target.dataset)
    names = [t for t in columns if t is not None and t.kind == "field" and t.dataset == target.dataset]
    return (
        any(
            (cf := draft.kinds.field(t)) is not None and cf.role in (FieldRole.NAME, FieldRole.KEY) and not shared_name(draft, t)
            for t in names
        )
        and target.dataset == focus
    )


def shared_name(draft: Draft, target: Target) -> bool:
    """Whether many rows have the same name: it is of what they belong to ("customer name" of orders)."""
    field, rows = draft.kinds.field(target), draft.catalog.dataset(target.dataset or "").row_count
    return field is not None and field.cardinality is not None and bool(rows) and field.cardinality < 0.5 * (rows or 0)


def focus_dataset(draft: Draft) -> str | None:
    """The dataset of the thing asked for."""
    for mention in draft.frame.outputs:
        target = draft.target(mention)
        if target is not None and target.kind == "dataset":
            return target.dataset
    for mention in draft.frame.mentions:
        target = draft.target(mention)
        owned = target is not None and any((t := draft.target(m)) is not None and t.dataset == target.dataset for m in draft.frame.outputs)
        if mention.role == "context" and target is not None and target.kind == "dataset" and owned:
            return target.dataset
    for mention in draft.frame.outputs:
        target = draft.target(mention)
        if target is not None and target.dataset is not None:
            return target.dataset
    return None


def is_aggregate_now(draft: Draft) -> bool:
    return bool(
        draft.frame.measures
        or draft.frame.rank_by
        or (
            draft.frame.superlative is not None
            and draft.frame.superlative.measure is not None
            and not _row_superlative(draft, draft.frame.superlative.measure)
        )
        or draft.frame.grain
        or draft.frame.count_word_alone
        or grouped_having(draft)
    )
