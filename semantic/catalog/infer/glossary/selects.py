"""A SELECT of a glossary as catalog parts: the dataset whose rows it gives, the condition on them, and its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from semantic.catalog.infer.glossary.draft import Draft
from semantic.catalog.infer.glossary.sqlexpr import Resolve, to_expr, to_predicate
from semantic.catalog.model import Dataset, DatasetKind
from semantic.expr import And, Expr, FieldRef, Has, Predicate


@dataclass(frozen=True, slots=True)
class SelectShape:
    """`base` is the FROM table's dataset; `anchor` the dataset whose rows the result has (a subtype that is joined in, else the base)."""

    base: str
    anchor: str
    where: Predicate | None
    columns: Mapping[str, Expr] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        return f"{self.anchor}|{self.where.model_dump_json() if self.where else ''}"


def read_select(draft: Draft, sql: str) -> SelectShape | None:
    """The shape of one SELECT over declared joins, or None where it holds what the catalog cannot carry."""
    try:
        tree = sqlglot.parse_one(sql)
    except SqlglotError:
        return None
    if not isinstance(tree, exp.Select) or any(tree.args.get(k) for k in ("group", "having", "limit", "windows", "with_")):
        return None
    source = tree.args.get("from_") or tree.args.get("from")
    if source is None or not isinstance(source.this, exp.Table):
        return None
    aliases: dict[str, Dataset] = {}
    for table in [source.this, *(j.this for j in tree.args.get("joins") or ())]:
        found = draft.table(table.name) if isinstance(table, exp.Table) else None
        if found is None:
            return None
        aliases[table.alias_or_name.lower()] = found
    base = next(iter(aliases.values()))
    resolve = _resolver(draft, aliases)
    where = tree.args.get("where")
    predicate = _condition(draft, where.this, resolve, base) if where else None
    if where and predicate is None:
        return None
    columns: dict[str, Expr] = {}
    for item in tree.expressions:
        inner = item.this if isinstance(item, exp.Alias) else item
        value = to_expr(inner, resolve)
        if value is not None:
            columns[item.alias_or_name.lower()] = value
    return SelectShape(base.name, _anchor(draft, base, list(aliases.values())[1:]).name, predicate, columns)


def _anchor(draft: Draft, base: Dataset, joined: list[Dataset]) -> Dataset:
    for other in joined:
        one = any(r.from_dataset == other.name and r.to_dataset == base.name and r.cardinality == "one_to_one" for r in draft.relationships)
        if other.kind == DatasetKind.SUBTYPE and one:
            return other
    return base


def _resolver(draft: Draft, aliases: Mapping[str, Dataset]) -> Resolve:
    def resolve(table: str, column: str) -> FieldRef | None:
        places = [aliases[table.lower()]] if table.lower() in aliases else list(aliases.values()) if not table else []
        for dataset in places:
            found = draft.column(dataset, column)
            if found:
                return FieldRef(dataset=dataset.name, field=found.name)
        return None

    return resolve


def _condition(draft: Draft, node: exp.Expr, resolve: Resolve, base: Dataset) -> Predicate | None:
    if isinstance(node, exp.And):
        left, right = _condition(draft, node.left, resolve, base), _condition(draft, node.right, resolve, base)
        return And(items=(left, right)) if left is not None and right is not None else None
    negated = isinstance(node, exp.Not)
    inner = node.this if negated else node
    if isinstance(inner, exp.In) and inner.args.get("query") is not None:
        return _membership(draft, inner, base, negate=negated)
    return to_predicate(node, resolve)


def _membership(draft: Draft, node: exp.In, base: Dataset, *, negate: bool) -> Predicate | None:
    """`key IN (SELECT key FROM other)`: has related rows in `other`, where the two are related on that key."""
    query = node.args["query"]
    select = query.this if isinstance(query, exp.Subquery) else query
    source = select.args.get("from_") or select.args.get("from") if isinstance(select, exp.Select) else None
    if source is None or select.args.get("where") or not isinstance(source.this, exp.Table):
        return None
    other = draft.table(source.this.name)
    if other is None:
        return None
    link = next((r for r in draft.relationships if {r.from_dataset, r.to_dataset} == {other.name, base.name}), None)
    return Has(dataset=other.name, via=(link.name,), negate=negate) if link else None
