"""Rows of an entity in SQL."""

from __future__ import annotations

from sqlglot import exp

from semantic.compile.functions import call, whole
from semantic.compile.idents import aliased, column
from semantic.compile.layer import Layer
from semantic.compile.params import Params
from semantic.compile.rows import Row
from semantic.compile.scope import Scope
from semantic.resolve.types import Listing, ResolvedQuery
from semantic.states import OutputColumn

_FLOATING = ("decimal", "float")


def compile_listing(
    resolved: ResolvedQuery, plan: Listing, params: Params
) -> tuple[exp.Expression, tuple[OutputColumn, ...], tuple[str, ...]]:
    """One output row per row of the dataset (or per related row, where a to-many dataset is expanded)."""
    shape = resolved.shape
    row = Row(Scope(resolved.catalog, plan.dataset), params, plan.where)
    shown = {c.name: row.expr(c.expr) for c in plan.columns}
    if shape.round_digits is not None:
        for c in plan.columns:
            if c.type.value in _FLOATING:
                shown[c.name] = call("round", shown[c.name], whole(shape.round_digits))
    condition = row.filter(plan.where)
    ties = [] if shape.distinct else [row.expr(ref) for ref in plan.tie_breakers]
    select = exp.Select(expressions=[aliased(node, name) for name, node in shown.items()])
    if shape.distinct:
        select.set("distinct", exp.Distinct())
    row.scope.attach(select)
    if condition is not None:
        select.set("where", exp.Where(this=condition))
    names = list(shown)
    ordered = [(shown[names[o.index]].copy(), o.descending, o.nulls_last) for o in shape.order if o.target == "field"]
    known = {node.sql("clickhouse") for node, _, _ in ordered}
    rest = [node.copy() for node in (*ties, *shown.values()) if node.sql("clickhouse") not in known]
    if not shape.distinct and ties:
        rest = [node.copy() for node in ties if node.sql("clickhouse") not in known] + [n.copy() for n in shown.values() if row.scope.joins]
    order = [ordering(node, down, last) for node, down, last in ordered] + [ordering(node, False, True) for node in rest]
    if shape.with_ties and shape.limit is not None and ordered:
        return _with_ties(select, shown, ordered, resolved), _columns(plan), ()
    if order:
        select.set("order", exp.Order(expressions=order))
    cut(select, shape.limit, shape.offset)
    return select, _columns(plan), ()


def _with_ties(
    select: exp.Select, shown: dict[str, exp.Expression], ordered: list[tuple[exp.Expression, bool, bool]], resolved: ResolvedQuery
) -> exp.Select:
    layer = Layer(select, dict(shown))
    inner = layer.wrapped("t") if resolved.shape.distinct else layer
    keys = (
        ordered
        if not resolved.shape.distinct
        else [(column("t", list(shown)[o.index]), o.descending, o.nulls_last) for o in resolved.shape.order]
    )
    rank = exp.Window(this=call("rank"), order=exp.Order(expressions=[ordering(node.copy(), down, last) for node, down, last in keys]))
    inner.columns["rank_"] = rank
    outer = inner.wrapped("r")
    ranked = outer.columns.pop("rank_")
    outer.keep(exp.LTE(this=ranked, expression=whole((resolved.shape.limit or 0) + resolved.shape.offset)))
    if resolved.shape.offset:
        outer.keep(exp.GT(this=ranked.copy(), expression=whole(resolved.shape.offset)))
    done = outer.closed()
    done.set(
        "order",
        exp.Order(expressions=[ordering(ranked.copy(), False, True), *(ordering(outer.read(n), False, True) for n in outer.columns)]),
    )
    return done


def ordering(node: exp.Expression, descending: bool, nulls_last: bool) -> exp.Ordered:
    """NULLs last is ClickHouse's own order in both directions; it is said only where it differs."""
    return exp.Ordered(this=node, desc=descending or None, nulls_first=not nulls_last)


def cut(select: exp.Select, limit: int | None, offset: int) -> None:
    if limit is not None:
        select.set("limit", exp.Limit(expression=whole(limit)))
    if offset:
        select.set("offset", exp.Offset(expression=whole(offset)))


def _columns(plan: Listing) -> tuple[OutputColumn, ...]:
    return tuple(OutputColumn(c.name, c.label, c.role, c.source, c.unit, c.format) for c in plan.columns)
