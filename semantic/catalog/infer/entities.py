"""The things people name: entities with their key and display fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.words import plural
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, Entity, FieldRole, FieldType

# What a thing is told by where it has no name.
_MODEL = frozenset({"model"})


def find_entities(datasets: Sequence[Dataset], names: Mapping[str, TableName], foreign: Mapping[str, frozenset[str]]) -> list[Entity]:
    """One for every dataset with a key or a name, and one for every id that points to a table that is not here."""
    found: list[Entity] = []
    taken: set[str] = set()
    for dataset in datasets:
        if dataset.kind in (DatasetKind.BRIDGE,):
            continue
        display = display_fields(dataset)
        key = dataset.primary_key or (
            display if len(display) == 1 and _names_table(dataset.field(display[0]), names[dataset.table]) else ()
        )
        if not key:
            continue
        name = names[dataset.table]
        found.append(
            Entity(
                name=_unique("_".join(name.words), taken),
                dataset=dataset.name,
                key=key,
                display=display,
                label=name.singular,
                plural=name.plural,
                synonyms=name.synonyms,
            )
        )
    for dataset in datasets:
        found += _orphans(dataset, names[dataset.table], foreign.get(dataset.table, frozenset()), taken)
    return found


_FIRST_NAMES = (("first", "name"), ("given", "name"))
_LAST_NAMES = (("last", "name"), ("family", "name"))


def display_fields(dataset: Dataset) -> tuple[str, ...]:
    """The field that a person would call a row by; first and last name together."""
    fields = {f.name: f for f in dataset.fields if not f.hidden and not (f.cardinality == 0 and dataset.row_count)}
    by_words = {tuple(f.label.split()): n for n, f in fields.items()}
    first = next((n for w, n in by_words.items() if w[-2:] in _FIRST_NAMES or w[-1:] in (("firstname",), ("forename",))), None)
    last = next((n for w, n in by_words.items() if w[-2:] in _LAST_NAMES or w[-1:] in (("lastname",), ("surname",))), None)
    own = set(dataset.label.split())
    ranked: list[tuple[float, str]] = []
    for position, (name, field) in enumerate(fields.items()):
        words = field.label.split()
        if field.type != FieldType.STRING or field.role not in (
            FieldRole.NAME,
            FieldRole.CATEGORY,
            FieldRole.TEXT,
            FieldRole.ATTRIBUTE,
            FieldRole.KEY,
        ):
            continue
        rest = set(words[:-1]) - own
        score = {"name": 10.0, "title": 8.0, "label": 6.0, "symbol": 4.0, "headline": 4.0, "description": 2.5}.get(words[-1], 0.0)
        if score and rest:
            score -= 5
        if not score and set(words) <= own:
            score = 7.0
        if not score and words[-1] in ("number", "code") and not rest and name not in dataset.primary_key:
            score = 2.0
        if not score and name in dataset.primary_key and field.role != FieldRole.KEY:
            score = 3.0
        if not score and words[-1] in _MODEL and field.cardinality == dataset.row_count:
            score = 2.2
        if score > 0:
            ranked.append((score - position / 100, name))
    best = max(ranked, default=(0.0, ""))
    if first and last and best[0] < 9:
        return (first, last)
    if best[0] <= 0 and (only := _only_text(dataset)):
        return (only,)
    return (best[1],) if best[0] > 0 else ()


def _only_text(dataset: Dataset) -> str | None:
    """The one text beside the key where no two rows share it: a list of words, of tags."""
    texts = [f for f in dataset.fields if f.type == FieldType.STRING and f.name not in dataset.primary_key and not f.hidden]
    unique = [f for f in texts if f.cardinality == dataset.row_count and not f.pii and f.role is not FieldRole.KEY]
    small = len(texts) == 1 and len(dataset.fields) <= 3
    named = dataset.kind is DatasetKind.DIMENSION and (dataset.row_count or 0) > 3
    return unique[0].name if len(unique) == 1 and dataset.primary_key and dataset.row_count and (small or named) else None


def _names_table(field: CatalogField, name: TableName) -> bool:
    words = field.label.split()
    return words[-1] in v.NAME and (set(words[:-1]) <= set(name.words) or len(words) == 1)


def _orphans(dataset: Dataset, name: TableName, foreign: frozenset[str], taken: set[str]) -> list[Entity]:
    found = []
    for field in dataset.fields:
        words = field.label.split()
        if (
            field.role != FieldRole.KEY
            or field.column in foreign
            or dataset.primary_key == (field.name,)
            or len(words) < 2
            or field.hidden
            or field.cardinality == 0
        ):
            continue
        if words[-1] not in v.ID:
            continue
        label = words[:-1]
        entity = "_".join(label)
        if entity in taken or tuple(label) == name.words:
            continue
        said = " ".join(label)
        found.append(
            Entity(name=_unique(entity, taken), dataset=dataset.name, key=(field.name,), display=(), label=said, plural=plural(said))
        )
    return found


def _unique(name: str, taken: set[str]) -> str:
    base = safe_name(name)
    found, number = base, 2
    while found in taken:
        found, number = f"{base}_{number}", number + 1
    taken.add(found)
    return found
