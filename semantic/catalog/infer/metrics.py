"""Metrics that every table offers: how many rows, and the total and average of its measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.words import plural
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind

SOURCE = "inferred"


def find_metrics(datasets: Sequence[Dataset], names: Mapping[str, TableName]) -> list[SimpleMetric]:
    """Count, sum and average metrics; names are unique in the catalog."""
    found: list[SimpleMetric] = []
    taken: set[str] = set()
    repeated = _repeated_labels(datasets)
    for dataset in datasets:
        if dataset.kind != DatasetKind.BRIDGE:
            found.append(_count(dataset, names[dataset.table], taken))
        for field in dataset.fields:
            if field.role == FieldRole.MEASURE and not field.hidden and not field.pii:
                found += _of_measure(dataset, field, names[dataset.table], taken, repeated)
    return found


def _count(dataset: Dataset, name: TableName, taken: set[str]) -> SimpleMetric:
    words = "_".join(name.words)
    return SimpleMetric(
        name=_unique(f"{words}_count", taken),
        label=f"number of {name.plural}",
        synonyms=(f"{name.singular} count", f"count of {name.plural}", f"{name.plural} count"),
        dataset=dataset.name,
        aggregate=AggregateKind.COUNT,
        source=SOURCE,
    )


def _of_measure(dataset: Dataset, field: CatalogField, name: TableName, taken: set[str], repeated: frozenset[str]) -> list[SimpleMetric]:
    ref = FieldRef(dataset=dataset.name, field=field.name)
    said = field.label
    own = f"{name.singular} {said}" if said in repeated and not set(name.words) & set(said.split()) else said
    found = []
    snapshot = dataset.kind == DatasetKind.SNAPSHOT and dataset.time is not None
    if field.additive or (snapshot and field.aggregate == AggregateKind.AVG):
        bare = said.removeprefix("total ")
        synonyms = dict.fromkeys((said, plural(bare), f"total {bare}", f"sum of {bare}", *field.synonyms))
        label = own if own.startswith("total ") else f"total {own}"
        found.append(
            SimpleMetric(
                name=_unique(safe_name(f"total_{own.removeprefix('total ')}"), taken),
                label=label,
                description=field.description,
                synonyms=tuple(s for s in synonyms if s != label),
                unit=field.unit,
                format=field.format,
                good_direction=field.good_direction,
                dataset=dataset.name,
                aggregate=AggregateKind.SUM,
                of=ref,
                non_additive=(FieldRef(dataset=dataset.name, field=dataset.time),)
                if snapshot and dataset.time and not field.additive
                else (),
                source=SOURCE,
            )
        )
    label = own if own.startswith("average ") else f"average {own}"
    bare = said.removeprefix("average ")
    synonyms = dict.fromkeys((f"average {bare}", f"mean {bare}", f"avg {bare}", *([said] if not field.additive else [])))
    found.append(
        SimpleMetric(
            name=_unique(safe_name(f"average_{own.removeprefix('average ')}"), taken),
            label=label,
            description=field.description,
            synonyms=tuple(s for s in synonyms if s != label),
            unit=field.unit,
            format=field.format,
            good_direction=field.good_direction,
            dataset=dataset.name,
            aggregate=AggregateKind.AVG,
            of=ref,
            source=SOURCE,
        )
    )
    return found


def _repeated_labels(datasets: Sequence[Dataset]) -> frozenset[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for dataset in datasets:
        labels = {f.label for f in dataset.fields if f.role == FieldRole.MEASURE}
        twice |= labels & seen
        seen |= labels
    return frozenset(twice)


def _unique(name: str, taken: set[str]) -> str:
    base = safe_name(name.lower())
    found, number = base, 2
    while found in taken:
        found, number = f"{base}_{number}", number + 1
    taken.add(found)
    return found
