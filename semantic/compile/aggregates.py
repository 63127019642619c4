"""Aggregates in SQL. A count of nothing is 0; every other aggregate of nothing is NULL.

With `zero_sums` a sum is 0 as well in groups and time buckets without rows (see frame.py).
"""

from __future__ import annotations

from sqlglot import exp

from semantic.catalog.model import FieldType
from semantic.compile.expressions import Expressions
from semantic.compile.functions import call, parametric
from semantic.expr import Related
from semantic.query import AggregateKind

_PLAIN = {
    AggregateKind.SUM: "sum",
    AggregateKind.AVG: "avg",
    AggregateKind.MIN: "min",
    AggregateKind.MAX: "max",
    AggregateKind.STDDEV: "stddevSamp",
}
_NUMBERS = frozenset({AggregateKind.MEDIAN, AggregateKind.QUANTILE, AggregateKind.STDDEV})


def aggregate(
    kind: AggregateKind, value: exp.Expression | None, condition: exp.Expression | None, quantile: float | None = None, *, grouped: bool
) -> exp.Expression:
    """The aggregate of `value` over the rows that meet `condition`.

    grouped: every group has at least one row, so the plain form is never over nothing; without groups, and with a condition, the OrNull form is used.
    Medians and quantiles are exact, with linear interpolation, as floats. STDDEV is of a sample (NULL for fewer than two rows).
    """
    args = [part for part in (value, condition) if part is not None]
    suffix = "If" if condition is not None else ""
    if kind is AggregateKind.COUNT:
        if value is not None and condition is None:
            return call("count", value)
        if value is not None and condition is not None:
            present = exp.Not(this=exp.Is(this=value, expression=exp.Null()))
            return call("countIf", exp.And(this=condition, expression=present))
        return call(f"count{suffix}", *args)
    if kind is AggregateKind.COUNT_DISTINCT:
        return call(f"uniqExact{suffix}", *args)
    or_null = "" if grouped and condition is None else "OrNull"
    if kind in _NUMBERS and value is not None:
        args[0] = call("toFloat64", value)
    if kind in (AggregateKind.MEDIAN, AggregateKind.QUANTILE):
        return parametric(f"quantileExactInclusive{or_null}{suffix}", 0.5 if quantile is None else quantile, *args)
    return call(f"{_PLAIN[kind]}{or_null}{suffix}", *args)


def related_aggregate(node: Related, row: Expressions) -> exp.Expression:
    """The aggregate of a `Related` value, per key of its sub-select."""
    if node.aggregate == "count":
        return call("count") if node.of is None else call("count", row.expr(node.of))
    if node.of is None:
        raise TypeError("checked while resolving")
    value = row.expr(node.of)
    match node.aggregate:
        case "count_distinct":
            return call("uniqExact", value)
        case "median":
            return parametric("quantileExactInclusive", 0.5, call("toFloat64", value))
        case "first" | "last":
            if node.order_by is None:
                raise TypeError("checked while resolving")
            return call("argMin" if node.aggregate == "first" else "argMax", value, row.expr(node.order_by))
        case _:
            return call(node.aggregate, value)


def truth_as_number(value: exp.Expression, kind: FieldType | None) -> exp.Expression:
    """Truth values as 0 and 1, so that they add up."""
    return call("toInt64", value) if kind is FieldType.BOOLEAN else value
