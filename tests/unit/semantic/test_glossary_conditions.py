"""Figures of a glossary over some rows only, said in words or in SQL."""

from __future__ import annotations

import pytest

from semantic.catalog.infer import GlossaryEntry
from semantic.catalog.infer.glossary.apply import apply_glossary
from semantic.catalog.model import Catalog, CatalogField, Dataset, DatasetKind, FieldRole, FieldType, SimpleMetric
from semantic.query import AggregateKind

_FIELDS = (
    CatalogField(name="id", column="id", type=FieldType.INTEGER, role=FieldRole.KEY, label="loan id"),
    CatalogField(name="kind", column="kind", type=FieldType.STRING, role=FieldRole.CATEGORY, label="kind", values=("Car", "Home")),
    CatalogField(name="amount", column="amount", type=FieldType.FLOAT, role=FieldRole.MEASURE, label="amount"),
    CatalogField(name="begun", column="begun", type=FieldType.DATE, role=FieldRole.TIME, label="begun"),
    CatalogField(name="repaid", column="repaid", type=FieldType.DATE, role=FieldRole.TIME, label="repaid", nullable=True),
)
_LOANS = Catalog(
    datasets=(
        Dataset(
            name="loan",
            database="acme",
            table="loan",
            label="loan",
            synonyms=("loans",),
            kind=DatasetKind.FACT,
            primary_key=("id",),
            fields=_FIELDS,
        ),
    ),
    metrics=(SimpleMetric(name="loan_count", label="number of loans", dataset="loan", aggregate=AggregateKind.COUNT),),
)


def _defined(term: str, definition: str) -> SimpleMetric | None:
    catalog, _ = apply_glossary(_LOANS, [GlossaryEntry(term, definition)])
    means = next(g.means for g in catalog.glossary if g.term == term)
    metric = next((m for m in catalog.metrics if means == f"metric:{m.name}"), None)
    assert metric is None or isinstance(metric, SimpleMetric)
    return metric


@pytest.mark.parametrize(
    "definition",
    ["number of loans where kind is car and repaid is null", "Open car loans = number of loans whose kind = 'Car' and repaid is empty"],
)
def test_conditions_in_words_narrow_the_rows(definition: str) -> None:
    metric = _defined("open car loans", definition)
    assert metric is not None
    assert metric.where is not None
    assert metric.aggregate == AggregateKind.COUNT
    assert "Car" in metric.where.model_dump_json()
    assert '"kind":"null"' in metric.where.model_dump_json()


def test_a_sum_of_a_named_column_with_conditions_is_no_listed_sum() -> None:
    metric = _defined("car lending", "sum of loan.amount where kind is car and amount > 10")
    assert metric is not None
    assert metric.aggregate == AggregateKind.SUM
    assert metric.where is not None


def test_sql_without_a_table_keeps_its_condition() -> None:
    metric = _defined("car lending", "SUM(amount) where kind = 'Car'")
    assert metric is not None
    assert metric.where is not None


def test_a_duration_in_sql_goes_from_the_first_to_the_second_date() -> None:
    metric = _defined("time to repay", "AVG(dateDiff(day, begun, repaid))")
    assert metric is not None
    assert metric.of is not None
    assert metric.of.model_dump()["start"]["field"] == "begun"


@pytest.mark.parametrize("definition", ["number of loans where colour is red", "number of loans where kind is boat"])
def test_what_is_not_known_is_kept_as_text(definition: str) -> None:
    assert _defined("odd", definition) is None
