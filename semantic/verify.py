"""The last gate: read the final SQL again, from its text, and make a GuardedQuery only if it is harmless for this caller.

It shares no code with semantic/guard. What it insists on, by allow-lists of characters, node types, arguments and functions:

- one query, without SETTINGS, FORMAT, INTO, table functions, system tables, comments, heredocs, escapes or unbound placeholders;
- every table at every depth is a CTE in scope, or lies in a sub-select of exactly the form
  `SELECT _scope.c AS c, ... FROM database.table AS _scope WHERE _scope.tenant = {tenant:String} AND <every row rule>`;
- the value bound to `tenant` is the caller's, and the values bound in row rules are the caller's.

It raises; nothing logs and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from core.errors import AppError
from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.limits import MEANING_SETTINGS, Limits, limit_settings
from semantic.policies import Access, ColumnAccess, TableAccess, access_of
from semantic.states import _SEAL, CompiledQuery, GuardedQuery, Param
from semantic.trust import DEFAULT_TRUST, Trust
from semantic.verification.failing import may_fail
from semantic.verification.forms import HOLDER, Form, read_form, refusal, refuse
from semantic.verification.rows import check_rows, is_holder_column


@dataclass(frozen=True, slots=True)
class _Context:
    access: Access
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
    trust: Trust = DEFAULT_TRUST,
) -> GuardedQuery:
    """A GuardedQuery for this very text and these parameters, for this caller.

    catalog: the tenant's full catalog. source: gives the meaning of the result columns.
    Raises: QueryRejected (code query_not_verified) for anything it does not understand or that may show more than the caller may see.
    """
    form = read_form(sql)
    _check_bound(form, params)
    context = _Context(access_of(catalog, principal, trust), params, trust.pseudonym_key_of(principal.tenant))
    scoped = [_check_scope(table, context) for table in form.tables if table.db]
    _check_cap(form.root, limits)
    return GuardedQuery(
        sql=sql,
        params=dict(params),
        tenant=context.access.tenant,
        columns=source.columns if source is not None else (),
        settings=_settings(form, scoped, limits, context.access.tenant),
        windows=source.windows if source is not None else (),
        datasets=source.datasets if source is not None else tuple(sorted({name for a in scoped for name, _ in a.filters})),
        max_rows=limits.result_rows,
        notes=source.notes if source is not None else (),
        _seal=_SEAL,
    )


def _check_bound(form: Form, params: Mapping[str, Param]) -> None:
    for name, type_ in form.placeholders:
        bound = params.get(name)
        if bound is None:
            refuse(f"placeholder {name!r} has no value")
        if bound.type.replace(" ", "").lower() != type_.replace(" ", "").lower():
            refuse(f"placeholder {name!r} is written as {type_} and bound as {bound.type}")


def _check_scope(table: exp.Table, context: _Context) -> TableAccess:
    """The table stands in a sub-select that shows this caller's rows and columns only."""
    select = table.parent.parent if isinstance(table.parent, exp.From) else None
    if not isinstance(select, exp.Select) or not isinstance(select.parent, exp.Subquery):
        refuse(f"table {table.name!r} is read without being narrowed")
    if not select.parent.alias or not isinstance(select.parent.parent, exp.From | exp.Join):
        refuse(f"the narrowed {table.name!r} is not used as a table")
    if {key for key, value in select.args.items() if value} - {"expressions", "from_", "where"} or table.alias != HOLDER:
        refuse(f"the narrowing of {table.name!r} does more than narrow")
    try:
        access = context.access.table(table.db, table.name)
    except AppError as error:
        raise refusal(f"table {table.db}.{table.name}: {error.message}") from error
    if access is None:
        refuse(f"table {table.db}.{table.name} is not in the catalog")
    for shown in select.expressions:
        _check_projection(shown, access, context)
    where = select.args.get("where")
    check_rows(where.this if where is not None else None, access, context.access.tenant, context.params)
    return access


def _check_projection(shown: exp.Expr, access: TableAccess, context: _Context) -> None:
    if not isinstance(shown, exp.Alias):
        refuse(f"the narrowing of {access.table!r} shows an unnamed expression")
    rule: ColumnAccess | None = access.by_column.get(shown.alias)
    if rule is None:
        refuse(f"column {shown.alias!r} of {access.table!r} is not for this caller")
    if rule.treatment == "show":
        if not is_holder_column(shown.this, rule.column):
            refuse(f"column {rule.column!r} stands for something else")
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
        refuse(f"column {rule.column!r} must be shown to this caller as {rule.treatment} only")


def _ancestors(node: exp.Expr) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    above = node.parent
    while above is not None:
        found.append(above)
        above = above.parent
    return found


def _check_cap(root: exp.Expr, limits: Limits) -> None:
    limit = root.args.get("limit")
    if not isinstance(limit, exp.Limit) or not isinstance(limit.expression, exp.Literal):
        refuse("the answer has no row cap")
    if int(limit.expression.this) > limits.result_rows + 1:
        refuse(f"the row cap is above {limits.result_rows}")


def _settings(form: Form, tables: Iterable[TableAccess], limits: Limits, tenant: str) -> dict[str, str | int]:
    tables = list(tables)
    settings: dict[str, str | int] = {
        **limit_settings(limits),
        **MEANING_SETTINGS,
        "readonly": 1,
    }
    walls = {f"{a.database}.{a.table}": f"{a.tenant_column} = '{tenant}'" for a in tables if a.tenant_column is not None}
    if walls:
        settings["additional_table_filters"] = map_text(walls)
    if may_fail(form.hazards, tables):
        settings["optimize_move_to_prewhere"] = 0
        settings["query_plan_optimize_prewhere"] = 0
    return settings


def map_text(pairs: Mapping[str, str]) -> str:
    """A ClickHouse Map(String, String) literal, as the HTTP interface and SETTINGS take it."""
    quoted = [
        (key.replace("\\", "\\\\").replace("'", "\\'"), value.replace("\\", "\\\\").replace("'", "\\'")) for key, value in pairs.items()
    ]
    return "{" + ", ".join(f"'{key}': '{value}'" for key, value in quoted) + "}"
