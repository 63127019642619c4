"""Metrics that every table offers: how many rows, and the total and average of its measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.words import plural
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole, Relationship, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind

SOURCE = "inferred"
_SELLING = frozenset({"sale", "order", "invoice"})


def find_metrics(datasets: Sequence[Dataset], names: Mapping[str, TableName], relationships: Sequence[Relationship]) -> list[SimpleMetric]:
    """Count, sum and average metrics; names are unique in the catalog. A subtype without measures has those of its parent."""
    by_name = {d.name: d for d in datasets}
    parents = {r.from_dataset: by_name[r.to_dataset] for r in relationships if r.cardinality == "one_to_one"}
    maker = _Maker(names, _repeated_labels(datasets))
    found: list[SimpleMetric] = []
    for dataset in datasets:
        if dataset.kind != DatasetKind.BRIDGE:
            found.append(maker.count(dataset))
        own = [f for f in dataset.fields if f.role == FieldRole.MEASURE and not f.hidden and not f.pii]
        for field in own:
            found += maker.of_measure(dataset, dataset, field, alone=_is_alone(dataset, field))
        parent = parents.get(dataset.name)
        if dataset.kind == DatasetKind.SUBTYPE and not own and parent is not None:
            measures = [f for f in parent.fields if f.role == FieldRole.MEASURE and not f.hidden and not f.pii]
            for field in measures:
                found += maker.of_measure(dataset, parent, field, alone=len(measures) == 1)
    return found


def _is_alone(dataset: Dataset, field: CatalogField) -> bool:
    """Whether it is the amount of the fact: its only additive measure of money."""
    money = [f for f in dataset.fields if f.role == FieldRole.MEASURE and f.additive and set(f.label.split()) & v.MONEY]
    return dataset.kind == DatasetKind.FACT and money == [field]


class _Maker:
    def __init__(self, names: Mapping[str, TableName], repeated: frozenset[str]) -> None:
        self._names = names
        self._repeated = repeated
        self._taken: set[str] = set()

    def count(self, dataset: Dataset) -> SimpleMetric:
        name = self._names[dataset.table]
        return SimpleMetric(
            name=self._unique(f"{'_'.join(name.words)}_count"),
            label=f"number of {name.plural}",
            synonyms=(
                f"{name.singular} count",
                f"count of {name.plural}",
                f"{name.plural} count",
                *(f"number of {s}" for s in name.synonyms if plural(s) == s),
            ),
            dataset=dataset.name,
            aggregate=AggregateKind.COUNT,
            source=SOURCE,
        )

    def of_measure(self, dataset: Dataset, home: Dataset, field: CatalogField, *, alone: bool) -> list[SimpleMetric]:
        """`home` holds the field: the dataset itself, or the parent of a subtype."""
        name = self._names[dataset.table]
        said = field.label
        own = self._own_label(dataset, home, said, name)
        found = []
        semi = dataset.kind == DatasetKind.SNAPSHOT and dataset.time is not None and not field.additive
        if field.additive or (semi and field.aggregate == AggregateKind.AVG):
            found.append(
                self._make(
                    dataset,
                    home,
                    field,
                    AggregateKind.SUM,
                    "total",
                    own,
                    self._total_synonyms(dataset, home, field, name, alone=alone),
                    semi=semi,
                )
            )
        average = [
            f"average {own.removeprefix('average ')}",
            f"mean {said}",
            f"avg {said}",
            f"average {said}",
            *([] if field.additive or (semi and not v.INTENSIVE & set(said.split())) else [said]),
        ]
        found.append(self._make(dataset, home, field, AggregateKind.AVG, "average", own, average, semi=False))
        return found

    def _own_label(self, dataset: Dataset, home: Dataset, said: str, name: TableName) -> str:
        """The measure's words, with the table's where another table says the same."""
        if dataset is home and said not in self._repeated:
            return said
        rest = [w for w in said.split() if w not in name.words and (dataset is home or w not in home.label.split()[:-1])]
        return " ".join((*name.words, *rest))

    def _total_synonyms(self, dataset: Dataset, home: Dataset, field: CatalogField, name: TableName, *, alone: bool) -> list[str]:
        bare = field.label.removeprefix("total of ").removeprefix("total ")
        synonyms = [] if dataset is not home else [field.label, plural(bare), f"total {bare}", f"sum of {bare}", *field.synonyms]
        if alone:
            synonyms += [
                f"total {name.plural}",
                f"total {name.singular}",
                f"{name.singular} amount",
                f"total {name.singular} amount",
                f"{name.plural} amount",
            ]
            if dataset is not home:
                synonyms += [name.singular, name.plural]
            if name.words[-1] in _SELLING:
                synonyms += ["revenue", "total revenue", "sales revenue", "sales amount", "total sales amount", "turnover"]
        return synonyms

    def _make(
        self,
        dataset: Dataset,
        home: Dataset,
        field: CatalogField,
        aggregate: AggregateKind,
        word: str,
        own: str,
        synonyms: Sequence[str],
        *,
        semi: bool,
    ) -> SimpleMetric:
        label = own if own.startswith(f"{word} ") else f"{word} {own}"
        time = FieldRef(dataset=home.name, field=home.time) if home is not dataset and home.time and not dataset.time else None
        return SimpleMetric(
            name=self._unique(safe_name(f"{word}_{own.removeprefix(word + ' of ').removeprefix(word + ' ')}".lower())),
            label=label,
            description=field.description,
            synonyms=tuple(dict.fromkeys(s for s in synonyms if s != label)),
            unit=field.unit,
            format=field.format,
            good_direction=field.good_direction,
            dataset=dataset.name,
            aggregate=aggregate,
            of=FieldRef(dataset=home.name, field=field.name),
            time_field=time,
            non_additive=(FieldRef(dataset=dataset.name, field=dataset.time),) if semi and dataset.time else (),
            source=SOURCE,
        )

    def _unique(self, name: str) -> str:
        base = safe_name(name.lower())
        found, number = base, 2
        while found in self._taken:
            found, number = f"{base}_{number}", number + 1
        self._taken.add(found)
        return found


def _repeated_labels(datasets: Sequence[Dataset]) -> frozenset[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for dataset in datasets:
        labels = {f.label for f in dataset.fields if f.role == FieldRole.MEASURE}
        twice |= labels & seen
        seen |= labels
    return frozenset(twice)
