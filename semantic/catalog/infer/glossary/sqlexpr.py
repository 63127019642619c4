"""SQL fragments as catalog expressions: columns, literals, arithmetic, CASE, conditions. What does not fit gives None."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from sqlglot import exp

from semantic.expr import (
    And,
    Arithmetic,
    Between,
    Case,
    Comparison,
    DateDiff,
    Expr,
    FieldRef,
    In,
    IsNull,
    Like,
    Literal_,
    Not,
    Or,
    Predicate,
    Scalar,
)

Resolve = Callable[[str, str], FieldRef | None]  # (table or alias or "", column) -> field
_ARITHMETIC: dict[type[exp.Expr], Literal["+", "-", "*", "/"]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
_UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_COMPARE: dict[type[exp.Expr], Literal["=", "!=", "<", "<=", ">", ">="]] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def to_expr(node: exp.Expr | None, resolve: Resolve) -> Expr | None:
    """A row-level expression, or None."""
    if node is None:
        return None
    if isinstance(node, exp.Paren):
        return to_expr(node.this, resolve)
    if isinstance(node, exp.Column):
        return resolve(node.table, node.name)
    if isinstance(node, (exp.Literal, exp.Boolean, exp.Null, exp.Neg)):
        value = _scalar(node)
        return Literal_(value=value) if value is not None or isinstance(node, exp.Null) else None
    for kind, op in _ARITHMETIC.items():
        if isinstance(node, kind):
            left, right = to_expr(node.args["this"], resolve), to_expr(node.args["expression"], resolve)
            return Arithmetic(op=op, left=left, right=right) if left is not None and right is not None else None
    if isinstance(node, exp.DateDiff):
        return _elapsed(node, resolve)
    return _case(node, resolve) if isinstance(node, exp.Case) and node.this is None else None


def _elapsed(node: exp.DateDiff, resolve: Resolve) -> Expr | None:
    """dateDiff(day, start, end) as most engines write it; DATEDIFF(end, start) counts days."""
    said = node.this.name.lower().rstrip("s")
    last = node.args.get("unit")
    if last is None:
        start, end, unit = resolve_column(node.expression, resolve), resolve_column(node.this, resolve), "day"
    else:
        start, end, unit = resolve_column(node.expression, resolve), resolve("", last.name), said
    if start is None or end is None or unit not in _UNITS:
        return None
    return DateDiff.model_validate({"unit": unit, "start": start, "end": end})


def resolve_column(node: exp.Expr, resolve: Resolve) -> FieldRef | None:
    """The field that a bare column names."""
    return resolve(node.table, node.name) if isinstance(node, exp.Column) else None


def _case(node: exp.Case, resolve: Resolve) -> Expr | None:
    branches: list[tuple[Predicate, Expr]] = []
    for branch in node.args["ifs"]:
        condition, value = to_predicate(branch.this, resolve), to_expr(branch.args["true"], resolve)
        if condition is None or value is None:
            return None
        branches.append((condition, value))
    default = node.args.get("default")
    otherwise = to_expr(default, resolve)
    return None if default is not None and otherwise is None else Case(branches=tuple(branches), otherwise=otherwise)


def to_predicate(node: exp.Expr | None, resolve: Resolve) -> Predicate | None:
    """A condition, or None."""
    if isinstance(node, exp.Paren):
        return to_predicate(node.this, resolve)
    if isinstance(node, (exp.And, exp.Or)):
        left, right = to_predicate(node.left, resolve), to_predicate(node.right, resolve)
        if left is None or right is None:
            return None
        return And(items=(left, right)) if isinstance(node, exp.And) else Or(items=(left, right))
    if isinstance(node, exp.Not):
        if isinstance(node.this, exp.Is):
            inner = to_expr(node.this.this, resolve)
            return IsNull(field=inner, negate=True) if inner is not None else None
        if isinstance(node.this, exp.In):
            found = to_predicate(node.this, resolve)
            return found.model_copy(update={"negate": True}) if isinstance(found, In) else None
        item = to_predicate(node.this, resolve)
        return Not(item=item) if item is not None else None
    return _simple(node, resolve) if node is not None else None


def _simple(node: exp.Expr, resolve: Resolve) -> Predicate | None:
    field = to_expr(node.args.get("this"), resolve)
    if field is None:
        return None
    for kind, op in _COMPARE.items():
        if isinstance(node, kind):
            right = to_expr(node.args["expression"], resolve)
            return Comparison(op=op, left=field, right=right) if right is not None else None
    if isinstance(node, exp.In) and node.expressions:
        values = [_scalar(x) for x in node.expressions]
        return In(field=field, values=tuple(v for v in values if v is not None)) if all(v is not None for v in values) else None
    if isinstance(node, exp.Between):
        low, high = to_expr(node.args["low"], resolve), to_expr(node.args["high"], resolve)
        return Between(field=field, low=low, high=high) if low is not None and high is not None else None
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return IsNull(field=field)
    if isinstance(node, (exp.Like, exp.ILike)):
        return _like(field, node)
    return None


def _like(field: Expr, node: exp.Like | exp.ILike) -> Predicate | None:
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        return None
    text, ignore_case = pattern.name, isinstance(node, exp.ILike)
    inner = text.strip("%")
    if not inner or "%" in inner or "_" in inner:
        return None
    if text.startswith("%") and text.endswith("%"):
        return Like(field=field, match="contains", value=inner, ignore_case=ignore_case)
    if text.endswith("%"):
        return Like(field=field, match="starts_with", value=inner, ignore_case=ignore_case)
    return Like(field=field, match="ends_with", value=inner, ignore_case=ignore_case) if text.startswith("%") else None


def _scalar(node: exp.Expr) -> Scalar | None:
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg):
        value = _scalar(node.this)
        return -value if isinstance(value, (int, Decimal)) else None
    if isinstance(node, exp.Literal):
        if node.is_string:
            return str(node.this)
        text = str(node.this)
        return int(text) if text.isdigit() else Decimal(text)
    return None
