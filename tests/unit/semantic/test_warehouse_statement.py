from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic.warehouse.engine_errors import EngineError, from_engine
from semantic.warehouse.lexer import tokens
from semantic.warehouse.running import parse_kill
from semantic.warehouse.statement import inspect


class TestTokens:
    def test_words_and_marks_inside_literals_and_comments_do_not_count(self) -> None:
        sql = "SELECT ';', \"a;b\", `c;d`, $x$ ; $x$ -- ; \n /* ; */ # ;\n FROM t"
        assert [t.text for t in tokens(sql) if t.text == ";"] == []
        assert [t.upper for t in tokens(sql) if t.kind == "word"] == ["SELECT", "FROM", "T"]

    @pytest.mark.parametrize("piece", ["$a{}$ ", "'{} ", "`{} ", "/*{} ", "$${} ", "--{} ", "({} ", '"{}\\" ', "{}\\", "\u201c{} "])
    def test_the_work_grows_with_the_length_only(self, piece: str) -> None:
        sql = "SELECT " + "".join(piece.format(i) for i in range(60_000))
        started_s = time.perf_counter()
        sum(1 for _ in tokens(sql))
        assert time.perf_counter() - started_s < 5, "a quadratic lexer needs minutes"

    def test_escaped_and_doubled_quotes_stay_inside(self) -> None:
        assert [t.kind for t in tokens(r"'a\';' 'b'';'")] == ["string", "string"]

    @given(st.text())
    def test_never_fails_and_covers_the_text_in_order(self, text: str) -> None:
        found = list(tokens(text))
        assert all(a.end <= b.start for a, b in itertools.pairwise(found))
        assert all(text[t.start : t.end] == t.text for t in found)


class TestInspect:
    @pytest.mark.parametrize(
        ("sql", "verb"),
        [
            ("select 1", "SELECT"),
            (" -- hi\n/*x*/ WITH 1 AS a SELECT a", "WITH"),
            ("(SELECT 1)", "SELECT"),
            ("drop table t", "DROP"),
            ("SELECT 1;", "SELECT"),
        ],
    )
    def test_tells_the_verb(self, sql: str, verb: str) -> None:
        assert inspect(sql).verb == verb

    @pytest.mark.parametrize("sql", ["", "  ", "-- nothing", ";", "select 1; select 2", "select ';'; drop table t", "SET a=1;SELECT 1"])
    def test_refuses_no_statement_and_two(self, sql: str) -> None:
        with pytest.raises(EngineError) as caught:
            inspect(sql)
        assert caught.value.code == 62
        assert caught.value.http_status == 400

    @pytest.mark.parametrize(
        ("sql", "name"),
        [
            ("SELECT 1 FORMAT JSON", "JSON"),
            ("SELECT 1\n FORMAT Native", "Native"),
            ("SELECT 'FORMAT JSON'", ""),
            ("SELECT (SELECT 1 FORMAT JSON)", ""),
            ("(SELECT 1) FORMAT CSV;", "CSV"),
        ],
    )
    def test_finds_the_output_format(self, sql: str, name: str) -> None:
        assert inspect(sql).output_format == name

    def test_cuts_the_data_of_an_insert(self) -> None:
        sql = "INSERT INTO db.`FORMAT` (a, b) SETTINGS x=1 FORMAT TSV\n1\t2\n"
        statement = inspect(sql)
        assert statement.input_format == "TSV"
        assert sql[statement.data_start :] == "1\t2\n"
        assert sql[: statement.format_start] == "INSERT INTO db.`FORMAT` (a, b) SETTINGS x=1 "

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t SELECT 1 FORMAT Null",
            "INSERT INTO t FORMAT Values (1)",
            "INSERT INTO t WITH 1 AS a SELECT a",
        ],
    )
    def test_an_insert_that_carries_its_values_has_no_data(self, sql: str) -> None:
        assert not inspect(sql).has_data

    @pytest.mark.parametrize(("sql", "ends"), [("SYSTEM SHUTDOWN", True), ("system /* x */ kill", True), ("SYSTEM FLUSH LOGS", False)])
    def test_knows_what_would_end_the_process(self, sql: str, ends: bool) -> None:
        assert inspect(sql).ends_process is ends

    @pytest.mark.parametrize("sql", ["SELECT * FROM {d:Identifier}.t", "SELECT `\\x73ystem`.a", "SELECT { d : identifier }"])
    def test_knows_when_names_are_hidden(self, sql: str) -> None:
        assert inspect(sql).hides_names

    def test_pairs_names_over_dots_quotes_and_comments(self) -> None:
        assert inspect('SELECT a.b FROM "System" . /* x */ `Tables`').qualified == {("a", "b"), ("system", "tables")}

    def test_data_that_looks_like_sql_is_not_read(self) -> None:
        assert inspect("INSERT INTO t FORMAT TSV\nx'; DROP TABLE t; --\n").input_format == "TSV"

    def test_names_what_is_called(self) -> None:
        assert inspect("SELECT File ('x'), `url`(1), count() FROM numbers(3) AS f").calls == {"file", "url", "count", "numbers"}

    @pytest.mark.parametrize(
        ("sql", "changes"),
        [
            ("SET a = 1", True),
            ("USE x", True),
            ("CREATE TEMPORARY TABLE t (a Int8)", True),
            ("CREATE TABLE t (a Int8)", False),
            ("SELECT 1", False),
        ],
    )
    def test_knows_what_needs_a_session(self, sql: str, changes: bool) -> None:
        assert inspect(sql).changes_session is changes


class TestParseKill:
    def test_takes_one_id_only(self) -> None:
        kill = parse_kill("kill query where query_id = 'q_1' sync format TSV")
        assert kill is not None
        assert (kill.query_id, kill.wait, kill.output_format) == ("q_1", True, "TSV")

    @pytest.mark.parametrize(
        "sql",
        [
            "KILL QUERY WHERE 1",
            "KILL QUERY WHERE query_id = 'a' OR 1",
            "KILL QUERY WHERE query_id = 'a\\'' ",
            "KILL MUTATION WHERE query_id = 'a'",
        ],
    )
    def test_anything_else_is_left_to_the_engine(self, sql: str) -> None:
        assert parse_kill(sql) is None


class TestEngineErrors:
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            (60, 404),
            (47, 404),
            (62, 400),
            (159, 408),
            (202, 503),
            (241, 500),
            (516, 403),
            (194, 401),
            (497, 403),
            (48, 501),
            (223, 413),
            (99999, 500),
        ],
    )
    def test_has_the_status_of_the_server(self, code: int, status: int) -> None:
        assert EngineError(code, "DB::Exception: x").http_status == status

    def test_folds_nested_codes(self) -> None:
        error = from_engine(RuntimeError("Code: 164. DB::Exception: Code: 164. DB::Exception: no. (READONLY) (version 26.9). (READONLY)"))
        assert (error.code, error.text) == (164, "DB::Exception: no. (READONLY) (version 26.9). (READONLY)")

    def test_an_unknown_failure_is_a_clickhouse_error_too(self) -> None:
        error = from_engine(RuntimeError("boom"))
        assert error.code == 1002
        assert error.body("1.2") == b"Code: 1002. DB::Exception: boom (UNKNOWN_EXCEPTION) (version 1.2)\n"
