"""What sort of thing a link points to, as the grammar needs to know it."""

from __future__ import annotations

import re

from nlq.lexicon import Target, has_person_fields, is_one_of_several
from nlq.linking import Link
from nlq.said_units import is_money
from nlq.segment import Unit
from nlq.text import keys_of, lemma, words_of
from nlq.thesaurus import root
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    CumulativeMetric,
    DatasetKind,
    FieldRole,
    FieldType,
    RatioMetric,
    Relationship,
    SimpleMetric,
)
from semantic.query import AggregateKind

NUMERIC = frozenset((FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT))

# Whole numbers that are years when they are called so.
_YEARS = frozenset(("year", "founded", "established", "built"))

# Words of the dates from which to which a thing lasts, and of those that are no end of it.
_STARTING = frozenset("start started starts begin began begins from since opened opening".split())
_ENDING = frozenset("end ended ends until to closed closing finish finished".split())
_NO_END = frozenset("due deadline planned scheduled expected promised estimated birth born updated modified".split())


# Money that is only a part of what a row comes to, or only meant for it.
_PARTS = frozenset(
    "tax vat gst fee fees commission discount rebate tip surcharge shipping freight refund penalty interest budget planned target cost margin profit".split()
)


def _is_whole(field: CatalogField) -> bool:
    """Whether an amount may be all that a row comes to ("net amount", beside the VAT on it)."""
    words = set(words_of(field.label))
    return bool(words & {"amount", "price", "total", "value"}) and not words & _PARTS


class Kinds:
    """Answers about targets of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def metric_dataset(self, target: Target, depth: int = 0) -> str | None:
        """The dataset that a metric's rows come from (a ratio's numerator's)."""
        if target.kind != "metric" or depth > 5:
            return None
        metric = self.catalog.metric(target.name)
        if isinstance(metric, SimpleMetric):
            return metric.dataset
        if isinstance(metric, RatioMetric):
            return self.metric_dataset(Target("metric", metric.numerator), depth + 1)
        if isinstance(metric, CumulativeMetric):
            return self.metric_dataset(Target("metric", metric.metric), depth + 1)
        names = set(re.findall(r"[A-Za-z_]\w*", metric.expression))
        first = next((m.name for m in self.catalog.metrics if m.name in names and m.name != target.name), None)
        return self.metric_dataset(Target("metric", first), depth + 1) if first else None

    def metric_datasets(self, name: str, depth: int = 0) -> frozenset[str]:
        """Every dataset that a metric is computed from."""
        if depth > 5:
            return frozenset()
        metric = self.catalog.metric(name)
        if isinstance(metric, SimpleMetric):
            return frozenset((metric.dataset,))
        if isinstance(metric, RatioMetric):
            parts = [metric.numerator, metric.denominator]
        elif isinstance(metric, CumulativeMetric):
            parts = [metric.metric]
        else:
            words = set(re.findall(r"[A-Za-z_]\w*", metric.expression))
            parts = [m.name for m in self.catalog.metrics if m.name in words and m.name != name]
        return frozenset(d for p in parts for d in self.metric_datasets(p, depth + 1))

    def field(self, target: Target) -> CatalogField | None:
        if target.kind != "field" or target.dataset is None or target.field is None:
            return None
        dataset = self.catalog.dataset(target.dataset)
        return dataset.field(target.field) if dataset.has_field(target.field) else None

    def is_dataset(self, target: Target) -> bool:
        return target.kind == "dataset"

    def is_metric(self, target: Target) -> bool:
        return target.kind == "metric"

    def is_time(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and (field.role is FieldRole.TIME or field.type in (FieldType.DATE, FieldType.DATETIME))

    def is_year(self, target: Target) -> bool:
        """A column of plain years ("birth year")."""
        field = self.field(target)
        if field is None or field.type not in (FieldType.INTEGER, FieldType.STRING):
            return False
        return field.unit == "year" or (field.type is FieldType.INTEGER and field.label.lower().split()[-1] in _YEARS)

    def is_flag(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and (field.role is FieldRole.FLAG or field.type is FieldType.BOOLEAN)

    def is_key(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and field.role is FieldRole.KEY

    def is_measure(self, target: Target) -> bool:
        """A metric, or a number that is added up or averaged."""
        field = self.field(target)
        return target.kind == "metric" or (field is not None and field.role is FieldRole.MEASURE)

    def is_amount(self, target: Target) -> bool:
        """A stored number that is added up or averaged."""
        field = self.field(target)
        return field is not None and field.role is FieldRole.MEASURE

    def is_number(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and field.type in NUMERIC and field.role is not FieldRole.KEY

    def amounts_of(self, unit: Unit, *, main: bool = False) -> list[Target]:
        """The numbers of the dataset that a unit names. main: only the one that stands for its rows."""
        dataset = next((k.target.dataset for k in unit.links if k.target.kind == "dataset"), None)
        if dataset is None:
            return []
        amount = self.main_amount(dataset)
        found = [f for f in self.catalog.dataset(dataset).fields if f.role is FieldRole.MEASURE and not f.hidden]
        if main:
            found = [amount] if amount is not None else []
        return [Target("field", f"{dataset}.{f.name}", dataset, f.name) for f in found]

    def likely(self, unit: Unit, test: str) -> bool:
        """Whether one of the unit's best links passes the test named `test`."""
        check = getattr(self, f"is_{test}")
        if not unit.links:
            return False
        top = unit.links[0].score
        return any(check(link.target) for link in unit.links if link.score >= top - 0.06)

    def certainly(self, unit: Unit, test: str) -> bool:
        """Whether all of the unit's best links pass the test."""
        check = getattr(self, f"is_{test}")
        if not unit.links:
            return False
        top = unit.links[0].score
        return all(check(link.target) for link in unit.links if link.score >= top - 0.06)

    def event_of(self, verb: Unit, thing: str) -> str | None:
        """The dataset of events of `thing` that a verb tells of ("sold": order lines of products): by what the verb links to, else the only one."""
        events = {r.from_dataset for r in self.catalog.relationships if r.to_dataset == thing}
        events = {
            d
            for d in events
            if self.catalog.dataset(d).kind in (DatasetKind.FACT, DatasetKind.BRIDGE) and not self.catalog.dataset(d).hidden
        }
        for link in verb.links:
            dataset = self.metric_dataset(link.target) if link.target.kind == "metric" else link.target.dataset
            if dataset in events:
                return dataset
        return next(iter(events)) if len(events) == 1 else None

    def players(self, unit: Unit) -> tuple[Link, ...]:
        """ "reviewer", "manager": who plays the part that one of several ways to the same things is called by; empty where no part is meant."""
        said = unit.text.lower()
        ways = [
            r
            for r in self.catalog.relationships
            if r.role is not None
            and said in (r.role.lower(), f"{r.role.lower()}s")
            and is_one_of_several(r, self.catalog)
            and any(e.dataset == r.to_dataset for e in self.catalog.entities)
        ]
        return tuple(Link(Target("dataset", r.to_dataset, r.to_dataset, None, (r.name,)), 1.0, True) for r in ways)

    def self_role(self, unit: Unit) -> str | None:
        """The relationship of a dataset with itself whose role a unit names ("manager" of employees)."""
        for relation in self.catalog.relationships:
            if relation.from_dataset == relation.to_dataset and relation.role is not None and set(unit.keys) == set(keys_of(relation.role)):
                return relation.name
        return None

    def part_of(self, verb: str) -> Relationship | None:
        """The one relationship to persons whose role a verb tells of ("coached": coach; "dispatched": dispatched by)."""
        said = root(lemma(verb))
        found = [
            r
            for r in self.catalog.relationships
            if r.role is not None and r.from_dataset != r.to_dataset and any(root(k) == said for k in keys_of(r.role))
        ]
        return found[0] if len(found) == 1 else None

    def main_amount(self, dataset: str) -> CatalogField | None:
        """The one number of a dataset that is added up, or the one of them that bears its name ("claim amount" of claims)."""
        found = self.catalog.dataset(dataset)
        summed = [
            f for f in found.fields if f.role is FieldRole.MEASURE and not f.hidden and f.aggregate is AggregateKind.SUM and f.additive
        ]
        named = [f for f in summed if set(keys_of(found.label)) < set(keys_of(f.label))]
        chosen = summed if len(summed) == 1 else named or [f for f in summed if _is_whole(f)]
        return chosen[0] if len(chosen) == 1 else None

    def ends(self, dataset: str | None) -> tuple[str, str] | None:
        """The first and the last date of a thing that has exactly these two, or one that starts and one that ends it."""
        rows = self.catalog.dataset(dataset) if dataset is not None else None
        dates = [f for f in rows.fields if f.role is FieldRole.TIME and not f.hidden] if rows is not None else []
        dates = [f for f in dates if not _NO_END & set(words_of(f.label))]
        if rows is None or len(dates) < 2:
            return None
        if len(dates) == 2 and rows.time in (dates[0].name, dates[1].name):
            return rows.time or "", next(d.name for d in dates if d.name != rows.time)
        first, last = ([d.name for d in dates if said & set(words_of(d.label))] for said in (_STARTING, _ENDING))
        return (first[0], last[0]) if len(first) == len(last) == 1 and first != last else None

    def starts_and_ends(self, dataset: str, dates: tuple[str, str]) -> bool:
        """Whether the dates are called a start and an end: what has them lasts, and is not only sent and delivered."""
        labels = [set(words_of(self.catalog.dataset(dataset).field(d).label)) for d in dates]
        return bool(labels[0] & _STARTING and labels[1] & _ENDING)

    def is_person(self, dataset: str) -> bool:
        """Whether the rows are persons."""
        return has_person_fields(self.catalog.dataset(dataset))

    def is_name_of_thing(self, dataset: str, field: str) -> bool:
        """Whether the rows of a dataset are called by this field, and each by another text."""
        found = self.catalog.dataset(dataset)
        if found.kind is DatasetKind.FACT or not any(e.dataset == dataset and e.display == (field,) for e in self.catalog.entities):
            return False
        named = found.field(field).cardinality
        return named is not None and bool(found.row_count) and named >= 0.9 * (found.row_count or 0)

    def bears_name(self, dataset: str, field: str) -> bool:
        """Whether a field is called as the rows are ("channel" of channels), so that it tells one from the other."""
        found = self.catalog.dataset(dataset)
        return keys_of(found.field(field).label) == keys_of(found.label)

    def names_thing(self, dataset: str, field: str) -> bool:
        """Whether a field points to things by what they are called."""
        return any(
            r.from_dataset == dataset and r.from_fields == (field,) and self.is_name_of_thing(r.to_dataset, r.to_fields[0])
            for r in self.catalog.relationships
        )

    def has_age(self, dataset: str | None) -> bool:
        """Whether the things have an age."""
        return dataset is not None and any(
            f.role is FieldRole.MEASURE and not f.hidden and f.label.lower().split()[-1] == "age"
            for f in self.catalog.dataset(dataset).fields
        )

    def has_names_of_persons(self, dataset: str) -> bool:
        """Whether the rows are persons, or called by names that are personal."""
        named = (f.role is FieldRole.NAME and f.pii and not f.hidden for f in self.catalog.dataset(dataset).fields)
        return self.is_person(dataset) or any(named)

    def is_fact(self, unit: Unit) -> bool:
        """Whether a unit names events that have a date."""
        dataset = next((k.target.dataset for k in unit.links if k.target.kind == "dataset"), None)
        found = self.catalog.dataset(dataset) if dataset is not None else None
        return found is not None and found.kind is DatasetKind.FACT and found.time is not None

    def is_dated(self, unit: Unit) -> bool:
        """Whether a unit names things that have a date of their own."""
        dataset = next((k.target.dataset for k in unit.links if k.target.kind == "dataset"), None)
        return dataset is not None and self.catalog.dataset(dataset).time is not None

    def is_category(self, target: Target) -> bool:
        """A label in words."""
        field = self.field(target)
        return field is not None and field.role in (FieldRole.CATEGORY, FieldRole.NAME) and field.type is FieldType.STRING

    def label(self, target: Target) -> str:
        """What a metric or field is called."""
        field = self.field(target)
        return self.catalog.metric(target.name).label if target.kind == "metric" else field.label if field is not None else target.name

    def is_money(self, target: Target) -> bool:
        """Whether a metric is an amount of money, which nobody counts."""
        return target.kind == "metric" and is_money(self.catalog.metric(target.name))
