"""The FROM of one select: a base dataset and the joins that its expressions ask for."""

from __future__ import annotations

from sqlglot import exp

from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldType
from semantic.compile.functions import both, call
from semantic.compile.idents import column, derived, ident
from semantic.joins import JoinGraph, Step, graph_of


class Scope:
    """Tables by the path that leads to them; a path is joined once, when first asked for.

    Steps to the one side are LEFT joins (rows without a match stay, with NULLs); steps to a many side, which only blocks that make rows distinct and
    expanded listings ask for, are INNER joins.
    """

    def __init__(self, catalog: Catalog, base: str) -> None:
        self.catalog = catalog
        self.graph: JoinGraph = graph_of(catalog)
        self.base = base
        self._aliases: dict[tuple[str, ...], tuple[str, Dataset]] = {}
        self._taken: set[str] = set()
        self.joins: list[exp.Join] = []
        self._aliases[()] = (self.take(base), catalog.dataset(base))

    def take(self, wanted: str) -> str:
        """A table alias that is free in this select."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    def joins_already(self, via: tuple[str, ...]) -> bool:
        return via in self._aliases

    def table(self, via: tuple[str, ...]) -> tuple[str, Dataset]:
        """Alias and dataset at the end of `via`, joined on the way."""
        known = self._aliases.get(via)
        if known is not None:
            return known
        source_alias, source = self.table(via[:-1])
        step = self.graph.steps(via[-1:])[0]
        target = self.catalog.dataset(step.target)
        alias = self.take(target.name if target.name not in self._taken else f"{target.name}_{step.relationship.name}")
        on = join_condition(step, source_alias, source, alias, target)
        side = {"side": "LEFT"} if step.to_one else {"kind": "INNER"}
        self.joins.append(exp.Join(this=physical(target, alias), on=on, **side))
        self._aliases[via] = (alias, target)
        return alias, target

    def join_derived(self, select: exp.Expression, wanted: str, keys: list[tuple[exp.Expression, str]]) -> str:
        """LEFT JOIN of a sub-select with at most one row per key; returns its alias. keys: (expression here, column there)."""
        alias = self.take(wanted)
        on = both(*(exp.EQ(this=here, expression=column(alias, there)) for here, there in keys))
        if on is None:
            self.joins.append(exp.Join(this=derived(select, alias), kind="CROSS"))
        else:
            self.joins.append(exp.Join(this=derived(select, alias), on=on, side="LEFT"))
        return alias

    def source(self) -> exp.Expression:
        """The base dataset, as the FROM names it."""
        alias, dataset = self._aliases[()]
        return physical(dataset, alias)

    def attach(self, select: exp.Select) -> exp.Select:
        """`select` with this FROM and its joins."""
        select.set("from_", exp.From(this=self.source()))
        if self.joins:
            select.set("joins", self.joins)
        return select


def physical(dataset: Dataset, alias: str) -> exp.Table:
    """The table as `database.table AS alias`, which the guard replaces by a tenant's rows; it says which dataset is meant."""
    table = exp.Table(this=ident(dataset.table), db=ident(dataset.database), alias=exp.TableAlias(this=ident(alias)))
    table.meta["dataset"] = dataset.name
    return table


def raw(alias: str, field: CatalogField) -> exp.Expression:
    """The field's column as stored."""
    return column(alias, field.column or field.name)


_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT, FieldType.BOOLEAN})


def compared_as_text(left: CatalogField, right: CatalogField) -> bool:
    """Whether two key columns only compare as text (a number stored as text on one side)."""
    return left.type is not right.type and not {left.type, right.type} <= _NUMBERS


def join_condition(step: Step, source_alias: str, source: Dataset, target_alias: str, target: Dataset) -> exp.Expression:
    """Equality of the relationship's fields; keys of different kinds are compared as text."""
    parts = []
    for left_name, right_name in zip(step.source_fields, step.target_fields, strict=True):
        left_field, right_field = source.field(left_name), target.field(right_name)
        left, right = raw(source_alias, left_field), raw(target_alias, right_field)
        if compared_as_text(left_field, right_field):
            left, right = call("toString", left), call("toString", right)
        parts.append(exp.EQ(this=left, expression=right))
    on = both(*parts)
    if on is None:
        raise ValueError(f"relationship {step.relationship.name} has no fields")
    return on
