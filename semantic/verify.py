"""The last gate: read the final SQL again, from its text, and make a GuardedQuery only if it is harmless for this caller.

It shares no code with semantic/guard. What it insists on, by allow-lists of characters, node types, arguments and functions:

- one query, without SETTINGS, FORMAT, INTO, table functions, system tables, comments, heredocs, escapes or unbound placeholders;
- every table at every depth is a CTE in scope, or lies in a sub-select of exactly the form
  `SELECT _scope.c AS c, ... FROM database.table AS _scope WHERE _scope.tenant = {tenant:String} AND <every row rule>`;
- the value bound to `tenant` is the caller's, and the values bound in row rules are the caller's.

It raises; nothing logs and goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError
from sqlglot.parsers.clickhouse import ClickHouseParser

from core.errors import AppError, QueryRejected
from core.ids import tenant_database
from core.principal import Principal
from semantic import functions
from semantic.catalog.model import Catalog, FieldType
from semantic.expr import FieldRef, Literal_
from semantic.limits import Limits, limit_settings
from semantic.policies import Access, ColumnAccess, Condition, Membership, TableAccess, column_of
from semantic.states import _SEAL, CompiledQuery, GuardedQuery, Param


class _AsWritten(ClickHouse):
    class Parser(ClickHouseParser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {k: v for k, v in ClickHouseParser.FUNCTION_PARSERS.items() if k == "CAST"}
        NO_PAREN_FUNCTIONS = {}
        NO_PAREN_FUNCTION_PARSERS = {k: v for k, v in ClickHouseParser.NO_PAREN_FUNCTION_PARSERS.items() if k == "CASE"}


_TOKEN = re.compile(
    r"""[ \n]+
    | "[^"\\`\x00-\x1f\x7f“”‘’]+"
    | '[^'\\\x00-\x1f\x7f]*'
    | \{(?P<name>[A-Za-z_][A-Za-z0-9_]*):\ ?(?P<type>[A-Za-z0-9]+(?:\([A-Za-z0-9(), ']*\))?)\}
    | (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_'"])
    | [A-Za-z_][A-Za-z0-9_]*(?!['"])
    | ->|::|\|\||<>|!=|<=|>=|==
    | [-+*/%=<>(),.\[\]]
    """,
    re.VERBOSE,
)
_OPERATORS: tuple[type[exp.Expression], ...] = (exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub)
_OPERATORS += (exp.Mul, exp.Div, exp.Mod, exp.Like, exp.ILike, exp.DPipe, exp.NullSafeEQ)
_CALLS: tuple[type[exp.Expression], ...] = (exp.Anonymous, exp.AnonymousAggFunc, exp.CombinedAggFunc)
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
            "operation_modifiers",
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
}
_HOLDER = "_scope"
_MAX_TABLES = 40


@dataclass(frozen=True, slots=True)
class _Context:
    access: Access
    principal: Principal
    params: Mapping[str, Param]
    pseudonym_key: str


def verify(
    sql: str,
    params: Mapping[str, Param],
    catalog: Catalog,
    principal: Principal,
    *,
    limits: Limits,
    source: CompiledQuery | None = None,
    pseudonym_key: str = "",
) -> GuardedQuery:
    """A GuardedQuery for this very text and these parameters, for this caller.

    catalog: the tenant's full catalog. source: gives the meaning of the result columns.
    Raises: QueryRejected (code query_not_verified) for anything it does not understand or that may show more than the caller may see.
    """
    _check_characters(sql, params)
    try:
        statements = _AsWritten.Parser(dialect=_AsWritten()).parse(_AsWritten().tokenize(sql), sql)
    except (SqlglotError, RecursionError) as error:
        raise _refusal("the final text cannot be read again") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Select | exp.SetOperation):
        _refuse("expected exactly one query")
    root = statements[0]
    tables, total = _check_nodes(root)
    context = _Context(Access(catalog, principal), principal, params, pseudonym_key)
    scoped = {id(table): _check_scope(table, context) for table in tables if table.db}
    _check_names(root, frozenset(), scoped)
    _check_cap(root, limits)
    shared = {access.database + "." + access.table: access for access in scoped.values() if access.tenant_column is not None}
    return GuardedQuery(
        sql=sql,
        params=dict(params),
        tenant=context.access.tenant,
        columns=source.columns if source is not None else (),
        settings=_settings(limits, shared.values(), context.access.tenant, total),
        windows=source.windows if source is not None else (),
        datasets=source.datasets if source is not None else tuple(sorted({name for a in scoped.values() for name, _ in a.filters})),
        max_rows=limits.result_rows,
        notes=source.notes if source is not None else (),
        _seal=_SEAL,
    )


def _refusal(why: str) -> QueryRejected:
    return QueryRejected(f"The query was not run: {why}.", code="query_not_verified")


def _refuse(why: str) -> NoReturn:
    raise _refusal(why)


def _check_characters(sql: str, params: Mapping[str, Param]) -> None:
    """Only tokens that sqlglot and ClickHouse read alike; every placeholder is bound under its type."""
    at = 0
    while at < len(sql):
        found = _TOKEN.match(sql, at)
        if found is None:
            _refuse(f"text that database and verifier might read differently at character {at}: {sql[at : at + 20]!r}")
        name = found["name"]
        if name is not None:
            bound = params.get(name)
            if bound is None:
                _refuse(f"placeholder {name!r} has no value")
            if _type_text(bound.type) != _type_text(found["type"]):
                _refuse(f"placeholder {name!r} is written as {found['type']} and bound as {bound.type}")
        at = found.end()
    # "--" can only arise from two minus signs; ClickHouse would start a comment there.
    if "--" in re.sub(r"\"[^\"]*\"|'[^']*'", "", sql) or "/*" in re.sub(r"\"[^\"]*\"|'[^']*'", "", sql):
        _refuse("a comment")


def _type_text(type_: str) -> str:
    return type_.replace(" ", "").lower()


def _check_nodes(root: exp.Expression) -> tuple[list[exp.Table], bool]:
    """All tables, and whether every call is total. Refuses unknown nodes, arguments and functions."""
    tables: list[exp.Table] = []
    total = True
    for node in root.walk():
        allowed = _NODES.get(type(node))
        if allowed is None:
            _refuse(f"{type(node).__name__} is not on the list of known forms")
        for key, value in node.args.items():
            if key not in allowed and value not in (None, False, []):
                _refuse(f"{type(node).__name__} with {key.rstrip('_')}")
        match node:
            case exp.Table():
                tables.append(node)
            case exp.In():
                _check_in(node)
            case exp.Cast():
                total = False
            case exp.Limit() | exp.Offset():
                if not isinstance(node.expression, exp.Literal | exp.Placeholder) or node.expression.args.get("is_string"):
                    _refuse("LIMIT and OFFSET must be plain numbers")
            case exp.Placeholder():
                if not isinstance(node.args.get("kind"), exp.DataType):
                    _refuse("a placeholder that is not a value")
            case exp.Mod():
                total = False
            case exp.Func() if isinstance(node, _CALLS):
                name = node.name
                if not functions.is_allowed(name):
                    _refuse(f"function {name!r} is not on the list")
                total = total and functions.is_total(name)
    if len(tables) > _MAX_TABLES:
        _refuse(f"{len(tables)} tables in one query; at most {_MAX_TABLES}")
    return tables, total


def _check_in(node: exp.In) -> None:
    """ClickHouse reads `x IN name` and `x IN (name)` as a table: the right side must be values or a sub-query."""
    field = node.args.get("field")
    if field is not None and not isinstance(field, exp.Placeholder | exp.Array | exp.Tuple):
        _refuse("IN with something other than a list or a sub-query")
    for option in (*node.expressions, *((field,) if field is not None else ())):
        if option.find(exp.Column) is not None and option.find(exp.Query) is None:
            _refuse("IN with a name in its list")


def _check_scope(table: exp.Table, context: _Context) -> TableAccess:
    """The table stands in a sub-select that shows this caller's rows and columns only."""
    select = table.parent.parent if isinstance(table.parent, exp.From) else None
    if not isinstance(select, exp.Select) or not isinstance(select.parent, exp.Subquery):
        _refuse(f"table {table.name!r} is read without being narrowed")
    if not select.parent.alias or not isinstance(select.parent.parent, exp.From | exp.Join):
        _refuse(f"the narrowed {table.name!r} is not used as a table")
    if {key for key, value in select.args.items() if value} - {"expressions", "from_", "where"} or table.alias != _HOLDER:
        _refuse(f"the narrowing of {table.name!r} does more than narrow")
    try:
        access = context.access.table(table.db, table.name)
    except AppError as error:
        raise _refusal(f"table {table.db}.{table.name}: {error.message}") from error
    if access is None:
        _refuse(f"table {table.db}.{table.name} is not in the catalog")
    for shown in select.expressions:
        _check_projection(shown, access, context)
    where = select.args.get("where")
    _check_rows(list(_conjuncts(where.this)) if where is not None else [], access, context)
    return access


def _conjuncts(condition: exp.Expression) -> list[exp.Expression]:
    if isinstance(condition, exp.And):
        return [*_conjuncts(condition.this), *_conjuncts(condition.expression)]
    return [condition]


def _is_holder_column(node: object, name: str | None = None) -> bool:
    return isinstance(node, exp.Column) and node.table == _HOLDER and isinstance(node.this, exp.Identifier) and name in (None, node.name)


def _check_projection(shown: exp.Expression, access: TableAccess, context: _Context) -> None:
    if not isinstance(shown, exp.Alias):
        _refuse(f"the narrowing of {access.table!r} shows an unnamed expression")
    rule: ColumnAccess | None = access.by_column.get(shown.alias)
    if rule is None:
        _refuse(f"column {shown.alias!r} of {access.table!r} is not for this caller")
    if rule.treatment == "show":
        if not _is_holder_column(shown.this, rule.column):
            _refuse(f"column {rule.column!r} stands for something else")
        return
    columns = list(shown.this.find_all(exp.Column))
    if not columns:
        return
    keys = [p for p in shown.this.find_all(exp.Placeholder) if p.name == "pseudonym_key"]
    hashes = [c for c in shown.this.find_all(exp.Anonymous) if c.name in ("sipHash64", "SHA256")]
    inside = (
        len(hashes) == 1
        and len(columns) == 1
        and columns[0].find_ancestor(exp.Anonymous) is not None
        and hashes[0] in _ancestors(columns[0])
    )
    key = context.params.get("pseudonym_key")
    bound = key is not None and bool(context.pseudonym_key) and key.value == context.pseudonym_key
    if rule.treatment != "hash" or len(keys) != 1 or not inside or hashes[0] not in _ancestors(keys[0]) or not bound:
        _refuse(f"column {rule.column!r} must be shown to this caller as {rule.treatment} only")


def _ancestors(node: exp.Expression) -> list[exp.Expression]:
    found: list[exp.Expression] = []
    above = node.parent
    while above is not None:
        found.append(above)
        above = above.parent
    return found


def _check_rows(conditions: list[exp.Expression], access: TableAccess, context: _Context) -> None:
    remaining = list(conditions)
    if access.tenant_column is None:
        if access.database != tenant_database(context.principal.tenant):
            _refuse(f"{access.database}.{access.table} is not in the caller's database")
    else:
        value = context.params.get("tenant")
        if value is None or value.type != "String" or value.value != context.principal.tenant:
            _refuse("the bound tenant is not the caller's")
        _take(remaining, lambda c: _is_tenant_test(c, access.tenant_column), f"the tenant condition on {access.table!r}")
    for rule in access.rules:
        what = f"row policy {rule.param} on {access.table!r}"
        if isinstance(rule, Membership):
            _take(remaining, lambda c, rule=rule: _is_membership(c, rule, context.params), what)  # type: ignore[misc]
        else:
            _take(remaining, lambda c, rule=rule: _is_condition(c, rule, context.params), what)  # type: ignore[misc]
    filters = [condition for _, condition in access.filters]
    if None not in filters or remaining:
        _take(
            remaining, lambda c: any(f is not None and _is_condition(c, f, context.params) for f in filters), f"filter of {access.table!r}"
        )
    if remaining:
        _refuse(f"a condition on {access.table!r} that no rule asks for")


def _take(remaining: list[exp.Expression], matches: object, what: str) -> None:
    assert callable(matches)
    for index, condition in enumerate(remaining):
        if matches(condition):
            del remaining[index]
            return
    _refuse(f"{what} is missing")


def _is_tenant_test(node: exp.Expression, column: str | None) -> bool:
    right = node.args.get("expression")
    return (
        isinstance(node, exp.EQ) and _is_holder_column(node.this, column) and isinstance(right, exp.Placeholder) and right.name == "tenant"
    )


def _is_membership(node: exp.Expression, rule: Membership, params: Mapping[str, Param]) -> bool:
    if isinstance(node, exp.EQ):  # 0 = 1: sees nothing, which is never too much
        return [part.sql() for part in (node.this, node.expression)] == ["0", "1"]
    if not isinstance(node, exp.In) or node.expressions or node.args.get("query") is not None:
        return False
    left, field = node.this, node.args.get("field")
    if isinstance(left, exp.Anonymous) and left.name == "toString" and len(left.expressions) == 1:
        left = left.expressions[0]
    if not _is_holder_column(left, rule.column) or not isinstance(field, exp.Placeholder) or field.name != rule.param:
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


def _is_condition(node: exp.Expression, rule: Condition, params: Mapping[str, Param]) -> bool:
    """Whether the text says the rule: same shape of and / or / not, same operators, same columns and same bound values, in order."""
    return _said(node, params) == _meant(rule)


def _said(node: exp.Expression, params: Mapping[str, Param]) -> list[object]:
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
            return ["column", node.name if node.table == _HOLDER else ("?", node.sql())]
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
            return ["number", node.this]
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
            of = folded(value(got["field"]), got["ignore_case"])
            within = ["in", of, *(folded(["value", _number(v)], got["ignore_case"]) for v in got["values"])]
            return ["or", ["not", within], ["null", of]] if got["negate"] else within
        if kind == "between":
            of = value(got["field"])
            signs = (">=" if got["low_inclusive"] else ">", "<=" if got["high_inclusive"] else "<")
            return ["and", [signs[0], of, value(got["low"])], [signs[1], of, value(got["high"])]]
        if kind == "null":
            missing = ["null", value(got["field"])]
            return ["not", missing] if got["negate"] else missing
        if kind == "like":
            name = {"contains": "position", "starts_with": "startsWith", "ends_with": "endsWith"}[got["match"]]
            of, part = ["toString", value(got["field"])], ["value", got["value"]]
            if got["ignore_case"]:
                of, part = ["lower", of], ["lower", part]
            return [">", [name, of, part], ["number", "0"]]
        return ["?", repr(where)]

    return _flat(walk(rule.where))


def _number(value: object) -> object:
    from decimal import Decimal

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


def _check_names(node: exp.Expression, visible: frozenset[str], scoped: Mapping[int, TableAccess]) -> None:
    """Top down: a table without a database must be a CTE declared before, in this query or around it."""
    with_ = node.args.get("with_")
    if isinstance(with_, exp.With):
        for entry in with_.expressions:
            if entry.alias in visible:
                _refuse(f"{entry.alias!r} is declared twice")
            _check_names(entry.this, visible, scoped)
            if not entry.args.get("scalar"):
                visible = visible | {entry.alias}
    for key, value in node.args.items():
        if key == "with_":
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, exp.Table):
                if id(child) not in scoped and child.name not in visible:
                    _refuse(f"table {child.name!r} names no database and is not declared in WITH")
            elif isinstance(child, exp.Expression):
                _check_names(child, visible, scoped)


def _check_cap(root: exp.Expression, limits: Limits) -> None:
    limit = root.args.get("limit")
    if not isinstance(limit, exp.Limit) or not isinstance(limit.expression, exp.Literal):
        _refuse("the answer has no row cap")
    if int(limit.expression.this) > limits.result_rows + 1:
        _refuse(f"the row cap is above {limits.result_rows}")


def _settings(limits: Limits, shared: object, tenant: str, total: bool) -> dict[str, str | int]:
    settings: dict[str, str | int] = {
        **limit_settings(limits),
        "readonly": 1,
        "prefer_column_name_to_alias": 1,
        "join_use_nulls": 1,
    }
    assert hasattr(shared, "__iter__")
    walls = {f"{a.database}.{a.table}": f"{a.tenant_column} = '{tenant}'" for a in shared}
    if walls:
        settings["additional_table_filters"] = map_text(walls)
    if not total:
        # ClickHouse moves a caller's condition beside the tenant's into PREWHERE and may evaluate it on another tenant's row first,
        # whose value then shows in the error (measured on 26.9 with toUInt8(email) on a table ordered by tenant).
        settings["optimize_move_to_prewhere"] = 0
        settings["query_plan_optimize_prewhere"] = 0
    return settings


def map_text(pairs: Mapping[str, str]) -> str:
    """A ClickHouse Map(String, String) literal, as the HTTP interface and SETTINGS take it."""
    quoted = [
        (key.replace("\\", "\\\\").replace("'", "\\'"), value.replace("\\", "\\\\").replace("'", "\\'")) for key, value in pairs.items()
    ]
    return "{" + ", ".join(f"'{key}': '{value}'" for key, value in quoted) + "}"


def with_columns(query: GuardedQuery, source: CompiledQuery) -> GuardedQuery:
    """The same query with the meaning of its result columns."""
    return replace(query, columns=source.columns)
