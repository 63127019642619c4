"""Parameters in, Arrow out, error codes across."""

from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, NotSupportedError, OperationalError, ProgrammingError, StreamFailureError

from core.errors import AppError, Cancelled, InternalError, Invalid, QueryRejected, QueryTooExpensive, Unavailable
from semantic.states import Param, ParamValue
from semantic.warehouse.arrow import arrow_type, to_table
from semantic.warehouse.error_codes import to_app_error
from semantic.warehouse.parameters import render

BERLIN = dt.timezone(dt.timedelta(hours=2))


class TestRender:
    @pytest.mark.parametrize(
        ("type_", "value", "text"),
        [
            ("String", "o'b\t\\", "o'b\t\\"),
            ("Bool", True, "true"),
            ("UInt8", True, "1"),
            ("Float64", 1e-7, "1e-07"),
            ("Int64", -5, "-5"),
            ("Date", dt.date(2024, 2, 29), "2024-02-29"),
            ("DateTime", dt.date(2024, 2, 29), "2024-02-29 00:00:00"),
            ("DateTime", dt.datetime(2024, 7, 1, 12, tzinfo=BERLIN), "2024-07-01 10:00:00"),
            ("DateTime('Europe/Berlin')", dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC), "2024-07-01 12:00:00"),
            ("DateTime64(3, 'UTC')", dt.datetime(2024, 7, 1, 10, 0, 0, 123000, tzinfo=dt.UTC), "2024-07-01 10:00:00.123000"),
            ("Date", dt.datetime(2024, 7, 1, 23, tzinfo=dt.UTC), "2024-07-01"),
        ],
    )
    def test_text_of_a_value(self, type_: str, value: ParamValue, text: str) -> None:
        assert render({"x": Param(type_, value)}) == {"x": text}

    def test_arrays_stay_lists_whose_items_the_client_quotes(self) -> None:
        assert render({"x": Param("Array(String)", ("a", "b'"))}) == {"x": ["a", "b'"]}
        assert render({"x": Param("Array(UInt8)", (1, 2))}) == {"x": [1, 2]}

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), "a\0b"])
    def test_refuses_what_clickhouse_cannot_hold(self, value: ParamValue) -> None:
        with pytest.raises(Invalid, match="'x'"):
            render({"x": Param("Float64", value)})


class TestArrowType:
    @pytest.mark.parametrize(
        ("clickhouse", "arrow"),
        [
            ("UInt64", pa.uint64()),
            ("Nullable(Int8)", pa.int8()),
            ("LowCardinality(Nullable(String))", pa.string()),
            ("Decimal(18, 2)", pa.decimal128(18, 2)),
            ("Decimal(60, 10)", pa.decimal256(60, 10)),
            ("DateTime", pa.timestamp("s", "UTC")),
            ("DateTime('Europe/Berlin')", pa.timestamp("s", "Europe/Berlin")),
            ("DateTime64(3)", pa.timestamp("ms", "UTC")),
            ("DateTime64(6, 'UTC')", pa.timestamp("us", "UTC")),
            ("Array(Nullable(Date))", pa.list_(pa.date32())),
            ("Array(Array(UInt8))", pa.list_(pa.list_(pa.uint8()))),
            ("Enum8('a' = 1)", pa.string()),
            ("Array(UUID)", pa.list_(pa.string())),
            ("UInt256", pa.decimal256(76, 0)),
            ("SimpleAggregateFunction(sum, UInt64)", pa.uint64()),
            ("Tuple(a UInt8, b String)", pa.string()),
        ],
    )
    def test_follows_clickhouse(self, clickhouse: str, arrow: pa.DataType) -> None:
        assert arrow_type(clickhouse) == arrow


class TestToTable:
    def test_empty_results_keep_their_types(self) -> None:
        table = to_table(["a", "a"], ["UInt8", "Nullable(Date)"], [])
        assert table.schema.types == [pa.uint8(), pa.date32()]
        assert table.num_rows == 0

    def test_values_that_have_no_arrow_type_are_text(self) -> None:
        table = to_table(
            ["a", "b", "c"], ["Enum8('x' = 1)", "FixedString(4)", "Map(String, Array(UInt8))"], [["x"], [b"ab\0\0"], [{"k": [1]}]]
        )
        assert table.to_pylist() == [{"a": "x", "b": "ab", "c": '{"k": [1]}'}]

    def test_arrays_of_such_values_are_arrays_of_text(self) -> None:
        assert to_table(["a"], ["Array(Nullable(UUID))"], [[[None, "u"]]]).to_pylist() == [{"a": [None, "u"]}]

    def test_wide_integers_are_exact_numbers_and_the_widest_are_exact_text(self) -> None:
        assert to_table(["a"], ["UInt256"], [[10**70, None]]).column(0).to_pylist() == [decimal.Decimal(10**70), None]
        assert to_table(["a"], ["UInt256"], [[2**256 - 1]]).column(0).to_pylist() == [str(2**256 - 1)]

    def test_decimals_stay_exact(self) -> None:
        value = decimal.Decimal("12345678901234567890.12")
        assert to_table(["d"], ["Decimal(38, 2)"], [[value]]).column(0)[0].as_py() == value

    def test_not_a_number_is_not_null(self) -> None:
        column = to_table(["f"], ["Nullable(Float64)"], [[float("nan"), None]]).column(0)
        assert column.null_count == 1


class TestToAppError:
    @pytest.mark.parametrize(
        ("code", "kind", "ours"),
        [
            (159, QueryTooExpensive, "query_timeout"),
            (241, QueryTooExpensive, "query_memory"),
            (158, QueryTooExpensive, "too_many_rows"),
            (396, QueryTooExpensive, "result_too_large"),
            (168, QueryTooExpensive, "query_too_complex"),
            (394, Cancelled, "cancelled"),
            (60, Invalid, "unknown_table"),
            (47, Invalid, "unknown_column"),
            (516, Unavailable, "warehouse_sign_in"),
            (164, QueryRejected, "warehouse_denied"),
            (202, Unavailable, "warehouse_busy"),
            (6, Invalid, "query_failed_on_data"),
            (49, InternalError, "warehouse_error"),
        ],
    )
    def test_every_class_of_error(self, code: int, kind: type[AppError], ours: str) -> None:
        error = to_app_error(DatabaseError("Code: x. secret-value", code=code, name="SOME_NAME"))
        assert type(error) is kind
        assert error.code == ours
        assert "secret-value" not in error.message

    def test_the_clients_own_refusals_are_no_outage(self) -> None:
        assert to_app_error(ProgrammingError("Setting x is readonly")).code == "warehouse_client"
        assert to_app_error(NotSupportedError("AggregateFunction")).code == "unsupported_result"

    def test_finds_the_code_of_a_failure_in_the_middle_of_a_stream(self) -> None:
        assert to_app_error(StreamFailureError("Code: 241. DB::Exception: Memory limit")).code == "query_memory"

    def test_says_how_long_to_wait(self) -> None:
        error = to_app_error(DatabaseError("busy", code=202))
        assert isinstance(error, Unavailable)
        assert error.retry_after_s > 0

    def test_names_the_column_and_the_table_but_no_values(self) -> None:
        column = to_app_error(DatabaseError("Unknown expression identifier `revenu` in scope SELECT 'secret'", code=47))
        table = to_app_error(DatabaseError("Unknown table expression identifier 'shop.orders'. In scope SELECT 'secret'", code=60))
        assert "'revenu'" in column.message
        assert "'shop.orders'" in table.message
        assert "secret" not in column.message + table.message

    def test_no_answer_is_unavailable_and_a_late_one_is_a_timeout(self) -> None:
        down = to_app_error(OperationalError("Error connection refused"))
        late = to_app_error(TimeoutError())
        assert (down.code, down.status) == ("warehouse_down", 503)
        assert (late.code, late.status) == ("warehouse_timeout", 504)
