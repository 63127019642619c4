"""Group keys in SQL: time buckets, bins, plain values."""

from __future__ import annotations

from sqlglot import exp

from semantic.catalog.model import FieldType
from semantic.compile.functions import call, whole
from semantic.compile.idents import aliased, column, derived
from semantic.compile.rows import Row
from semantic.compile.times import bucket, moved
from semantic.expr import DatePart
from semantic.resolve.types import BlockKey


def block_key(row: Row, key: BlockKey) -> exp.Expression:
    expr = key.expr
    if isinstance(expr, DatePart) and expr.part.startswith("trunc_"):
        is_date = row.type_of(expr.of) is FieldType.DATE
        start = bucket(row.expr(expr.of), expr.part.removeprefix("trunc_"), is_date, row.calendar, key.fiscal)
        return moved(start, key.shift) if key.shift is not None else start
    value = row.expr(expr)
    return _binned(row, value, key) if key.bins is not None else value


def _binned(row: Row, value: exp.Expression, key: BlockKey) -> exp.Expression:
    """The lower end of the value's bin; the bin width is the smallest of 1, 2, 5 x 10^n that needs at most `bins` bins."""
    inner = row.over(row.scope.base, row.where)
    of = call("toFloat64", inner.expr(key.expr))
    condition = inner.filter(row.where)
    spread = exp.Sub(this=call("max", of), expression=call("min", of.copy()))
    raw_width = exp.Div(this=exp.Paren(this=spread), expression=whole(key.bins or 10))
    ranged = exp.Select(expressions=[aliased(raw_width, "w")])
    inner.scope.attach(ranged)
    if condition is not None:
        ranged.set("where", exp.Where(this=condition))
    width = column("r", "w")
    power = call("pow", whole(10), call("floor", call("log10", width)))
    ratio = exp.Div(this=width.copy(), expression=power)

    def at_most(step: int) -> exp.Expression:
        return exp.LTE(this=ratio.copy(), expression=whole(step))

    def steps(step: int) -> exp.Expression:
        return exp.Mul(this=power.copy(), expression=whole(step))

    positive = exp.GT(this=width.copy(), expression=whole(0))
    flat = (exp.Not(this=call("ifNull", positive, whole(0))), exp.Literal.number("1.0"))
    nice = call("multiIf", *flat, *(node for step in (1, 2, 5) for node in (at_most(step), steps(step))), steps(10))
    chosen = exp.Select(expressions=[aliased(nice, "width")])
    chosen.set("from_", exp.From(this=derived(ranged, "r")))
    size = column(row.scope.join_derived(chosen, "bins", []), "width")
    return exp.Mul(this=call("floor", exp.Div(this=call("toFloat64", value), expression=size)), expression=size.copy())
