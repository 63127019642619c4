"""A table that stands by itself and has columns called month, year and hour takes no everyday question away."""

from __future__ import annotations

import datetime as dt

import pytest

from nlq.understand import Understander
from semantic.catalog.model import AggregateKind, Catalog, CatalogField, Dataset, FieldRole, FieldType
from workers.demo.catalog import demo_catalog
from workers.demo.world import ACME

NOW = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)


def _number(name: str) -> CatalogField:
    return CatalogField(name=name, type=FieldType.INTEGER, role=FieldRole.CATEGORY, label=name)


@pytest.fixture(scope="module")
def beside_an_upload() -> Understander:
    riders = CatalogField(name="riders", type=FieldType.INTEGER, role=FieldRole.MEASURE, label="riders", aggregate=AggregateKind.SUM)
    day = CatalogField(name="day_of_ride", type=FieldType.DATE, role=FieldRole.TIME, label="day of ride")
    fields = (day, *(_number(n) for n in ("month", "year", "hour", "week", "quarter")), riders)
    upload = Dataset(name="rides", database="demo", table="rides", label="rides", time="day_of_ride", fields=fields)
    catalog = demo_catalog(ACME)
    return Understander(Catalog.model_validate(catalog.model_copy(update={"datasets": (*catalog.datasets, upload)}).model_dump()))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("revenue by channel and month", "revenue, by channel, by month, month, lowest first"),
        ("revenue by region and year", "revenue, by region, by year, year, lowest first"),
        ("orders by device, quarter", "orders, by device, by quarter, quarter, lowest first"),
        ("gross margin by category and week", "gross margin, by category, by week, week, lowest first"),
        ("riders by hour", "total riders, by hour"),
    ],
)
def test_reads_as(beside_an_upload: Understander, question: str, said: str) -> None:
    found = beside_an_upload.understand(question, as_of=NOW)
    assert found.outcome == "answer", found.message
    assert found.readings[0].paraphrase == said
