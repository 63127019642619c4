"""Every function name the compiler emits (for the guard's allow-list), and how calls are built.

Calls are anonymous nodes, so that the printed name is exactly the one below.
"""

from __future__ import annotations

from typing import cast

from sqlglot import exp

SCALAR_FUNCTIONS = frozenset(
    {
        "abs", "addDays", "addHours", "addMinutes", "addMonths", "addQuarters", "addSeconds", "addWeeks", "addYears", "ceil", "coalesce", "concat",
        "dateDiff", "floor", "fromUnixTimestamp64Micro", "fromUnixTimestamp64Milli", "greatest", "if", "ifNull", "isFinite", "least",
        "lengthUTF8", "log10", "lowerUTF8", "multiIf", "nullIf", "parseDateTime64OrNull", "parseDateTimeOrNull", "pow", "round", "toDate", "toDate32",
        "toDateTime", "toDayOfMonth", "toDayOfWeek", "toFloat64", "toHour", "toISOWeek", "toInt64", "toMonday", "toMonth", "toNullable", "toQuarter",
        "toStartOfHour", "toStartOfMinute", "toStartOfMonth", "toStartOfQuarter", "toStartOfYear", "toString", "toYear", "trimBoth", "tuple",
        "upperUTF8",
    }
)  # fmt: skip
AGGREGATE_FUNCTIONS = frozenset(
    {
        "any", "argMax", "argMin", "avg", "avgIf", "avgOrNull", "avgOrNullIf", "count", "countIf", "max", "maxOrNull", "maxOrNullIf", "min",
        "minOrNull", "minOrNullIf", "quantileExactInclusive", "quantileExactInclusiveOrNull", "quantileExactInclusiveOrNullIf", "stddevSamp",
        "stddevSampOrNull", "stddevSampOrNullIf", "sum", "sumOrNull", "sumOrNullIf", "uniqExact", "uniqExactIf",
    }
)  # fmt: skip
WINDOW_FUNCTIONS = frozenset({"row_number", "rank", "dense_rank", "lagInFrame"})
EMITTED_FUNCTIONS = SCALAR_FUNCTIONS | AGGREGATE_FUNCTIONS | WINDOW_FUNCTIONS

REQUIRED_SETTINGS: dict[str, int] = {"join_use_nulls": 1, "enable_extended_results_for_datetime_functions": 1}
"""Settings the meaning of compiled SQL rests on: unmatched joined rows are NULL, and dates before 1970 do not wrap."""


def call(name: str, *args: exp.Expression) -> exp.Expression:
    """`name(args)`; the name must be in EMITTED_FUNCTIONS."""
    if name not in EMITTED_FUNCTIONS:
        raise KeyError(f"{name} is not in EMITTED_FUNCTIONS")
    return exp.Anonymous(this=name, expressions=list(args))


def parametric(name: str, level: float, *args: exp.Expression) -> exp.Expression:
    """`name(level)(args)`."""
    if name not in AGGREGATE_FUNCTIONS:
        raise KeyError(f"{name} is not in EMITTED_FUNCTIONS")
    return exp.ParameterizedAgg(this=name, expressions=[exp.Literal.number(repr(level))], params=list(args))


def text(value: str) -> exp.Expression:
    """A constant of ours (a unit or a validated time zone), never user text."""
    return exp.Literal.string(value)


def whole(value: int) -> exp.Expression:
    """A small integer constant of ours."""
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def both(*parts: exp.Expression | None) -> exp.Expression | None:
    """The conjunction of what is given."""
    kept = [part for part in parts if part is not None]
    if not kept:
        return None
    whole_: exp.Expression = kept[0]
    for part in kept[1:]:
        whole_ = exp.And(this=whole_, expression=part)
    return whole_


def paren(node: exp.Expression) -> exp.Expression:
    """Parentheses, where an operator around `node` could bind tighter."""
    return exp.Paren(this=node) if isinstance(node, (exp.Binary, exp.Connector, exp.Not, exp.Neg, exp.Unary)) else node


_OPERATORS: dict[str, type[exp.Expression]] = {
    "=": cast("type[exp.Expression]", exp.EQ),
    "!=": cast("type[exp.Expression]", exp.NEQ),
    "<": cast("type[exp.Expression]", exp.LT),
    "<=": cast("type[exp.Expression]", exp.LTE),
    ">": cast("type[exp.Expression]", exp.GT),
    ">=": cast("type[exp.Expression]", exp.GTE),
    "+": cast("type[exp.Expression]", exp.Add),
    "-": cast("type[exp.Expression]", exp.Sub),
    "*": cast("type[exp.Expression]", exp.Mul),
}


def operation(op: str, left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """`left op right`, each side in parentheses where it needs them. Division is `expressions.divided`."""
    return _OPERATORS[op](this=paren(left), expression=paren(right))


def either(parts: list[exp.Expression]) -> exp.Expression:
    """The disjunction of one or more conditions."""
    whole_: exp.Expression = parts[0]
    for part in parts[1:]:
        whole_ = cast(exp.Expression, exp.Or(this=whole_, expression=part))
    return whole_


def is_null(node: exp.Expression) -> exp.Expression:
    return cast(exp.Expression, exp.Is(this=paren(node), expression=exp.Null()))


def no(condition: exp.Expression) -> exp.Expression:
    return cast(exp.Expression, exp.Not(this=condition))
