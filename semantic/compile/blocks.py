"""One block in SQL: atoms of one dataset, aggregated at its own grain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from sqlglot import exp

from semantic.catalog.model import Catalog
from semantic.compile.aggregates import aggregate, truth_as_number
from semantic.compile.functions import call, no, text, whole
from semantic.compile.idents import again, aliased, column, derived
from semantic.compile.keys import block_key
from semantic.compile.layer import Layer
from semantic.compile.params import Params
from semantic.compile.preaggregation import preaggregated
from semantic.compile.rows import Row
from semantic.compile.scope import Scope, raw
from semantic.expr import DatePart
from semantic.query import AggregateKind
from semantic.resolve.types import Atom, Block, DimensionBlock

Reader = Callable[[], exp.Expression]


@dataclass(frozen=True, slots=True)
class Rest:
    """Everything outside the groups that `chosen` selects (or everything, without it), grouped by the `kept` keys only."""

    kept: tuple[int, ...]
    chosen: Callable[[], exp.Select] | None = None


def identity(key: exp.Expression) -> exp.Expression:
    """A key as text that is never NULL, so that the NULL group has a place in an IN list."""
    return call("ifNull", call("concat", text("v"), call("toString", key)), text("n"))


def _outside(keys: list[exp.Expression], chosen: exp.Select) -> exp.Expression:
    found = [identity(key) for key in keys]
    left = found[0] if len(found) == 1 else call("tuple", *found)
    return no(cast(exp.Expression, exp.In(this=left, query=exp.Subquery(this=chosen))))


def block_layer(
    block: Block, atoms: tuple[Atom, ...], catalog: Catalog, params: Params, prefix: str = "a", rest: Rest | None = None
) -> Layer:
    """Columns `k0..` for the keys and `a{slot}` for the atoms."""
    own = [(slot, atoms[slot]) for slot in block.slots]
    parts = preaggregated(block, own, catalog, params, prefix) if rest is None else None
    if parts is not None:
        return _without_strays(parts, block)
    row = Row(Scope(catalog, block.dataset), params, block.where)
    keys = [block_key(row, key) for key in block.keys]
    if rest is not None:
        if rest.chosen is not None:
            row.extra = _outside([again(key) for key in keys], rest.chosen())
        keys = [keys[i] for i in rest.kept]
        block = replace(block, keys=tuple(block.keys[i] for i in rest.kept))
    if any(atom.latest_by is not None for _, atom in own):
        layer = _latest(row, block, keys, own, prefix)
    elif block.distinct:
        layer = _distinct(row, block, keys, own, prefix)
    else:
        values = {}
        for slot, atom in own:
            value = truth_as_number(row.expr(atom.of[0]), row.type_of(atom.of[0])) if atom.of else None
            condition = row.filter(atom.where)
            values[f"{prefix}{slot}"] = aggregate(atom.aggregate, value, condition, atom.quantile, grouped=bool(keys))
        layer = _finish(row, keys, values)
    if rest is not None:
        layer.keep(exp.GT(this=call("count"), expression=whole(0)))
    return _without_strays(layer, block)


def _without_strays(layer: Layer, block: Block) -> Layer:
    """Without compared buckets that have no partner on the main time line."""
    for index, key in enumerate(block.keys):
        if key.shift is not None and key.shift.unit.value in ("month", "quarter", "year") and block.compared:
            layer.keep(exp.Not(this=exp.Is(this=layer.read(f"k{index}"), expression=exp.Null())))
    return layer


def _finish(row: Row, keys: list[exp.Expression], values: dict[str, exp.Expression]) -> Layer:
    select = exp.Select()
    condition = row.filtered()
    row.scope.attach(select)
    if condition is not None:
        select.set("where", exp.Where(this=condition))
    if keys:
        select.set("group", exp.Group(expressions=[again(key) for key in keys]))
    columns: dict[str, exp.Expression] = {f"k{index}": key for index, key in enumerate(keys)}
    return Layer(select, columns | values, grouped=True)


def _inner(row: Row, keys: list[exp.Expression], own: list[tuple[int, Atom]]) -> dict[str, exp.Expression]:
    columns: dict[str, exp.Expression] = {f"k{index}": key for index, key in enumerate(keys)}
    for slot, atom in own:
        if atom.of:
            columns[f"v{slot}"] = truth_as_number(row.expr(atom.of[0]), row.type_of(atom.of[0]))
        condition = row.filter(atom.where)
        if condition is not None:
            columns[f"c{slot}"] = call("ifNull", condition.this if isinstance(condition, exp.Paren) else condition, whole(0))
    return columns


def _outer(inner: exp.Select, keys: int, own: list[tuple[int, Atom]], prefix: str, alias: str) -> Layer:
    select = exp.Select()
    select.set("from_", exp.From(this=derived(inner, alias)))
    columns: dict[str, exp.Expression] = {f"k{index}": column(alias, f"k{index}") for index in range(keys)}
    if keys:
        select.set("group", exp.Group(expressions=[column(alias, f"k{index}") for index in range(keys)]))
    for slot, atom in own:
        value = column(alias, f"v{slot}") if atom.of else None
        condition = column(alias, f"c{slot}") if atom.where is not None else None
        columns[f"{prefix}{slot}"] = aggregate(atom.aggregate, value, condition, atom.quantile, grouped=bool(keys))
    return Layer(select, columns, grouped=True)


def _distinct(row: Row, block: Block, keys: list[exp.Expression], own: list[tuple[int, Atom]], prefix: str) -> Layer:
    """Rows made distinct by primary key and group keys, then aggregated: each row counts once per group."""
    alias, dataset = row.scope.table(())
    identity = {f"i{n}": raw(alias, dataset.field(name)) for n, name in enumerate(dataset.primary_key)}
    columns = _inner(row, keys, own) | identity
    select = exp.Select(expressions=[aliased(node, name) for name, node in columns.items()], distinct=exp.Distinct())
    condition = row.filtered()
    row.scope.attach(select)
    if condition is not None:
        select.set("where", exp.Where(this=condition))
    return _outer(select, len(keys), own, prefix, "d")


def _latest(row: Row, block: Block, keys: list[exp.Expression], own: list[tuple[int, Atom]], prefix: str) -> Layer:
    """Stocks: only rows at the latest time of each time bucket (or of the whole window) are added up."""
    time = own[0][1].latest_by
    if time is None:
        raise TypeError("stocks carry their time field")
    moment = row.expr(time)
    buckets = [key.copy() for key, spec in zip(keys, block.keys, strict=True) if isinstance(spec.expr, DatePart)]
    columns = _inner(row, keys, own)
    alias, dataset = row.scope.table(())
    if block.distinct:
        columns |= {f"i{n}": raw(alias, dataset.field(name)) for n, name in enumerate(dataset.primary_key)}
    columns["t"] = moment
    columns["latest"] = exp.Window(this=call("max", moment.copy()), partition_by=buckets)
    inner = exp.Select(expressions=[aliased(node, name) for name, node in columns.items()])
    condition = row.filtered()
    row.scope.attach(inner)
    if condition is not None:
        inner.set("where", exp.Where(this=condition))
    if block.distinct:
        inner.set("distinct", exp.Distinct())
    layer = _outer(inner, len(keys), own, prefix, "s")
    layer.select.set("where", exp.Where(this=exp.EQ(this=column("s", "t"), expression=column("s", "latest"))))
    return layer


def dimension_layer(block: DimensionBlock, catalog: Catalog, params: Params) -> Layer:
    """Distinct keys of one dimension dataset, as columns `k{index}`."""
    row = Row(Scope(catalog, block.dataset), params, block.where)
    keys = {f"k{index}": block_key(row, key) for index, key in zip(block.columns, block.keys, strict=True)}
    select = exp.Select(distinct=exp.Distinct())
    condition = row.filter(block.where)
    row.scope.attach(select)
    if condition is not None:
        select.set("where", exp.Where(this=condition))
    return Layer(select, keys)


def is_count(atom: Atom) -> bool:
    return atom.aggregate in (AggregateKind.COUNT, AggregateKind.COUNT_DISTINCT)


def is_sum(atom: Atom) -> bool:
    """A sum that is 0 over no rows where the query says so (`zero_sums`); a stock without a reading stays unknown."""
    return atom.aggregate is AggregateKind.SUM and atom.latest_by is None
