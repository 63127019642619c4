from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from semantic.warehouse.caps import READER_CAPS, http_settings, reader_settings, reader_view_of_settings
from semantic.warehouse.connection import ADMIN_USER, READER_USER
from semantic.warehouse.engine_errors import EngineError
from semantic.warehouse.users import Users, load_or_create_users


class TestReaderSettings:
    @given(st.sampled_from(sorted(READER_CAPS)), st.one_of(st.integers(0, 10**30).map(str), st.floats(0, 1e300).map(str)))
    def test_no_request_raises_a_cap(self, name: str, asked: str) -> None:
        assert 0 < float(reader_settings({name: asked})[name]) <= READER_CAPS[name]

    def test_a_lower_cap_is_kept(self) -> None:
        assert reader_settings({"max_execution_time": "3"})["max_execution_time"] == "3"

    def test_no_limit_means_the_cap(self) -> None:
        assert float(reader_settings({"max_rows_to_read": "0"})["max_rows_to_read"]) == READER_CAPS["max_rows_to_read"]

    def test_every_cap_is_set_without_being_asked_for(self) -> None:
        assert set(READER_CAPS) <= set(reader_settings({}))

    @pytest.mark.parametrize("value", ["-1", "nan", "inf", "abc", "", "1e400", "1 OR 1"])
    def test_refuses_a_cap_that_is_no_number(self, value: str) -> None:
        with pytest.raises(EngineError) as caught:
            reader_settings({"max_threads": value})
        assert caught.value.code == 27

    @pytest.mark.parametrize(
        "name",
        [
            "allow_ddl",
            "max_memory_usage_for_user",
            "format_schema",
            "output_format_schema",
            "user_files_path",
            "read_overflow_mode",
            "force_index_by_date",
            "x' , readonly='0",
        ],
    )
    def test_refuses_what_is_not_harmless(self, name: str) -> None:
        with pytest.raises(EngineError) as caught:
            reader_settings({name: "1"})
        assert caught.value.code == 452

    def test_overflow_modes_may_only_throw(self) -> None:
        assert reader_settings({"read_overflow_mode": "throw"})["read_overflow_mode"] == "throw"

    @pytest.mark.parametrize("value", ["0", "", "3", " "])
    def test_readonly_cannot_be_lifted(self, value: str) -> None:
        with pytest.raises(EngineError) as caught:
            reader_settings({"readonly": value})
        assert caught.value.code == 164


class TestHttpSettings:
    def test_leaves_the_interface_and_the_parameters_out(self) -> None:
        assert http_settings({"query": "x", "user": "u", "param_a": "1", "max_threads": "2", "query_id": "i"}) == {"max_threads": "2"}


class TestReaderViewOfSettings:
    def test_only_the_client_probe_is_changed(self) -> None:
        probe = "SELECT name, value, readonly FROM system.settings LIMIT 10000"
        assert reader_view_of_settings(probe) != probe
        assert reader_view_of_settings(probe).endswith("FROM system.settings LIMIT 10000")
        assert reader_view_of_settings("SELECT 1") == "SELECT 1"


class TestUsers:
    users = Users(SecretStr("a" * 20), SecretStr("r" * 20))

    @pytest.mark.parametrize(
        ("headers", "query"),
        [
            ({"Authorization": "Basic " + base64.b64encode(f"{READER_USER}:{'r' * 20}".encode()).decode()}, {}),
            ({"X-ClickHouse-User": READER_USER, "X-ClickHouse-Key": "r" * 20}, {}),
            ({}, {"user": READER_USER, "password": "r" * 20}),
        ],
        ids=["basic", "headers", "query"],
    )
    def test_takes_the_three_ways_of_clickhouse(self, headers: dict[str, str], query: dict[str, str]) -> None:
        user = self.users.authenticate(headers, query)
        assert (user.name, user.read_only) == (READER_USER, True)

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("", ""),
            (READER_USER, ""),
            (READER_USER, "a" * 20),
            (ADMIN_USER, "r" * 20),
            (ADMIN_USER, "a" * 19),
            ("default", ""),
            ("x\ny", "a" * 20),
            (READER_USER, "r" * 20 + "\n"),
        ],
    )
    def test_refuses_everything_else_the_same_way(self, name: str, password: str) -> None:
        with pytest.raises(EngineError) as caught:
            self.users.authenticate({}, {"user": name, "password": password})
        assert caught.value.code == 516
        assert "\n" not in caught.value.text

    @pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic " + base64.b64encode(b"\xff:x").decode(), "Bearer abc"])
    def test_refuses_broken_headers(self, header: str) -> None:
        with pytest.raises(EngineError) as caught:
            self.users.authenticate({"Authorization": header}, {})
        assert caught.value.code == 516

    def test_a_wrong_header_is_not_saved_by_a_right_query(self) -> None:
        with pytest.raises(EngineError):
            self.users.authenticate({"X-ClickHouse-User": "x"}, {"user": READER_USER, "password": "r" * 20})

    def test_tokens_do_not_show(self) -> None:
        assert "aaaa" not in repr(self.users)
        assert "rrrr" not in repr(self.users)

    def test_empty_tokens_are_refused(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            Users(SecretStr(""), SecretStr("x"))

    def test_tokens_are_made_once_and_are_private(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        first, second = load_or_create_users(tmp_path), load_or_create_users(tmp_path)
        assert first.admin_token == second.admin_token
        assert first.admin_token != first.reader_token
        assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600

    def test_a_damaged_token_file_is_named(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        (tmp_path / "tokens.json").write_text("{}")
        with pytest.raises(ValueError, match=r"tokens\.json"):
            load_or_create_users(tmp_path)
