"""The order and cut of listed rows."""

from __future__ import annotations

from nlq.composing.columns import identity
from nlq.composing.draft import Draft
from nlq.composing.durations import build_duration
from nlq.frame import MeasureItem
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from semantic.expr import Expr, FieldRef
from semantic.query import Order, Output


def order_rows(draft: Draft, outputs: list[Output], base: str) -> tuple[list[Order], int | None, bool]:
    f = draft.frame
    order: list[Order] = []
    ties = False

    def index_of(expr: Expr, *, show: bool) -> int:
        for n, output in enumerate(outputs):
            if output.expr == expr:
                return n
        outputs.append(Output(expr=expr))
        return len(outputs) - 1

    for item in f.rank_by:
        order.append(Order(target="field", index=index_of(_row_expr(draft, item), show=True), descending=not f.ascending_top))
    if f.superlative is not None and f.superlative.measure is not None:
        item = f.superlative.measure
        if item.label == "time":
            target = draft.target(item.mention)
            ref = draft.predicates.time_field(target.dataset or "") if target is not None else None
            if ref is None:
                raise Unbuildable("no time to rank by")
            expr: Expr = ref
        else:
            expr = _row_expr(draft, item)
        order.append(Order(target="field", index=index_of(expr, show=True), descending=bool(f.superlative.descending)))
        ties = f.limit is None
    for wanted in f.orders:
        if wanted.alphabetical and wanted.mention is None:
            order.append(Order(target="field", index=0, descending=bool(wanted.descending)))
            continue
        if wanted.mention is None and wanted.measure is None:
            if order:
                continue
            index = next(
                (n for n, o in enumerate(outputs) if isinstance(o.expr, FieldRef) and draft.kinds.is_amount(_target_of(o.expr))), 0
            )
            order.append(Order(target="field", index=index, descending=bool(wanted.descending)))
            continue
        if wanted.measure is not None and wanted.measure.kind == "duration":
            order.append(
                Order(target="field", index=index_of(build_duration(draft, wanted.measure), show=True), descending=bool(wanted.descending))
            )
            continue
        mention = wanted.mention or (wanted.measure.mention if wanted.measure else None)
        target = draft.target(mention)
        if target is None:
            raise Unbuildable("order by nothing known")
        if target.kind == "dataset":
            names = identity(draft, target.dataset or "")
            target = Target("field", "", target.dataset, names[-1])
        if target.kind != "field":
            raise Unbuildable("order by a metric needs groups")
        ref_order = target.ref
        if not any(o.expr == ref_order for o in outputs) and order and order[0].target == "field":
            continue
        new = Order(target="field", index=index_of(ref_order, show=False), descending=bool(wanted.descending))
        order = [o for o in order if o.index != new.index] + [new] if not order or order[0].index != new.index else order
    limit = f.limit
    if (limit is None and f.superlative is not None and not f.orders) or (limit is None and f.superlative is not None and f.singular):
        limit = 1
    else:
        ties = ties and limit == 1
    if limit is not None and not order and f.top_asked:
        raise Unbuildable("which number ranks is unclear")
    if limit is not None and not order:
        draft.guess(0.12, "a limit without an order")
    return order, limit, ties


def _row_expr(draft: Draft, item: MeasureItem) -> Expr:
    if item.kind == "duration":
        return build_duration(draft, item)
    target = draft.target(item.mention)
    if target is None or target.kind != "field":
        raise Unbuildable("ranks rows by no field")
    return target.ref


def _target_of(ref: FieldRef) -> Target:
    return Target("field", str(ref), ref.dataset, ref.field)
