"""Row and column rules as SQL over one physical table, whose alias is SCOPE."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from sqlglot import exp

from core.errors import Invalid
from semantic.catalog.model import FieldType
from semantic.expr import And, Between, Comparison, Expr, FieldRef, In, IsNull, Like, Literal_, Not, Or, Predicate, Scalar
from semantic.policies import ColumnAccess, Condition, Membership, RowRule, column_of, is_plain_name
from semantic.states import Param, ParamValue

SCOPE = "_scope"
PSEUDONYM_KEY = "pseudonym_key"
_NULL_TYPES = {
    FieldType.INTEGER: "Int64",
    FieldType.DECIMAL: "Decimal(38, 9)",
    FieldType.FLOAT: "Float64",
    FieldType.BOOLEAN: "Bool",
    FieldType.DATE: "Date",
    FieldType.DATETIME: "DateTime",
}
_COMPARE: dict[str, type[exp.Binary]] = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def column(name: str) -> exp.Column:
    return exp.Column(this=quoted(name), table=exp.Identifier(this=SCOPE, quoted=False))


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


@lru_cache(maxsize=256)
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="clickhouse")


def bound(name: str, type_: str) -> exp.Placeholder:
    return exp.Placeholder(this=exp.Var(this=name), kind=_type(type_).copy())


def projection(access: ColumnAccess, has_key: bool) -> exp.Alias:
    """The column, or what stands in for it. A pseudonym without a key would be guessable, so without one it is masked."""
    shown: exp.Expr
    if access.treatment == "show":
        shown = column(access.column)
    elif access.treatment == "hash" and has_key and access.type is FieldType.INTEGER:
        hashed = call("sipHash64", bound(PSEUDONYM_KEY, "String"), call("toString", column(access.column)))
        shown = call("bitAnd", hashed, exp.Literal.number(2**63 - 1))
    elif access.treatment == "hash" and has_key and access.type is FieldType.STRING:
        digest = call("SHA256", call("concat", bound(PSEUDONYM_KEY, "String"), call("toString", column(access.column))))
        shown = call("substring", call("lower", call("hex", digest)), exp.Literal.number(1), exp.Literal.number(16))
    elif access.type is FieldType.STRING:
        shown = exp.Literal.string("***")
    else:
        type_ = exp.DataType.build(f"Nullable({_NULL_TYPES[access.type]})", dialect="clickhouse")
        shown = exp.Cast(this=exp.Null(), to=type_)
    return exp.Alias(this=shown, alias=quoted(access.column))


def row_predicate(rule: RowRule) -> tuple[exp.Expr, dict[str, Param]]:
    """The rule as a condition and the values it binds.

    Raises: Invalid for a predicate that is not over plain columns of the same dataset; a rule that cannot be kept must stop the query.
    """
    if isinstance(rule, Membership):
        return _membership(rule)
    params: dict[str, Param] = {}

    def bind(value: ParamValue, type_: str) -> exp.Expr:
        name = f"{rule.param}_{len(params)}"
        params[name] = Param(type_, value)
        return bound(name, type_)

    return exp.paren(_predicate(rule.where, rule, bind)), params


def _membership(rule: Membership) -> tuple[exp.Expr, dict[str, Param]]:
    values: tuple[int, ...] | tuple[str, ...] = rule.values
    if rule.type is FieldType.INTEGER:
        values = tuple(int(v) for v in rule.values if v.lstrip("-").isascii() and v.lstrip("-").isdigit() and abs(int(v)) < 2**63)
    if not values:
        return exp.EQ(this=exp.Literal.number(0), expression=exp.Literal.number(1)), {}
    type_ = "Array(Int64)" if rule.type is FieldType.INTEGER else "Array(String)"
    left: exp.Expr = column(rule.column)
    if rule.type not in (FieldType.INTEGER, FieldType.STRING):
        left = call("toString", left)
    return exp.In(this=left, field=bound(rule.param, type_)), {rule.param: Param(type_, values)}


Bind = Callable[[ParamValue, str], exp.Expr]


def _predicate(where: Predicate, rule: Condition, bind: Bind) -> exp.Expr:
    match where:
        case And(items=items):
            return exp.and_(*(exp.paren(_predicate(item, rule, bind)) for item in items))
        case Or(items=items):
            return exp.or_(*(exp.paren(_predicate(item, rule, bind)) for item in items))
        case Not(item=item):
            return exp.Not(this=exp.paren(_predicate(item, rule, bind)))
        case Comparison(op=op, left=left, right=right, ignore_case=ignore_case):
            sides = [_value(side, rule, bind) for side in (left, right)]
            if ignore_case:
                sides = [call("lower", call("toString", side)) for side in sides]
            return _COMPARE[op](this=sides[0], expression=sides[1])
        case In(field=field, values=values, negate=negate, ignore_case=ignore_case):
            of = _value(field, rule, bind)
            options = [_literal(v, bind) for v in values]
            if ignore_case:
                of, options = call("lower", call("toString", of)), [call("lower", call("toString", o)) for o in options]
            within = exp.In(this=of, expressions=options)
            return exp.or_(exp.Not(this=exp.paren(within)), exp.Is(this=of.copy(), expression=exp.Null())) if negate else within
        case Between(field=field, low=low, high=high, low_inclusive=with_low, high_inclusive=with_high):
            above = (exp.GTE if with_low else exp.GT)(this=_value(field, rule, bind), expression=_value(low, rule, bind))
            below = (exp.LTE if with_high else exp.LT)(this=_value(field, rule, bind), expression=_value(high, rule, bind))
            return exp.and_(above, below)
        case IsNull(field=field, negate=negate):
            of = _value(field, rule, bind)
            missing: exp.Expr = exp.Is(this=of, expression=exp.Null())
            if isinstance(field, FieldRef) and rule.dataset.field(field.field).type is FieldType.STRING:
                empty = exp.Literal.string("")
                missing = exp.EQ(this=call("ifNull", of, empty), expression=empty.copy())
            return exp.Not(this=exp.paren(missing)) if negate else missing
        case Like(field=field, match=how, value=value, ignore_case=ignore_case):
            function = {"contains": "position", "starts_with": "startsWith", "ends_with": "endsWith"}[how]
            of, part = call("toString", _value(field, rule, bind)), bind(value, "String")
            if ignore_case:
                of, part = call("lower", of), call("lower", part)
            found = call(function, of, part)
            return exp.GT(this=found, expression=exp.Literal.number(0))
        case _:
            raise _unsupported(rule, where.kind)


def _value(value: Expr, rule: Condition, bind: Bind) -> exp.Expr:
    match value:
        case FieldRef(dataset=dataset, field=name, via=()) if dataset == rule.dataset.name and rule.dataset.has_field(name):
            physical = column_of(rule.dataset.field(name))
            if physical is None or not is_plain_name(physical):
                raise _unsupported(rule, f"field {name!r} without a plain column")
            return column(physical)
        case Literal_(value=literal):
            return exp.Null() if literal is None else _literal(literal, bind)
        case _:
            raise _unsupported(rule, value.kind)


def _literal(value: Scalar, bind: Bind) -> exp.Expr:
    match value:
        case bool():
            return bind(value, "Bool")
        case int():
            return bind(value, "Int64")
        case float() | Decimal():
            return bind(float(value), "Float64")
        case dt.datetime():
            return bind(value, "DateTime64(6)")
        case dt.date():
            return bind(value, "Date")
        case _:
            return bind(value, "String")


def _unsupported(rule: Condition, what: str) -> Invalid:
    return Invalid(
        f"The row condition on dataset {rule.dataset.name!r} uses {what}; supported are comparisons, in, between, like, null, and, or, not "
        "between plain columns of the dataset and values. Use a view, or change the condition.",
        code="bad_rule",
    )
