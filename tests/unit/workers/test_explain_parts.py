"""What an explain job does around its queries: windows, what a measure is made of, cubes of rows."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from semantic.catalog.model import (
    Catalog,
    CatalogField,
    Dataset,
    DatasetKind,
    DerivedMetric,
    FieldRole,
    FieldType,
    RatioMetric,
    SimpleMetric,
)
from semantic.expr import Absolute, FieldRef
from semantic.query import Aggregate, AggregateKind, ComparePeriod, MetricRef, TimeWindow
from semantic.states import OutputColumn, QueryStats, ResultTable, WindowUsed
from workers.context import JobContext
from workers.jobs.budget import InsightSettings, Run
from workers.jobs.change_cube import cube_of, fitting, with_past
from workers.jobs.composition import composition
from workers.jobs.explain import _Asked, _Windows
from workers.kinds import ExplainParams


def category(name: str, values: int) -> CatalogField:
    return CatalogField(name=name, column=name, type=FieldType.STRING, role=FieldRole.CATEGORY, label=name, cardinality=values)


AMOUNT = FieldRef(dataset="sales", field="amount")
CATALOG = Catalog(
    datasets=(
        Dataset(
            name="sales",
            database="d",
            table="sales",
            label="Sales",
            time="day",
            fields=(
                CatalogField(name="day", column="day", type=FieldType.DATE, role=FieldRole.TIME, label="day"),
                CatalogField(name="amount", column="amount", type=FieldType.FLOAT, role=FieldRole.MEASURE, label="amount"),
                category("status", 8),
                category("sku", 9_000),
            ),
        ),
        Dataset(
            name="places",
            database="d",
            table="places",
            label="Places",
            kind=DatasetKind.DIMENSION,
            row_count=40,
            fields=(category("country", 40), category("region", 5), category("city", 40)),
        ),
    ),
    metrics=(
        SimpleMetric(name="revenue", label="revenue", dataset="sales", aggregate=AggregateKind.SUM, of=AMOUNT),
        SimpleMetric(name="orders", label="orders", dataset="sales", aggregate=AggregateKind.COUNT),
        SimpleMetric(name="mean", label="mean", dataset="sales", aggregate=AggregateKind.AVG, of=AMOUNT),
        SimpleMetric(name="middle", label="middle", dataset="sales", aggregate=AggregateKind.MEDIAN, of=AMOUNT),
        RatioMetric(name="aov", label="order value", numerator="revenue", denominator="orders", scale=2.0),
        RatioMetric(name="odd", label="odd", numerator="middle", denominator="orders"),
        DerivedMetric(name="net", label="net", expression="revenue * 0.8 - orders"),
        DerivedMetric(name="curved", label="curved", expression="revenue * orders / (mean + 1)"),
    ),
)


class TestComposition:
    @pytest.mark.parametrize(
        ("metric", "kind"),
        [
            ("revenue", "amount"),
            ("orders", "amount"),
            ("mean", "rate"),
            ("middle", "other"),
            ("aov", "rate"),
            ("odd", "other"),
            ("net", "amount"),
            ("curved", "other"),
        ],
    )
    def test_what_adds_up_is_told_from_what_does_not(self, metric: str, kind: str) -> None:
        assert composition(CATALOG, MetricRef(metric=metric)).kind == kind

    def test_a_formula_gives_the_metrics_own_value(self) -> None:
        found = composition(CATALOG, MetricRef(metric="curved"))
        assert found.formula is not None
        assert found.formula({"revenue": 10.0, "orders": 3.0, "mean": 4.0}) == pytest.approx(6.0)
        assert np.isnan(found.formula({"revenue": 10.0, "orders": 3.0, "mean": -1.0}))

    def test_an_average_is_its_sum_over_its_count(self) -> None:
        found = composition(CATALOG, Aggregate(aggregate=AggregateKind.AVG, dataset="sales", of=AMOUNT))
        assert isinstance(found.top, Aggregate)
        assert isinstance(found.base, Aggregate)
        assert (found.top.aggregate, found.base.aggregate) == (AggregateKind.SUM, AggregateKind.COUNT)

    def test_a_ratio_keeps_its_scale(self) -> None:
        found = composition(CATALOG, MetricRef(metric="aov"))
        assert found.scale == 2.0
        assert found.formula is not None
        assert found.formula({"revenue": 10.0, "orders": 4.0}) == 5.0


class TestFitting:
    def test_what_would_make_too_many_leaves_is_left_out(self) -> None:
        fields = [
            FieldRef(dataset="places", field="country"),
            FieldRef(dataset="sales", field="status"),
            FieldRef(dataset="sales", field="sku"),
        ]
        assert fitting(CATALOG, fields) == tuple(fields[:2])

    def test_attributes_of_one_table_count_as_its_rows(self) -> None:
        fields = [FieldRef(dataset="places", field=name) for name in ("country", "region", "city")]
        assert fitting(CATALOG, fields) == tuple(fields)


def table(columns: dict[str, tuple[str, list[Any]]]) -> ResultTable:
    made = pa.table({name: values for name, (_, values) in columns.items()})
    described = tuple(OutputColumn(name, name, cast(Any, role)) for name, (role, _) in columns.items())
    return ResultTable(made, described, QueryStats("q", 0.0, 0, 0))


class TestCubeOf:
    def test_rows_become_leaves_and_nothing_is_zero(self) -> None:
        result = table(
            {
                "r": ("dimension", ["a", None, "b"]),
                "f": ("dimension", [True, False, True]),
                "now": ("measure", [1.0, None, 3.0]),
                "then": ("measure", [2, 5, None]),
            }
        )
        cube = cube_of(result, ["region", "flag"], "")
        rows = {tuple(labels[c] for labels, c in zip(cube.leaves.labels, cube.leaves.codes[:, i], strict=True)): i for i in range(3)}
        assert cube.after[rows["(none)", "false"]] == 0.0
        assert cube.before[rows["(none)", "false"]] == 5.0
        assert cube.before[rows["b", "true"]] == 0.0

    def test_an_empty_result_is_an_empty_cube(self) -> None:
        cube = cube_of(
            table(
                {
                    "r": ("dimension", pa.array([], pa.string())),
                    "now": ("measure", pa.array([], pa.float64())),
                    "then": ("measure", pa.array([], pa.float64())),
                }
            ),
            ["r"],
            "",
        )  # type: ignore[dict-item]
        assert cube.leaves.count == 0

    def test_the_past_is_added_up_to_whole_periods(self) -> None:
        cube = cube_of(table({"r": ("dimension", ["a", "b"]), "now": ("measure", [1.0, 1.0]), "then": ("measure", [1.0, 1.0])}), ["r"], "")
        days = [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 3), dt.date(2026, 1, 3)]
        past = table({"day": ("time", days), "r": ("dimension", ["a", "a", "a", "unknown"]), "v": ("measure", [1.0, 2.0, 4.0, 100.0])})
        found = with_past(cube, past, dt.datetime(2026, 1, 1), 2)
        assert found.past is not None
        assert found.past.tolist() == [[3.0, 0.0], [4.0, 0.0]]


class TestLikeWithLike:
    def asked(self, now: dt.datetime) -> _Asked:
        context = cast(JobContext, SimpleNamespace(as_of=now))
        budget = Run(context, CATALOG, CATALOG, InsightSettings())
        made_of = composition(CATALOG, MetricRef(metric="revenue"))
        return _Asked(context, ExplainParams(metric="revenue"), CATALOG, CATALOG, made_of, budget)

    def used(self, start: dt.datetime, end: dt.datetime, *, partial: bool = False) -> WindowUsed:
        return WindowUsed("", start, end, "day", partial, partial)

    def test_a_running_month_is_cut_and_the_other_to_as_many_days(self) -> None:
        zone = dt.UTC
        after = self.used(dt.datetime(2026, 11, 1, tzinfo=zone), dt.datetime(2026, 12, 1, tzinfo=zone), partial=True)
        before = self.used(dt.datetime(2026, 10, 1, tzinfo=zone), dt.datetime(2026, 11, 1, tzinfo=zone))
        given = _Windows(TimeWindow(window=Absolute(start=dt.date(2026, 11, 1))), ComparePeriod(to="previous_period"))
        found = self.asked(dt.datetime(2026, 11, 21, 9, 30, tzinfo=zone))._like_with_like(given, after, before)
        assert found.like_with_like
        assert found.after.window == Absolute(start=dt.datetime(2026, 11, 1), end=dt.datetime(2026, 11, 21))
        assert found.compare.window == Absolute(start=dt.datetime(2026, 10, 1), end=dt.datetime(2026, 10, 21))

    def test_a_longer_month_never_reaches_into_the_running_one(self) -> None:
        zone = dt.UTC
        after = self.used(dt.datetime(2026, 3, 1, tzinfo=zone), dt.datetime(2026, 4, 1, tzinfo=zone), partial=True)
        before = self.used(dt.datetime(2026, 2, 1, tzinfo=zone), dt.datetime(2026, 3, 1, tzinfo=zone))
        given = _Windows(TimeWindow(window=Absolute(start=dt.date(2026, 3, 1))), ComparePeriod(to="previous_period"))
        found = self.asked(dt.datetime(2026, 3, 31, 9, tzinfo=zone))._like_with_like(given, after, before)
        assert found.compare.window == Absolute(start=dt.datetime(2026, 2, 1), end=dt.datetime(2026, 3, 1))

    def test_a_complete_period_stays_as_it_is(self) -> None:
        zone = dt.UTC
        after = self.used(dt.datetime(2026, 10, 1, tzinfo=zone), dt.datetime(2026, 11, 1, tzinfo=zone))
        given = _Windows(TimeWindow(window=Absolute(start=dt.date(2026, 10, 1))), ComparePeriod(to="previous_period"))
        assert self.asked(dt.datetime(2026, 11, 21, tzinfo=zone))._like_with_like(given, after, after) is given
