"""The order of groups and the top N of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nlq.composing.amounts import same_measure
from nlq.composing.draft import Draft
from nlq.frame import MeasureItem, OrderItem
from nlq.predicates import Unbuildable
from semantic.query import ByCycle, ByEntity, ByField, ByTime, GroupBy, LimitBy, Measure, MetricRef, Order


def order_groups(
    draft: Draft, built: Sequence[tuple[MeasureItem, Measure]], by: Sequence[GroupBy], rank: Sequence[MeasureItem]
) -> tuple[list[Order], int | None, LimitBy | None]:
    f = draft.frame
    order: list[Order] = []
    descending = not f.ascending_top
    for item in f.rank_by:
        order.append(Order(target="metric", index=_index(draft, item, built), descending=descending))
    if f.superlative is not None and f.superlative.measure is not None:
        order.append(Order(target="metric", index=_index(draft, f.superlative.measure, built), descending=bool(f.superlative.descending)))
    if f.moved_order is not None and built:
        form: Literal["difference", "percent"] = "percent" if f.moved_order.percent else "difference"
        order.append(Order(target="change", index=0, descending=f.moved_order.rising, change=form))
    ranked = bool(order)
    for wanted in f.orders:
        found = _order_of(draft, wanted, built, by)
        if found is None:
            continue
        if ranked and f.limit is not None:
            continue
        if found.target == "metric" and any(o.target == "metric" and o.index == found.index for o in order):
            order = [found if o.target == "metric" and o.index == found.index else o for o in order]
        else:
            order.append(found)
    if f.limit is not None and f.limit_asked and f.rank_by and f.conditions and not by:
        raise Unbuildable("nothing to rank")  # "top 5 laptops by revenue", where laptops are all one category
    if f.limit is not None and not order and built:
        order.append(Order(target="metric", index=0, descending=descending))
        if f.limit_asked and not f.rank_by:
            draft.guess(0.03, "ranked by the first measure")
    order = _as_judged(draft, order, built)
    if f.limit_per_group and f.limit is not None and f.groups:
        group = draft.target(f.groups[-1])
        for n, b in enumerate(by):
            same = isinstance(b, ByField) and group is not None and group.kind == "field" and b.field == group.ref
            entity = (
                isinstance(b, ByEntity)
                and group is not None
                and group.kind == "dataset"
                and draft.catalog.entity(b.entity).dataset == group.dataset
            )
            if (same or entity) and len(by) > 1:
                return order, f.limit, LimitBy(limit=f.limit, index=n)
    if f.limit_per_group and f.limit is not None and f.grain:
        at = next((n for n, b in enumerate(by) if isinstance(b, ByTime)), None)
        if at is not None and len(by) > 1:
            return [Order(target="by", index=at, descending=False), *order], f.limit, LimitBy(limit=f.limit, index=at)
    if not order:
        times = [n for n, b in enumerate(by) if isinstance(b, ByTime | ByCycle)]
        order.extend(Order(target="by", index=n, descending=False) for n in times)
    return order, f.limit, None


def _as_judged(draft: Draft, order: list[Order], built: Sequence[tuple[MeasureItem, Measure]]) -> list[Order]:
    """Best and worst by what a measure should do: of what should fall ("worst cost per click") the lowest is the best."""
    if not draft.frame.judged:
        return order
    low = {n for n, (_, m) in enumerate(built) if isinstance(m, MetricRef) and draft.catalog.metric(m.metric).good_direction == "down"}
    flipped = {"metric": low}
    return [o.model_copy(update={"descending": not o.descending}) if o.index in flipped.get(o.target, ()) else o for o in order]


def _index(draft: Draft, item: MeasureItem, built: Sequence[tuple[MeasureItem, Measure]]) -> int:
    item = draft.twins.get(id(item), item)
    for n, (other, _) in enumerate(built):
        if same_measure(draft, item, other):
            return n
    raise Unbuildable("ranked by what is not computed")


def _order_of(draft: Draft, wanted: OrderItem, built: Sequence[tuple[MeasureItem, Measure]], by: Sequence[GroupBy]) -> Order | None:
    descending = bool(wanted.descending)
    if wanted.grain:
        index = next((n for n, b in enumerate(by) if isinstance(b, ByTime | ByCycle)), None)
        if index is None:
            index = next((n for n, b in enumerate(by) if isinstance(b, ByField)), None)
        return Order(target="by", index=index, descending=descending) if index is not None else None
    if wanted.measure is not None:
        return Order(target="metric", index=_index(draft, wanted.measure, built), descending=descending)
    if wanted.mention is None:
        times = [n for n, b in enumerate(by) if isinstance(b, ByTime)]
        if wanted.alphabetical and by:
            return Order(target="by", index=0, descending=descending)
        if times and not wanted.descending:
            return Order(target="by", index=times[0], descending=descending)
        return Order(target="metric", index=0, descending=descending)
    target = draft.target(wanted.mention)
    if target is None:
        return None
    for n, (item, _) in enumerate(built):
        item_target = draft.target(item.mention)
        if item_target == target and not (target.kind == "dataset" and item.kind != "count"):
            return Order(target="metric", index=n, descending=descending)
    for n, b in enumerate(by):
        if isinstance(b, ByField) and target.kind == "field" and b.field == target.ref:
            return Order(target="by", index=n, descending=descending)
        if isinstance(b, ByEntity) and target.dataset is not None and draft.catalog.entity(b.entity).dataset == target.dataset:
            return Order(target="by", index=n, descending=descending)
        if isinstance(b, ByTime) and draft.kinds.is_time(target):
            return Order(target="by", index=n, descending=descending)
    if target.kind in ("field", "metric"):
        for n, (item, _) in enumerate(built):
            it = draft.target(item.mention)
            if it is not None and it.dataset == target.dataset:
                draft.guess(0.05, "order taken from the same dataset")
                return Order(target="metric", index=n, descending=descending)
    raise Unbuildable("ordered by what is not shown")
