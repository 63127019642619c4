"""Measures, grouped: the whole of an aggregate query."""

from __future__ import annotations

from nlq.buckets import settle_buckets
from nlq.changes import moved_having
from nlq.composing.amounts import same_measure
from nlq.composing.averages import average_per
from nlq.composing.bases import base_of, bases_of
from nlq.composing.counts import implied_count
from nlq.composing.draft import Draft
from nlq.composing.durations import ended
from nlq.composing.groups import add_compared, build_groups
from nlq.composing.measures import build_measure
from nlq.composing.order import order_groups
from nlq.composing.shape import counted_rows, grouped_having, grouped_rows
from nlq.composing.time_groups import add_time_groups
from nlq.composing.transforms import build_transforms
from nlq.composing.where import build_having, build_where, row_having
from nlq.composing.windows import build_compare, build_window
from nlq.frame import MeasureItem
from nlq.predicates import Unbuildable, conjunction
from semantic.query import ByEntity, ByTime, Calculation, Constant, Measure, SemanticQuery


def aggregate_rows(draft: Draft, measures: list[MeasureItem]) -> SemanticQuery:
    f = draft.frame
    counted = counted_rows(draft, measures)
    if counted or grouped_rows(draft, measures):
        measures = [MeasureItem("count", None, f.outputs[0])]
        f.outputs = []
    settle_buckets(f, measures, draft.assignment, draft.kinds)
    if "difference" in f.notes and f.compare == "vs" and len(measures) == 2 and len(f.times) < 2 and not f.compare_values:
        measures[:] = [MeasureItem("expression", left=measures[0], right=measures[1], op="-")]
    draft.relations.count_things(measures)
    things = draft.target(measures[0].mention) if len(measures) == 1 and measures[0].kind == "count" else None
    if things is not None and things.kind == "dataset" and not counted:
        draft.relations.move_window(things.dataset or "")
    average_per(draft, measures)
    by, group_datasets = build_groups(draft, measures)
    f_measures = measures
    built: list[tuple[MeasureItem, Measure]] = []
    rank = [*f.rank_by]
    if f.superlative is not None and f.superlative.measure is None and f_measures:
        f.superlative.measure = f_measures[0]
    if f.superlative is not None and f.superlative.measure is not None:
        rank.append(f.superlative.measure)
    items: list[MeasureItem] = []
    for item in f_measures:
        if not any(same_measure(draft, item, m) for m in items):
            items.append(item)
    for item in rank:
        if not any(same_measure(draft, item, m) for m in items):
            items.append(item)
    for wanted in f.orders:
        if wanted.measure is not None and not any(same_measure(draft, wanted.measure, m) for m in items):
            items.append(wanted.measure)
    if not items and grouped_having(draft):
        items.extend(c.measure for c in f.having if c.measure is not None)
    if not items:
        items.append(implied_count(draft))
    for item in items:
        measure = build_measure(draft, item, group_datasets)
        twin = next((m for m, other in built if other == measure), None)
        if twin is not None:
            draft.twins[id(item)] = twin
        else:
            built.append((item, measure))
    base = base_of(draft, built[0][1]) or next(iter(group_datasets), None)
    by = add_compared(draft, by)
    by = add_time_groups(draft, by, base)
    where = build_where(draft, base) if base is not None else None
    bases = {x for _, m in built for x in bases_of(draft, m)}
    for other in sorted(bases - {base}) if where is not None else ():
        build_where(draft, other)  # each measure's rows must be able to tell who is meant
    if where is not None and len(bases) > 1 and '"kind":"has"' in where.model_dump_json():
        built = [(item, _narrowed(draft, m)) for item, m in built]
        where = None
    having = () if counted or not by else tuple(build_having(draft, c, group_datasets) for c in f.having)
    if len(built) == 1 and built[0][0].kind == "duration" and by and base is not None:
        where = conjunction([p for p in (where, *ended(draft, built[0][0])) if p is not None])
    if f.having and not by and not counted and base is not None:
        where = conjunction([p for p in (where, *(row_having(draft, c, base) for c in f.having)) if p is not None])
    having = (*having, *(moved_having(m, built[0][1]) for m in f.moved))
    if having and not by:
        raise Unbuildable("a condition on a total that is not grouped")
    transforms = build_transforms(draft, built, by)
    order, limit, limit_by = order_groups(draft, built, by, rank)
    singular = f.superlative is not None and f.limit is None and not f.orders and (f.singular or not f.asks_period)
    ties = singular
    if singular and limit is None:
        limit = 1
    time = build_window(draft, base, rows=False)
    compare = build_compare(draft)
    return SemanticQuery(
        metrics=tuple(m for _, m in built),
        by=tuple(by),
        where=where,
        having=having,
        time=time,
        compare=compare,
        order=tuple(order),
        limit=limit if limit_by is None else None,
        limit_by=limit_by,
        with_ties=ties and limit is not None,
        zero_sums=f.keep_empty or f.all_rows or any(t.kind in ("rank", "growth", "difference") for t in f.transforms),
        keep_empty=(
            f.keep_empty
            or (f.all_rows and any(isinstance(b, ByEntity) for b in by))
            or bool(f.groups and any(t.kind == "rank" for t in f.transforms))
        )
        and not any(isinstance(b, ByTime) for b in by),
        transform=transforms,
        round_digits=f.round_digits,
    )


def _narrowed(draft: Draft, measure: Measure) -> Measure:
    """The measure with the question's conditions as seen from its own rows."""
    if isinstance(measure, Calculation):
        return measure.model_copy(update={"left": _narrowed(draft, measure.left), "right": _narrowed(draft, measure.right)})
    base = base_of(draft, measure)
    if base is None or isinstance(measure, Constant):
        return measure
    where = build_where(draft, base)
    parts = [p for p in (measure.where, where) if p is not None]
    return measure.model_copy(update={"where": conjunction(parts) if parts else None})
