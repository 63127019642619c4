"""An aggregation in SQL: frame, measures, comparison, transforms, conditions, order and cuts, one select around another where needed."""

from __future__ import annotations

from sqlglot import exp

from core.errors import Invalid
from semantic.compile.blocks import Layer, is_count
from semantic.compile.frame import frame
from semantic.compile.functions import call, operation, parametric, paren, whole
from semantic.compile.idents import aliased
from semantic.compile.listing import cut, ordering
from semantic.compile.measures import accumulated_name, accumulated_parts, changed, value_of
from semantic.compile.params import Params
from semantic.compile.transforms import add_accumulated, add_transforms
from semantic.resolve.types import Aggregation, AtomValue, ResolvedHaving, ResolvedQuery
from semantic.states import OutputColumn

_CHANGE_WORDS = {
    "value": "{label}, {other}",
    "difference": "{label}, change",
    "percent": "{label}, change in percent",
    "index": "{label}, index",
}
_CHANGE_NAMES = {"value": "{name}_compared", "difference": "{name}_change", "percent": "{name}_change_percent", "index": "{name}_index"}
Compiled = tuple[exp.Expression, tuple[OutputColumn, ...], tuple[str, ...]]


class _Build:
    def __init__(self, resolved: ResolvedQuery, plan: Aggregation, params: Params) -> None:
        self.resolved, self.plan, self.params, self.shape = resolved, plan, params, resolved.shape
        self.layer: Layer = frame(plan, resolved.catalog, params)
        self.notes: list[str] = []
        self.shown: list[tuple[str, OutputColumn]] = []

    def run(self) -> Compiled:
        self._accumulate()
        self._measures()
        add_transforms(self)
        self._having()
        self._limit_by()
        order = self._order()
        if self.shape.with_ties and self.shape.limit is not None and self.shape.order:
            order = self._ties(order)
        columns = [(self.layer.read(name), output) for name, output in self.shown]
        select = self.layer.select
        select.set("expressions", [aliased(self._rounded(node, output), output.name) for node, output in columns])
        if order:
            select.set("order", exp.Order(expressions=[ordering(self.layer.read(name), down, last) for name, down, last in order]))
        if not self.shape.with_ties or not self.shape.order:
            cut(select, self.shape.limit, self.shape.offset)
        return select, tuple(output for _, output in columns), tuple(self.notes)

    # steps

    def wrap(self, alias: str) -> None:
        self.layer = self.layer.wrapped(alias)

    def _accumulate(self) -> None:
        parts = {accumulated_name(p, "a"): p for m in self.plan.measures for p in accumulated_parts(m.formula)}
        parts |= {accumulated_name(p, "a"): p for h in self.plan.having for p in accumulated_parts(h.left)}
        if parts:
            add_accumulated(self, tuple(parts.values()))

    def _measures(self) -> None:
        for index, column in enumerate(self.plan.keys):
            if column.shown:
                output = OutputColumn(column.name, column.label, column.role, column.source, column.unit, column.format, column.grain)
                self.shown.append((f"k{index}", output))
        for index, measure in enumerate(self.plan.measures):
            main = value_of(measure.formula, self.layer, self.params)
            self.layer.columns[f"m{index}"] = main
            output = OutputColumn(
                measure.name, measure.label, "measure", measure.source, measure.unit, measure.format,
                measure_index=index, good_direction=measure.good_direction,
            )  # fmt: skip
            self.shown.append((f"m{index}", output))
            if self.plan.compare is not None:
                self._compared(index, main, output)

    def _compared(self, index: int, main: exp.Expression, output: OutputColumn) -> None:
        compare = self.plan.compare
        if compare is None:
            return
        other = value_of(self.plan.measures[index].formula, self.layer, self.params, "b")
        for form in ("value", "difference", "percent", "index"):
            name = f"{form[0]}{index}"
            self.layer.columns[name] = changed(form, main.copy(), other.copy())
            if form in compare.show:
                words = _CHANGE_WORDS[form].format(label=output.label, other=compare.label)
                same_unit = form in ("value", "difference")
                shown = OutputColumn(
                    _CHANGE_NAMES[form].format(name=output.name), words, "measure" if form == "value" else "change", output.source,
                    output.unit if same_unit else None,
                    output.format if same_unit else "percent_points" if form == "percent" else None,
                    measure_index=index, good_direction=output.good_direction,
                )  # fmt: skip
                self.shown.append((name, shown))

    def _having(self) -> None:
        if not self.plan.having:
            return
        tests: list[tuple[exp.Expression, str, exp.Expression | None]] = []
        for index, having in enumerate(self.plan.having):
            left, right = self._having_sides(index, having)
            tests.append((left, having.having.op, right))
        if any(h.having.versus is not None for h in self.plan.having):
            self._having_over_groups(tests)
            return
        for left, op, right in tests:
            if right is None:
                raise TypeError("having has one right side")
            self.layer.keep(operation(op, left, right))

    def _having_sides(self, index: int, having: ResolvedHaving) -> tuple[exp.Expression, exp.Expression | None]:
        left = value_of(having.left, self.layer, self.params)
        if having.having.change is not None:
            if self.plan.compare is None:
                raise Invalid("A condition on the change needs `compare`.", code="bad_query")
            left = changed(having.having.change, left, value_of(having.left, self.layer, self.params, "b"))
        if having.having.value is not None:
            number = having.having.value * having.having.factor
            return left, self.params.value(int(number) if number == int(number) else number)
        if having.right is not None:
            return left, self._scaled(value_of(having.right, self.layer, self.params), having.having.factor)
        return left, None

    def _scaled(self, node: exp.Expression, factor: float) -> exp.Expression:
        return node if factor == 1.0 else exp.Mul(this=paren(node), expression=self.params.value(float(factor)))

    def _having_over_groups(self, tests: list[tuple[exp.Expression, str, exp.Expression | None]]) -> None:
        for index, (left, _, right) in enumerate(tests):
            self.layer.columns[f"h{index}"] = left
            if right is not None:
                self.layer.columns[f"r{index}"] = right
        self.wrap("h")
        for index, having in enumerate(self.plan.having):
            versus = having.having.versus
            if versus is not None:
                value = call("toFloat64", self.layer.read(f"h{index}"))
                over = parametric("quantileExactInclusive", 0.5, value) if versus == "median" else call(versus, value)
                self.layer.columns[f"r{index}"] = self._scaled(exp.Window(this=over), having.having.factor)
        self.wrap("v")
        for index, (_, op, _) in enumerate(tests):
            self.layer.keep(operation(op, self.layer.read(f"h{index}"), self.layer.read(f"r{index}")))

    def _limit_by(self) -> None:
        by = self.shape.limit_by
        if by is None:
            return
        self.wrap("l")
        within = [self.layer.read(f"k{i}") for i, c in enumerate(self.plan.keys) if c.by == by.index]
        order = [ordering(self.layer.read(name), down, last) for name, down, last in self._order()]
        self.layer.columns["place"] = exp.Window(this=call("row_number"), partition_by=within, order=exp.Order(expressions=order))
        self.wrap("p")
        self.layer.keep(exp.LTE(this=self.layer.read("place"), expression=whole(by.limit)))

    def _ties(self, order: list[tuple[str, bool, bool]]) -> list[tuple[str, bool, bool]]:
        if self.layer.grouped or self.layer.select.args.get("where") is not None:
            self.wrap("o")
        wanted = order[: self._asked]
        ranked = exp.Order(expressions=[ordering(self.layer.read(name), down, last) for name, down, last in wanted])
        self.layer.columns["rank_"] = exp.Window(this=call("rank"), order=ranked)
        self.wrap("r")
        place = self.layer.read("rank_")
        self.layer.keep(exp.LTE(this=place, expression=whole((self.shape.limit or 0) + self.shape.offset)))
        if self.shape.offset:
            self.layer.keep(exp.GT(this=place.copy(), expression=whole(self.shape.offset)))
        return order

    def _order(self) -> list[tuple[str, bool, bool]]:
        """Column, descending, NULLs last; completed by all keys, so that a cut is always the same."""
        found: list[tuple[str, bool, bool]] = []
        for order in self.shape.order:
            if order.target == "metric":
                found.append((f"m{order.index}", order.descending, order.nulls_last))
            elif order.target == "change":
                found.append((f"d{order.index}", order.descending, order.nulls_last))
            elif order.target == "transform":
                found.append((f"t{order.index}", order.descending, order.nulls_last))
            elif order.target == "by":
                shown = [i for i, c in enumerate(self.plan.keys) if c.by == order.index and c.shown]
                found += [(f"k{i}", order.descending, order.nulls_last) for i in shown]
        self._asked = len(found)
        known = {name for name, _, _ in found}
        times = [i for i, c in enumerate(self.plan.keys) if c.role == "time"]
        shown_keys = [i for i, c in enumerate(self.plan.keys) if c.shown and i not in times]
        hidden = [i for i, c in enumerate(self.plan.keys) if not c.shown]
        return found + [(f"k{i}", False, True) for i in (*times, *shown_keys, *hidden) if f"k{i}" not in known]

    def _rounded(self, node: exp.Expression, output: OutputColumn) -> exp.Expression:
        digits = self.shape.round_digits
        if digits is None or output.role not in ("measure", "change"):
            return node
        if output.role == "measure" and output.measure_index is not None:
            formula = self.plan.measures[output.measure_index].formula
            if isinstance(formula, AtomValue) and is_count(self.plan.atoms[formula.slot]) and output.source != "transform":
                return node
        return call("round", node, whole(digits))


def compile_aggregation(resolved: ResolvedQuery, plan: Aggregation, params: Params) -> Compiled:
    """The tree, what its columns mean, and notes."""
    return _Build(resolved, plan, params).run()
