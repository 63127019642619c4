"""Blocks side by side: one row per group, a column per atom.

Blocks meet by UNION ALL and a second grouping, where `any` takes the one value that is not NULL. Unlike a full join, that matches NULL groups, works
for any number of blocks and takes groups without facts and compared periods as further branches.
"""

from __future__ import annotations

from sqlglot import exp

from semantic.catalog.model import Catalog
from semantic.compile.blocks import Rest, block_layer, dimension_layer, is_count, is_sum
from semantic.compile.functions import call, text, whole
from semantic.compile.idents import aliased, column, derived
from semantic.compile.layer import Layer
from semantic.compile.params import Params
from semantic.compile.times import _ADD
from semantic.resolve.types import Aggregation, Block

MAIN, OTHER, MARK, PRESENT = "a", "b", "main", "present"


def frame(plan: Aggregation, catalog: Catalog, params: Params, rest: Rest | None = None) -> Layer:
    """Columns `k0..` (keys), `a0..` (atoms) and, with a comparison, `b0..` (the compared atoms). With `rest`, only its kept keys, renumbered."""
    if len(plan.blocks) == 1 and not plan.empties:
        layer = block_layer(plan.blocks[0], plan.atoms, catalog, params, rest=rest)
    else:
        layer = _united(plan, catalog, params, rest)
    if rest is not None:
        return layer
    return _filled(layer, plan, params) if plan.fill is not None else layer


def _united(plan: Aggregation, catalog: Catalog, params: Params, rest: Rest | None) -> Layer:
    keys = [f"k{index}" for index in range(len(plan.keys) if rest is None else len(rest.kept))]
    values = [f"{MAIN}{slot}" for slot in range(len(plan.atoms))]
    if plan.compare is not None:
        values += [f"{OTHER}{slot}" for slot in range(len(plan.atoms))]
    marked = plan.compare is not None and plan.compare.only_main_groups
    branches = [
        _branch(block, keys, values, block_layer(block, plan.atoms, catalog, params, _side(block), rest), marked) for block in plan.blocks
    ]
    if plan.empties and rest is None:
        branches.append(_empty_branch(plan, catalog, params, keys, values))
    union: exp.Expression = branches[0]
    for branch in branches[1:]:
        union = exp.Union(this=union, expression=branch, distinct=False)
    select = exp.Select()
    select.set("from_", exp.From(this=derived(union, "u")))
    columns: dict[str, exp.Expression] = {name: column("u", name) for name in keys}
    if keys:
        select.set("group", exp.Group(expressions=[column("u", name) for name in keys]))
    for name in values:
        value = call("any", column("u", name))
        atom = plan.atoms[int(name[1:])]
        zero = is_count(atom) or (plan.zero_sums and is_sum(atom))
        columns[name] = call("ifNull", value, whole(0)) if zero else value
    layer = Layer(select, columns, grouped=True)
    if rest is not None:
        layer.keep(exp.GT(this=call("count"), expression=whole(0)))
    if marked:
        layer.keep(exp.Not(this=exp.Is(this=call("any", column("u", MARK)), expression=exp.Null())))
    return layer


def _side(block: Block) -> str:
    return OTHER if block.compared else MAIN


def _branch(block: Block, keys: list[str], values: list[str], layer: Layer, marked: bool) -> exp.Select:
    shown = [*keys, *values]
    if marked:
        layer.columns[MARK] = exp.Null() if block.compared else whole(1)
        shown.append(MARK)
    layer.select.set("expressions", [aliased(layer.columns.get(name) or exp.Null(), name) for name in shown])
    return layer.select


def _empty_branch(plan: Aggregation, catalog: Catalog, params: Params, keys: list[str], values: list[str]) -> exp.Select:
    select = exp.Select()
    sources: dict[str, exp.Expression] = {}
    for index, block in enumerate(plan.empties):
        layer = dimension_layer(block, catalog, params)
        alias = f"e{index}"
        for name in layer.columns:
            sources[name] = column(alias, name)
        inner = derived(layer.closed(), alias)
        if index == 0:
            select.set("from_", exp.From(this=inner))
        else:
            select.append("joins", exp.Join(this=inner, kind="CROSS"))
    select.set("expressions", [aliased(sources.get(name) or exp.Null(), name) for name in (*keys, *values)])
    return select


def _filled(layer: Layer, plan: Aggregation, params: Params) -> Layer:
    """Empty buckets between the window's ends (or the first and last bucket) for each combination of the other keys."""
    fill = plan.fill
    if fill is None:
        return layer
    inner = layer.wrapped("f")
    grain = plan.keys[fill.column].grain or "day"
    time = f"k{fill.column}"
    instants = _ADD[grain] in ("addHours", "addMinutes")
    for name in inner.columns:
        if name == time:
            column_ = inner.columns[name]
            inner.columns[name] = call("toDateTime", column_, text(params.zone)) if instants else call("toDate32", column_)
        elif not name.startswith("k"):
            inner.columns[name] = call("toNullable", inner.columns[name])
    if not fill.shown:
        inner.columns[PRESENT] = call("toNullable", whole(1))
    others = [f"k{index}" for index in range(len(plan.keys)) if index != fill.column]
    bound = {}
    if fill.start is not None:
        bound["from_"] = params.instant(fill.start) if instants else params.add("Date32", fill.start.date())
    if fill.end is not None:
        bound["to"] = params.instant(fill.end) if instants else params.add("Date32", fill.end.date())
    step = exp.Interval(this=whole(1), unit=exp.Var(this=grain.upper()))
    ordered = exp.Ordered(this=inner.columns[time].copy(), with_fill=exp.WithFill(**bound, step=step))
    order = [exp.Ordered(this=inner.columns[name].copy()) for name in others]
    inner.select.set("order", exp.Order(expressions=[*order, ordered]))
    outer = inner.wrapped("g")
    for name in outer.columns:
        if name[0] in (MAIN, OTHER) and (is_count(plan.atoms[int(name[1:])]) or (plan.zero_sums and is_sum(plan.atoms[int(name[1:])]))):
            outer.columns[name] = call("ifNull", outer.columns[name], whole(0))
    return outer
