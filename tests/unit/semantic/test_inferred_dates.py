"""Times that no column holds as they are: ages, and the dates of facts that point to a table of dates."""

from __future__ import annotations

from semantic.catalog.infer.ages import ages
from semantic.catalog.infer.calendar_dates import with_calendar_dates
from semantic.catalog.model import Catalog, CatalogField, Dataset, DatasetKind, FieldRole, FieldType, Relationship
from semantic.expr import FieldRef


def _field(name: str, role: FieldRole, type_: FieldType = FieldType.INTEGER, label: str = "") -> CatalogField:
    return CatalogField(name=name, column=name, type=type_, role=role, label=label or name.replace("_", " "), cardinality=3)


_BORN = _field("dob", FieldRole.TIME, FieldType.DATE, "date of birth")


def test_a_birth_date_gives_an_age_unless_there_is_one() -> None:
    assert [f.name for f in ages("person", [_BORN])] == ["age"]
    assert ages("person", [_BORN, _field("age", FieldRole.MEASURE)]) == []
    assert ages("person", [_field("born", FieldRole.TIME, FieldType.DATE), _BORN]) == []


def _catalog(*keys: str) -> Catalog:
    day = Dataset(
        name="dim_date", database="d", table="dim_date", label="date", kind=DatasetKind.DIMENSION, primary_key=("date_sk",), time="full_date",
        row_count=3, fields=(_field("date_sk", FieldRole.KEY), _field("full_date", FieldRole.TIME, FieldType.DATE)),
    )  # fmt: skip
    fact = Dataset(name="f", database="d", table="f", label="line", fields=tuple(_field(k, FieldRole.KEY) for k in keys))
    links = tuple(
        Relationship(name=f"r{i}", from_dataset="f", from_fields=(k,), to_dataset="dim_date", to_fields=("date_sk",))
        for i, k in enumerate(keys)
    )
    return Catalog(datasets=(day, fact), relationships=links)


def test_a_fact_has_the_dates_that_its_keys_point_to() -> None:
    fact = with_calendar_dates(_catalog("ship_date_sk", "sold_date_sk")).dataset("f")
    assert fact.time == "sold_date"
    assert fact.field("ship_date").expression == FieldRef(dataset="dim_date", field="full_date", via=("r0",))


def test_a_fact_with_a_time_keeps_it() -> None:
    catalog = _catalog("sold_date_sk")
    own = catalog.dataset("f").changed(fields=(*catalog.dataset("f").fields, _field("at", FieldRole.TIME, FieldType.DATE)), time="at")
    changed = catalog.changed(datasets=(catalog.datasets[0], own))
    assert with_calendar_dates(changed).dataset("f") == own
