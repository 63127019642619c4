"""Replace every physical table by a sub-select that holds only what the caller may see. The last rewrite before printing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlglot import exp

from core.errors import QueryRejected
from semantic.guard.names import cte_of, nodes_of
from semantic.guard.rules import PSEUDONYM_KEY, SCOPE, bound, column, projection, quoted, row_predicate
from semantic.policies import Access, ColumnAccess, Condition, TableAccess
from semantic.states import Param

TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Scoped:
    """`tree` reads each physical table through a narrowed sub-select; `params` are the values it binds; `tables` were replaced."""

    tree: exp.Expr
    params: dict[str, Param]
    tables: tuple[TableAccess, ...]


def isolate(tree: exp.Expr, access: Access, *, datasets: Collection[str] = (), pseudonym_key: str = "", analyst: bool = False) -> Scoped:
    """The tree with every physical table narrowed. Changes the tree given.

    datasets: which datasets the query means, where several lie over one table. analyst: fields marked hidden are left out.
    Raises: QueryRejected for a table that is not in the catalog or not kept apart per tenant.
    """
    used: set[str] = set()
    everything = False
    tables: list[exp.Table] = []
    for node in nodes_of(tree):
        if isinstance(node, exp.Identifier):
            used.add(node.name)
        elif isinstance(node, exp.Table):
            tables.append(node)
        elif isinstance(node, exp.Star):
            everything = everything or _is_listing_star(node)
    params: dict[str, Param] = {}
    replaced: list[TableAccess] = []
    for table in tables:
        if cte_of(table) is not None:
            continue
        found = physical(table, access)
        columns = [c for c in found.columns if (everything or c.column in used) and not (analyst and c.internal)]
        columns = columns or [next((c for c in found.columns if c.treatment == "show"), found.columns[0])]
        select, bindings = _narrowed(found, columns, _filter(table, found, datasets), access, pseudonym_key)
        params.update(bindings)
        alias = table.args.get("alias") or exp.TableAlias(this=quoted(table.name))
        table.replace(exp.Subquery(this=select, alias=alias))
        replaced.append(found)
    return Scoped(tree, params, tuple(replaced))


def physical(table: exp.Table, access: Access) -> TableAccess:
    """What the caller may see of this table, which must be `database.table` of the catalog."""
    written = ".".join(part.name for part in table.parts) if isinstance(table.this, exp.Identifier) else table.sql("clickhouse")
    found = access.table(table.db, table.name) if table.db and not table.catalog and isinstance(table.this, exp.Identifier) else None
    if found is None:
        raise QueryRejected(
            f"Expected a table of the catalog as database.table; found {written}.",
            code="unknown_table",
            suggestions=tuple(access.known_tables()[:10]),
        )
    return found


def _is_listing_star(star: exp.Star) -> bool:
    """Whether the star shows the columns of a physical table; over a sub-query it shows what that one names."""
    holder = star.parent.parent if isinstance(star.parent, exp.Column) else star.parent
    if not isinstance(holder, exp.Select):
        return False
    from_ = holder.args.get("from_")
    sources = [part.this for part in (from_, *(holder.args.get("joins") or ())) if part is not None]
    return any(isinstance(source, exp.Table) and cte_of(source) is None for source in sources)


def _filter(table: exp.Table, found: TableAccess, datasets: Collection[str]) -> Condition | None:
    """The filter of the dataset that is meant. An unfiltered dataset over the table stands for the whole table."""
    named = table.meta.get("dataset")
    candidates = [f for f in found.filters if f[0] == named] or [f for f in found.filters if f[0] in datasets] or list(found.filters)
    if any(condition is None for _, condition in candidates):
        return None
    if len(candidates) > 1:
        names = ", ".join(name for name, _ in candidates)
        raise QueryRejected(
            f"Table {found.database}.{found.table} is read as several datasets: {names}; ask them one by one.", code="ambiguous"
        )
    return candidates[0][1]


def _narrowed(
    found: TableAccess, columns: list[ColumnAccess], condition: Condition | None, access: Access, pseudonym_key: str
) -> tuple[exp.Select, dict[str, Param]]:
    params: dict[str, Param] = {}
    conditions: list[exp.Expr] = []
    if found.tenant_column is not None:
        conditions.append(exp.EQ(this=column(found.tenant_column), expression=bound(TENANT, "String")))
        params[TENANT] = Param("String", access.tenant)
    for rule in (*found.rules, *((condition,) if condition is not None else ())):
        predicate, bindings = row_predicate(rule)
        conditions.append(predicate)
        params.update(bindings)
    if pseudonym_key and any(c.treatment == "hash" for c in columns):
        params[PSEUDONYM_KEY] = Param("String", pseudonym_key)
    source = exp.Table(
        this=quoted(found.table),
        db=quoted(found.database),
        alias=exp.TableAlias(this=exp.Identifier(this=SCOPE, quoted=False)),
    )
    select = exp.Select(expressions=[projection(c, bool(pseudonym_key)) for c in columns], from_=exp.From(this=source))
    if conditions:
        whole = conditions[0]
        for further in conditions[1:]:
            whole = exp.And(this=whole, expression=further)
        select.set("where", exp.Where(this=whole))
    return select, params
