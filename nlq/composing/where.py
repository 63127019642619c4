"""Conditions on rows and on groups."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.bridges import over_bridges
from nlq.composing.draft import Draft
from nlq.composing.local import count_condition
from nlq.composing.measures import build_measure
from nlq.composing.shape import is_aggregate_now
from nlq.composing.windows import has_time
from nlq.conjunctions import conjunction, contradicts
from nlq.frame import Condition, MeasureItem, Mention
from nlq.lexicon import Target
from nlq.numbers import as_scalar, as_stored
from nlq.predicates import Unbuildable
from nlq.said_units import as_kept
from semantic.catalog.model import CatalogField, DatasetKind, SimpleMetric
from semantic.expr import Comparison, FieldRef, Has, IsNull, Literal_, Predicate, Related, VersusAggregate
from semantic.query import Aggregate, Having, Measure, MetricRef


def _bare_related(draft: Draft, condition: Condition, base: str) -> bool:
    """A relation that the shown columns or groups already say; not one that rows may lack ("only sales with a promotion")."""
    if condition.kind != "related" or condition.negate or condition.inner or condition.both or condition.number is not None:
        return False
    target = draft.target(condition.mention)
    if target is not None and target.dataset is not None and draft.graph.optional(base, target.dataset):
        return False
    shown = [draft.target(m) for m in [*draft.frame.outputs, *draft.frame.groups]]
    measured = [draft.target(m.mention) for m in draft.frame.measures]
    measured += [
        Target("dataset", v.dataset, v.dataset)
        for c in draft.frame.conditions
        if c is not condition and not c.negate and (v := draft.value(c)) is not None
    ]
    measured += [
        t
        for c in draft.frame.conditions
        if c is not condition
        and not c.negate
        and c.kind in ("time", "number", "flag", "text")
        and (t := draft.target(c.mention)) is not None
    ]
    return target is not None and any(t is not None and t.dataset == target.dataset for t in [*shown, *measured])


def build_where(draft: Draft, base: str) -> Predicate | None:
    conditions = [c for c in draft.frame.conditions if not _bare_related(draft, c, base)]
    conditions.extend(_year_conditions(draft, base))
    parts: list[Predicate] = []
    if any(_both_or_either(draft, c, base) for c in conditions):
        draft.guess(0.45, "one of the values, or all of them")
    built = draft.predicates.build(conditions, base) if conditions else None
    if built is not None:
        parts.append(built)
    if not is_aggregate_now(draft):
        for condition in draft.frame.having:
            parts.append(row_having(draft, condition, base))
    if contradicts(parts):
        raise Unbuildable("one field cannot have two values at once")
    return over_bridges(draft, conjunction(parts), base) if parts else None


def _both_or_either(draft: Draft, condition: Condition, base: str) -> bool:
    """ "clients with a mortgage and a car loan": of things that may have several, "and" may mean each or any."""
    inner = any(_both_or_either(draft, c, base) for c in condition.inner)
    value = draft.value(condition)
    if value is None or not condition.all_of or condition.negate or condition in draft.frame.compare_values:
        return inner
    many = value.dataset != base and not draft.graph.points_to(base, value.dataset)
    return inner or (many and draft.catalog.dataset(base).kind is DatasetKind.DIMENSION)


def _year_conditions(draft: Draft, base: str) -> list[Condition]:
    """A window on rows that have no date but a column of plain years."""
    f = draft.frame
    if not f.times or has_time(draft, base):
        return []
    ref = draft.predicates.time_field(base)
    if ref is None or draft.kinds.is_time(Target("field", "", ref.dataset, ref.field)):
        return []
    mention = Mention(f.mentions[0].unit if f.mentions else None, "condition", ())  # type: ignore[arg-type]
    draft.settle(mention, Target("field", str(ref), ref.dataset, ref.field))
    draft.parts.append(mention)
    draft.window_done = True
    return [Condition("time", mention, time=f.times[0])]


def row_having(draft: Draft, condition: Condition, base: str) -> Predicate:
    item = condition.measure
    if condition.kind == "number" and item is not None and item.kind == "count":
        return count_condition(draft, condition, base)
    target = draft.target(condition.mention)
    if target is not None and target.kind == "dataset" and item is not None and item.aggregate == "sum":
        return sum_condition(draft, condition, target.dataset or "", base, draft.kinds.main_amount(target.dataset or ""))
    if target is not None and item is not None and item.aggregate == "sum" and target.dataset != base and draft.kinds.is_amount(target):
        return sum_condition(draft, condition, target.dataset or "", base, draft.kinds.field(target))
    if target is None or target.kind != "field":
        raise Unbuildable("condition on no field")
    if item is not None and item.aggregate is not None and target.dataset != base:
        raise Unbuildable(f"the {item.aggregate} of what is not grouped")
    ref = target.ref
    if condition.kind == "average":
        return VersusAggregate(op=condition.op, left=ref, aggregate="avg")
    predicate = draft.predicates.field_predicate(condition, ref)
    if ref.dataset != base and not draft.graph.points_to(base, ref.dataset):
        return Has(dataset=ref.dataset, where=predicate)
    return predicate


def sum_condition(draft: Draft, condition: Condition, events: str, base: str, amount: CatalogField | None) -> Predicate:
    """Things whose events add up to so much, in the time that the question names."""
    f = draft.frame
    if amount is None or condition.number is None or condition.op == "between" or not draft.graph.points_to(events, base) or events == base:
        raise Unbuildable("what adds up to so much is not said")
    done = draft.target(condition.other)
    time = done.ref if done is not None and done.dataset == events else draft.predicates.time_field(events)
    where: Predicate | None = None
    if done is not None and time is not None and draft.catalog.field(time).nullable:
        where = IsNull(field=time, negate=True)  # paid, and not only billed
    if f.times and not draft.window_done:
        if time is None:
            raise Unbuildable(f"{events} has no time")
        where = draft.predicates.in_time(time, f.times[0].window)
        draft.window_done = True
    whose = (
        m for m in f.mentions if m.role == "context" and (t := draft.target(m)) is not None and draft.graph.reads(events, t.dataset or "")
    )
    draft.explained.update(id(m) for m in (condition.mention, *whose))
    whole = Related(aggregate="sum", dataset=events, of=FieldRef(dataset=events, field=amount.name), where=where)
    value = as_scalar(as_kept(condition.number, amount, " ".join(u.text for u in condition.units)))
    return Comparison.model_validate({"op": condition.op, "left": whole, "right": Literal_(value=value)})


def build_having(draft: Draft, condition: Condition, groups: Sequence[str]) -> Having:
    item = condition.measure
    if item is None:
        if condition.mention is None:
            raise Unbuildable("having nothing")
        item = MeasureItem("aggregate", None, condition.mention)
    measure = build_measure(draft, item, groups)
    if condition.kind == "average":
        return Having(measure=measure, op=condition.op, versus="avg")
    if condition.number is None or condition.op == "between":
        raise Unbuildable("having between")
    said = " ".join(u.text for u in condition.units)
    field = _kept_in(draft, measure)
    kept = draft.catalog.metric(measure.metric).format if isinstance(measure, MetricRef) else field.format if field is not None else None
    if ("%" in said or "percent" in said or "pct" in said) and kept is not None and kept.startswith("currency"):
        if draft.frame.compare is None:
            raise Unbuildable("a percentage of what is not said")
        return Having(measure=measure, op=condition.op, value=condition.number, change="percent")  # "revenue growth over 10%"
    return Having(
        measure=measure,
        op=condition.op,
        value=as_kept(condition.number, field, said) if field is not None else as_stored(condition.number, kept, said),
    )


def _kept_in(draft: Draft, measure: Measure) -> CatalogField | None:
    """The field whose values a measure has, where it is of one."""
    if isinstance(measure, MetricRef):
        metric = draft.catalog.metric(measure.metric)
        return (
            draft.catalog.field(metric.of)
            if isinstance(metric, SimpleMetric) and isinstance(metric.of, FieldRef) and _keeps(metric)
            else None
        )
    of = measure.of if isinstance(measure, Aggregate) and measure.aggregate.value not in ("count", "count_distinct") else None
    return draft.catalog.field(of) if isinstance(of, FieldRef) else None


def _keeps(metric: SimpleMetric) -> bool:
    return metric.format is None and metric.aggregate.value not in ("count", "count_distinct")
