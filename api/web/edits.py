"""Edits of a query: what chips do. Each takes a SemanticQuery and gives the next one; a part is named by its chip's path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.model import Catalog, FieldType
from semantic.expr import Absolute, And, Comparison, FieldRef, In, Literal_, Predicate
from semantic.query import ByField, ByTime, ComparePeriod, GroupBy, MetricRef, SemanticQuery, TimeWindow
from workers.boards.narrowing import field_ref, in_window, remade, typed

_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT)


def removed(query: SemanticQuery, path: str) -> SemanticQuery:
    """Without the part at `path`, and without what stands on it (its order, its transforms). Raises: Invalid when nothing is left."""
    head, *rest = [part for part in path.split("/") if part] or [""]
    if head == "where":
        return remade(query, where=_without_condition(query.where, rest))
    if head in {"time", "compare", "limit", "limit_by"}:
        changes: dict[str, Any] = {head: None}
        if head == "compare":
            changes["having"] = tuple(h for h in query.having if h.change is None)
            changes["order"] = tuple(o for o in query.order if o.target != "change")
        if head == "limit":
            changes["with_other"] = changes["with_ties"] = False
        return remade(query, **changes)
    index = _index(rest)
    if head == "by":
        return _without_group(query, index)
    if head == "metrics":
        return _without_metric(query, index)
    if head in {"order", "having", "transform", "fields"}:
        kept = tuple(item for i, item in enumerate(getattr(query, head)) if i != index)
        changes = {head: kept}
        if head == "transform":
            changes["order"] = tuple(o for o in query.order if o.target != "transform")
        if head == "fields":
            changes["order"] = _reindexed(query.order, "field", index)
        return remade(query, **changes)
    raise Invalid("This part cannot be taken away on its own; ask the question anew.", code="bad_edit")


def with_metric(query: SemanticQuery, path: str, name: str, catalog: Catalog) -> SemanticQuery:
    """Another metric in the place of the one at `path`, or one more at `/metrics/-`. Raises: NotFound; Invalid."""
    metric = MetricRef(metric=catalog.metric(name).name)
    if path == "/metrics/-":
        return remade(query, metrics=(*query.metrics, metric))
    index = _index(path.split("/")[2:])
    if index >= len(query.metrics):
        raise Invalid("This part of the question is no longer there.", code="bad_edit")
    kept = tuple(h for h in query.having if h.measure != query.metrics[index])
    metrics = tuple(metric if i == index else m for i, m in enumerate(query.metrics))
    return remade(query, metrics=metrics, having=kept)


def with_group(query: SemanticQuery, path: str, text: str, catalog: Catalog) -> SemanticQuery:
    """Grouped by `field:dataset.name` or `grain:month` in the place of the group at `path`, or added at `/by/-`."""
    group = _group(text, catalog)
    if path == "/by/-":
        if any(g == group for g in query.by):
            return query
        if isinstance(group, ByTime) and any(isinstance(g, ByTime) for g in query.by):
            return remade(query, by=tuple(group if isinstance(g, ByTime) else g for g in query.by))
        return remade(query, by=(*query.by, group), order=tuple(o for o in query.order if o.target != "change"))
    index = _index(path.split("/")[2:])
    return remade(query, by=tuple(group if i == index else g for i, g in enumerate(query.by)))


def with_dates(query: SemanticQuery, first: str, last: str) -> SemanticQuery:
    """From `first` to `last`, both days included (ISO dates; one may be empty). Raises: Invalid."""
    try:
        start = dt.date.fromisoformat(first) if first else None
        end = dt.date.fromisoformat(last) + dt.timedelta(days=1) if last else None
    except (ValueError, OverflowError) as error:
        raise Invalid("Dates are written as 2026-05-31.", code="bad_date") from error
    if start is None and end is None:
        return remade(query, time=None)
    if start is not None and end is not None and start >= end:
        raise Invalid("The first day must not be after the last one.", code="bad_date")
    return in_window(query, TimeWindow(window=Absolute(start=start, end=end)))


def with_compare(query: SemanticQuery, to: str) -> SemanticQuery:
    if to not in {"previous_period", "same_period_last_year"}:
        raise Invalid("Compare with the previous period or with the same period last year.", code="bad_edit")
    return remade(query, compare=ComparePeriod(to=to))


def with_limit(query: SemanticQuery, text: str) -> SemanticQuery:
    if not text.isdecimal() or len(text) > 6 or not 1 <= int(text) <= 10_000:
        raise Invalid(f"Expected a whole number from 1 to 10,000; found {text[:20]!r}.", code="bad_limit")
    if query.limit_by is not None:
        return remade(query, limit_by=query.limit_by.changed(limit=int(text)))
    return remade(query, limit=int(text))


def turned(query: SemanticQuery, path: str) -> SemanticQuery:
    """The other direction of the order at `path`."""
    index = _index(path.split("/")[2:])
    return remade(query, order=tuple(o.changed(descending=not o.descending) if i == index else o for i, o in enumerate(query.order)))


def with_values(query: SemanticQuery, path: str, values: Sequence[str], catalog: Catalog) -> SemanticQuery:
    """The condition at `path` on one field, now for any of `values`; none takes the condition away. Raises: Invalid."""
    if not values:
        return removed(query, path)
    rest = [part for part in path.split("/") if part][1:]
    old = condition_at(query.where, rest)
    ref = condition_field(old)
    if ref is None:
        raise Invalid("This condition cannot be edited by its values; remove it, or ask anew.", code="bad_edit")
    new = _among(ref, values, catalog)
    return remade(query, where=_replaced(query.where, rest, new))


def condition_at(where: Predicate | None, rest: Sequence[str]) -> Predicate | None:
    """The condition at `/where` or `/where/items/N`."""
    if not rest:
        return where
    index = _index(rest[1:])
    return where.items[index] if isinstance(where, And) and index < len(where.items) else None


def condition_field(condition: Predicate | None) -> FieldRef | None:
    """The field of a condition "field is a value" or "field is one of"."""
    if isinstance(condition, In) and not condition.negate and isinstance(condition.field, FieldRef):
        return condition.field
    if isinstance(condition, Comparison) and condition.op == "=" and isinstance(condition.left, FieldRef):
        return condition.left if isinstance(condition.right, Literal_) else None
    return None


def _among(ref: FieldRef, values: Sequence[str], catalog: Catalog) -> In:
    field = catalog.field(ref)
    return In(field=ref, values=tuple(typed(v, field) for v in values), ignore_case=field.type is FieldType.STRING)


def _group(text: str, catalog: Catalog) -> GroupBy:
    kind, _, name = text.partition(":")
    if kind == "grain":
        try:
            return ByTime(grain=Grain(name))
        except ValueError as error:
            raise Invalid(f"{name[:20]!r} is not a time grain.", code="bad_edit") from error
    ref = field_ref(name)
    catalog.field(ref)
    return ByField(field=ref)


def _without_condition(where: Predicate | None, rest: Sequence[str]) -> Predicate | None:
    if not rest or not isinstance(where, And):
        return None
    index = _index(rest[1:])
    left = tuple(item for i, item in enumerate(where.items) if i != index)
    return None if not left else left[0] if len(left) == 1 else And(items=left)


def _replaced(where: Predicate | None, rest: Sequence[str], new: Predicate) -> Predicate:
    if not rest or not isinstance(where, And):
        return new
    index = _index(rest[1:])
    return And(items=tuple(new if i == index else item for i, item in enumerate(where.items)))


def _without_group(query: SemanticQuery, index: int) -> SemanticQuery:
    by = tuple(g for i, g in enumerate(query.by) if i != index)
    timed = any(isinstance(g, ByTime) for g in by)
    return remade(
        query,
        by=by,
        order=_reindexed(query.order, "by", index) if by else (),
        limit=query.limit if by else None,
        limit_by=None,
        with_other=query.with_other and bool(by),
        with_ties=query.with_ties and bool(by),
        transform=tuple(t.changed(per=()) for t in query.transform if by and (timed or t.kind in {"share", "rank"})),
        having=query.having if by else (),
    )


def _without_metric(query: SemanticQuery, index: int) -> SemanticQuery:
    gone = query.metrics[index] if index < len(query.metrics) else None
    return remade(
        query,
        metrics=tuple(m for i, m in enumerate(query.metrics) if i != index),
        order=tuple(o for o in _reindexed(query.order, "metric", index) if o.target != "change"),
        having=tuple(h for h in query.having if h.measure != gone and h.other != gone),
        transform=tuple(t.changed(metric=t.metric - (t.metric > index)) for t in query.transform if t.metric != index),
    )


def _reindexed(order: Sequence[Any], target: str, gone: int) -> tuple[Any, ...]:
    kept = [o for o in order if not (o.target == target and o.index == gone)]
    return tuple(o.changed(index=o.index - 1) if o.target == target and o.index > gone else o for o in kept)


def _index(rest: Sequence[str]) -> int:
    if not rest or not rest[0].isdecimal() or len(rest[0]) > 4:
        raise Invalid("This part of the question cannot be edited.", code="bad_edit")
    return int(rest[0])
