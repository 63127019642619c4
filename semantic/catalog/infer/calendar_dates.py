"""Facts that say their dates by the key of a table of dates: each such key is a date of the fact, one of them its own time."""

from __future__ import annotations

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.words import split
from semantic.catalog.model import Catalog, CatalogField, Dataset, DatasetKind, FieldRole, Relationship
from semantic.expr import FieldRef

_CALENDAR = frozenset("date dates calendar day days time".split())
_KEY_WORDS = v.ID | frozenset(("sk", "key", "fk"))
_OWN = v.TIME_START | frozenset(("sold", "ordered", "booked"))


def with_calendar_dates(catalog: Catalog) -> Catalog:
    """The catalog in which every fact without a time has those of the tables of dates that it points to."""
    calendars = {d.name: d for d in catalog.datasets if _is_calendar(d)}
    if not calendars:
        return catalog
    return catalog.changed(datasets=tuple(_dated(d, catalog, calendars) for d in catalog.datasets))


def _is_calendar(dataset: Dataset) -> bool:
    """A dimension called so, with one day a row."""
    if dataset.kind is not DatasetKind.DIMENSION or dataset.time is None or len(dataset.primary_key) != 1:
        return False
    if dataset.field(dataset.primary_key[0]).role is FieldRole.TIME:
        return False  # the key is the date itself
    days = dataset.field(dataset.time).cardinality
    return bool(_CALENDAR & set(dataset.label.lower().split())) and (days is None or days == dataset.row_count)


def _dated(dataset: Dataset, catalog: Catalog, calendars: dict[str, Dataset]) -> Dataset:
    if dataset.time is not None or dataset.kind not in (DatasetKind.FACT, DatasetKind.SNAPSHOT):
        return dataset
    links = [r for r in catalog.relationships if r.from_dataset == dataset.name and r.to_dataset in calendars and len(r.from_fields) == 1]
    links = [r for r in links if r.to_fields == calendars[r.to_dataset].primary_key]
    if not links:
        return dataset
    made = [_date(dataset, r, calendars[r.to_dataset]) for r in links]
    fresh = [f for f in made if not dataset.has_field(f.name)]
    if len({f.name for f in fresh}) < len(links):
        return dataset
    own = max(fresh, key=lambda f: (_score(f), -fresh.index(f)))
    return dataset.changed(fields=(*dataset.fields, *fresh), time=own.name)


def _date(dataset: Dataset, link: Relationship, calendar: Dataset) -> CatalogField:
    model = calendar.field(calendar.time or "")
    words = [w for w in split(dataset.field(link.from_fields[0]).label) if w not in _KEY_WORDS] or ["date"]
    label = " ".join(words if words[-1] in v.TIME else [*words, "date"])
    return CatalogField(
        name="_".join(label.split()),
        expression=FieldRef(dataset=calendar.name, field=model.name, via=(link.name,)),
        type=model.type,
        nullable=True,
        role=FieldRole.TIME,
        label=label,
        synonyms=(f"{link.role} on",) if link.role else (),
        description=f"The {model.label} of {calendar.label} that {link.from_fields[0]} points to.",
        additive=False,
    )


def _score(field: CatalogField) -> int:
    words = set(field.label.split())
    return bool(words & _OWN) - 2 * bool(words & v.TIME_END or words & {"ship"})
