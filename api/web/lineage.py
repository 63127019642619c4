"""Where a metric comes from and what stands on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semantic.catalog.model import Catalog
from semantic.catalog.references import references


@dataclass(frozen=True, slots=True)
class Lineage:
    """fields: `dataset.field`, also those that the metrics it is made of read. made_of, used_by: (name, label) of metrics."""

    fields: tuple[str, ...]
    made_of: tuple[tuple[str, str], ...]
    used_by: tuple[tuple[str, str], ...]


def lineages(catalog: Catalog) -> Mapping[str, Lineage]:
    """Of every metric that is shown, by name."""
    found = {m.name: references(m) for m in catalog.metrics}
    labels = {m.name: m.label for m in catalog.metrics if not m.hidden}

    def named(names: set[str]) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(((name, labels[name]) for name in names if name in labels), key=lambda pair: pair[1].casefold()))

    def fields(name: str, above: frozenset[str]) -> set[str]:
        if name in above or name not in found:
            return set()
        own = {f"{dataset}.{field}" for dataset, field in found[name].fields}
        return own.union(*(fields(part, above | {name}) for part in found[name].metrics))

    return {
        name: Lineage(
            tuple(sorted(fields(name, frozenset()))),
            named(set(found[name].metrics)),
            named({other for other, refs in found.items() if name in refs.metrics}),
        )
        for name in labels
    }
