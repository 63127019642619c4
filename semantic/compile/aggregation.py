"""An aggregation in SQL: frame, measures, comparison, transforms, conditions, order and cuts, one select around another where needed."""

from __future__ import annotations

from sqlglot import exp

from core.errors import Invalid
from semantic.catalog.model import FieldType
from semantic.compile.blocks import Rest, identity, is_count
from semantic.compile.frame import PRESENT, frame
from semantic.compile.functions import call, is_null, no, operation, parametric, paren, text, whole
from semantic.compile.idents import aliased, column, derived
from semantic.compile.layer import Layer
from semantic.compile.listing import cut, ordering
from semantic.compile.measures import accumulated_name, accumulated_parts, changed, value_of
from semantic.compile.params import Params
from semantic.compile.transforms import add_accumulated, add_transforms
from semantic.query import AggregateKind, CompareGroup
from semantic.resolve.measures import slots_of
from semantic.resolve.types import Aggregation, AtomValue, Formula, Operation, ResolvedHaving, ResolvedQuery
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
    def __init__(self, resolved: ResolvedQuery, plan: Aggregation, params: Params, rest: Rest | None = None) -> None:
        self.resolved, self.plan, self.params, self.shape = resolved, plan, params, resolved.shape
        self.layer: Layer = frame(plan, resolved.catalog, params, rest)
        self.rest = rest
        self.notes: list[str] = []
        self.shown: list[tuple[str, OutputColumn]] = []

    def run(self) -> Compiled:
        self._accumulate()
        self._settle()
        self._measures()
        if self.shape.with_other and self.plan.keys and (self.shape.limit is not None or self.shape.limit_by is not None):
            return self._with_other()
        add_transforms(self)
        self._having()
        self._without_gaps()
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
        for having in self.plan.having:
            sides = (having.left, having.right) if having.right is not None else (having.left,)
            parts |= {accumulated_name(p, "a"): p for side in sides for p in accumulated_parts(side)}
        if parts:
            add_accumulated(self, tuple(parts.values()))
        fill = self.plan.fill
        if parts and fill is not None and fill.keep_from is not None:
            key = self.plan.keys[fill.column]
            first = self.params.instant(fill.keep_from) if key.type.value == "datetime" else self.params.date(fill.keep_from.date())
            self.layer.keep(exp.GTE(this=self.layer.read(f"k{fill.column}"), expression=first))

    def _settle(self) -> None:
        """Aggregates become plain columns first, where they would be written more than once with sub-selects inside, or further selects follow."""
        shape = self.shape
        more = shape.transform or shape.limit_by or shape.with_other or (shape.with_ties and shape.order)
        more = more or any(h.having.versus is not None for h in self.plan.having)
        if self.layer.grouped and (more or any(node.find(exp.Select) for node in self.layer.columns.values())):
            self.wrap("q")

    def _measures(self) -> None:
        for index, key in enumerate(self.plan.keys):
            if key.shown:
                output = OutputColumn(key.name, key.label, key.role, key.source, key.unit, key.format, key.grain)
                self.shown.append((f"k{index}", output))
        for index, measure in enumerate(self.plan.measures):
            main = value_of(measure.formula, self.layer, self.params)
            self.layer.columns[f"m{index}"] = main
            output = OutputColumn(
                measure.name, self._main_label(measure.label), "measure", measure.source, measure.unit, measure.format,
                measure_index=index, good_direction=measure.good_direction, additive=self._adds_up(measure.formula),
            )  # fmt: skip
            self.shown.append((f"m{index}", output))
            if self.plan.compare is not None:
                self._compared(index, main, output)
        self._forget_atoms()

    def _adds_up(self, formula: Formula) -> bool:
        """Sums and counts over groups make the whole, and so do their sums and differences; ratios, averages and distinct counts do not."""
        if isinstance(formula, AtomValue):
            return self.plan.atoms[formula.slot].aggregate in (AggregateKind.SUM, AggregateKind.COUNT)
        return isinstance(formula, Operation) and formula.op in "+-" and self._adds_up(formula.left) and self._adds_up(formula.right)

    def _main_label(self, label: str) -> str:
        """The label beside a compared group names its own group."""
        compare = self.plan.compare
        is_group = isinstance(self.resolved.query.compare, CompareGroup)
        return f"{label}, {compare.base_label}" if compare is not None and is_group else label

    def _forget_atoms(self) -> None:
        """Drops what only measures were made of; conditions on groups still read theirs."""
        formulas = [side for h in self.plan.having for side in (h.left, h.right) if side is not None]
        read = {f"{side}{slot}" for formula in formulas for slot in slots_of(formula) for side in "ab"}
        read |= {accumulated_name(part, side) for formula in formulas for part in accumulated_parts(formula) for side in "ab"}
        names = self.layer.columns
        dropped = [n for n in names if (n[0] in "ab" and n[1:].isdigit()) or n.startswith(("wa_", "wb_", "iwa_", "iwb_"))]
        for name in dropped:
            if name not in read:
                del names[name]

    def _compared(self, index: int, main: exp.Expression, output: OutputColumn) -> None:
        compare = self.plan.compare
        if compare is None:
            return
        other = value_of(self.plan.measures[index].formula, self.layer, self.params, "b")
        ordered = {o.change for o in self.shape.order if o.target == "change" and o.index == index}
        for form in ("value", "difference", "percent", "index"):
            name = f"{form[0]}{index}"
            if form in compare.show or form in ordered:
                self.layer.columns[name] = changed(form, main.copy(), other.copy())
            if form in compare.show:
                said, _, dates = compare.label.partition(": ")
                beside = dates if dates and said == "from the given dates" else said
                words = _CHANGE_WORDS[form].format(label=self.plan.measures[index].label, other=beside)
                same_unit = form in ("value", "difference")
                shown = OutputColumn(
                    _CHANGE_NAMES[form].format(name=output.name), words, "measure" if form == "value" else "change", output.source,
                    output.unit if same_unit else None,
                    output.format if same_unit else "percent_points" if form == "percent" else None,
                    measure_index=index, good_direction=output.good_direction, beside=beside,
                )  # fmt: skip
                self.shown.append((name, shown))

    def _without_gaps(self) -> None:
        """Drops the buckets that were only added for windows over time."""
        if self.plan.fill is not None and not self.plan.fill.shown and PRESENT in self.layer.columns:
            self.layer.keep(no(is_null(self.layer.read(PRESENT))))

    def chosen(self) -> tuple[Layer, list[str]]:
        """The groups that stay themselves beside "Other": a layer with their columns and `place`, cut; and the order of `place`."""
        order = self._order()
        names = list(self.layer.columns)
        if self.layer.grouped:
            self.wrap("n")
        by = self.shape.limit_by
        within = [self.layer.read(f"k{i}") for i, c in enumerate(self.plan.keys) if by is not None and c.by == by.index]
        ordered = exp.Order(expressions=[ordering(self.layer.read(name), down, last) for name, down, last in order])
        self.layer.columns["place"] = exp.Window(this=call("row_number"), partition_by=within or None, order=ordered)
        self.wrap("p")
        self.layer.keep(exp.LTE(this=self.layer.read("place"), expression=whole(by.limit if by is not None else self.shape.limit or 0)))
        return self.layer, names

    def _chosen_identities(self) -> exp.Select:
        again = _Build(self.resolved, self.plan, self.params)
        again._accumulate()
        again._settle()
        again._measures()
        layer, _ = again.chosen()
        layer.columns = {f"i{i}": identity(layer.read(f"k{i}")) for i in range(len(self.plan.keys))}
        return layer.closed()

    def _with_other(self) -> Compiled:
        """The chosen groups, and one more for all the rest, aggregated from its rows (so that averages and distinct counts are right)."""
        self._check_other()
        by = self.shape.limit_by
        kept = tuple(i for i, c in enumerate(self.plan.keys) if by is not None and c.by == by.index)
        main, _ = self.chosen()
        other = _Build(self.resolved, self.plan, self.params, Rest(kept, self._chosen_identities))
        other._measures()
        values = [name for name in main.columns if name[0] in "mvdpi" and name[1:].isdigit()]
        first = next((i for i, c in enumerate(self.plan.keys) if c.shown and i not in kept), 0)
        left: dict[str, exp.Expression] = {}
        right: dict[str, exp.Expression] = {}
        for index in range(len(self.plan.keys)):
            name = f"k{index}"
            if index in kept:
                left[name], right[name] = main.read(name), other.layer.read(f"k{kept.index(index)}")
            else:
                left[name] = call("toString", main.read(name))
                right[name] = text("Other") if index == first else exp.Null()
        for name in values:
            left[name], right[name] = main.read(name), other.layer.read(name)
        left["place"], right["place"] = main.read("place"), exp.Null()
        main.columns, other.layer.columns = left, right
        union = exp.Union(this=main.closed(), expression=other.layer.closed(), distinct=False)
        select = exp.Select()
        select.set("from_", exp.From(this=derived(union, "z")))
        self.layer = Layer(select, {name: column("z", name) for name in left})
        add_transforms(self)
        select = self.layer.select
        order = [ordering(self.layer.read(f"k{i}"), False, True) for i in kept] + [ordering(self.layer.read("place"), False, True)]
        columns = [(self.layer.read(name), output) for name, output in self.shown]
        select.set("expressions", [aliased(self._rounded(node, output), output.name) for node, output in columns])
        select.set("order", exp.Order(expressions=order))
        return select, tuple(output for _, output in columns), tuple(self.notes)

    def total(self, metric: int) -> exp.Expression:
        """The measure over all groups, aggregated from its rows, as a scalar sub-select."""
        whole_ = _Build(self.resolved, self.plan, self.params, Rest(()))
        whole_._measures()
        whole_.layer.columns = {"total": whole_.layer.read(f"m{metric}")}
        return exp.Subquery(this=whole_.layer.closed())

    def _check_other(self) -> None:
        unfit = [
            ("having", bool(self.plan.having)),
            ("offset", bool(self.shape.offset)),
            ("with_ties", self.shape.with_ties),
            ("keep_empty", bool(self.plan.empties)),
            ("filled time buckets", self.plan.fill is not None),
            ("an order by a transform", any(o.target == "transform" for o in self.shape.order)),
            ("a cumulative metric", any(accumulated_parts(m.formula) for m in self.plan.measures)),
        ]
        found = [name for name, present in unfit if present]
        if found:
            raise Invalid(f"An 'Other' group cannot be combined with {', '.join(found)}; leave one of them out.", code="bad_query")

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
                found.append((f"{order.change[0]}{order.index}", order.descending, order.nulls_last))
            elif order.target == "transform":
                found.append((f"t{order.index}", order.descending, order.nulls_last))
            elif order.target == "by":
                shown = [i for i, c in enumerate(self.plan.keys) if c.by == order.index and c.shown]
                found += [(f"k{i}", order.descending, order.nulls_last) for i in shown]
        if self._ranks_by_itself():
            found.append(("m0", True, True))
        self._asked = len(found)
        known = {name for name, _, _ in found}
        times = [i for i, c in enumerate(self.plan.keys) if c.role == "time"]
        shown_keys = [i for i, c in enumerate(self.plan.keys) if c.shown and i not in times]
        hidden = [i for i, c in enumerate(self.plan.keys) if not c.shown]
        return found + [(f"k{i}", False, True) for i in (*times, *shown_keys, *hidden) if f"k{i}" not in known]

    def _ranks_by_itself(self) -> bool:
        """Whether names without an order of their own are listed largest first: one group of text, and nothing said of order or cut."""
        shape = self.shape
        if shape.order or shape.limit is not None or shape.limit_by is not None or not self.plan.measures:
            return False
        shown = [c for c in self.plan.keys if c.shown]
        if not shown or len({c.by for c in self.plan.keys}) != 1:
            return False
        return shown[0].role != "time" and shown[0].grain is None and any(c.type is FieldType.STRING for c in shown)

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
