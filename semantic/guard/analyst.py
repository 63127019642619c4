"""An analyst's SQL as a tree of known forms over catalog tables, or a refusal that says what to change."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rapidfuzz import process
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from core.errors import QueryRejected
from semantic import functions
from semantic.guard.dialect import PlainClickHouse
from semantic.guard.expansion import check_expansion
from semantic.guard.lexical import plain_text
from semantic.guard.names import check_ctes, cte_of
from semantic.guard.rules import SCOPE
from semantic.guard.scope import physical
from semantic.guard.shape import check_shape, refuse
from semantic.policies import Access
from semantic.states import Param

_OURS = frozenset((SCOPE, "_all"))


def read_analyst_sql(sql: str, access: Access, params: Mapping[str, Param], default_database: str | None) -> exp.Expr:
    """The parsed query, checked: one query of known forms, functions, tables and columns, and not an unbounded listing.

    Raises: QueryRejected.
    """
    tree = _parse(plain_text(sql, params))
    check_shape(tree)
    check_ctes(tree)
    check_expansion(tree)
    columns = _check_tables(tree, access, default_database)
    _check_columns(tree, columns, access)
    if lists_everything(tree):
        raise QueryRejected(
            "This lists every row of a table. Expected an aggregate, a condition or a LIMIT.",
            code="unbounded_listing",
            suggestions=("add LIMIT 1000", "add WHERE", "aggregate with GROUP BY"),
        )
    return tree


def _parse(text: str) -> exp.Expr:
    if re.match(r"\s*\(*\s*(SELECT|WITH|FROM)\b", text, re.IGNORECASE) is None:
        raise QueryRejected("Expected a SELECT.", code="not_a_query", suggestions=("send one SELECT",))
    dialect = PlainClickHouse()
    try:
        statements = dialect.parser().parse(dialect.tokenize(text), text)
    except SqlglotError as error:
        first = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        path = f"{first['line']}:{first['col']}" if first.get("line") else None
        what = f" at line {path.replace(':', ', column ')}" if path else ""
        raise QueryRejected(f"This is not SQL that can be read{what}.", code="unreadable_sql", path=path) from error
    queries = [s for s in statements if s is not None]
    if len(queries) != 1 or not isinstance(queries[0], exp.Select | exp.SetOperation):
        raise QueryRejected("Expected exactly one SELECT.", code="not_a_query", suggestions=("send one SELECT",))
    return queries[0]


def _check_tables(tree: exp.Expr, access: Access, default_database: str | None) -> dict[str, bool]:
    """Names of the columns the tables offer: True where visible, False for a tenant column."""
    columns: dict[str, bool] = {}
    for table in tree.find_all(exp.Table):
        if cte_of(table) is not None:
            continue
        if not table.db and default_database is not None:
            table.set("db", exp.to_identifier(default_database, quoted=True))
        if not table.db or table.catalog or access.is_hidden(table.db, table.name):
            _refuse_table(table, access)
        try:
            found = physical(table, access)
        except QueryRejected as error:
            if error.code == "unknown_table":
                _refuse_table(table, access)
            raise
        columns.update((c.column, True) for c in found.columns if not c.internal)
        if found.tenant_column is not None:
            columns.setdefault(found.tenant_column, False)
    return columns


def _refuse_table(table: exp.Table, access: Access) -> None:
    written = ".".join(part.name for part in table.parts)
    near = [match for match, _, _ in process.extract(written, access.known_tables(), limit=3)]
    refuse(table, f"Expected a table of the catalog as database.table; found {written}.", "unknown_table", *near)


def _check_columns(tree: exp.Expr, columns: Mapping[str, bool], access: Access) -> None:
    """Every name is a visible column or something the query itself declares."""
    visible = {name for name, shown in columns.items() if shown}
    declared = {a.alias for a in tree.find_all(exp.Alias)} | {c.alias for c in tree.find_all(exp.CTE) if c.args.get("scalar")}
    for function in tree.find_all(exp.Lambda):
        declared.update(i.name for i in function.expressions)
    sources = {a.name for a in tree.find_all(exp.TableAlias)} | {t.name for t in tree.find_all(exp.Table)}
    for identifier in tree.find_all(exp.Identifier):
        name = identifier.name
        if name in _OURS:
            refuse(identifier, f"The name {name!r} is reserved.", "reserved_name", "choose another name")
        if columns.get(name) is False:
            refuse(
                identifier,
                f"{name!r} cannot be used: every table already holds your own rows only.",
                "tenant_column",
                f"remove the condition on {name}",
            )
    for join in tree.find_all(exp.Join):
        for shared in join.args.get("using") or ():
            if shared.name not in visible | declared:
                refuse(shared, f"No column {shared.name!r} in the tables of this query.", "unknown_column")
    tables = _columns_by_alias(tree, access)
    for column in tree.find_all(exp.Column):
        if column.args.get("db") is not None:
            _drop_database(column, tree)
        if column.table and column.table not in sources and column.table not in visible | declared:
            refuse(column, f"No table or alias {column.table!r} in this query.", "unknown_column")
        own = tables.get(column.table)
        if own is not None and not isinstance(column.this, exp.Star) and column.name not in own | declared:
            near = [match for match, _, _ in process.extract(column.name, sorted(own), limit=3)]
            refuse(column, f"No column {column.name!r} in {column.table!r}.", "unknown_column", *near)
        if not isinstance(column.this, exp.Star) and column.name not in visible | declared and column.table not in visible | declared:
            near = [match for match, _, _ in process.extract(column.name, sorted(visible), limit=3)]
            refuse(column, f"No column {column.name!r} in the tables of this query.", "unknown_column", *near)


def _columns_by_alias(tree: exp.Expr, access: Access) -> dict[str, frozenset[str]]:
    """Visible columns by the name under which a physical table is read, where that name means one thing in the whole text."""
    found: dict[str, frozenset[str]] = {}
    several = {a.name for a in tree.find_all(exp.TableAlias) if not isinstance(a.parent, exp.Table)}
    for table in tree.find_all(exp.Table):
        name = table.alias or table.name
        if cte_of(table) is not None or name in found:
            several.add(name)
        else:
            found[name] = frozenset(c.column for c in physical(table, access).columns if not c.internal)
    return {name: columns for name, columns in found.items() if name not in several}


def _drop_database(column: exp.Column, tree: exp.Expr) -> None:
    """`database.table.column` becomes `table.column`, the name of the narrowed table."""
    if not any(t.db == column.db and t.name == column.table for t in tree.find_all(exp.Table)):
        refuse(column, f"No table {column.db}.{column.table} in this query.", "unknown_column")
    column.set("db", None)


def lists_everything(query: exp.Expr) -> bool:
    """Whether the query returns each row of some physical table, without aggregate, condition or LIMIT."""
    if isinstance(query, exp.SetOperation):
        return lists_everything(query.this) or lists_everything(query.expression)
    if isinstance(query, exp.Subquery):
        return lists_everything(query.this)
    if not isinstance(query, exp.Select) or any(query.args.get(key) for key in ("limit", "group", "distinct", "where", "having")):
        return False
    if any(_aggregates(shown) for shown in query.expressions):
        return False
    from_, joins = query.args.get("from_"), query.args.get("joins") or ()
    if from_ is None:
        return False
    # An inner join with something bounded is bounded; the far side of a RIGHT or FULL join is shown in full.
    inner = [from_.this, *(join.this for join in joins if not join.side)]
    return all(map(_is_whole, inner)) or any(join.side in ("RIGHT", "FULL") and _is_whole(join.this) for join in joins)


def _is_whole(source: exp.Expr) -> bool:
    if isinstance(source, exp.Table):
        entry = cte_of(source)
        return lists_everything(entry.this) if entry is not None else True
    return lists_everything(source)


def _aggregates(shown: exp.Expr) -> bool:
    """Whether the column aggregates the query's own rows: an aggregate outside OVER and outside sub-queries."""
    stack = [shown]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Query):
            continue
        if isinstance(node, exp.Window):
            stack.extend(part for part in node.this.iter_expressions())
            continue
        if isinstance(node, exp.Func) and functions.is_aggregate(node.name):
            return True
        stack.extend(node.iter_expressions())
    return False
