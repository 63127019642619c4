"""What compiled SQL promises besides its rows: bound values, listed functions, plain tables, stable text, meaning of columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from core.errors import UserError
from semantic.compile import EMITTED_FUNCTIONS
from semantic.compile.idents import column
from semantic.compile.params import Params
from semantic.query import SemanticQuery
from semantic.states import CompiledQuery
from tests.sql import engine
from tests.sql.shorthand import expand

_CASES = [
    case
    for path in sorted((Path(engine.HERE) / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
    if "error" not in case
]
_OURS = {"", " ", "n", "v", "Other", "UTC", "Europe/Berlin", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}

_AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(st.booleans(), st.integers(-(2**70), 2**70), _FLOATS, st.text(), st.dates(), st.datetimes(), _AMOUNTS)


def compiled(**query: Any) -> CompiledQuery:
    return engine.compiled(SemanticQuery.model_validate(expand(query)))


@pytest.fixture(scope="module")
def all_compiled() -> list[CompiledQuery]:
    return [compiled(**case["query"]) for case in _CASES]


class TestTree:
    def test_no_text_of_a_user_or_of_data_is_written_out(self, all_compiled: list[CompiledQuery]) -> None:
        for done in all_compiled:
            written = {literal.this for literal in done.tree.find_all(exp.Literal) if literal.is_string}
            assert written <= _OURS

    def test_every_placeholder_is_bound_and_every_value_used(self, all_compiled: list[CompiledQuery]) -> None:
        for done in all_compiled:
            assert {p.name for p in done.tree.find_all(exp.Placeholder)} == set(done.params)

    def test_only_listed_functions(self, all_compiled: list[CompiledQuery]) -> None:
        for done in all_compiled:
            assert {f.name for f in done.tree.find_all(exp.Anonymous, exp.ParameterizedAgg)} <= EMITTED_FUNCTIONS

    def test_tables_are_plain_and_named(self, all_compiled: list[CompiledQuery]) -> None:
        known = {(d.database, d.table) for d in engine.catalog().datasets}
        for done in all_compiled:
            for table in done.tree.find_all(exp.Table):
                assert (table.db, table.name) in known
                assert table.alias
                assert table.meta["dataset"] in done.datasets

    def test_columns_are_qualified_and_never_all(self, all_compiled: list[CompiledQuery]) -> None:
        for done in all_compiled:
            assert not list(done.tree.find_all(exp.Star))
            assert all(c.table for c in done.tree.find_all(exp.Column))

    def test_no_function_stands_around_a_column_in_a_window(self) -> None:
        done = compiled(metrics=["#revenue"], time={"window": {"kind": "calendar", "unit": "year"}})
        where = done.tree.args["where"]
        assert where.sql("clickhouse") == (
            "WHERE (orders.ordered_at >= {p0: DateTime('UTC')} AND orders.ordered_at < {p1: DateTime('UTC')})"
        )

    def test_equal_values_share_a_parameter(self) -> None:
        done = compiled(
            metrics=["#order_count"], where={"kind": "or", "items": [["@orders.status", "=", "paid"], ["@customers.name", "=", "paid"]]}
        )
        assert [p.value for p in done.params.values()] == ["paid"]


class TestColumns:
    def test_say_what_they_mean(self) -> None:
        done = compiled(metrics=["#revenue"], by=["@regions.name", "month"])
        region, month, revenue = done.columns
        assert (region.role, region.source, region.label) == ("dimension", "field:regions.name", "Region")
        assert (month.role, month.grain) == ("time", "month")
        assert (revenue.role, revenue.source, revenue.unit, revenue.format, revenue.good_direction, revenue.measure_index) == (
            "measure", "metric:revenue", "EUR", "currency:EUR", "up", 0,
        )  # fmt: skip

    def test_role_playing_columns_say_their_role(self) -> None:
        done = compiled(metrics=[{"kind": "aggregate", "aggregate": "count", "dataset": "shipments"}], by=["@departs>regions.name"])
        assert done.columns[0].label == "Departure region: Region"

    def test_compared_groups_are_named(self) -> None:
        against = {"kind": "group", "where": ["@orders.status", "=", "paid"], "label": "paid", "base_label": "other", "show": ["value"]}
        assert [c.label for c in compiled(metrics=["#revenue"], compare=against).columns] == ["Revenue, other", "Revenue, paid"]

    def test_a_change_in_percent_is_in_percent_points(self) -> None:
        month = {"window": {"kind": "calendar", "unit": "month"}}
        done = compiled(metrics=["#revenue"], time=month, compare={"kind": "period", "to": "previous_period"})
        assert [c.role for c in done.columns] == ["measure", "measure", "change", "change"]
        assert done.columns[3].format == "percent_points"


class TestIdentifiers:
    @pytest.mark.parametrize("name", ["order", "Order", "from", "date", "a b", 'a"b', "1a", "ü", "select", "interval", "format", "final"])
    def test_odd_names_are_quoted(self, name: str) -> None:
        text = column("t", name).sql("clickhouse")
        assert text == f't."{name.replace(chr(34), chr(34) * 2)}"' or text == f"t.{name}"
        assert name in ("Order",) or text != f"t.{name}" or name.isidentifier()

    def test_plain_names_are_not(self) -> None:
        assert column("orders", "total_eur").sql("clickhouse") == "orders.total_eur"


class TestParams:
    @given(SCALARS)
    def test_any_scalar_becomes_a_typed_placeholder(self, value: Any) -> None:
        params = Params("Europe/Berlin")
        try:
            node = params.value(value)
        except OverflowError:
            return
        assert isinstance(node, exp.Placeholder)
        assert len(params.bound) == 1

    def test_true_and_one_are_two_values(self) -> None:
        params = Params("UTC")
        params.value(True), params.value(1), params.value(1.0)
        assert [p.type for p in params.bound.values()] == ["Bool", "Int64", "Float64"]


def test_a_transform_along_nothing_is_an_error() -> None:
    with pytest.raises(UserError) as raised:
        compiled(metrics=["#revenue"], transform=[{"kind": "lag"}])
    assert raised.value.code == "bad_query"
