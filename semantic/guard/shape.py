"""The forms of SQL that an analyst may use: an allow-list of node types and of what each may carry."""

from __future__ import annotations

from typing import NoReturn

from rapidfuzz import process
from sqlglot import exp

from core.errors import QueryRejected
from semantic import functions

MAX_NODES = 5_000
MAX_TABLES = 20

_BINARY = "And Or EQ NEQ GT GTE LT LTE Add Sub Mul Div Mod DPipe Is Filter Extract"
_FORMS: dict[str, str] = {
    **dict.fromkeys(_BINARY.split(), "this expression"),
    **dict.fromkeys("Not Neg Paren Where Having From Boolean Var Exists TableAlias DataTypeParam".split(), "this"),
    **dict.fromkeys("Order Tuple Array Distinct GroupingSets Rollup Cube".split(), "expressions"),
    **dict.fromkeys("Anonymous AnonymousAggFunc CombinedAggFunc".split(), "this expressions"),
    **dict.fromkeys("ParameterizedAgg CombinedParameterizedAgg".split(), "this expressions params"),
    **dict.fromkeys("Union Intersect Except".split(), "this expression distinct with_"),
    "Select": "expressions distinct from_ joins where group having windows order limit offset with_",
    "Subquery": "this alias",
    "With": "expressions",
    "CTE": "this alias scalar",
    "Table": "this db alias",
    "Join": "this on using side kind",
    "Group": "expressions rollup cube totals grouping_sets",
    "Ordered": "this desc nulls_first with_fill",
    "WithFill": "from_ to step",
    "Limit": "expression",
    "Offset": "expression",
    "Window": "this partition_by order spec alias over",
    "WindowSpec": "kind start start_side end end_side",
    "Alias": "this alias",
    "Column": "this table db",
    "Identifier": "this quoted",
    "Star": "",
    "Null": "",
    "Literal": "this is_string",
    "Placeholder": "this kind",
    "DataType": "this expressions nested kind nullable",
    "Cast": "this to",
    "Interval": "this unit",
    "Case": "this ifs default",
    "If": "this true false",
    "In": "this expressions query field",
    "Between": "this low high",
    "Like": "this expression negate",
    "ILike": "this expression negate",
    "Bracket": "this expressions",
    "Lambda": "this expressions",
}
_ALLOWED = {name: frozenset(arguments.split()) for name, arguments in _FORMS.items()}
_TYPES = frozenset(
    "UINT UTINYINT USMALLINT UBIGINT INT TINYINT SMALLINT BIGINT INT128 INT256 UINT128 UINT256 FLOAT DOUBLE DECIMAL DECIMAL32 DECIMAL64 "
    "DECIMAL128 TEXT VARCHAR DATE DATE32 DATETIME DATETIME64 TIMESTAMP BOOLEAN UUID ARRAY NULLABLE LOWCARDINALITY TUPLE STRUCT MAP".split()
)
_JOIN_KINDS = frozenset(("", "INNER", "OUTER", "CROSS", "ANY", "ALL", "SEMI", "ANTI", "ASOF"))
_JOIN_SIDES = frozenset(("", "LEFT", "RIGHT", "FULL", "ANY", "SEMI", "ANTI", "ASOF"))
_HINTS = {
    "settings": "remove SETTINGS; limits are set for your role",
    "format": "remove FORMAT; choose the format with the export",
    "into": "remove INTO; use the export",
    "prewhere": "use WHERE",
    "qualify": "wrap the query and use WHERE outside",
    "sample": "use LIMIT",
    "fetch": "use LIMIT",
    "columns": "name the columns with AS inside",
    "except_": "list the columns you want",
    "replace": "list the columns you want",
    "expressions": "use row_number() OVER (PARTITION BY ...) for the top rows of a group",
    "recursive": "write the steps out",
    "method": "name the columns with ON or USING",
    "IntDiv": "use intDiv(a, b)",
    "Final": "ask your administrator for a view",
    "Values": "use a table of the catalog",
    "Subquery": "write the query without parentheses around it",
}


def check_shape(tree: exp.Expr) -> None:
    """Raises: QueryRejected at the first form that is not known to be harmless."""
    count = tables = 0
    for node in tree.walk():
        count += 1
        name = type(node).__name__
        allowed = _ALLOWED.get(name)
        if allowed is None:
            refuse(node, f"{_words(name)} is not supported here.", "unsupported_sql", _HINTS.get(name))
        for key, value in node.args.items():
            if key not in allowed and value is not None and value is not False and value != []:
                refuse(node, f"{_words(name)} with {key.rstrip('_').upper()} is not supported here.", "unsupported_sql", _HINTS.get(key))
        _check_one(node)
        tables += isinstance(node, exp.Table)
    if count > MAX_NODES or tables > MAX_TABLES:
        raise QueryRejected(f"The query has {count} parts and {tables} tables; at most {MAX_NODES} and {MAX_TABLES}.", code="sql_too_long")


def _check_one(node: exp.Expr) -> None:
    match node:
        case exp.Table() if not isinstance(node.this, exp.Identifier):
            function = getattr(node.this, "name", "") or type(node.this).__name__
            refuse(node, f"Table function {function} cannot be used.", "table_function", "use a table of the catalog as database.table")
        case exp.In():
            _check_in(node)
        case exp.Select() if not node.expressions:
            refuse(node, "SELECT needs at least one column.", "unreadable_sql", "name a column")
        case exp.Join():
            if node.kind.upper() not in _JOIN_KINDS or node.side.upper() not in _JOIN_SIDES:
                refuse(
                    node,
                    f"{node.side} {node.kind} JOIN is not supported here.",
                    "unsupported_sql",
                    "use INNER, LEFT, RIGHT, FULL or CROSS JOIN",
                )
        case exp.Limit() | exp.Offset():
            if not isinstance(node.expression, exp.Literal) or not node.expression.this.isdigit() or node.expression.is_string:
                refuse(node, "LIMIT and OFFSET need a plain number.", "unsupported_sql", "write the number")
        case exp.Placeholder() if not isinstance(node.args.get("kind"), exp.DataType):
            refuse(node, "A placeholder can stand for a value only, not for a name.", "unsupported_sql", "write the name")
        case exp.DataType() if (isinstance(node.this, exp.DType) and node.this.name not in _TYPES) or not isinstance(node.this, exp.DType):
            refuse(node, f"Type {node.sql('clickhouse')} cannot be used.", "unknown_type", "use a number, String, Date or DateTime type")
        case exp.Star():
            holder = node.parent.parent if isinstance(node.parent, exp.Column) else node.parent
            if not isinstance(holder, exp.Select) and not (isinstance(holder, exp.Func) and holder.name.lower() == "count"):
                refuse(node, "* can be listed or counted only.", "unsupported_sql", "name the column")
        case exp.Func() if type(node).__name__ in (
            "Anonymous",
            "AnonymousAggFunc",
            "CombinedAggFunc",
            "ParameterizedAgg",
            "CombinedParameterizedAgg",
        ):
            if not functions.is_allowed(node.name):
                near = [match for match, _, _ in process.extract(node.name, functions.known(), limit=3)]
                refuse(node, f"Function {node.name} cannot be used.", "unknown_function", *near)


def _check_in(node: exp.In) -> None:
    field = node.args.get("field")
    if field is not None and not isinstance(field, exp.Placeholder | exp.Array | exp.Tuple):
        refuse(
            node,
            f"IN needs a list or a sub-query; found {field.sql('clickhouse')}.",
            "unsupported_sql",
            "write IN (SELECT column FROM ...)",
        )
    for option in (*node.expressions, *((field,) if field is not None else ())):
        if any(c.find_ancestor(exp.Query, exp.In) is node for c in option.find_all(exp.Column)):
            refuse(
                node,
                "ClickHouse reads a name in an IN list as a table.",
                "unsupported_sql",
                "write = for a column, or IN (SELECT column FROM ...)",
            )


def refuse(node: exp.Expr, message: str, code: str, *fixes: str | None) -> NoReturn:
    """Raise QueryRejected with the place of the node, where the parser kept one."""
    place = next((n.meta for n in node.walk() if "line" in n.meta), None)
    path = f"{place['line']}:{max(1, int(place['col']) - (int(place['end']) - int(place['start'])))}" if place else None
    where = f" (line {path.replace(':', ', column ')})" if path else ""
    raise QueryRejected(message + where, code=code, suggestions=tuple(fix for fix in fixes if fix), path=path)


def _words(name: str) -> str:
    return "".join(" " + c if c.isupper() and i else c for i, c in enumerate(name)).upper().replace(" ", "_")
