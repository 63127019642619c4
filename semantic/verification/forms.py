"""The forms the final text may have: its tokens, its nodes, its names. Read from the text alone, once per text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, cast

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError
from sqlglot.parsers.clickhouse import ClickHouseParser
from sqlglot.tokenizer_core import Token

from core.errors import QueryRejected
from semantic import functions
from semantic.verification.failing import Hazards, hazards
from semantic.verification.tokens import Placeholder, UnknownText, read_tokens


class _AsWritten(ClickHouse):
    class Parser(ClickHouseParser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {k: v for k, v in ClickHouseParser.FUNCTION_PARSERS.items() if k in ("CAST", "EXTRACT")}
        NO_PAREN_FUNCTIONS = {}
        NO_PAREN_FUNCTION_PARSERS = {k: v for k, v in ClickHouseParser.NO_PAREN_FUNCTION_PARSERS.items() if k == "CASE"}


_OPERATORS: tuple[type[exp.Expr], ...] = (exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub)
_OPERATORS += (exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.Filter, exp.Extract, exp.NullSafeEQ)
_CALLS: tuple[type[exp.Expr], ...] = (exp.Anonymous, exp.AnonymousAggFunc, exp.CombinedAggFunc)
_CALLS += (exp.ParameterizedAgg, exp.CombinedParameterizedAgg)
_SETS = frozenset({"this", "expression", "distinct", "with_"})
_NODES: dict[type, frozenset[str]] = {
    **{kind: frozenset({"this", "expression"}) for kind in _OPERATORS},
    **{kind: frozenset({"this", "expressions", "params"}) for kind in _CALLS},
    exp.Select: frozenset(
        {
            "expressions",
            "distinct",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "windows",
            "order",
            "limit",
            "offset",
            "with_",
        }
    ),
    exp.Union: _SETS,
    exp.Intersect: _SETS,
    exp.Except: _SETS,
    exp.Subquery: frozenset({"this", "alias"}),
    exp.With: frozenset({"expressions"}),
    exp.CTE: frozenset({"this", "alias", "scalar"}),
    exp.TableAlias: frozenset({"this"}),
    exp.Table: frozenset({"this", "db", "alias"}),
    exp.From: frozenset({"this"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind"}),
    exp.Where: frozenset({"this"}),
    exp.Having: frozenset({"this"}),
    exp.Group: frozenset({"expressions", "rollup", "cube", "totals", "grouping_sets"}),
    exp.Rollup: frozenset({"expressions"}),
    exp.Cube: frozenset({"expressions"}),
    exp.GroupingSets: frozenset({"expressions"}),
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first", "with_fill"}),
    exp.WithFill: frozenset({"from_", "to", "step"}),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "alias", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.Alias: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Star: frozenset(),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: frozenset({"this"}),
    exp.Null: frozenset(),
    exp.Placeholder: frozenset({"this", "kind"}),
    exp.DataType: frozenset({"this", "expressions", "nested", "kind", "nullable"}),
    exp.DataTypeParam: frozenset({"this"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.Interval: frozenset({"this", "unit"}),
    exp.Var: frozenset({"this"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.In: frozenset({"this", "expressions", "query", "field"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Is: frozenset({"this", "expression"}),
    exp.Not: frozenset({"this"}),
    exp.Neg: frozenset({"this"}),
    exp.Paren: frozenset({"this"}),
    exp.Tuple: frozenset({"expressions"}),
    exp.Array: frozenset({"expressions"}),
    exp.Bracket: frozenset({"this", "expressions"}),
    exp.Lambda: frozenset({"this", "expressions"}),
    exp.Exists: frozenset({"this"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    exp.ILike: frozenset({"this", "expression", "negate"}),
}
HOLDER = "_scope"
_STATEFUL = frozenset(("AGGREGATEFUNCTION", "SIMPLEAGGREGATEFUNCTION", "DYNAMIC", "OBJECT", "VARIANT", "USERDEFINED", "FIXEDSTRING"))
_MAX_TABLES = 40
_MAX_CHARACTERS = 1_000_000
_JOINS = frozenset(("", "INNER", "OUTER", "CROSS", "ANY", "ALL", "SEMI", "ANTI", "ASOF", "LEFT", "RIGHT", "FULL"))
_READER = _AsWritten()


@dataclass(frozen=True, slots=True)
class Form:
    """What the text says: its tree (never changed after this), its tables, its placeholders with their types.

    hazards: what in it may fail on a value.
    """

    root: exp.Query
    tables: tuple[exp.Table, ...]
    placeholders: tuple[Placeholder, ...]
    hazards: Hazards


def refusal(why: str) -> QueryRejected:
    return QueryRejected(f"The query was not run: {why}.", code="query_not_verified")


def refuse(why: str) -> NoReturn:
    raise refusal(why)


@lru_cache(maxsize=512)
def read_form(sql: str) -> Form:
    """The form of the text. The same text gives the same form, so texts seen lately are not read again.

    Raises: QueryRejected for anything that is not on the lists of this file.
    """
    tokens, placeholders = _check_characters(sql)
    try:
        statements = _READER.parser().parse(tokens, sql)
        if len(statements) != 1 or not isinstance(statements[0], exp.Select | exp.SetOperation):
            refuse("expected exactly one query")
        nodes = _nodes(statements[0])
        tables = _check_nodes(nodes)
        _check_names(statements[0], frozenset())
    except (SqlglotError, RecursionError) as error:
        raise refusal("the final text cannot be read again") from error
    return Form(statements[0], tuple(tables), placeholders, hazards(nodes, _CALLS))


def _check_characters(sql: str) -> tuple[list[Token], tuple[Placeholder, ...]]:
    """Tokens that ClickHouse reads alike, and the placeholders."""
    if len(sql) > _MAX_CHARACTERS:
        refuse(f"{len(sql)} characters")
    try:
        tokens, placeholders = read_tokens(sql)
    except UnknownText as error:
        refuse(f"text that database and verifier might read differently at character {error.at}: {sql[error.at : error.at + 20]!r}")
    # "--" can only arise from two minus signs; ClickHouse would start a comment there.
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", sql)
    if "--" in bare or "/*" in bare:
        refuse("a comment")
    return tokens, placeholders


def _nodes(root: exp.Expr) -> list[exp.Expr]:
    """Every node, gathered once for all checks (sqlglot's own walk takes twice the time)."""
    nodes: list[exp.Expr] = [root]
    for node in nodes:
        for value in node.args.values():
            if isinstance(value, exp.Expr):
                nodes.append(value)
            elif isinstance(value, list):
                nodes.extend(part for part in value if isinstance(part, exp.Expr))
    return nodes


def _check_nodes(nodes: list[exp.Expr]) -> list[exp.Table]:
    """All tables. Refuses unknown nodes, arguments and functions."""
    tables: list[exp.Table] = []
    for node in nodes:
        kind = type(node)
        allowed = _NODES.get(kind)
        if allowed is None:
            refuse(f"{kind.__name__} is not on the list of known forms")
        for key, value in node.args.items():
            if key not in allowed and value not in (None, False, []):
                refuse(f"{kind.__name__} with {key.rstrip('_')}")
        if kind is exp.Table:
            tables.append(cast(exp.Table, node))
        elif (check := _CHECKS.get(kind)) is not None:
            check(node)
    if len(tables) > _MAX_TABLES:
        refuse(f"{len(tables)} tables in one query; at most {_MAX_TABLES}")
    return tables


def _check_plain_number(node: exp.Expr) -> None:
    number = node.args.get("expression")
    if not isinstance(number, exp.Literal | exp.Placeholder) or number.args.get("is_string"):
        refuse("LIMIT and OFFSET must be plain numbers")


def _check_type(node: exp.Expr) -> None:
    if not isinstance(node.this, exp.DType) or node.this.name in _STATEFUL:
        refuse(f"type {node.sql()}")


def _check_placeholder(node: exp.Expr) -> None:
    if not isinstance(node.args.get("kind"), exp.DataType):
        refuse("a placeholder that is not a value")


def _check_join(node: exp.Expr) -> None:
    kind, side = str(node.args.get("kind") or "").upper(), str(node.args.get("side") or "").upper()
    if not {kind, side} <= _JOINS:
        refuse(f"{side} {kind} JOIN")


def _check_identifier(node: exp.Expr) -> None:
    if node.args.get("this") == HOLDER and not _is_holder(node):
        refuse(f"{HOLDER} is a name of ours")


def _check_call(node: exp.Expr) -> None:
    if not functions.is_allowed(node.name):
        refuse(f"function {node.name!r} is not on the list")


def _is_holder(name: exp.Expr) -> bool:
    """The alias of a physical table, or the qualifier of a column."""
    above = name.parent
    if isinstance(above, exp.Column):
        return above.args.get("table") is name
    return isinstance(above, exp.TableAlias) and isinstance(above.parent, exp.Table) and bool(above.parent.db)


def _check_in(node: exp.Expr) -> None:
    """ClickHouse reads `x IN name` and `x IN (name)` as a table: the right side must be values or a sub-query."""
    field = node.args.get("field")
    if field is not None and not isinstance(field, exp.Placeholder | exp.Array | exp.Tuple):
        refuse("IN with something other than a list or a sub-query")
    for option in (*node.expressions, *((field,) if field is not None else ())):
        if option.find(exp.Column) is not None and option.find(exp.Query) is None:
            refuse("IN with a name in its list")


_CHECKS: dict[type, Callable[[exp.Expr], None]] = {
    exp.In: _check_in,
    exp.Limit: _check_plain_number,
    exp.Offset: _check_plain_number,
    exp.DataType: _check_type,
    exp.Placeholder: _check_placeholder,
    exp.Join: _check_join,
    exp.Identifier: _check_identifier,
    **dict.fromkeys(_CALLS, _check_call),
}
"""What a form must be beyond its arguments, by its exact type: the types of _NODES are the only ones there are."""


def _check_names(node: exp.Expr, visible: frozenset[str]) -> None:
    """Top down: a table without a database must be a CTE declared before, in this query or around it."""
    with_ = node.args.get("with_")
    if isinstance(with_, exp.With):
        for entry in with_.expressions:
            if entry.alias in visible:
                refuse(f"{entry.alias!r} is declared twice")
            _check_names(entry.this, visible)
            if not entry.args.get("scalar"):
                visible = visible | {entry.alias}
    for key, value in node.args.items():
        if key == "with_":
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, exp.Table):
                if not child.db and child.name not in visible:
                    refuse(f"table {child.name!r} names no database and is not declared in WITH")
            elif isinstance(child, exp.Expr):
                _check_names(child, visible)
