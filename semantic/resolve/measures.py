"""Measures taken apart into atoms (one aggregate over one dataset each) and the formula that puts them together."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.model import CumulativeMetric, DerivedMetric, FieldType, RatioMetric, SimpleMetric
from semantic.expr import Expr, FieldRef, Predicate
from semantic.query import Aggregate, AggregateKind, Calculation, Constant, Measure, MetricRef
from semantic.resolve.binder import Binder, describe
from semantic.resolve.names import Names
from semantic.resolve.types import Accumulated, Atom, AtomValue, Formula, Number, Operation, ResolvedMeasure
from semantic.resolve.typing import NUMERIC
from semantic.resolve.walk import all_of, refs

_NEEDS_NUMBER = frozenset({AggregateKind.SUM, AggregateKind.AVG, AggregateKind.MEDIAN, AggregateKind.QUANTILE, AggregateKind.STDDEV})
_OPERATORS: dict[type[ast.operator], Literal["+", "-", "*", "/"]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_WORDS = {
    AggregateKind.COUNT: "Number of",
    AggregateKind.COUNT_DISTINCT: "Distinct",
    AggregateKind.SUM: "Total",
    AggregateKind.AVG: "Average",
    AggregateKind.MEDIAN: "Median",
    AggregateKind.QUANTILE: "Quantile of",
    AggregateKind.MIN: "Smallest",
    AggregateKind.MAX: "Largest",
    AggregateKind.STDDEV: "Standard deviation of",
}


@dataclass(frozen=True, slots=True)
class TimedAtom:
    """An atom with the time field that windows and time groups use for it (None: the dataset's own). `asked_of` is what it was asked of."""

    atom: Atom
    time_field: FieldRef | None
    label: str


@dataclass
class Measures:
    """Collects atoms while measures are resolved; equal atoms share a slot."""

    binder: Binder
    atoms: list[TimedAtom] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)

    def measure(self, measure: Measure) -> ResolvedMeasure:
        """A shown measure with its formula, label and presentation."""
        formula = self.formula(measure)
        match measure:
            case MetricRef():
                metric = self.binder.catalog.metric(measure.metric)
                name, label = measure.alias or metric.name, measure.alias or metric.label
                return ResolvedMeasure(
                    self.names.take(name), label, formula, metric.unit, metric.format, metric.good_direction, f"metric:{metric.name}"
                )
            case Aggregate():
                return self._shown_aggregate(measure, formula)
            case Calculation():
                label = measure.alias or f"{self._label(measure.left)} {measure.op} {self._label(measure.right)}"
                return ResolvedMeasure(self.names.take(measure.alias or "calculation"), label, formula, None, self._currency(measure))
            case _:
                return ResolvedMeasure(self.names.take("constant"), "Constant", formula)

    def _currency(self, measure: Measure) -> str | None:
        """The currency that a formula is in: what is money over what is none, or money more or less money; None for anything else."""
        found: str | None = None
        if isinstance(measure, MetricRef):
            found = self.binder.catalog.metric(measure.metric).format
        elif isinstance(measure, Aggregate) and isinstance(measure.of, FieldRef) and not measure.aggregate.value.startswith("count"):
            found = self.binder.catalog.field(measure.of).format
        elif isinstance(measure, Calculation) and measure.op != "*":
            left, right = self._currency(measure.left), self._currency(measure.right)
            found = left if (right is None if measure.op == "/" else left == right) else None
        return found if found is not None and found.startswith("currency:") else None

    def formula(self, measure: Measure) -> Formula:
        match measure:
            case MetricRef():
                return self._metric(measure.metric, measure.where, ())
            case Aggregate():
                return self._aggregate(measure)
            case Calculation():
                return Operation(measure.op, self.formula(measure.left), self.formula(measure.right))
            case Constant():
                return Number(measure.value)

    def _metric(self, name: str, where: Predicate | None, seen: tuple[str, ...]) -> Formula:
        if name in seen:
            raise Invalid(f"Metric {name!r} is defined in terms of itself: {' > '.join((*seen, name))}.", code="bad_catalog")
        seen = (*seen, name)
        metric = self.binder.catalog.metric(name)
        match metric:
            case SimpleMetric():
                return self._simple(metric, where)
            case RatioMetric():
                ratio = Operation("/", self._metric(metric.numerator, where, seen), self._metric(metric.denominator, where, seen))
                return ratio if metric.scale == 1.0 else Operation("*", ratio, Number(metric.scale))
            case DerivedMetric():
                try:
                    tree = ast.parse(metric.expression, mode="eval").body
                except (SyntaxError, ValueError, RecursionError) as error:
                    raise _bad_expression(metric.name, metric.expression) from error
                return self._parsed(tree, metric, where, seen)
            case CumulativeMetric():
                return self._cumulative(metric, where, seen)

    def _parsed(self, node: ast.expr, metric: DerivedMetric, where: Predicate | None, seen: tuple[str, ...]) -> Formula:
        match node:
            case ast.BinOp() if type(node.op) in _OPERATORS:
                left, right = (self._parsed(side, metric, where, seen) for side in (node.left, node.right))
                return Operation(_OPERATORS[type(node.op)], left, right)
            case ast.UnaryOp(op=ast.USub()):
                return Operation("-", Number(0.0), self._parsed(node.operand, metric, where, seen))
            case ast.Constant() if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
                return Number(float(node.value))
            case ast.Name():
                return self._metric(node.id, where, seen)
            case _:
                raise _bad_expression(metric.name, metric.expression)

    def _cumulative(self, metric: CumulativeMetric, where: Predicate | None, seen: tuple[str, ...]) -> Formula:
        if (metric.window_count is None) != (metric.window_unit is None) or (metric.window_count and metric.grain_to_date):
            raise Invalid(
                f"Cumulative metric {metric.name!r} needs window_count with window_unit, or grain_to_date, or neither.", code="bad_catalog"
            )
        inner = self._metric(metric.metric, where, seen)
        unit: Grain | None = metric.window_unit
        grain = metric.grain_to_date.value if metric.grain_to_date else (f"window:{unit.value}" if unit else None)
        return Accumulated(inner, metric.window_count, grain)

    def _simple(self, metric: SimpleMetric, where: Predicate | None) -> Formula:
        request = Aggregate.model_construct(
            aggregate=metric.aggregate, dataset=metric.dataset, of=metric.of, quantile=metric.quantile, alias=None,
            where=all_of(metric.where, where), time_field=metric.time_field,
        )  # fmt: skip
        return self._aggregate(request, label=metric.label, non_additive=metric.non_additive)

    def _aggregate(self, request: Aggregate, label: str | None = None, non_additive: tuple[FieldRef, ...] = ()) -> Formula:
        binder, kind = self.binder, request.aggregate
        dataset = self._anchor(request, declared=label is not None)
        if request.of is None and kind is not AggregateKind.COUNT:
            raise Invalid(f"{kind.value} needs a field or expression to aggregate (`of`).", code="bad_query")
        of: tuple[Expr, ...] = ()
        if request.of is not None:
            bound = binder.expr(request.of, dataset)
            binder.require_to_one(bound, dataset)
            self._check_type(kind, bound)
            of = (bound,)
        where = binder.predicate(request.where, dataset) if request.where is not None else None
        quantile = request.quantile
        if kind is AggregateKind.QUANTILE and quantile is None:
            raise Invalid("quantile needs its level, such as 0.95.", code="bad_query")
        latest = self._latest(request, dataset, non_additive) if kind is AggregateKind.SUM else None
        atom = Atom(kind, dataset, of, quantile, where, latest)
        return AtomValue(self._slot(TimedAtom(atom, request.time_field, label or self._label(request))))

    def _latest(self, request: Aggregate, dataset: str, non_additive: tuple[FieldRef, ...]) -> FieldRef | None:
        """The time field of a stock (a balance): it adds up over everything but time, where the latest value counts."""
        time = request.time_field or self._own_time(dataset)
        if time is None:
            return None
        bound = self.binder.expr(time, dataset)
        stocks = [self.binder.expr(ref, dataset) for ref in non_additive]
        return cast(FieldRef, bound) if bound in stocks else None

    def _own_time(self, dataset: str) -> FieldRef | None:
        name = self.binder.catalog.dataset(dataset).time
        return FieldRef(dataset=dataset, field=name) if name else None

    def _anchor(self, request: Aggregate, *, declared: bool = False) -> str:
        """The dataset whose grain the aggregate has: the asked one, unless its value belongs to a finer one, or a sum to a coarser one.

        A declared metric says its dataset on purpose (the cost of the cars that were sold, once per sale), so its sums stay there.
        """
        self.binder.catalog.dataset(request.dataset)
        if request.of is None:
            return request.dataset
        found = list(refs(request.of))
        paths = {ref: self.binder.path(request.dataset, ref.dataset, ref.via) for ref in found}
        far = [ref for ref, path in paths.items() if not all(step.to_one for step in path)]
        for ref in far:
            if all(self.binder.graph.reaches_to_one(ref.dataset, other.dataset) for other in found):
                self.notes.append(f"{describe(ref)} is aggregated over rows of {ref.dataset}, where each value occurs once.")
                return ref.dataset
        multiplied = request.aggregate is AggregateKind.SUM and found and not far and not declared
        homes = {ref.dataset for ref in found}
        if multiplied and len(homes) == 1 and request.dataset not in homes:
            steps = next(iter(paths.values()))
            if any(step.relationship.cardinality == "many_to_one" for step in steps):
                home = homes.pop()
                self.notes.append(
                    f"{describe(found[0])} is added up over rows of {home}, where each value occurs once, not over {request.dataset}."
                )
                return home
        return request.dataset

    def _check_type(self, kind: AggregateKind, bound: Expr) -> None:
        found = self.binder.type_of(bound)
        if kind in _NEEDS_NUMBER and found not in NUMERIC and found not in (FieldType.BOOLEAN, None):
            raise Invalid(
                f"{kind.value} needs a number; {describe(bound)} is {found.value if found else 'unknown'}. Count it, or count its distinct values.",
                code="bad_type",
                suggestions=("count", "count_distinct"),
            )

    def _slot(self, timed: TimedAtom) -> int:
        for slot, known in enumerate(self.atoms):
            if known.atom == timed.atom and known.time_field == timed.time_field:
                return slot
        self.atoms.append(timed)
        return len(self.atoms) - 1

    def _shown_aggregate(self, request: Aggregate, formula: Formula) -> ResolvedMeasure:
        catalog, kind = self.binder.catalog, request.aggregate
        source = catalog.field(request.of) if isinstance(request.of, FieldRef) else None
        label = request.alias or self._label(request)
        counts = kind in (AggregateKind.COUNT, AggregateKind.COUNT_DISTINCT)
        of = request.of.field if isinstance(request.of, FieldRef) else "value"
        name = request.alias or (f"{request.dataset}_count" if request.of is None else f"{kind.value}_{of}")
        shown = ResolvedMeasure(self.names.take(name), label, formula)
        if source is None:
            return replace(shown, source=f"dataset:{request.dataset}")
        ref = cast(FieldRef, request.of)
        shown = replace(shown, source=f"field:{ref.dataset}.{ref.field}")
        return shown if counts else replace(shown, unit=source.unit, format=source.format, good_direction=source.good_direction)

    def _label(self, measure: Measure) -> str:
        catalog = self.binder.catalog
        match measure:
            case MetricRef():
                return measure.alias or catalog.metric(measure.metric).label
            case Aggregate():
                if measure.alias:
                    return measure.alias
                of = measure.of
                thing = (
                    catalog.dataset(measure.dataset).label
                    if of is None
                    else catalog.field(of).label
                    if isinstance(of, FieldRef)
                    else "value"
                )
                return f"{_WORDS[measure.aggregate]} {thing}"
            case Calculation():
                return measure.alias or f"({self._label(measure.left)} {measure.op} {self._label(measure.right)})"
            case Constant():
                return f"{measure.value:g}"


def slots_of(formula: Formula) -> tuple[int, ...]:
    """The atoms a formula reads."""
    match formula:
        case AtomValue():
            return (formula.slot,)
        case Operation():
            return slots_of(formula.left) + slots_of(formula.right)
        case Accumulated():
            return slots_of(formula.of)
        case Number():
            return ()


def _bad_expression(name: str, text: str) -> Invalid:
    return Invalid(
        f"Derived metric {name!r} takes metric names, numbers, + - * / and parentheses; found {text[:80]!r}.", code="bad_catalog"
    )
