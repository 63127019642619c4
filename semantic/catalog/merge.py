"""A newly inferred draft put into the catalog in force: new data is added, what people edited stays."""

from __future__ import annotations

from typing import TypeVar

from semantic.catalog.model import Catalog, CatalogField, Dataset
from semantic.catalog.references import parts, references

T = TypeVar("T")


def merge(current: Catalog, draft: Catalog) -> Catalog:
    """`current` with the datasets of `draft` added or brought up to date, and what the draft says about them where nobody said it before.

    A dataset that both know keeps the words, roles and rules of `current` for the columns it still has; columns that are gone from the draft
    are dropped, new ones added. Objects of `current` over fields that no longer exist are left out. A draft's object whose name is taken
    is left out: the name means what it meant.
    """
    drafted = {(d.database, d.table): d for d in draft.datasets}
    names = {d.name for d in current.datasets}
    renamed: dict[str, str] = {}
    datasets: list[Dataset] = []
    for dataset in current.datasets:
        fresh = drafted.pop((dataset.database, dataset.table), None)
        if fresh is not None:
            renamed[fresh.name] = dataset.name
        datasets.append(dataset if fresh is None else _updated(dataset, fresh))
    new = {_free(d, names, renamed) for d in drafted.values()}
    moved = _rename(draft, renamed)
    datasets += [d for d in moved.datasets if d.name in new]
    merged = current.model_copy(
        update={
            "datasets": tuple(datasets),
            "relationships": _joined(current.relationships, moved.relationships),
            "entities": _joined(current.entities, moved.entities),
            "metrics": _joined(current.metrics, moved.metrics),
            "segments": _joined(current.segments, moved.segments),
            "hierarchies": _joined(current.hierarchies, moved.hierarchies),
            "glossary": current.glossary + tuple(t for t in moved.glossary if t.term not in {g.term for g in current.glossary}),
        }
    )
    return without_dangling(merged)


def without_dangling(catalog: Catalog) -> Catalog:
    """Without objects that refer to fields, datasets or metrics that are not there."""
    fields = {(d.name, f.name) for d in catalog.datasets for f in d.fields}
    names = {d.name for d in catalog.datasets}

    def stands(part: object) -> bool:
        found = references(part)
        return found.fields <= fields and found.datasets <= names

    relationships = tuple(
        r
        for r in catalog.relationships
        if all((r.from_dataset, f) in fields for f in r.from_fields) and all((r.to_dataset, f) in fields for f in r.to_fields)
    )
    metrics = tuple(m for m in catalog.metrics if stands(m) and getattr(m, "dataset", None) in {None, *names})
    while True:
        known = {m.name for m in metrics}
        kept = tuple(m for m in metrics if set(parts(m)) <= known)
        if len(kept) == len(metrics):
            break
        metrics = kept
    entities = tuple(e for e in catalog.entities if all((e.dataset, f) in fields for f in e.key))
    return catalog.model_copy(
        update={
            "relationships": relationships,
            "metrics": metrics,
            "entities": entities,
            "segments": tuple(s for s in catalog.segments if s.dataset in names and stands(s.where)),
            "hierarchies": tuple(h for h in catalog.hierarchies if stands(h.levels)),
            "verified": tuple(v for v in catalog.verified if stands(v.query) and references(v.query).metrics <= {m.name for m in metrics}),
            "row_policies": tuple(p for p in catalog.row_policies if p.dataset in names),
            "column_rules": tuple(r for r in catalog.column_rules if (r.dataset, r.field) in fields),
        }
    )


def _updated(known: Dataset, fresh: Dataset) -> Dataset:
    """Columns as they are now, with what `known` said about those it knew, and the fresh sample values and counts."""
    said = {f.column or f.name: f for f in known.fields if f.expression is None}
    columns = tuple(_field(said.get(f.column or f.name), f) for f in fresh.fields)
    made = tuple(f for f in known.fields if f.expression is not None)
    names = {f.name for f in columns}
    time = known.time if known.time in names else fresh.time
    key = known.primary_key if set(known.primary_key) <= names else fresh.primary_key
    return known.model_copy(update={"fields": columns + made, "time": time, "primary_key": key, "row_count": fresh.row_count})


def _field(known: CatalogField | None, fresh: CatalogField) -> CatalogField:
    if known is None:
        return fresh
    now = {"type": fresh.type, "nullable": fresh.nullable, "values": fresh.values, "cardinality": fresh.cardinality}
    return known.model_copy(update=now)


def _free(dataset: Dataset, taken: set[str], renamed: dict[str, str]) -> str:
    name, number = dataset.name, 2
    while name in taken:
        name, number = f"{dataset.name}_{number}", number + 1
    taken.add(name)
    if name != dataset.name:
        renamed[dataset.name] = name
    return name


def _rename(draft: Catalog, renamed: dict[str, str]) -> Catalog:
    """The draft with other dataset names, wherever they stand."""
    if not any(old != new for old, new in renamed.items()):
        return draft

    def walk(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {k: walk(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(v, key) for v in value]
        if key in {"dataset", "from_dataset", "to_dataset", "rows_of"} and isinstance(value, str):
            return renamed.get(value, value)
        return value

    document = draft.model_dump(mode="json")
    moved = walk(document)
    assert isinstance(moved, dict)
    for dataset in moved["datasets"]:
        dataset["name"] = renamed.get(dataset["name"], dataset["name"])
    for term in moved["glossary"]:
        kind, _, target = (term.get("means") or "").partition(":")
        name, dot, field = target.partition(".")
        if kind == "field" and dot:
            term["means"] = f"field:{renamed.get(name, name)}.{field}"
    return Catalog.model_validate(moved)


def _joined(known: tuple[T, ...], fresh: tuple[T, ...]) -> tuple[T, ...]:
    names = {item.name for item in known}  # type: ignore[attr-defined]
    return known + tuple(item for item in fresh if item.name not in names)  # type: ignore[attr-defined]
