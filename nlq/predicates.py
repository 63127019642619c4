"""Conditions -> predicates over rows of a base dataset. Conditions on rows that point to the base become one `Has` per dataset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from nlq.adjectives import compared_field
from nlq.assign import Assignment
from nlq.conjunctions import conjunction, counted
from nlq.conjunctions import contradicts as contradictory
from nlq.flags import flag
from nlq.frame import Condition
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.numbers import as_scalar
from nlq.roles import other_side
from nlq.row_times import RowTimes
from nlq.said_units import SPANS, as_kept, contradicts, takes_time
from nlq.unbuildable import Unbuildable
from nlq.value_predicates import ValuePredicates
from nlq.worth import worth_condition, worth_of
from nlq.years import text_years
from semantic.catalog.model import Catalog, DatasetKind, FieldRole, FieldType
from semantic.expr import (
    Between,
    Comparison,
    DatePart,
    FieldRef,
    Has,
    IsNull,
    Like,
    Literal_,
    Not,
    Now,
    Or,
    Predicate,
    VersusAggregate,
    Window,
)

Located = tuple[str, Predicate]


class Predicates:
    """Builds predicates under one assignment."""

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph, assignment: Assignment, as_of: dt.datetime) -> None:
        self._catalog = catalog
        self._kinds = kinds
        self._graph = graph
        self._a = assignment
        self._times = RowTimes(catalog, kinds, graph, assignment, as_of)
        self._values = ValuePredicates(catalog, kinds, assignment)

    def build(self, conditions: Sequence[Condition], base: str) -> Predicate | None:
        """All conditions joined, seen from rows of `base`."""
        groups = self._alternatives(conditions)
        parts: list[Predicate] = []
        by_child: dict[str, list[Predicate]] = {}
        for group in groups:
            if len(group) == 1:
                for dataset, predicate, alone in self._located(group[0], base):
                    around = () if group[0].hint.startswith("@") else self._graph.around_part(base, dataset)
                    if around:
                        parts.append(Has(dataset=dataset, where=predicate, via=around))
                    elif self._graph.reads(base, dataset):
                        parts.append(predicate)
                    elif alone:
                        parts.append(self._has(base, dataset, predicate))
                    else:
                        by_child.setdefault(dataset, []).append(predicate)
                continue
            located = [self._one(c, base) for c in group]
            datasets = {d for d, _ in located}
            if len(datasets) == 1 and not self._graph.reads(base, next(iter(datasets))):
                by_child.setdefault(next(iter(datasets)), []).append(Or(items=tuple(p for _, p in located)))
            else:
                parts.append(Or(items=tuple(p if self._graph.reads(base, d) else self._has(base, d, p) for d, p in located)))
        for dataset, predicates in by_child.items():
            parts.append(self._has(base, dataset, conjunction(predicates)))
        return conjunction(parts) if parts else None

    def _alternatives(self, conditions: Sequence[Condition]) -> list[list[Condition]]:
        groups: list[list[Condition]] = []
        for condition in conditions:
            if condition.or_previous and groups:
                groups[-1].append(condition)
            else:
                groups.append([condition])
        return groups

    def _has(self, base: str, dataset: str, where: Predicate | None, *, negate: bool = False) -> Predicate:
        if not self._graph.connected(base, dataset):
            raise Unbuildable(f"{base} and {dataset} are not related")
        if self._sideways(base, dataset):
            raise Unbuildable(f"{base} tells nothing of single {dataset}")
        if where is not None and contradictory([where]):
            raise Unbuildable("one field cannot have two values at once")
        return Has(dataset=dataset, where=where, via=other_side(self._catalog, base, dataset, where), negate=negate)

    def _sideways(self, base: str, dataset: str) -> bool:
        """Whether events reach things with events of their own only through a label that both share (ad spend and customers of one country)."""
        if self._catalog.dataset(base).kind is not DatasetKind.FACT or self._catalog.dataset(dataset).kind is not DatasetKind.DIMENSION:
            return False
        if not any(a.up and not b.up and b.target == dataset for a, b in pairwise(self._graph.path(base, dataset))):
            return False
        return any(
            r.to_dataset == dataset and self._catalog.dataset(r.from_dataset).kind is DatasetKind.FACT for r in self._catalog.relationships
        )

    def _one(self, condition: Condition, base: str) -> Located:
        located = self._located(condition, base)
        if len(located) == 1:
            return located[0][0], located[0][1]
        return base, conjunction([p if self._graph.reads(base, d) else self._has(base, d, p) for d, p, _ in located])

    def _located(self, condition: Condition, base: str) -> list[tuple[str, Predicate, bool]]:
        """(dataset, predicate on its rows, whether it must stand alone) for one condition."""
        if condition.kind == "related":
            return self._related(condition, base)
        if condition.kind == "cycle":
            return [(base, self._times.cycle(condition, base), False)]
        if condition.kind == "time":
            field, predicate = self._times.window(condition, base)
            return [(field.dataset, predicate, False)]
        if condition.kind == "same_period":
            return [(base, self._times.same_period(condition, base), False)]
        if condition.kind == "lapse":
            return [(*self._times.lapse(condition, base), False)]
        if condition.kind == "segment":
            target = self._a.target(condition.mention)
            segment = next((s for s in self._catalog.segments if target is not None and s.name == target.name), None)
            if segment is None:
                raise Unbuildable("no segment")
            return [(segment.dataset, Not(item=segment.where) if condition.negate else segment.where, False)]
        if condition.kind == "value":
            return self._values.of(condition)
        target = self._a.target(condition.mention)
        if condition.kind == "text" and target is not None and target.kind == "dataset":
            target = self._values.display(target.dataset or "")
        if condition.kind == "number" and target is not None and target.kind == "dataset" and condition.units:
            compared = compared_field(condition.units[0].text, self._catalog.dataset(target.dataset or ""))
            amount = self._kinds.main_amount(target.dataset or "")
            worth = worth_of(self._catalog, target.dataset or "") if compared is None and condition.op != "=" else None
            if worth is not None and condition.number is not None:
                return [(target.dataset or "", worth_condition(condition, worth), False)]
            if compared is None and amount is not None and condition.op != "=":
                if any(u.text.lower() in SPANS for u in condition.units) and not takes_time(amount):
                    raise Unbuildable(f"{amount.label} is not a time.")  # "requests that took longer than 3 days"
                compared = amount.name  # "transactions over 100": their amount
            if compared is not None:
                target = Target("field", f"{target.dataset}.{compared}", target.dataset, compared)
        if condition.kind == "flag" and target is not None and target.kind == "unflag":
            target = Target("field", target.name, target.dataset, target.field)
        if target is not None and target.kind == "display":
            target = self._values.display(target.dataset or "")
        if target is None or target.kind != "field":
            raise Unbuildable(f"{condition.kind} needs a field")
        ref = target.ref
        return [(ref.dataset, self.field_predicate(condition, ref), False)]

    def field_predicate(self, condition: Condition, ref: FieldRef) -> Predicate:
        field = self._catalog.field(ref)
        predicate: Predicate
        if condition.kind == "flag" and field.role is FieldRole.TIME:
            return IsNull(field=ref, negate=not condition.negate)  # "unpaid": no date of it
        if condition.kind == "flag":
            return flag(ref, field, value=not condition.negate)
        if condition.kind == "null" and condition.negate and field.role is FieldRole.TIME and field.label.lower().endswith(" until"):
            return Comparison(op=">=", left=ref, right=Now())  # "deferred until": as long as that day has not passed
        if condition.kind == "null":
            return IsNull(field=ref, negate=condition.negate)
        if condition.kind == "text":
            literal = condition.literal or ""
            predicate = Like(field=ref, match=condition.match, value=literal)
            return Not(item=predicate) if condition.negate else predicate
        if condition.kind == "average":
            if condition.match in ("max", "min"):
                return VersusAggregate(op="=", left=ref, aggregate=condition.match)  # "the venue with the highest capacity"
            return VersusAggregate(op=condition.op, left=ref, aggregate="avg")
        if condition.kind == "compare_fields":
            other = self._a.target(condition.other)
            if other is None or other.kind != "field":
                raise Unbuildable("compares with no field")
            right = other.ref
            if condition.other is not None and condition.other.via:
                right = right.model_copy(update={"via": condition.other.via})
            if {field.type, self._catalog.field(right).type} == {FieldType.DATE, FieldType.DATETIME}:
                days = (DatePart(part="trunc_day", of=x) for x in (ref, right))  # on the day that it was due is in time
                return Comparison(op=condition.op, left=next(days), right=next(days))
            return Comparison(op=condition.op, left=ref, right=right)
        if condition.kind == "number" and condition.number is not None:
            if not self._kinds.is_number(Target("field", str(ref), ref.dataset, ref.field)):
                if field.type is FieldType.STRING and (condition.op == "=" or field.unit == "year"):
                    return text_years(ref, condition.op, condition.number, condition.number_high, negate=condition.negate)
                raise Unbuildable("not a number")
            said = " ".join(u.text for u in condition.units)
            if field.role is FieldRole.FLAG and condition.number not in (0, 1):
                raise Unbuildable("a yes or no is no number")  # "smokers with at least two visits"
            against = contradicts(said, field)
            if against is not None:
                raise Unbuildable(against)
            number = as_scalar(as_kept(condition.number, field, said))
            if condition.op == "between" and condition.number_high is not None:
                high = as_scalar(as_kept(condition.number_high, field, said))
                predicate = Between(field=ref, low=Literal_(value=number), high=Literal_(value=high))
                return Not(item=predicate) if condition.negate else predicate
            return Comparison(op=condition.op, left=ref, right=Literal_(value=number))
        raise Unbuildable(condition.kind)

    def _related(self, condition: Condition, base: str) -> list[tuple[str, Predicate, bool]]:
        target = self._a.target(condition.mention)
        if target is None or target.dataset is None:
            raise Unbuildable("related to nothing")
        dataset = target.dataset
        inner = list(condition.inner)
        if target.kind == "field" and self._kinds.is_flag(target):
            ref = target.ref
            return [(dataset, flag(ref, self._catalog.field(ref), value=not condition.negate), False)]
        outer: list[Condition] = []
        if dataset == base or self._graph.points_to(base, dataset):
            outer = [c for c in inner if c.kind in ("time", "cycle") and c.mention is None]
            inner = [c for c in inner if c not in outer]
        where = self.build(inner, dataset) if inner else None
        if condition.number is not None:
            return [(base, counted(dataset, where, condition.op, int(condition.number)), False)]
        if outer:
            found = [(base, p, False) for c in outer for _, p, _ in self._located(c, base)]
            if where is not None and dataset == base:
                found.append((base, where, False))
            elif where is not None or condition.negate or (dataset != base and self._graph.optional(base, dataset)):
                found.append((base, self._has(base, dataset, where, negate=condition.negate), False))
            return found
        if dataset == base:
            if where is None and condition.negate:
                raise Unbuildable("rows without themselves")
            return [(base, Not(item=where) if condition.negate and where is not None else where, False)] if where is not None else []
        if where is None and not condition.negate and self._graph.points_to(base, dataset) and not self._graph.optional(base, dataset):
            return []
        return [(base, self._has(base, dataset, where, negate=condition.negate), False)]

    def in_time(self, ref: FieldRef, window: Window, *, negate: bool = False) -> Predicate:
        """Inside a window; a field that holds plain years is compared with the window's years."""
        return self._times.inside(ref, window, negate=negate)

    def time_field(self, dataset: str) -> FieldRef | None:
        """The primary time of a dataset, else a field of plain years."""
        return self._times.of(dataset)


__all__ = ["Predicates", "Unbuildable"]
