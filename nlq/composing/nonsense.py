"""Tables that would say nothing, whatever the words: things counted one by one, an amount repeated for each of its parts, no day at all."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.draft import Draft
from nlq.conjunctions import conjuncts
from nlq.predicates import Unbuildable
from semantic.catalog.model import Entity
from semantic.expr import Absolute, FieldRef, InWindow, Predicate
from semantic.query import Aggregate, AggregateKind, ByEntity, Calculation, Measure, SemanticQuery


def refuse_nonsense(draft: Draft, query: SemanticQuery) -> None:
    """Raises: Unbuildable."""
    found = [draft.catalog.entity(b.entity) for b in query.by if isinstance(b, ByEntity) and not b.via]
    things = {e.dataset for e in found if _tells_rows_apart(draft, e)}
    for part in _aggregates(query.metrics):
        if len(query.metrics) == 1 and part.dataset in things and part.aggregate is AggregateKind.COUNT and part.of is None:
            raise Unbuildable("each is counted by itself")
        distinct = part.aggregate is AggregateKind.COUNT_DISTINCT and isinstance(part.of, FieldRef) and part.of.dataset != part.dataset
        if len(query.metrics) == 1 and part.dataset in things and distinct:
            raise Unbuildable("each has one of them")
        if part.dataset in things and part.aggregate in (AggregateKind.AVG, AggregateKind.MEDIAN) and len(query.by) > 1:
            raise Unbuildable("an average of one row each")
        finer = isinstance(part.of, FieldRef) and part.of.dataset != part.dataset and part.dataset in things
        if finer and part.aggregate is AggregateKind.SUM:
            raise Unbuildable("an amount of what they belong to, once for each of them")
    _refuse_no_day(draft, query)
    _refuse_half(draft, query)


def _refuse_half(draft: Draft, query: SemanticQuery) -> None:
    """ "closed vs opened requests by month": one side of what is held against the other is not all of it."""
    f = draft.frame
    computed = any(isinstance(m, Calculation) for m in query.metrics)  # "difference between revenue and cost"
    sides = computed or len(query.metrics) > 1 or f.compare_values or f.versus is not None or len(f.times) > 1 or query.compare is not None
    sides = sides or f.cycle == "is_weekend"
    if f.compare == "vs" and not (sides or f.times) and sum(c.kind == "time" for c in f.conditions) < 2 and not query.fields:
        raise Unbuildable("only one side of what is compared is known")


def _tells_rows_apart(draft: Draft, entity: Entity) -> bool:
    """Whether each thing is one row, and not all rows of one id (an agent of many policies)."""
    rows = draft.catalog.dataset(entity.dataset)
    if len(entity.key) > 1 or rows.row_count is None:
        return entity.key == rows.primary_key
    return rows.field(entity.key[0]).cardinality in (None, rows.row_count) and rows.primary_key in (entity.key, ())


def _aggregates(measures: Sequence[Measure]) -> list[Aggregate]:
    found: list[Aggregate] = []
    for measure in measures:
        if isinstance(measure, Aggregate):
            found.append(measure)
        elif isinstance(measure, Calculation):
            found.extend(_aggregates((measure.left, measure.right)))
    return found


def _refuse_no_day(draft: Draft, query: SemanticQuery) -> None:
    """One date cannot lie in two periods that share no day."""
    windows = _windows(query.where)
    base = query.rows_of or next((m.dataset for m in query.metrics if isinstance(m, Aggregate)), None)
    own = query.time.field if query.time is not None else None
    if query.time is not None and own is None and base is not None and (name := draft.catalog.dataset(base).time) is not None:
        own = FieldRef(dataset=base, field=name)
    if query.time is not None and own is not None:
        windows = [*windows, (own, query.time.window)]
    for at, (field, window) in enumerate(windows):
        for other, second in windows[at + 1 :]:
            if other == field and isinstance(window, Absolute) and isinstance(second, Absolute) and _apart(window, second):
                raise Unbuildable("no day lies in both periods")


def _windows(where: Predicate | None) -> list[tuple[FieldRef, object]]:
    found = [p for p in conjuncts(where) if isinstance(p, InWindow) and not p.negate]
    return [(p.field, p.window) for p in found if isinstance(p.field, FieldRef)]


def _apart(a: Absolute, b: Absolute) -> bool:
    def before(x: Absolute, y: Absolute) -> bool:
        return x.end is not None and y.start is not None and str(x.end)[:10] <= str(y.start)[:10]

    return before(a, b) or before(b, a)
