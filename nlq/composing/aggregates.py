"""Measures, grouped: the whole of an aggregate query."""

from __future__ import annotations

from nlq.buckets import settle_buckets
from nlq.changes import moved_having
from nlq.composing.amounts import same_measure
from nlq.composing.averages import average_per
from nlq.composing.bases import base_of, bases_of
from nlq.composing.bridges import split_by_part
from nlq.composing.counts import implied_count
from nlq.composing.draft import Draft
from nlq.composing.durations import ended
from nlq.composing.groups import add_compared, build_groups
from nlq.composing.measures import build_measure
from nlq.composing.order import order_groups
from nlq.composing.sense import doubt_distinct, of_someone, refuse_one_each
from nlq.composing.shape import counted_rows, grouped_having, grouped_rows
from nlq.composing.states_at import as_it_was, still_there
from nlq.composing.things import count_sold
from nlq.composing.time_groups import add_time_groups
from nlq.composing.transforms import build_transforms
from nlq.composing.where import build_having, build_where, row_having
from nlq.composing.windows import build_compare, build_window
from nlq.conjunctions import conjunction
from nlq.frame import MeasureItem
from nlq.parsing.clauses import THERE_WERE
from nlq.parsing.words import DIFFERENCE_TOO
from nlq.predicates import Unbuildable
from semantic.catalog.model import DatasetKind
from semantic.expr import Predicate
from semantic.query import ByEntity, ByTime, Calculation, Constant, GroupBy, Measure, SemanticQuery

Built = list[tuple[MeasureItem, Measure]]


def aggregate_rows(draft: Draft, measures: list[MeasureItem]) -> SemanticQuery:
    """Measures with their groups, conditions, order and transforms. Raises: Unbuildable."""
    f = draft.frame
    counted = counted_rows(draft, measures)
    measures = _settled(draft, measures, counted)
    by, group_datasets = build_groups(draft, measures)
    rank = _ranking(draft, measures)
    built = _built(draft, _computed(draft, measures, rank), group_datasets)
    base = base_of(draft, built[0][1]) or next(iter(group_datasets), None)
    by = add_time_groups(draft, split_by_part(draft, add_compared(draft, by), base), base)
    dates = [b.field for b in by if isinstance(b, ByTime) and b.field is not None and b.field.dataset == base]
    draft.held_date = draft.held_date or (dates[0] if len(dates) == 1 else None)  # "bills paid by month in 2025": paid in 2025
    built, where = _conditions(draft, built, base, grouped=bool(by), counted=counted)
    refuse_one_each(draft, by, [m for _, m in built])
    doubt_distinct(draft, base)
    where = of_someone(draft, by, base, where)
    there = still_there(draft, built[0][1], base)
    where = as_it_was(draft, where, base) if there is None else there if where is None else conjunction([where, there])
    having = () if counted or not by else tuple(build_having(draft, c, group_datasets) for c in f.having)
    having = (*having, *(moved_having(m, built[0][1]) for m in f.moved))
    if not by and f.superlative is not None and not measures:
        raise Unbuildable("the highest of nothing that is split")
    if having and not by:
        raise Unbuildable("a condition on a total that is not grouped")
    transforms = build_transforms(draft, built, by)
    order, limit, limit_by = order_groups(draft, built, by, rank)
    ties = f.superlative is not None and f.limit is None and not f.orders and (f.singular or not f.asks_period)
    if ties and limit is None:
        limit = 1
    return SemanticQuery(
        metrics=tuple(m for _, m in built),
        by=tuple(by),
        where=where,
        having=having,
        time=build_window(draft, base, rows=False),
        compare=build_compare(draft),
        order=tuple(order),
        limit=limit if limit_by is None else None,
        limit_by=limit_by,
        with_ties=ties and limit is not None,
        zero_sums=f.keep_empty or f.all_rows or any(t.kind in ("rank", "growth", "difference") for t in f.transforms),
        keep_empty=_keeps_empty(draft, by),
        transform=transforms,
        round_digits=f.round_digits,
    )


def _settled(draft: Draft, measures: list[MeasureItem], counted: bool) -> list[MeasureItem]:
    """The measures after what the whole question says of them: counted rows, periods, differences, averages per thing."""
    f = draft.frame
    if counted or grouped_rows(draft, measures):
        measures = [MeasureItem("count", None, f.outputs[0])]
        f.outputs = []
    settle_buckets(f, measures, draft.assignment, draft.kinds)
    if "difference" in f.notes and f.compare == "vs" and len(measures) == 2 and len(f.times) < 2 and not f.compare_values:
        measures[:] = [MeasureItem("expression", left=measures[0], right=measures[1], op="-")]
    if DIFFERENCE_TOO in f.notes and len(measures) == 2:
        measures = [*measures, MeasureItem("expression", left=measures[0], right=measures[1], op="-")]
    count_sold(draft, measures)
    draft.relations.count_things(measures)
    draft.relations.count_by_event(measures)
    things = draft.target(measures[0].mention) if len(measures) == 1 and measures[0].kind == "count" else None
    if things is not None and things.kind == "dataset" and THERE_WERE in f.notes and f.times:
        kind = draft.catalog.dataset(things.dataset or "").kind
        draft.guess(0.45 if kind is DatasetKind.DIMENSION else 0.0, THERE_WERE)  # "how many customers did we have in May"
    if things is not None and things.kind == "dataset" and not counted:
        draft.relations.move_window(things.dataset or "")
    average_per(draft, measures)
    return measures


def _ranking(draft: Draft, measures: list[MeasureItem]) -> list[MeasureItem]:
    """What the groups are ranked by; a superlative without a number of its own takes the first measure."""
    f = draft.frame
    if f.superlative is not None and f.superlative.measure is None and measures:
        f.superlative.measure = measures[0]
    if f.superlative is not None and f.superlative.measure is not None:
        return [*f.rank_by, f.superlative.measure]
    return [*f.rank_by]


def _computed(draft: Draft, measures: list[MeasureItem], rank: list[MeasureItem]) -> list[MeasureItem]:
    """Every measure that is shown, ranked or ordered by, each once."""
    f = draft.frame
    items: list[MeasureItem] = []
    for item in [*measures, *rank, *(o.measure for o in f.orders if o.measure is not None)]:
        if not any(same_measure(draft, item, m) for m in items):
            items.append(item)
    if not items and grouped_having(draft):
        items.extend(c.measure for c in f.having if c.measure is not None)
    return items or [implied_count(draft)]


def _built(draft: Draft, items: list[MeasureItem], group_datasets: list[str]) -> Built:
    built: Built = []
    for item in items:
        measure = build_measure(draft, item, group_datasets)
        twin = next((m for m, other in built if other == measure), None)
        if twin is not None:
            draft.twins[id(item)] = twin
        else:
            built.append((item, measure))
    return built


def _conditions(draft: Draft, built: Built, base: str | None, *, grouped: bool, counted: bool) -> tuple[Built, Predicate | None]:
    """The measures and the condition on their rows; measures of several bases take what only one of them can tell into themselves."""
    f = draft.frame
    where = build_where(draft, base) if base is not None else None
    bases = {x for _, m in built for x in bases_of(draft, m)}
    for other in sorted(bases - {base}) if where is not None else ():
        build_where(draft, other)  # each measure's rows must be able to tell who is meant
    apart = any(c.kind == "time" and c.mention is None for c in f.conditions)
    if where is not None and len(bases) > 1 and (apart or '"kind":"has"' in where.model_dump_json()):
        built = [(item, _narrowed(draft, m)) for item, m in built]
        where = None
    parts = [where] if where is not None else []
    if len(built) == 1 and built[0][0].kind == "duration" and grouped and base is not None:
        parts.extend(ended(draft, built[0][0]))
    if f.having and not grouped and not counted and base is not None:
        parts = [conjunction(parts)] if len(parts) > 1 else parts
        parts.extend(row_having(draft, c, base) for c in f.having)
    return built, conjunction(parts) if parts else None


def _keeps_empty(draft: Draft, by: list[GroupBy]) -> bool:
    f = draft.frame
    if any(isinstance(b, ByTime) for b in by):
        return False
    whole = f.all_rows and any(isinstance(b, ByEntity) for b in by)
    return f.keep_empty or whole or bool(f.groups and any(t.kind == "rank" for t in f.transforms))


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
