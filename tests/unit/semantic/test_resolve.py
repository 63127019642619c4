"""What resolving decides: time fields, windows, grains, anchors, notes, errors that name the way out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.errors import Invalid, NotFound, UserError
from semantic.catalog.model import Catalog, FieldType
from semantic.expr import FieldRef, Has
from semantic.query import SemanticQuery
from semantic.resolve import ResolvedQuery, resolve
from semantic.resolve.coerce import coerce
from semantic.resolve.types import Aggregation, AtomValue, Operation
from semantic.resolve.walk import conjuncts
from tests.sql import engine
from tests.sql.shorthand import expand


def resolved(catalog: Catalog | None = None, **query: Any) -> ResolvedQuery:
    return resolve(SemanticQuery.model_validate(expand(query)), catalog or engine.catalog(), as_of=engine.AS_OF)


def plan(**query: Any) -> Aggregation:
    found = resolved(**query).plan
    assert isinstance(found, Aggregation)
    return found


class TestPaths:
    def test_every_field_carries_its_whole_path(self) -> None:
        (block,) = plan(metrics=["#units"], by=["@regions.name"]).blocks
        assert block.keys[0].expr == FieldRef(dataset="regions", field="name", via=("line_order", "order_customer", "customer_region"))

    def test_a_condition_on_the_many_side_becomes_has(self) -> None:
        (block,) = plan(metrics=["#order_count"], where=["@products.category", "=", "Toys"]).blocks
        (has,) = conjuncts(block.where)
        assert isinstance(has, Has)
        assert has.via == ("~line_order",)

    def test_measures_of_one_dataset_and_filter_share_a_block(self) -> None:
        assert [b.dataset for b in plan(metrics=["#revenue", "#order_count", "#refunded"]).blocks] == ["orders", "refunds"]

    def test_equal_atoms_are_aggregated_once(self) -> None:
        found = plan(metrics=["#average_order", "#revenue", "#order_count"])
        assert len(found.atoms) == 2
        assert found.measures[0].formula == Operation("/", AtomValue(0), AtomValue(1))

    def test_groups_that_may_overlap_are_noted(self) -> None:
        assert any("counts once in each group" in note for note in resolved(metrics=["#revenue"], by=["@products.category"]).notes)


class TestTime:
    def test_the_window_in_force_is_told_for_each_time_field(self) -> None:
        found = resolved(metrics=["#revenue", "#refunded"], time={"window": {"kind": "calendar", "unit": "month"}})
        assert [w.field for w in found.windows] == ["orders.ordered_at", "refunds.refunded_on"]
        assert {w.label for w in found.windows} == {"this month: 2024-05-01 to 2024-05-31, including today"}
        assert all(w.current_is_partial for w in found.windows)

    def test_a_compared_window_is_told_too(self) -> None:
        month = {"window": {"kind": "calendar", "unit": "month"}}
        found = resolved(metrics=["#revenue"], time=month, compare={"kind": "period", "to": "previous_period"})
        assert [w.label for w in found.windows][1] == "previous month: 2024-04-01 to 2024-04-30"

    @pytest.mark.parametrize(
        ("compare", "start", "end"),
        [
            ({"to": "same_period_last_year"}, "2023-05-01", "2023-06-01"),
            ({"to": "offset", "count": 4, "unit": "week"}, "2024-04-03", "2024-05-04"),
            ({"to": "window", "window": {"kind": "calendar", "unit": "month", "offset": -3}}, "2024-02-01", "2024-03-01"),
        ],
    )
    def test_ways_to_compare(self, compare: dict[str, Any], start: str, end: str) -> None:
        found = resolved(
            metrics=["#revenue"], time={"window": {"kind": "calendar", "unit": "month"}}, compare={"kind": "period", **compare}
        )
        other = found.windows[1]
        assert other.start is not None
        assert other.end is not None
        assert (f"{other.start:%Y-%m-%d}", f"{other.end:%Y-%m-%d}") == (start, end)

    def test_an_open_comparison_needs_something_to_shift(self) -> None:
        with pytest.raises(Invalid) as raised:
            resolved(metrics=["#revenue"], compare={"kind": "period", "to": "previous_period"})
        assert raised.value.code == "open_window"

    def test_weeks_are_compared_with_weeks(self) -> None:
        found = plan(
            metrics=["#revenue"],
            by=["week"],
            time={"window": {"kind": "calendar", "unit": "year"}},
            compare={"kind": "period", "to": "same_period_last_year"},
        )
        shift = found.blocks[1].keys[0].shift
        assert shift is not None
        assert (shift.unit.value, shift.count) == ("week", 52)


class TestErrors:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"metrics": ["#revenue"], "by": ["@nowhere.name"]}, "unknown_dataset"),
            ({"metrics": ["#revenue"], "by": ["nothing!"]}, "unknown_entity"),
            ({"metrics": ["#revenue"], "order": [{"target": "metric", "index": 1}]}, "bad_query"),
            ({"metrics": ["#revenue"], "order": [{"target": "change"}]}, "bad_query"),
            ({"metrics": [{"kind": "aggregate", "aggregate": "sum", "dataset": "orders"}]}, "bad_query"),
            ({"metrics": [{"kind": "aggregate", "aggregate": "quantile", "dataset": "orders", "of": "@orders.total"}]}, "bad_query"),
            ({"metrics": ["#revenue"], "by": [{"kind": "field", "field": "@orders.status", "bins": 5}]}, "bad_type"),
            ({"metrics": ["#revenue"], "by": [{"kind": "time", "grain": "month", "field": "@orders.status"}]}, "bad_type"),
            ({"rows_of": "orders", "fields": ["@orders.order_id"], "limit_by": {"limit": 1}}, "bad_query"),
            ({"metrics": ["#revenue"], "transform": [{"kind": "share", "metric": 3}]}, "bad_query"),
            (
                {"rows_of": "orders", "fields": ["@orders.order_id"], "where": {"kind": "has", "dataset": "refunds", "count_op": ">"}},
                "bad_query",
            ),
        ],
    )
    def test_codes(self, query: dict[str, Any], code: str) -> None:
        with pytest.raises(UserError) as raised:
            resolved(**query)
        assert raised.value.code == code

    def test_metrics_defined_in_a_circle(self) -> None:
        made = engine.catalog()
        circle = [m.model_copy(update={"expression": "net_revenue + 1"}) if m.name == "net_revenue" else m for m in made.metrics]
        with pytest.raises(Invalid, match="net_revenue > net_revenue"):
            resolved(made.model_copy(update={"metrics": tuple(circle)}), metrics=["#net_revenue"])

    @pytest.mark.parametrize(
        "text", ["revenue ** 2", "__import__('os')", "revenue.x", "revenue +", "(" * 500, "1 if revenue else 2", "'a'"]
    )
    def test_a_derived_metric_is_arithmetic_only(self, text: str) -> None:
        made = engine.catalog()
        bad = tuple(m.model_copy(update={"expression": text}) if m.name == "net_revenue" else m for m in made.metrics)
        with pytest.raises(Invalid) as raised:
            resolved(made.model_copy(update={"metrics": bad}), metrics=["#net_revenue"])
        assert raised.value.code == "bad_catalog"

    def test_unknown_names_suggest_near_ones(self) -> None:
        with pytest.raises(NotFound) as raised:
            resolved(metrics=["#revenues"])
        assert raised.value.suggestions[0] == "revenue"


class TestCoerce:
    @pytest.mark.parametrize(
        ("value", "target", "expected"),
        [
            ("12", FieldType.INTEGER, 12),
            (12.0, FieldType.INTEGER, 12),
            (True, FieldType.INTEGER, 1),
            (7, FieldType.STRING, "7"),
            ("yes", FieldType.BOOLEAN, True),
            (0, FieldType.BOOLEAN, False),
            ("2024-02-29", FieldType.DATE, dt.date(2024, 2, 29)),
            ("2024-02-29T10:00:00", FieldType.DATE, dt.date(2024, 2, 29)),
            ("2024-02-29", FieldType.DATETIME, dt.date(2024, 2, 29)),
        ],
    )
    def test_reads(self, value: Any, target: FieldType, expected: Any) -> None:
        found = coerce(value, target, "x")
        assert found == expected
        assert type(found) is type(expected)

    @pytest.mark.parametrize(
        ("value", "target"),
        [
            ("many", FieldType.INTEGER),
            ("2023-02-29", FieldType.DATE),
            ("maybe", FieldType.BOOLEAN),
            (float("inf"), FieldType.FLOAT),
            (5, FieldType.DATE),
            ("", FieldType.DECIMAL),
        ],
    )
    def test_refuses(self, value: Any, target: FieldType) -> None:
        with pytest.raises(Invalid) as raised:
            coerce(value, target, "orders.x")
        assert raised.value.code == "bad_literal"
        assert "orders.x" in raised.value.message
