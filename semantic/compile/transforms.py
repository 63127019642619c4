"""Windows over the aggregated result: shares, running totals, moving averages, growth, ranks."""

from __future__ import annotations

from typing import Protocol, cast

from sqlglot import exp

from core.errors import Invalid
from semantic.compile.expressions import divided
from semantic.compile.functions import call, is_null, paren, whole
from semantic.compile.layer import Layer
from semantic.compile.listing import ordering
from semantic.compile.measures import accumulated_name, value_of
from semantic.compile.params import Params
from semantic.compile.times import bucket
from semantic.query import AggregateKind, Transform
from semantic.resolve.measures import slots_of
from semantic.resolve.types import Accumulated, Aggregation, AtomValue, Operation, ResolvedQuery, Shape
from semantic.states import OutputColumn


class Build(Protocol):
    resolved: ResolvedQuery
    plan: Aggregation
    params: Params
    shape: Shape
    layer: Layer
    notes: list[str]
    shown: list[tuple[str, OutputColumn]]

    def wrap(self, alias: str) -> None: ...
    def total(self, metric: int) -> exp.Expression: ...
    def _order(self) -> list[tuple[str, bool, bool]]: ...


_LABELS = {
    "share": "{label}, share",
    "running_total": "{label}, running total",
    "moving_average": "{label}, moving average",
    "moving_sum": "{label}, rolling total",
    "growth": "{label}, growth",
    "difference": "{label}, difference",
    "rank": "{label}, rank",
    "lag": "{label}, previous",
}


def add_transforms(build: Build) -> None:
    """Columns `t0..` for the query's transforms."""
    if not build.shape.transform:
        return
    order = build._order() if not any(o.target == "transform" for o in build.shape.order) else []
    build.wrap("w")
    taken = {output.name for _, output in build.shown}
    for index, transform in enumerate(build.shape.transform):
        build.layer.columns[f"t{index}"] = _value(build, transform, order)
        measure = build.plan.measures[transform.metric]
        base = transform.alias or f"{measure.name}_{transform.kind}"
        name = base if base not in taken else f"{base}_{index}"
        taken.add(name)
        percent = transform.percent and transform.kind in ("share", "growth")
        plain = transform.kind in ("running_total", "moving_average", "moving_sum", "difference", "lag")
        output = OutputColumn(
            name, transform.alias or _LABELS[transform.kind].format(label=measure.label), "measure", "transform",
            None if percent else measure.unit if plain else None, "percent_points" if percent else measure.format if plain else None,
            measure_index=transform.metric, good_direction=measure.good_direction if transform.kind != "rank" else None,
            transform=transform.kind,
        )  # fmt: skip
        place = next(i for i, (shown, _) in enumerate(build.shown) if shown == f"m{transform.metric}" or shown.startswith("t"))
        if transform.replace:
            build.shown = [(f"t{index}", output) if shown == f"m{transform.metric}" else (shown, o) for shown, o in build.shown]
        else:
            build.shown.insert(max(place + 1, len(build.shown)), (f"t{index}", output))
    build.wrap("x")


def _value(build: Build, transform: Transform, order: list[tuple[str, bool, bool]]) -> exp.Expression:
    value = build.layer.read(f"m{transform.metric}")
    if transform.kind == "share":
        within = [build.layer.read(f"k{i}") for i, c in enumerate(build.plan.keys) if c.by in transform.per]
        if not within and _counts_distinct(build, transform):
            total = build.total(transform.metric)
        else:
            _check_additive(build, transform)
            total = cast(exp.Expression, exp.Window(this=call("sum", value.copy()), partition_by=within or None))
        share = divided(value, total)
        return exp.Mul(this=share, expression=whole(100)) if transform.percent else share
    if transform.kind == "rank":
        ranked = exp.Order(expressions=[ordering(value, transform.descending, True)])
        within = [build.layer.read(f"k{i}") for i, c in enumerate(build.plan.keys) if c.by in transform.per]
        return exp.Window(this=call("dense_rank"), partition_by=within or None, order=ranked)
    times = [i for i, c in enumerate(build.plan.keys) if c.role == "time"]
    if times:
        time = build.layer.read(f"k{times[0]}")
        along = [ordering(time, False, True)]
        within = [build.layer.read(f"k{i}") for i in range(len(build.plan.keys)) if i != times[0]]
        if _may_be_null(build):
            within.append(is_null(time.copy()))
    else:
        along = [ordering(build.layer.read(name), down, last) for name, down, last in order]
        within = [build.layer.read(f"k{i}") for i, c in enumerate(build.plan.keys) if c.by in transform.per]
    if not along:
        raise Invalid(f"{transform.kind} needs a time group or another group to go along.", code="bad_query", suggestions=("by month",))

    def over(function: exp.Expression, frame: int | None = None) -> exp.Expression:
        spec = exp.WindowSpec(
            kind="ROWS",
            start="UNBOUNDED" if frame is None else whole(frame),
            start_side="PRECEDING",
            end="CURRENT ROW",
        )
        order_node = exp.Order(expressions=[node.copy() for node in along])
        return exp.Window(this=function, partition_by=[node.copy() for node in within] or None, order=order_node, spec=spec)

    if transform.kind == "running_total":
        _check_additive(build, transform)
        return over(call("sum", value))
    if transform.kind == "moving_sum":
        _check_additive(build, transform)
        return over(call("sum", value), (transform.size or 3) - 1)
    if transform.kind == "moving_average":
        return over(call("avg", value), (transform.size or 3) - 1)
    before = over(call("lagInFrame", call("toNullable", value.copy()), whole(transform.size - 1 if transform.size else 1)))
    if transform.kind == "lag":
        return before
    change = exp.Sub(this=paren(value), expression=before)
    if transform.kind == "difference":
        return change
    growth = divided(change, call("abs", before.copy()))
    return exp.Mul(this=growth, expression=whole(100)) if transform.percent else growth


def _may_be_null(build: Build) -> bool:
    """Whether rows without a time make a bucket of their own, which no other bucket leads to: only an open window lets them in."""
    return not build.resolved.windows


def _counts_distinct(build: Build, transform: Transform) -> bool:
    formula = build.plan.measures[transform.metric].formula
    return isinstance(formula, AtomValue) and build.plan.atoms[formula.slot].aggregate is AggregateKind.COUNT_DISTINCT


def _check_additive(build: Build, transform: Transform) -> None:
    """A total of groups is only the total of all rows where the measure adds up.

    Raises: Invalid `not_additive`.
    """
    measure = build.plan.measures[transform.metric]
    atoms = [build.plan.atoms[slot] for slot in slots_of(measure.formula)]
    if _is_linear(measure.formula) and all(a.aggregate in (AggregateKind.SUM, AggregateKind.COUNT) for a in atoms):
        return
    if _counts_distinct(build, transform):
        build.notes.append(f"{measure.label}: the total counts something twice that occurs in several groups.")
        return
    raise Invalid(
        f"{measure.label} does not add up over groups (it is a ratio, an average or an extreme), so a {transform.kind.replace('_', ' ')} of it means nothing.",
        code="not_additive",
        suggestions=("use a sum or a count",),
    )


def _is_linear(formula: object) -> bool:
    match formula:
        case AtomValue():
            return True
        case Operation(op="+" | "-"):
            return _is_linear(formula.left) and _is_linear(formula.right)
        case Accumulated():
            return _is_linear(formula.of)
        case _:
            return False


def add_accumulated(build: Build, parts: tuple[Accumulated, ...]) -> None:
    """Columns for measures that add up over time buckets; without a time group they are the plain total."""
    times = [i for i, c in enumerate(build.plan.keys) if c.role == "time" and c.grain]
    for part in parts:
        for side in ("a", "b") if build.plan.compare is not None else ("a",):
            build.layer.columns[f"i{accumulated_name(part, side)}"] = value_of(part.of, build.layer, build.params, side)
    build.wrap("c")
    for part in parts:
        for side in ("a", "b") if build.plan.compare is not None else ("a",):
            name = accumulated_name(part, side)
            inner = build.layer.read(f"i{name}")
            build.layer.columns[name] = _accumulated(build, part, inner, times) if times else inner
    build.wrap("i")


def _accumulated(build: Build, part: Accumulated, inner: exp.Expression, times: list[int]) -> exp.Expression:
    time = f"k{times[0]}"
    within = [build.layer.read(f"k{i}") for i in range(len(build.plan.keys)) if i != times[0]]
    if part.grain_to_date is not None and part.buckets is None:
        key = build.plan.keys[times[0]]
        is_date = key.type.value == "date"
        within.append(bucket(build.layer.read(time), part.grain_to_date, is_date, build.resolved.catalog.calendar))
    start: object = "UNBOUNDED" if part.buckets is None else whole(part.buckets - 1)
    spec = exp.WindowSpec(kind="ROWS", start=start, start_side="PRECEDING", end="CURRENT ROW")
    order = exp.Order(expressions=[ordering(build.layer.read(time), False, True)])
    return exp.Window(this=call("sum", inner), partition_by=within or None, order=order, spec=spec)
