"""Levels from coarse to fine: known by name (country > state > city), confirmed or found by functional dependency in the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.probe import Probe, TableStats
from semantic.catalog.model import CatalogField, Dataset, FieldRole, FieldType, Hierarchy
from semantic.expr import FieldRef

_LADDERS: tuple[tuple[frozenset[str], ...], ...] = (
    (
        frozenset({"continent"}),
        frozenset({"region", "territory"}),
        frozenset({"country", "nation"}),
        frozenset({"state", "province"}),
        frozenset({"county", "district"}),
        frozenset({"city", "town"}),
        frozenset({"neighborhood", "neighbourhood", "store", "branch"}),
    ),
    (
        frozenset({"division", "department"}),
        frozenset({"category"}),
        frozenset({"subcategory"}),
        frozenset({"brand"}),
        frozenset({"product"}),
    ),
)
_MAX_LEVEL_VALUES = 5_000
_MIN_ROWS = 50
_MAX_FIELDS = 14


def find_hierarchies(datasets: Sequence[Dataset], stats: Mapping[str, TableStats], probe: Probe) -> list[Hierarchy]:
    """At most one hierarchy per ladder and dataset, and those that the data alone shows: each fine value has one coarse value."""
    found: list[Hierarchy] = []
    for dataset in datasets:
        known = stats.get(dataset.table)
        if known is None or known.sampled < _MIN_ROWS:
            continue
        fields = [f for f in dataset.fields if _is_level(f)][:_MAX_FIELDS]
        if len(fields) < 2:
            continue
        ordered = sorted(fields, key=lambda f: f.cardinality or 0)
        pairs = [(a, b) for a, b in combinations(ordered, 2) if (b.cardinality or 0) >= 1.5 * (a.cardinality or 1)]
        counts = probe.distinct(dataset.table, [(a.column or a.name, b.column or b.name) for a, b in pairs])
        decides = {(a.name, b.name) for (a, b), n in zip(pairs, counts, strict=True) if n <= 1.02 * (b.cardinality or 0)}
        found += _chains(dataset, ordered, decides, known.sampled)
    return found


def _is_level(field: CatalogField) -> bool:
    return (
        field.role in (FieldRole.CATEGORY, FieldRole.NAME)
        and field.type == FieldType.STRING
        and not field.pii
        and not field.hidden
        and field.column is not None
        and field.cardinality is not None
        and 2 <= field.cardinality <= _MAX_LEVEL_VALUES
    )


def _chains(dataset: Dataset, ordered: Sequence[CatalogField], decides: set[tuple[str, str]], rows: int) -> list[Hierarchy]:
    """Greedy from the coarsest: the next level is the coarsest field that decides the one before. Needs several rows per fine value."""
    chains: list[list[CatalogField]] = []
    used: set[str] = set()
    for start in ordered:
        if start.name in used:
            continue
        chain = [start]
        for field in ordered:
            if field.name in used or field is start or (field.cardinality or 0) * 3 > rows:
                continue
            if all((coarse.name, field.name) in decides for coarse in chain) and _related(chain[-1], field):
                chain.append(field)
        if len(chain) > 1:
            used.update(f.name for f in chain)
            chains.append(chain)
    return [
        Hierarchy(
            name=safe_name(f"{dataset.name}_{'_'.join(chain[-1].label.split())}"),
            label=" > ".join(f.label for f in chain),
            levels=tuple(FieldRef(dataset=dataset.name, field=f.name) for f in chain),
        )
        for chain in chains
    ]


def _related(coarse: CatalogField, fine: CatalogField) -> bool:
    """By ladder (in its order), or by a shared word ("category", "sub category")."""
    one, two = set(coarse.label.split()), set(fine.label.split())
    for ladder in _LADDERS:
        left = next((i for i, level in enumerate(ladder) if one & level), None)
        right = next((i for i, level in enumerate(ladder) if two & level), None)
        if left is not None and right is not None:
            return left < right
    return bool((one & two) - {"name", "code", "type", "status"})
