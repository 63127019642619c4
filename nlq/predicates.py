"""Conditions -> predicates over rows of a base dataset. Conditions on rows that point to the base become one `Has` per dataset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from nlq.adjectives import compared_field
from nlq.assign import Assignment
from nlq.conjunctions import conjunction, counted
from nlq.conjunctions import contradicts as contradictory
from nlq.flags import flag
from nlq.frame import Condition, Mention
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lapse import lapse
from nlq.lexicon import Target
from nlq.numbers import as_scalar, as_stored
from nlq.phrases import WEEKDAYS
from nlq.roles import other_side, way_to
from nlq.said_units import contradicts
from nlq.timing.feasts import public_holidays
from nlq.unbuildable import Unbuildable
from nlq.validity import holding
from nlq.worth import worth_condition, worth_of
from nlq.years import in_years, text_years
from semantic.catalog.model import Catalog, DatasetKind, FieldRole, FieldType
from semantic.expr import (
    Between,
    Comparison,
    DatePart,
    FieldRef,
    Has,
    In,
    InWindow,
    IsNull,
    Like,
    Literal_,
    Not,
    Or,
    Predicate,
    Scalar,
    VersusAggregate,
    Window,
)

Located = tuple[str, Predicate]

# Holidays of so many past years are listed in a query.
_HOLIDAY_YEARS = 10


class Predicates:
    """Builds predicates under one assignment."""

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph, assignment: Assignment, as_of: dt.datetime) -> None:
        self._catalog = catalog
        self._kinds = kinds
        self._graph = graph
        self._a = assignment
        self._as_of = as_of

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
                    elif self._local(base, dataset):
                        parts.append(predicate)
                    elif alone:
                        parts.append(self._has(base, dataset, predicate))
                    else:
                        by_child.setdefault(dataset, []).append(predicate)
                continue
            located = [self._one(c, base) for c in group]
            datasets = {d for d, _ in located}
            if len(datasets) == 1 and not self._local(base, next(iter(datasets))):
                by_child.setdefault(next(iter(datasets)), []).append(Or(items=tuple(p for _, p in located)))
            else:
                parts.append(Or(items=tuple(p if self._local(base, d) else self._has(base, d, p) for d, p in located)))
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

    def _local(self, base: str, dataset: str) -> bool:
        return dataset == base or self._graph.points_to(base, dataset)

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
        return base, conjunction([p if self._local(base, d) else self._has(base, d, p) for d, p, _ in located])

    def _located(self, condition: Condition, base: str) -> list[tuple[str, Predicate, bool]]:
        """(dataset, predicate on its rows, whether it must stand alone) for one condition."""
        if condition.kind == "related":
            return self._related(condition, base)
        if condition.kind == "cycle":
            field = self._time_field(base)
            if condition.literal == "holiday":
                days = self._holidays()
                return [(base, In(field=DatePart(part="trunc_day", of=field), values=days, negate=condition.negate), False)]
            part = Comparison(op="=", left=DatePart(part="is_weekend", of=field), right=Literal_(value=1))
            if condition.literal in WEEKDAYS:
                part = Comparison(
                    op="=", left=DatePart(part="day_of_week", of=field), right=Literal_(value=WEEKDAYS.index(condition.literal) + 1)
                )
            return [(base, Not(item=part) if condition.negate else part, False)]
        if condition.kind == "time":
            target = self._a.target(condition.mention)
            field = (
                self._ref(target)
                if target is not None and (self._kinds.is_time(target) or self._kinds.is_year(target))
                else self._time_field(target.dataset if target is not None and target.dataset else base)
            )
            if condition.time is None:
                raise Unbuildable("no window")
            holds = holding(condition, field, self._catalog, self._as_of)
            if holds is not None:
                return [(field.dataset, holds, False)]
            return [(field.dataset, self.in_time(field, condition.time.window, negate=condition.negate), False)]
        if condition.kind == "same_period":
            return [(base, self._same_period(condition, base), False)]
        if condition.kind == "lapse":
            return [self._lapse(condition, base)]
        if condition.kind == "segment":
            target = self._a.target(condition.mention)
            segment = next((s for s in self._catalog.segments if target is not None and s.name == target.name), None)
            if segment is None:
                raise Unbuildable("no segment")
            return [(segment.dataset, Not(item=segment.where) if condition.negate else segment.where, False)]
        if condition.kind == "value":
            return self._value(condition)
        target = self._a.target(condition.mention)
        if condition.kind == "text" and target is not None and target.kind == "dataset":
            target = self._display(target.dataset or "")
        if condition.kind == "number" and target is not None and target.kind == "dataset" and condition.units:
            compared = compared_field(condition.units[0].text, self._catalog.dataset(target.dataset or ""))
            amount = self._kinds.main_amount(target.dataset or "")
            worth = worth_of(self._catalog, target.dataset or "") if compared is None and condition.op != "=" else None
            if worth is not None and condition.number is not None:
                return [(target.dataset or "", worth_condition(condition, worth), False)]
            if compared is None and amount is not None and condition.op != "=":
                compared = amount.name  # "transactions over 100": their amount
            if compared is not None:
                target = Target("field", f"{target.dataset}.{compared}", target.dataset, compared)
        if condition.kind == "flag" and target is not None and target.kind == "unflag":
            target = Target("field", target.name, target.dataset, target.field)
        if target is not None and target.kind == "display":
            target = self._display(target.dataset or "")
        if target is None or target.kind != "field":
            raise Unbuildable(f"{condition.kind} needs a field")
        ref = self._ref(target)
        return [(ref.dataset, self.field_predicate(condition, ref), False)]

    def field_predicate(self, condition: Condition, ref: FieldRef) -> Predicate:
        field = self._catalog.field(ref)
        predicate: Predicate
        if condition.kind == "flag":
            return flag(ref, field, value=not condition.negate)
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
            right = self._ref(other)
            if condition.other is not None and condition.other.via:
                right = right.model_copy(update={"via": condition.other.via})
            return Comparison(op=condition.op, left=ref, right=right)
        if condition.kind == "number" and condition.number is not None:
            if not self._kinds.is_number(Target("field", str(ref), ref.dataset, ref.field)):
                if field.type is FieldType.STRING and (condition.op == "=" or field.unit == "year"):
                    return text_years(ref, condition.op, condition.number, condition.number_high, negate=condition.negate)
                raise Unbuildable("not a number")
            said = " ".join(u.text for u in condition.units)
            against = contradicts(said, field)
            if against is not None:
                raise Unbuildable(against)
            number = as_scalar(as_stored(condition.number, field.format, said))
            if condition.op == "between" and condition.number_high is not None:
                high = as_scalar(as_stored(condition.number_high, field.format, said))
                predicate = Between(field=ref, low=Literal_(value=number), high=Literal_(value=high))
                return Not(item=predicate) if condition.negate else predicate
            return Comparison(op=condition.op, left=ref, right=Literal_(value=number))
        raise Unbuildable(condition.kind)

    def _value(self, condition: Condition) -> list[tuple[str, Predicate, bool]]:
        chosen = self._a.value(condition)
        if chosen is not None:
            way = way_to(chosen.dataset, condition.hint, self._catalog) if condition.hint else ()
            ref = FieldRef(dataset=chosen.dataset, field=chosen.field, via=way)
            values: list[Scalar] = [self._typed(ref, chosen.value)]
            for more in condition.more_values:
                match = next((v for v in more if (v.dataset, v.field) == (chosen.dataset, chosen.field)), None)
                if match is None:
                    raise Unbuildable("values of different fields")
                values.append(self._typed(ref, match.value))
            if condition.both and len(values) > 1:
                return [(ref.dataset, self._equals(ref, [v], condition.negate), True) for v in values]
            return [(ref.dataset, self._equals(ref, values, condition.negate), condition.both)]
        target = self._a.target(condition.mention)
        if target is not None and target.kind == "dataset":
            shown = self._display(target.dataset or "") if not (condition.literal or "").isdigit() else self._key(target.dataset or "")
            target = replace(shown, via=target.via) if shown is not None else None
        if target is None or target.kind != "field":
            raise Unbuildable("a value without a field")
        ref = self._ref(target)
        literals = [condition.literal or "", *condition.literals]
        field = self._catalog.field(ref)
        if self._kinds.is_flag(target) and literals[0].strip(" .").lower() in ("true", "yes", "1", "false", "no", "0"):
            return [(ref.dataset, flag(ref, field, value=literals[0].strip(" .").lower() in ("true", "yes", "1")), False)]
        return [
            (
                ref.dataset,
                self._equals(ref, [self._typed(ref, text) for text in literals], condition.negate, text=field.type is FieldType.STRING),
                condition.both,
            )
        ]

    def _equals(self, ref: FieldRef, values: list[Scalar], negate: bool, *, text: bool = False) -> Predicate:
        if len(values) == 1 and not negate:
            return Comparison(op="=", left=ref, right=Literal_(value=values[0]), ignore_case=text)
        return In(field=ref, values=tuple(values), negate=negate, ignore_case=text)

    def _typed(self, ref: FieldRef, text: str) -> Scalar:
        field = self._catalog.field(ref)
        try:
            if field.type is FieldType.INTEGER:
                return int(float(text))
            if field.type in (FieldType.DECIMAL, FieldType.FLOAT):
                return float(text)
            if field.type is FieldType.BOOLEAN:
                return text.strip().lower() in ("1", "true", "yes", "y")
        except ValueError:
            raise Unbuildable(f"{text!r} is not a number") from None
        return text

    def _related(self, condition: Condition, base: str) -> list[tuple[str, Predicate, bool]]:
        target = self._a.target(condition.mention)
        if target is None or target.dataset is None:
            raise Unbuildable("related to nothing")
        dataset = target.dataset
        inner = list(condition.inner)
        if target.kind == "field" and self._kinds.is_flag(target):
            ref = self._ref(target)
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

    def _holidays(self) -> tuple[dt.date, ...]:
        """The public holidays of the calendar's country over the years that a question may be about."""
        calendar = self._catalog.calendar
        years = range(self._as_of.year - _HOLIDAY_YEARS, self._as_of.year + 2)
        days = tuple(day for year in years for day in public_holidays(calendar.country, year))
        if not days:
            raise Unbuildable("Public holidays are not known: the catalog's calendar names no country.")
        return days

    def in_time(self, ref: FieldRef, window: Window, *, negate: bool = False) -> Predicate:
        """Inside a window; a field that holds plain years is compared with the window's years."""
        field = self._catalog.field(ref)
        text = field.type is FieldType.STRING and field.unit == "year"
        if text or (field.type is FieldType.INTEGER and field.epoch is None):
            years = in_years(ref, window, self._as_of, text=text)
            return Not(item=years) if negate else years
        return InWindow(field=ref, window=window, negate=negate)

    def time_field(self, dataset: str) -> FieldRef | None:
        """The primary time of a dataset, else a field of plain years."""
        found = self._catalog.dataset(dataset)
        if found.time is not None:
            return FieldRef(dataset=dataset, field=found.time)
        times = [f for f in found.fields if f.role is FieldRole.TIME and not f.hidden]
        if times:
            return FieldRef(dataset=dataset, field=times[0].name)
        integers = (f for f in found.fields if f.type is FieldType.INTEGER and f.label.lower().split()[-1] == "year")
        year = next((f for f in found.fields if f.unit == "year" and f.label.lower().split()[-1] == "year"), None) or next(integers, None)
        return FieldRef(dataset=dataset, field=year.name) if year is not None else None

    def _time_field(self, dataset: str) -> FieldRef:
        ref = self.time_field(dataset)
        if ref is None:
            for other in self._catalog.datasets:
                if other.name != dataset and self._graph.points_to(dataset, other.name) and self.time_field(other.name) is not None:
                    ref = self.time_field(other.name)
                    break
        if ref is None:
            raise Unbuildable(f"{dataset} has no time")
        return ref

    def _same_period(self, condition: Condition, base: str) -> Predicate:
        target = self._a.target(condition.mention)
        if target is None or target.dataset is None:
            raise Unbuildable("same period as what")
        other = self._ref(target) if target.kind == "field" and self._kinds.is_time(target) else self._time_field(target.dataset)
        mine = self._time_field(base)
        if mine == other or not self._local(base, other.dataset):
            raise Unbuildable("no second date")
        part = f"trunc_{condition.literal}"
        return Comparison(op="=", left=DatePart(part=part, of=mine), right=DatePart(part=part, of=other))

    def _lapse(self, condition: Condition, base: str) -> tuple[str, Predicate, bool]:
        """Two dates held against each other, on rows that tell both."""
        date, other = (self._moment(m, base) for m in (condition.mention, condition.other))
        homes = [d for d in (date.dataset, other.dataset) if all(self._local(d, x.dataset) for x in (date, other))]
        home = base if all(self._local(base, x.dataset) for x in (date, other)) else next(iter(homes), None)
        if home is None or date == other:
            raise Unbuildable("two dates that no row has together")
        held = lapse(condition, date, other)
        return home, Not(item=held) if condition.negate else held, False

    def _moment(self, mention: Mention | None, base: str) -> FieldRef:
        """The date that a mention means; the rows' own when there is none."""
        target = self._a.target(mention)
        if target is not None and target.kind == "field" and self._kinds.is_time(target):
            return self._ref(target)
        return self._time_field(target.dataset if target is not None and target.dataset else base)

    def _key(self, dataset: str) -> Target | None:
        """What a number after a thing's name is: its one key, else what it is called by ("order 1043")."""
        key = next((e.key for e in self._catalog.entities if e.dataset == dataset), self._catalog.dataset(dataset).primary_key)
        whole = len(key) == 1 and self._catalog.dataset(dataset).field(key[0]).type is FieldType.INTEGER
        return Target("field", f"{dataset}.{key[0]}", dataset, key[0]) if whole else self._display(dataset)

    def _display(self, dataset: str) -> Target | None:
        entity = next((e for e in self._catalog.entities if e.dataset == dataset), None)
        name = entity.display[0] if entity is not None and entity.display else None
        name = name or next((f.name for f in self._catalog.dataset(dataset).fields if f.role is FieldRole.NAME), None)
        return Target("field", f"{dataset}.{name}", dataset, name) if name else None

    def _ref(self, target: Target) -> FieldRef:
        return target.ref


__all__ = ["Predicates", "Unbuildable"]
