"""Parts of a SemanticQuery in words, for chips, paraphrases and column names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.formats import current
from nlq.phrases import WEEKDAYS
from semantic.catalog.model import Catalog
from semantic.expr import (
    And,
    Arithmetic,
    Between,
    Case,
    Comparison,
    DateDiff,
    DatePart,
    Expr,
    FieldRef,
    Has,
    In,
    InWindow,
    IsNull,
    Like,
    Literal_,
    Not,
    Now,
    Or,
    Predicate,
    Related,
    Rolling,
    Window,
)
from semantic.expr import Calendar_ as CalendarWindow
from semantic.query import (
    Aggregate,
    AggregateKind,
    ByCycle,
    ByEntity,
    ByField,
    ByTime,
    Calculation,
    Constant,
    GroupBy,
    Measure,
    MetricRef,
    SemanticQuery,
)
from semantic.states import OutputColumn

_AGGREGATES = {
    "count": "number of", "count_distinct": "number of different", "sum": "total", "avg": "average", "median": "median", "quantile": "percentile of", "min": "lowest",
    "max": "highest", "stddev": "standard deviation of",
}  # fmt: skip
_OPS = {"=": "is", "!=": "is not", "<": "below", "<=": "at most", ">": "above", ">=": "at least"}

_HOW_MANY = {"=": "exactly", "!=": "other than", "<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least"}


def where_said(predicate: str) -> str:
    """A condition's words after what it narrows: "with refunds", "where channel is email"."""
    return predicate if predicate.startswith(("with ", "without ", "of ")) else f"where {predicate}"


def said(value: object, *, grouped: bool = False) -> str:
    """A value of a query in the formats of who reads it. grouped: with separators of thousands, which years and numbers that name things have not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return current().figure(f"{value:{',' if grouped else ''}{'' if isinstance(value, int) else '.15g'}}")


class Wording:
    """Words for one catalog's objects."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def field(self, ref: FieldRef) -> str:
        dataset = self._catalog.dataset(ref.dataset)
        label = dataset.field(ref.field).label
        if ref.via:
            return self.way(ref.via, label)
        same = sum(1 for d in self._catalog.datasets for f in d.fields if f.label == label and not f.hidden and not d.hidden)
        return label if same <= 1 or dataset.label in label else f"{dataset.label} {label}"

    def way(self, via: tuple[str, ...], label: str) -> str:
        """A name with the part that it plays in the relationship by which it is reached, or else with the thing that it belongs to."""
        last = next((r for r in self._catalog.relationships if via and r.name == via[-1]), None)
        if last is None:
            return label
        if last.role is None:
            return label if len(via) < 2 else f"{label} of {self._catalog.dataset(last.from_dataset).label}"
        return label if last.role.lower() in label.lower() else f"{last.role} {label}"

    def plural(self, dataset: str) -> str:
        entity = next((e for e in self._catalog.entities if e.dataset == dataset and e.plural), None)
        if entity is not None:
            return entity.plural
        label = self._catalog.dataset(dataset).label
        return label if label.endswith("s") else f"{label}s"

    def singular(self, dataset: str) -> str:
        entity = next((e for e in self._catalog.entities if e.dataset == dataset), None)
        many = self.plural(dataset)
        return entity.label if entity is not None else f"{many[:-3]}y" if many.endswith("ies") else many.removesuffix("s")

    @property
    def catalog(self) -> Catalog:
        return self._catalog

    def measure(self, measure: Measure) -> str:
        if isinstance(measure, Constant):
            return said(measure.value)
        if isinstance(measure, Calculation):
            if (
                measure.op == "*"
                and isinstance(measure.right, Constant)
                and measure.right.value == 100
                and isinstance(measure.left, Calculation)
            ):
                return self._percentage(measure.left.left, measure.left.right)
            one = self._one_of(measure.right) if measure.op == "/" else None
            if one is not None:
                return f"{self.measure(measure.left)} per {one}"
            sign = {"/": "per", "*": "times", "+": "plus", "-": "minus"}[measure.op]
            return f"{self.measure(measure.left)} {sign} {self.measure(measure.right)}"
        where = f" {where_said(self.predicate(measure.where))}" if measure.where is not None else ""
        if isinstance(measure, MetricRef):
            return self._catalog.metric(measure.metric).label + where
        of = self.expr(measure.of) if measure.of is not None else self.plural(measure.dataset)
        word = _AGGREGATES[measure.aggregate.value]
        return f"{of if of.startswith(f'{word} ') else f'{word} {of}'}{where}"  # the average of an "average daily rate" is called no more than that

    def _percentage(self, part: Measure, whole: Measure) -> str:
        """ "percentage of orders where channel is email", or with the whole where that is something else."""
        if isinstance(part, MetricRef | Aggregate) and part.where is not None and part.model_copy(update={"where": None}) == whole:
            return f"percentage of {self.measure(part)}"
        return f"percentage of {self.measure(part)} in {self.measure(whole)}"

    def _one_of(self, measure: Measure) -> str | None:
        """The thing of which different ones are counted: a customer, a day."""
        if not isinstance(measure, Aggregate) or measure.aggregate is not AggregateKind.COUNT_DISTINCT or measure.where is not None:
            return None
        if isinstance(measure.of, DatePart) and measure.of.part.startswith("trunc_"):
            return measure.of.part.removeprefix("trunc_")
        if not isinstance(measure.of, FieldRef):
            return None
        of = measure.of
        return next((e.label for e in self._catalog.entities if e.dataset == of.dataset and e.key == (of.field,)), None)

    def columns(self, columns: Sequence[OutputColumn], query: SemanticQuery) -> tuple[OutputColumn, ...]:
        """Result columns whose computed measures are called what they are: "revenue per customer" for revenue / distinct customer id."""
        out = []
        for column in columns:
            measure = query.metrics[column.measure_index] if column.measure_index is not None and query.metrics else None
            if not isinstance(measure, Aggregate | Calculation) or measure.alias:
                out.append(column)
                continue
            said = self.measure(measure)
            rest = column.label.rpartition(", ")[2] if column.role == "change" or column.beside or column.transform else ""
            percent = said.startswith("percentage of ") and column.role == "measure" and not column.format
            out.append(replace(column, label=f"{said}, {rest}" if rest else said, format="percent_points" if percent else column.format))
        return tuple(out)

    def bound(self, measure: Measure, value: float) -> str:
        """A number that the measure is held against, as people say it: 30% of a measure that is kept as a fraction."""
        format_ = self._catalog.metric(measure.metric).format if isinstance(measure, MetricRef) else None
        return current().share(said(value * 100)) if format_ == "percent" else said(value, grouped=True)

    def group(self, group: GroupBy) -> str:
        if isinstance(group, ByField):
            return self.field(group.field)
        if isinstance(group, ByEntity):
            return self.way(group.via, self._catalog.entity(group.entity).label)
        if isinstance(group, ByTime):
            return f"fiscal {group.grain.value}" if group.fiscal else group.grain.value
        if isinstance(group, ByCycle):
            return group.cycle.value.replace("_", " ")
        return self.expr(group.expr)

    def expr(self, expr: Expr) -> str:
        if isinstance(expr, FieldRef):
            return self.field(expr)
        if isinstance(expr, Literal_):
            return said(expr.value)
        if isinstance(expr, Arithmetic):
            return f"{self.expr(expr.left)} {expr.op} {self.expr(expr.right)}"
        if isinstance(expr, DateDiff):
            return f"{expr.unit}s from {self.expr(expr.start)} to {self.expr(expr.end)}"
        if isinstance(expr, DatePart):
            return f"{expr.part.removeprefix('trunc_').replace('_', ' ')} of {self.expr(expr.of)}"
        if isinstance(expr, Now):
            return "today"
        if isinstance(expr, Related):
            kind = {"min": "first", "max": "last", "sum": "total"}.get(expr.aggregate, expr.aggregate)
            of = self.expr(expr.of) if expr.of is not None else self._catalog.dataset(expr.dataset).label
            return f"{kind} {of} ({self.predicate(expr.where)})" if expr.where is not None else f"{kind} {of}"
        if isinstance(expr, Case):
            shown = [*(value for _, value in expr.branches), *([expr.otherwise] if expr.otherwise is not None else [])]
            return " or ".join(self.expr(e) for e in shown)
        return expr.kind

    def predicate(self, predicate: Predicate) -> str:
        if isinstance(predicate, And):
            return " and ".join(self.predicate(p) for p in predicate.items)
        if isinstance(predicate, Or):
            return " or ".join(self.predicate(p) for p in predicate.items)
        if isinstance(predicate, Not):
            return f"not ({self.predicate(predicate.item)})"
        if isinstance(predicate, Comparison):
            if isinstance(predicate.left, DatePart) and predicate.left.part == "is_weekend":
                return "on weekends"
            if isinstance(predicate.left, DatePart) and predicate.left.part == "day_of_week" and predicate.op == "=":
                day = predicate.right.value if isinstance(predicate.right, Literal_) else None
                if isinstance(day, int) and 1 <= day <= 7:
                    return f"on {WEEKDAYS[day - 1].capitalize()}s"
            return f"{self.expr(predicate.left)} {_OPS[predicate.op]} {self.expr(predicate.right)}"
        if isinstance(predicate, In):
            if isinstance(predicate.field, DatePart):
                return f"{'not ' if predicate.negate else ''}on public holidays"
            values = ", ".join(said(v) for v in predicate.values)
            return f"{self.expr(predicate.field)} {'is not' if predicate.negate else 'is'} {values}"
        if isinstance(predicate, Between):
            return f"{self.expr(predicate.field)} between {self.expr(predicate.low)} and {self.expr(predicate.high)}"
        if isinstance(predicate, Like):
            return f"{self.expr(predicate.field)} {predicate.match.replace('_', ' ')} {predicate.value!r}"
        if isinstance(predicate, IsNull):
            return f"{self.expr(predicate.field)} is {'there' if predicate.negate else 'missing'}"
        if isinstance(predicate, InWindow):
            return f"{self.expr(predicate.field)} {'not ' if predicate.negate else ''}{self.window(predicate.window)}"
        if isinstance(predicate, Has):
            count = f"{_HOW_MANY[predicate.count_op]} {predicate.count} " if predicate.count_op else ""
            things = self.singular(predicate.dataset) if predicate.count == 1 else self.plural(predicate.dataset)
            inner = f" {where_said(self.predicate(predicate.where))}" if predicate.where is not None else ""
            whose = isinstance(predicate.where, Has) and predicate.where.count_op and not count and not predicate.negate
            return f"{'without' if predicate.negate else 'of' if whose else 'with'} {count}{things}{inner}"
        return f"{self.expr(predicate.left)} {_OPS[predicate.op]} the {_AGGREGATES.get(predicate.aggregate, predicate.aggregate)}"

    def window(self, window: Window) -> str:
        if isinstance(window, CalendarWindow):
            unit = f"fiscal {window.unit.value}" if window.fiscal else window.unit.value
            if window.to_date:
                return f"{unit} to date"
            if window.unit.value == "day" and window.offset in (0, -1, 1):
                return {0: "today", -1: "yesterday", 1: "tomorrow"}[window.offset]
            return {0: f"this {unit}", -1: f"last {unit}", 1: f"next {unit}"}.get(
                window.offset, f"{abs(window.offset)} {unit}s {'ago' if window.offset < 0 else 'ahead'}"
            )
        if isinstance(window, Rolling):
            kind = "complete " if window.anchor == "period" else ""
            return f"{'next' if window.direction == 'future' else 'last'} {window.count} {kind}{window.unit.value}{'s' if window.count != 1 else ''}"
        if window.start is not None and window.end is not None:
            return f"from {window.start} to before {window.end}"
        return f"from {window.start} on" if window.start is not None else f"before {window.end}"
