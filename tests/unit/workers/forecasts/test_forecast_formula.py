"""What a measure is made of for a forecast."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import UserError
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    CumulativeMetric,
    Dataset,
    DerivedMetric,
    FieldRole,
    FieldType,
    RatioMetric,
    SimpleMetric,
)
from semantic.expr import FieldRef
from semantic.query import Aggregate, AggregateKind, Calculation, Measure, MetricRef
from workers.forecasts.formula import Formula, formula_of

AMOUNT, DAY = FieldRef(dataset="sales", field="amount"), FieldRef(dataset="sales", field="day")


def catalog() -> Catalog:
    fields = (
        CatalogField(name="day", column="day", type=FieldType.DATE, role=FieldRole.TIME, label="Day"),
        CatalogField(name="amount", column="amount", type=FieldType.FLOAT, role=FieldRole.MEASURE, label="Amount"),
    )
    simple = {"dataset": "sales", "of": AMOUNT}
    return Catalog(
        datasets=(Dataset(name="sales", database="d", table="sales", label="Sales", time="day", fields=fields),),
        metrics=(
            SimpleMetric(name="revenue", label="revenue", aggregate=AggregateKind.SUM, **simple),
            SimpleMetric(name="cost", label="cost", aggregate=AggregateKind.SUM, **simple),
            SimpleMetric(name="orders", label="orders", dataset="sales", aggregate=AggregateKind.COUNT),
            SimpleMetric(name="buyers", label="buyers", aggregate=AggregateKind.COUNT_DISTINCT, **simple),
            SimpleMetric(name="mean_sale", label="mean sale", aggregate=AggregateKind.AVG, **simple),
            SimpleMetric(name="stock", label="stock", aggregate=AggregateKind.SUM, non_additive=(DAY,), **simple),
            RatioMetric(name="aov", label="aov", numerator="revenue", denominator="orders", scale=100.0),
            RatioMetric(name="per_buyer", label="per buyer", numerator="revenue", denominator="buyers"),
            DerivedMetric(name="profit", label="profit", expression="revenue - 0.5 * cost"),
            DerivedMetric(name="markup", label="markup", expression="(revenue - cost) / cost * 100"),
            CumulativeMetric(name="ytd", label="revenue to date", metric="revenue"),
        ),
    )


def made_of(name: str) -> Formula:
    return formula_of(MetricRef(metric=name), catalog())


def names(formula: Formula) -> list[str]:
    return [part.metric for part in formula.parts if isinstance(part, MetricRef)]


class TestFormula:
    @pytest.mark.parametrize("name", ["revenue", "orders", "profit"])
    def test_sums_and_differences_are_forecast_whole_and_add_up(self, name: str) -> None:
        found = made_of(name)
        assert found.is_plain
        assert found.adds_up
        assert names(found) == [name]

    @pytest.mark.parametrize("name", ["buyers", "stock", "per_buyer"])
    def test_what_cannot_be_summed_over_time_is_forecast_as_it_is(self, name: str) -> None:
        found = made_of(name)
        assert (found.is_plain, found.adds_up) == (True, False)

    def test_a_ratio_is_its_two_parts_and_its_scale(self) -> None:
        found = made_of("aov")
        assert names(found) == ["revenue", "orders"]
        assert found.evaluate([np.array([10.0, 6.0]), np.array([4.0, 0.0])]).tolist()[0] == 250.0
        assert np.isnan(found.evaluate([np.array([6.0]), np.array([0.0])])[0])

    def test_arithmetic_with_a_division_uses_each_part_once(self) -> None:
        found = made_of("markup")
        assert names(found) == ["revenue", "cost"]
        assert found.evaluate([np.array([30.0]), np.array([20.0])])[0] == pytest.approx(50.0)

    def test_an_average_is_a_sum_by_a_count(self) -> None:
        found = made_of("mean_sale")
        assert [part.aggregate for part in found.parts if isinstance(part, Aggregate)] == [AggregateKind.SUM, AggregateKind.COUNT]

    def test_a_calculation_of_the_question_is_taken_apart_too(self) -> None:
        asked: Measure = Calculation(op="/", left=MetricRef(metric="revenue"), right=MetricRef(metric="cost"))
        assert len(formula_of(asked, catalog()).parts) == 2

    def test_a_filter_of_the_measure_reaches_every_part(self) -> None:
        from semantic.expr import Comparison, Literal_

        where = Comparison(op=">", left=AMOUNT, right=Literal_(value=5))
        found = formula_of(MetricRef(metric="aov", where=where), catalog())
        assert [part.where for part in found.parts if isinstance(part, MetricRef)] == [where, where]

    def test_a_running_total_is_refused_with_what_to_do(self) -> None:
        with pytest.raises(UserError) as refused:
            made_of("ytd")
        assert refused.value.code == "not_forecastable"
        assert refused.value.suggestions == ("revenue",)
