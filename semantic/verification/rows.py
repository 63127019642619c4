"""Whether the conditions of a narrowed table are those that its row rules ask for. Read from the text, compared with the catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

from sqlglot import exp

from core.ids import TenantId, tenant_database
from semantic.catalog.model import FieldType
from semantic.expr import FieldRef, Literal_
from semantic.policies import Condition, Membership, TableAccess, column_of
from semantic.states import Param
from semantic.verification.forms import HOLDER, refuse


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    if isinstance(condition, exp.And):
        return [*_conjuncts(condition.this), *_conjuncts(condition.expression)]
    return [condition]


def is_holder_column(node: object, name: str | None = None) -> bool:
    return isinstance(node, exp.Column) and node.table == HOLDER and isinstance(node.this, exp.Identifier) and name in (None, node.name)


def check_rows(where: exp.Expr | None, access: TableAccess, tenant: TenantId, params: Mapping[str, Param]) -> None:
    """Raises: QueryRejected unless `where` is exactly the tenant condition, every row rule and a filter of the table."""
    remaining = list(_conjuncts(where)) if where is not None else []
    if access.tenant_column is None:
        if access.database != tenant_database(tenant):
            refuse(f"{access.database}.{access.table} is not in the caller's database")
    else:
        value = params.get("tenant")
        if value is None or value.type != "String" or value.value != tenant:
            refuse("the bound tenant is not the caller's")
        _take(remaining, lambda c: _is_tenant_test(c, access.tenant_column), f"the tenant condition on {access.table!r}")
    for rule in access.rules:
        what = f"row policy {rule.param} on {access.table!r}"
        if isinstance(rule, Membership):
            _take(remaining, partial(_is_membership, rule=rule, params=params), what)
        else:
            _take(remaining, partial(_is_condition, rule=rule, params=params), what)
    filters = [condition for _, condition in access.filters]
    if None not in filters or remaining:
        _take(remaining, lambda c: any(f is not None and _is_condition(c, f, params) for f in filters), f"filter of {access.table!r}")
    if remaining:
        refuse(f"a condition on {access.table!r} that no rule asks for")


def _take(remaining: list[exp.Expr], matches: Callable[[exp.Expr], bool], what: str) -> None:
    for index, condition in enumerate(remaining):
        if matches(condition):
            del remaining[index]
            return
    refuse(f"{what} is missing")


def _is_tenant_test(node: exp.Expr, column: str | None) -> bool:
    right = node.args.get("expression")
    return (
        isinstance(node, exp.EQ) and is_holder_column(node.this, column) and isinstance(right, exp.Placeholder) and right.name == "tenant"
    )


def _is_membership(node: exp.Expr, rule: Membership, params: Mapping[str, Param]) -> bool:
    if isinstance(node, exp.EQ):  # 0 = 1: sees nothing, which is never too much
        return [part.sql() for part in (node.this, node.expression)] == ["0", "1"]
    if not isinstance(node, exp.In) or node.expressions or node.args.get("query") is not None:
        return False
    left, field = node.this, node.args.get("field")
    if isinstance(left, exp.Anonymous) and left.name == "toString" and len(left.expressions) == 1:
        left = left.expressions[0]
    if not is_holder_column(left, rule.column) or not isinstance(field, exp.Placeholder) or field.name != rule.param:
        return False
    bound = params[rule.param].value
    return isinstance(bound, tuple) and len(bound) > 0 and {str(value) for value in bound} <= {_plain(v, rule.type) for v in rule.values}


def _plain(value: str, type_: FieldType) -> str:
    return str(int(value)) if type_ is FieldType.INTEGER and re.fullmatch(r"-?[0-9]+", value) else value


_OPERATOR_OF = {
    "=": (exp.EQ,),
    "!=": (exp.NEQ,),
    "<": (exp.LT,),
    "<=": (exp.LTE,),
    ">": (exp.GT,),
    ">=": (exp.GTE,),
}


def _is_condition(node: exp.Expr, rule: Condition, params: Mapping[str, Param]) -> bool:
    """Whether the text says the rule: same shape of and / or / not, same operators, same columns and same bound values, in order."""
    return _flat(_said(node, params)) == _flat(_meant(rule))


def _said(node: exp.Expr, params: Mapping[str, Param]) -> list[object]:
    """The condition as a flat list, from the text."""
    match node:
        case exp.Paren():
            return _said(node.this, params)
        case exp.And() | exp.Or():
            word = "and" if isinstance(node, exp.And) else "or"
            parts: list[object] = []
            for part in node.flatten():
                parts.append(_said(part, params))
            return [word, *parts]
        case exp.Not():
            return ["not", _said(node.this, params)]
        case exp.Column():
            return ["column", node.name if node.table == HOLDER else ("?", node.sql())]
        case exp.Placeholder():
            return ["value", params[node.name].value]
        case exp.Null():
            return ["value", None]
        case exp.In():
            return ["in", _said(node.this, params), *(_said(option, params) for option in node.expressions)]
        case exp.Is():
            return ["null", _said(node.this, params)]
        case exp.Anonymous():
            return [node.name, *(_said(part, params) for part in node.expressions)]
        case exp.Literal():
            return ["literal", node.this]
        case exp.Binary():
            word = next((sign for sign, kinds in _OPERATOR_OF.items() if isinstance(node, kinds)), "?")
            return [word, _said(node.this, params), _said(node.expression, params)]
        case _:
            return ["?", node.sql()]


def _meant(rule: Condition) -> list[object]:
    """The condition as a flat list, from the catalog."""

    def value(part: object) -> list[object]:
        if isinstance(part, FieldRef):
            return ["column", column_of(rule.dataset.field(part.field))]
        if isinstance(part, Literal_):
            return ["value", _number(part.value)]
        return ["?", repr(part)]

    def folded(part: list[object], ignore_case: bool) -> list[object]:
        return ["lower", ["toString", part]] if ignore_case else part

    def walk(where: object) -> list[object]:
        kind = getattr(where, "kind", "?")
        got = where.__dict__ if hasattr(where, "__dict__") else {}
        if kind in ("and", "or"):
            inner = [walk(item) for item in got["items"]]
            return inner[0] if len(inner) == 1 else [kind, *inner]
        if kind == "not":
            return ["not", walk(got["item"])]
        if kind == "compare":
            return [got["op"], *(folded(value(got[side]), got["ignore_case"]) for side in ("left", "right"))]
        if kind == "in":
            of: list[object] = folded(value(got["field"]), got["ignore_case"])
            within: list[object] = ["in", of, *(folded(["value", _number(v)], got["ignore_case"]) for v in got["values"])]
            return ["or", ["not", within], ["null", of]] if got["negate"] else within
        if kind == "between":
            of = value(got["field"])
            signs = (">=" if got["low_inclusive"] else ">", "<=" if got["high_inclusive"] else "<")
            return ["and", [signs[0], of, value(got["low"])], [signs[1], of, value(got["high"])]]
        if kind == "null":
            field = got["field"]
            missing: list[object] = ["null", value(field)]
            if isinstance(field, FieldRef) and rule.dataset.field(field.field).type is FieldType.STRING:
                missing = ["=", ["ifNull", value(field), ["literal", ""]], ["literal", ""]]
            return ["not", missing] if got["negate"] else missing
        if kind == "like":
            name = {"contains": "position", "starts_with": "startsWith", "ends_with": "endsWith"}[got["match"]]
            of = ["toString", value(got["field"])]
            part: list[object] = ["value", got["value"]]
            if got["ignore_case"]:
                of, part = ["lower", of], ["lower", part]
            return [">", [name, of, part], ["literal", "0"]]
        return ["?", repr(where)]

    return walk(rule.where)


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _flat(condition: list[object]) -> list[object]:
    """Nested ands and ors of one kind joined, as the parser does."""
    if condition[0] not in ("and", "or"):
        return [condition[0], *(_flat(part) if isinstance(part, list) else part for part in condition[1:])]
    parts: list[object] = []
    for part in condition[1:]:
        assert isinstance(part, list)
        flat = _flat(part)
        parts.extend(flat[1:] if flat[0] == condition[0] else [flat])
    return [condition[0], *parts]
