"""Catalog expressions as standard SQL over `dataset.field`. What SQL without our joins cannot say gives None."""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from semantic.expr import And, Arithmetic, Between, Case, Comparison, Expr, FieldRef, In, IsNull, Like, Literal_, Not, Or, Predicate, Scalar
from semantic.query import AggregateKind

_ARITHMETIC: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div}
_COMPARE: dict[str, type[exp.Binary]] = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
_AGGREGATES: dict[AggregateKind, type[exp.AggFunc]] = {
    AggregateKind.SUM: exp.Sum, AggregateKind.AVG: exp.Avg, AggregateKind.MIN: exp.Min, AggregateKind.MAX: exp.Max,
    AggregateKind.MEDIAN: exp.Median, AggregateKind.STDDEV: exp.Stddev, AggregateKind.COUNT: exp.Count,
}  # fmt: skip


def expression_sql(value: Expr) -> exp.Expr | None:
    """A row-level value."""
    match value:
        case FieldRef(via=()):
            return exp.column(value.field, table=value.dataset)
        case Literal_():
            return _literal(value.value)
        case Arithmetic():
            left, right = expression_sql(value.left), expression_sql(value.right)
            return (
                _ARITHMETIC[value.op](this=exp.paren(left), expression=exp.paren(right)) if left is not None and right is not None else None
            )
        case Case():
            return _case(value)
    return None


def condition_sql(condition: Predicate) -> exp.Expr | None:
    match condition:
        case And() | Or():
            items = [condition_sql(item) for item in condition.items]
            found = [exp.paren(item) for item in items if item is not None]
            if len(found) < len(items):
                return None
            return exp.and_(*found) if isinstance(condition, And) else exp.or_(*found)
        case Not():
            inner = condition_sql(condition.item)
            return exp.not_(exp.paren(inner)) if inner is not None else None
        case Comparison(ignore_case=False):
            left, right = expression_sql(condition.left), expression_sql(condition.right)
            return _COMPARE[condition.op](this=left, expression=right) if left is not None and right is not None else None
        case In(ignore_case=False, negate=False):
            field = expression_sql(condition.field)
            return exp.In(this=field, expressions=[_literal(v) for v in condition.values]) if field is not None else None
        case Between(low_inclusive=True, high_inclusive=True):
            parts = [expression_sql(part) for part in (condition.field, condition.low, condition.high)]
            return exp.Between(this=parts[0], low=parts[1], high=parts[2]) if all(p is not None for p in parts) else None
        case IsNull():
            field = expression_sql(condition.field)
            missing = exp.Is(this=field, expression=exp.null()) if field is not None else None
            return exp.not_(missing) if condition.negate and missing is not None else missing
        case Like(ignore_case=False):
            field = expression_sql(condition.field)
            pattern = {"contains": f"%{condition.value}%", "starts_with": f"{condition.value}%", "ends_with": f"%{condition.value}"}
            return exp.Like(this=field, expression=exp.Literal.string(pattern[condition.match])) if field is not None else None
    return None


def aggregate_sql(kind: AggregateKind, value: exp.Expr, where: exp.Expr | None) -> exp.Expr | None:
    """The aggregate over the rows that satisfy `where`."""
    narrowed = exp.Case(ifs=[exp.If(this=where, true=value)]) if where is not None else value
    if kind == AggregateKind.COUNT_DISTINCT:
        return exp.Count(this=exp.Distinct(expressions=[narrowed]))
    return _AGGREGATES[kind](this=narrowed) if kind in _AGGREGATES else None


def _case(value: Case) -> exp.Expr | None:
    branches = [(condition_sql(condition), expression_sql(then)) for condition, then in value.branches]
    otherwise = expression_sql(value.otherwise) if value.otherwise is not None else None
    if any(a is None or b is None for a, b in branches) or (value.otherwise is not None and otherwise is None):
        return None
    return exp.Case(ifs=[exp.If(this=a, true=b) for a, b in branches], default=otherwise)


def _literal(value: Scalar | None) -> exp.Expr:
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, int | float | Decimal):
        return exp.Literal.number(str(value))
    return exp.Literal.string(str(value))
