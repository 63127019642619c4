"""Puts what inference found into the catalog that people have worked on: adds what is new, changes nothing that is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from semantic.catalog.model import Catalog, Dataset, SimpleMetric
from semantic.expr import FieldRef

_Named = TypeVar("_Named", bound=BaseModel)


def merge_catalog(current: Catalog, found: Catalog) -> Catalog:
    """`current` with the datasets, fields and other objects of `found` that it does not have yet.

    A dataset is known by its table, a field by its column, everything else by its name. Objects are added only when they speak of datasets
    that are new, so that what an analyst removed does not come back with the next load.
    """
    known_tables = {(d.database, d.table): d for d in current.datasets}
    taken = {d.name for d in current.datasets}
    added = tuple(d for d in found.datasets if (d.database, d.table) not in known_tables and d.name not in taken)
    new = {d.name for d in added}
    fresh = {(d.database, d.table): d for d in found.datasets}
    datasets = tuple(_with_new_fields(d, fresh.get((d.database, d.table))) for d in current.datasets) + added
    sound = taken | new
    relations = tuple(r for r in found.relationships if {r.from_dataset, r.to_dataset} & new and {r.from_dataset, r.to_dataset} <= sound)
    metrics = tuple(m for m in found.metrics if isinstance(m, SimpleMetric) and m.dataset in new)
    hierarchies = tuple(h for h in found.hierarchies if _speaks_of(h.levels, new))
    return current.model_copy(
        update={
            "datasets": datasets,
            "relationships": _add(current.relationships, relations),
            "entities": _add(current.entities, (e for e in found.entities if e.dataset in new)),
            "metrics": _add(current.metrics, metrics),
            "hierarchies": _add(current.hierarchies, hierarchies),
            "segments": _add(current.segments, (s for s in found.segments if s.dataset in new)),
        }
    )


def _with_new_fields(dataset: Dataset, found: Dataset | None) -> Dataset:
    if found is None:
        return dataset
    columns = {f.column for f in dataset.fields if f.column is not None}
    names = {f.name for f in dataset.fields}
    extra = tuple(f for f in found.fields if f.column is not None and f.column not in columns and f.name not in names)
    return dataset.model_copy(update={"fields": dataset.fields + extra}) if extra else dataset


def _add(known: Sequence[_Named], found: Iterable[_Named]) -> tuple[_Named, ...]:
    names = {getattr(item, "name", None) for item in known}
    return (*known, *(item for item in found if getattr(item, "name", None) not in names))


def _speaks_of(levels: Sequence[FieldRef], datasets: set[str]) -> bool:
    return all(level.dataset in datasets for level in levels)
