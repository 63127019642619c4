"""The embedded endpoint as its callers meet it: over HTTP, with the ordinary clickhouse-connect client, in a process of its own.

Trust model: whoever holds the reader's token may read any table (the guard narrows to a tenant before), may not write, may not reach files,
the network or the server itself, may not raise a cap, and may not disturb anyone else's query.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
import lz4.frame
import numpy as np
import pyarrow as pa
import pytest
import urllib3
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError

pytestmark = pytest.mark.integration

_POOL = urllib3.PoolManager(maxsize=64, retries=False)
_SLOW = "SELECT sum(sipHash64(number)) FROM numbers(1900000000)"


def post(
    endpoint: Any, sql: str | bytes = "", *, admin: bool = True, headers: dict[str, str] | None = None, method: str = "POST", **query: str
) -> Any:
    user, token = ("querent_admin", endpoint.token) if admin else ("querent", endpoint.reader_token)
    credentials = base64.b64encode(f"{user}:{token}".encode()).decode()
    return _POOL.urlopen(
        method,
        f"{endpoint.url}/?{urlencode(query)}",
        headers={"Authorization": f"Basic {credentials}", **(headers or {})},
        body=None if method == "GET" else sql.encode() if isinstance(sql, str) else sql,
        timeout=60,
    )


def client(endpoint: Any, *, admin: bool = True, **options: Any) -> Any:
    host, port = endpoint.url.removeprefix("http://").rsplit(":", 1)
    user, token = ("querent_admin", endpoint.token) if admin else ("querent", endpoint.reader_token)
    return clickhouse_connect.get_client(host=host, port=int(port), username=user, password=token, **options)


def running(endpoint: Any, text: str) -> int:
    sql = f"SELECT count() FROM system.processes WHERE query LIKE '%{text}%' AND query NOT LIKE '%system.processes%'"
    return int(post(endpoint, sql).data)


def wait_until(condition: Any, timeout_s: float = 10.0) -> float:
    started_s = time.monotonic()
    while not condition():
        assert time.monotonic() - started_s < timeout_s, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - started_s


class TestInterface:
    def test_ping_needs_no_user(self, warehouse_endpoint: Any) -> None:
        assert _POOL.request("GET", warehouse_endpoint.url + "/ping").data == b"Ok.\n"

    def test_statement_in_the_body_in_the_url_and_in_both(self, warehouse_endpoint: Any) -> None:
        assert post(warehouse_endpoint, "SELECT 1").data == b"1\n"
        assert post(warehouse_endpoint, query="SELECT 1").data == b"1\n"
        assert post(warehouse_endpoint, "1 + 1", query="SELECT").data == b"2\n"
        assert post(warehouse_endpoint, method="GET", query="SELECT 3").data == b"3\n"

    def test_get_only_reads(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        answer = post(warehouse_endpoint, method="GET", query=f"CREATE TABLE {warehouse_database}.x (a Int8) ENGINE = Memory")
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"

    def test_headers_tell_format_query_id_and_what_was_read(self, warehouse_endpoint: Any) -> None:
        answer = post(
            warehouse_endpoint,
            "SELECT count() FROM numbers(1000) WHERE number >= 0 FORMAT JSONCompact",
            query_id="my-id",
            wait_end_of_query="1",
        )
        summary = json.loads(answer.headers["X-ClickHouse-Summary"])
        assert answer.headers["X-ClickHouse-Query-Id"] == "my-id"
        assert answer.headers["X-ClickHouse-Format"] == "JSONCompact"
        assert summary["read_rows"] == "1000"
        assert summary["read_bytes"] == "8000"
        assert answer.json()["data"] == [[1000]]

    def test_default_format_and_database(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        answer = post(warehouse_endpoint, "SELECT currentDatabase() AS d", default_format="JSONEachRow", database=warehouse_database)
        assert answer.json() == {"d": warehouse_database}

    @pytest.mark.parametrize(
        ("sql", "code", "status"),
        [
            ("SELECT * FROM nowhere", "60", 404),
            ("SELECT nothing FROM numbers(1)", "47", 404),
            ("SELEC 1", "62", 400),
            ("SELECT 1; SELECT 2", "62", 400),
            ("", "62", 400),
            ("SELECT * FROM no_such.t", "81", 404),
            ("SELECT throwIf(1)", "395", 500),
            ("SELECT 1 SETTINGS no_such_setting = 1", "115", 404),
            ("SELECT {x:UInt8}", "456", 400),
            ("\xff", "62", 400),
        ],
    )
    def test_errors_have_the_codes_and_statuses_of_clickhouse(self, warehouse_endpoint: Any, sql: str, code: str, status: int) -> None:
        answer = post(warehouse_endpoint, sql.encode("latin-1"))
        assert (answer.headers["X-ClickHouse-Exception-Code"], answer.status) == (code, status)
        assert answer.data.startswith(f"Code: {code}. DB::Exception: ".encode())

    def test_parameters_are_values_whatever_they_hold(self, warehouse_endpoint: Any) -> None:
        hostile = "x'; DROP TABLE t; -- {y:String} \\ ) é\U0001f600"
        answer = post(warehouse_endpoint, "SELECT {x:String} AS x FORMAT JSONEachRow", param_x=hostile.replace("\\", "\\\\"))
        assert answer.json() == {"x": hostile}

    def test_a_failure_in_the_middle_of_a_stream_is_told(self, warehouse_endpoint: Any) -> None:
        answer = post(
            warehouse_endpoint, "SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 1000 FORMAT TSV"
        )
        tag = answer.headers["X-ClickHouse-Exception-Tag"]
        assert answer.status == 200
        assert answer.data.endswith(f"{tag}\r\n__exception__\r\n".encode())
        assert b"Code: 395" in answer.data[-1000:]

    def test_external_tables_and_block_compression_are_refused_by_name(self, warehouse_endpoint: Any) -> None:
        assert b"NOT_IMPLEMENTED" in post(warehouse_endpoint, "SELECT 1", decompress="1").data
        form = urllib3.encode_multipart_formdata({"query": "SELECT 1", "ext": ("ext.tsv", b"1\n")})
        assert b"NOT_IMPLEMENTED" in post(warehouse_endpoint, form[0], headers={"Content-Type": form[1]}).data

    def test_damaged_requests_get_an_answer_and_hurt_nobody(self, warehouse_endpoint: Any) -> None:
        for headers, body, query in (
            ({"Content-Type": "multipart/form-data; boundary=x"}, b"0123456789", {}),
            ({"Content-Type": "multipart/form-data"}, b"0123456789", {}),
            ({}, b"SELECT 1\0", {}),
            ({}, b"SELECT " + b"(" * 20_000, {}),
            ({}, b"SELECT " + b"[" * 100_000, {}),
            ({}, b"SELECT " + b"1+" * 100_000 + b"1", {}),
            ({}, b"SELECT 1", {"a'b": "1"}),
            ({}, b"SELECT 1", {"max_threads": "1', readonly='0"}),
            ({}, b"SELECT 1", {"database": "no`pe"}),
            ({}, b"SELECT 1", {"session_id": "x", "session_timeout": "soon"}),
            ({}, b"SYSTEM SHUTDOWN", {}),
        ):
            answer = post(warehouse_endpoint, body, headers=headers, **query)
            assert "X-ClickHouse-Exception-Code" in answer.headers
            assert answer.data.startswith(b"Code: ")
        assert post(warehouse_endpoint, "SELECT 1", query_id="a\r\nX-Evil: 1").headers.get("X-Evil") is None

    def test_a_form_carries_statement_and_parameters(self, warehouse_endpoint: Any) -> None:
        body, kind = urllib3.encode_multipart_formdata({"query": "SELECT {a:UInt8} + 1", "param_a": "41"})
        assert post(warehouse_endpoint, body, headers={"Content-Type": kind}).data == b"42\n"

    def test_a_long_statement_in_the_url_and_in_the_body(self, warehouse_endpoint: Any) -> None:
        sql = "SELECT length('" + "x" * 200_000 + "')"
        assert post(warehouse_endpoint, query=sql).data == b"200000\n"
        assert post(warehouse_endpoint, sql, admin=False).data == b"200000\n"

    def test_a_statement_that_is_too_long_for_the_reader(self, warehouse_endpoint: Any) -> None:
        answer = post(warehouse_endpoint, "SELECT '" + "x" * 2_000_000 + "'", admin=False)
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (413, "223")


class TestClickHouseConnect:
    def test_rows_of_every_common_type_come_back_as_they_went_in(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        table = f"{warehouse_database}.kinds"
        with client(warehouse_endpoint) as admin:
            admin.command(
                f"CREATE TABLE {table} (a UInt64, b LowCardinality(String), c Nullable(Float64), d Array(String), e Date) ENGINE = MergeTree ORDER BY a"
            )
            rows = [[1, "x", None, ["a'b", "\t\\"], "2024-02-29"], [2**64 - 1, "", 1.5, [], "1970-01-01"]]
            data = [[*row[:4], dt.date.fromisoformat(str(row[4]))] for row in rows]
            admin.insert(table, data, column_names=list("abcde"))
        with client(warehouse_endpoint, admin=False) as reader:
            assert [list(row) for row in reader.query(f"SELECT * FROM {table} ORDER BY a").result_rows] == data

    def test_an_empty_result_has_its_columns(self, warehouse_endpoint: Any) -> None:
        with client(warehouse_endpoint, admin=False) as reader:
            for sql in ("SELECT number AS n, 'x' AS s FROM numbers(0)", "SELECT number AS n, 'x' AS s FROM numbers(5) LIMIT 0"):
                assert reader.query(sql).column_names == ("n", "s")
            assert reader.query_arrow("SELECT number AS n FROM numbers(0)").schema.names == ["n"]

    def test_settings_and_parameters_of_the_client(self, warehouse_endpoint: Any) -> None:
        with client(warehouse_endpoint, admin=False) as reader:
            result = reader.query(
                "SELECT {v:Array(UInt8)} AS v, getSetting('max_threads')", parameters={"v": [1, 2]}, settings={"max_threads": 3}
            )
            assert result.result_rows == [([1, 2], 3)]

    def test_a_session_keeps_its_settings_and_temporary_tables_to_itself(self, warehouse_endpoint: Any) -> None:
        with client(warehouse_endpoint, session_id="s-one") as one, client(warehouse_endpoint, session_id="s-two") as two:
            one.command("SET max_threads = 7")
            one.command("CREATE TEMPORARY TABLE mine (a Int8)")
            one.command("INSERT INTO mine VALUES (5)")
            assert one.query("SELECT getSetting('max_threads'), a FROM mine").result_rows == [(7, 5)]
            assert one.query("SELECT getSetting('max_threads')", settings={"max_threads": 2}).result_rows == [(2,)]
            assert one.query("SELECT getSetting('max_threads')").result_rows == [(7,)]
            assert two.query("SELECT getSetting('max_threads') = 7").result_rows == [(0,)]
            with pytest.raises(DatabaseError, match="60"):
                two.query("SELECT * FROM mine")

    def test_a_large_frame_streams_in_and_out(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        rows = 2_000_000
        data = pa.table(
            {"id": np.arange(rows, dtype=np.uint64), "text": pa.array([f"row {i % 1000}" for i in range(rows)]), "x": np.ones(rows)}
        )
        with client(warehouse_endpoint, compress="lz4") as admin:
            admin.command(f"CREATE TABLE {warehouse_database}.big (id UInt64, text String, x Float64) ENGINE = MergeTree ORDER BY id")
            admin.insert_arrow(f"{warehouse_database}.big", data)
            admin.insert_df(f"{warehouse_database}.big", data.slice(0, 100_000).to_pandas())
            assert admin.query(f"SELECT count(), sum(x), uniqExact(id) FROM {warehouse_database}.big").result_rows == [
                (2_100_000, 2_100_000.0, rows)
            ]
            with admin.query_row_block_stream(f"SELECT id FROM {warehouse_database}.big") as stream:
                assert sum(len(block) for block in stream) == 2_100_000


class TestInsert:
    ENCODINGS = {
        "": lambda data: data,
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "lz4": lz4.frame.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }

    @pytest.mark.parametrize("encoding", list(ENCODINGS))
    @pytest.mark.parametrize("in_url", [True, False])
    def test_compressed_data_in_several_frames(self, warehouse_endpoint: Any, warehouse_database: str, encoding: str, in_url: bool) -> None:
        table = f"{warehouse_database}.t"
        post(warehouse_endpoint, f"CREATE TABLE {table} (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
        data = b"".join(b"%d\tline %d\n" % (i, i) for i in range(50_000))
        statement = f"INSERT INTO {table} FORMAT TSV\n".encode()
        compress = self.ENCODINGS[encoding]
        if in_url:
            body = compress(data[:300_000]) + compress(data[300_000:]) if encoding in ("gzip", "lz4", "zstd") else compress(data)
        else:
            body = compress(statement + data)
        query = {"query": statement.decode()} if in_url else {}
        answer = post(warehouse_endpoint, body, headers={"Content-Encoding": encoding} if encoding else {}, **query)
        assert answer.status == 200, answer.data
        assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "50000"
        assert post(warehouse_endpoint, f"SELECT count(), sum(a) FROM {table}").data == b"50000\t1249975000\n"

    @pytest.mark.parametrize(
        ("body", "code"),
        [(b"1\tx\nbroken\n", "27"), (b"", "0"), (b"99999999999999999999\tx\n", None)],
        ids=["malformed", "nothing", "overflow"],
    )
    def test_bad_data_changes_nothing(self, warehouse_endpoint: Any, warehouse_database: str, body: bytes, code: str | None) -> None:
        table = f"{warehouse_database}.t"
        post(warehouse_endpoint, f"CREATE TABLE {table} (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
        answer = post(warehouse_endpoint, body, query=f"INSERT INTO {table} FORMAT TSV")
        if code is not None:
            assert answer.headers.get("X-ClickHouse-Exception-Code", "0") == code
        if code == "27":
            assert post(warehouse_endpoint, f"SELECT count() FROM {table}").data == b"0\n"

    def test_damaged_compression_is_refused(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        post(warehouse_endpoint, f"CREATE TABLE {warehouse_database}.t (a UInt32) ENGINE = MergeTree ORDER BY a")
        for encoding, code in (("zstd", "432"), ("gzip", "432"), ("br", "89")):
            answer = post(
                warehouse_endpoint,
                b"not compressed",
                query=f"INSERT INTO {warehouse_database}.t FORMAT TSV",
                headers={"Content-Encoding": encoding},
            )
            assert answer.headers["X-ClickHouse-Exception-Code"] == code
        assert post(warehouse_endpoint, f"SELECT count() FROM {warehouse_database}.t").data == b"0\n"

    def test_a_caller_that_hangs_up_in_the_middle_leaves_no_insert_running(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        post(warehouse_endpoint, f"CREATE TABLE {warehouse_database}.t (a UInt32) ENGINE = MergeTree ORDER BY a")
        connection = http.client.HTTPConnection(warehouse_endpoint.url.removeprefix("http://"))
        credentials = base64.b64encode(f"querent_admin:{warehouse_endpoint.token}".encode()).decode()
        connection.putrequest("POST", f"/?query=INSERT+INTO+{warehouse_database}.t+FORMAT+TSV")
        connection.putheader("Authorization", f"Basic {credentials}")
        connection.putheader("Content-Length", "100000000")
        connection.endheaders()
        connection.send(b"1\n" * 10_000)
        time.sleep(0.2)
        connection.close()
        time.sleep(0.3)
        assert post(warehouse_endpoint, f"SELECT count() FROM {warehouse_database}.t").data == b"0\n"
        assert post(warehouse_endpoint, "1\n", query=f"INSERT INTO {warehouse_database}.t FORMAT TSV").status == 200


@pytest.mark.parametrize("wait", ["0", "1"], ids=["streamed", "whole"])
class TestIsolation:
    def test_a_hundred_parallel_queries_keep_settings_and_parameters_apart(self, wait: str, warehouse_endpoint: Any) -> None:
        sql = (
            "SELECT {v:UInt32}, getSetting('max_threads'), getSetting('max_block_size'), getSetting('join_use_nulls'), currentDatabase(), "
            "(SELECT count() FROM numbers(200000) WHERE sipHash64(number) % 2 >= 0)"
        )

        def exact(i: int) -> tuple[int, str]:
            settings = {"max_threads": str(i % 5 + 1), "max_block_size": str(1000 + i)}
            answer = post(
                warehouse_endpoint,
                sql,
                admin=i % 2 == 0,
                param_v=str(i),
                wait_end_of_query=wait,
                database="INFORMATION_SCHEMA" if i % 3 == 0 else "",
                **settings,
            )
            return i, answer.data.decode()

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(exact, range(200)))
        for i, text in answers:
            value, threads, block, _, database, count = text.split()
            assert (int(value), int(threads), int(block), database, int(count)) == (
                i,
                i % 5 + 1,
                1000 + i,
                "INFORMATION_SCHEMA" if i % 3 == 0 else "default",
                200_000,
            )

    def test_nothing_of_a_request_is_left_for_the_next(self, wait: str, warehouse_endpoint: Any) -> None:
        post(warehouse_endpoint, "SELECT {secret:String}", param_secret="x", wait_end_of_query=wait, max_threads="1", database="system")
        for admin in (True, False):
            assert (
                post(warehouse_endpoint, "SELECT {secret:String}", admin=admin, wait_end_of_query=wait).headers[
                    "X-ClickHouse-Exception-Code"
                ]
                == "456"
            )
            assert post(warehouse_endpoint, "SELECT currentDatabase()", admin=admin, wait_end_of_query=wait).data == b"default\n"
        post(warehouse_endpoint, "SET max_threads = 1")
        assert post(warehouse_endpoint, "SELECT getSetting('readonly')", wait_end_of_query=wait).data == b"0\n"

    def test_additional_filters_hold_for_their_request_alone(self, wait: str, warehouse_endpoint: Any, warehouse_database: str) -> None:
        post(warehouse_endpoint, f"CREATE TABLE {warehouse_database}.t (tenant String) ENGINE = MergeTree ORDER BY tenant")
        post(warehouse_endpoint, "a\nb\nb\n", query=f"INSERT INTO {warehouse_database}.t FORMAT TSV")

        def count(tenant: str) -> str:
            extra = {"additional_table_filters": f"{{'{warehouse_database}.t': 'tenant = \\'{tenant}\\''}}"} if tenant else {}
            return str(
                post(warehouse_endpoint, f"SELECT count() FROM {warehouse_database}.t", admin=False, wait_end_of_query=wait, **extra)
                .data.decode()
                .strip()
            )

        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(count, ["a", "b", ""] * 30)) == ["1", "2", "3"] * 30


class TestReader:
    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO {db}.t VALUES (9)",
            "INSERT INTO {db}.t FORMAT TSV\n9\n",
            "INSERT INTO FUNCTION file('/tmp/querent_x.tsv', 'TSV', 'a Int8') SELECT 1",
            "DROP TABLE {db}.t",
            "TRUNCATE TABLE {db}.t",
            "ALTER TABLE {db}.t DELETE WHERE 1",
            "CREATE TABLE {db}.u (a Int8) ENGINE = Memory",
            "CREATE TEMPORARY TABLE u (a Int8)",
            "ATTACH TABLE {db}.u",
            "OPTIMIZE TABLE {db}.t",
            "SYSTEM SHUTDOWN",
            "SET readonly = 0",
            "USE system",
            "KILL QUERY WHERE 1",
            "GRANT ALL ON *.* TO querent",
            "EXPLAIN SELECT 1",
            "SHOW TABLES",
            "BACKUP DATABASE {db} TO File('/tmp/x')",
            "SELECT 1; DROP TABLE {db}.t",
            "SELECT 1 SETTINGS readonly = 0",
            "SELECT 1 SETTINGS max_execution_time = 0",
            "SELECT 1 INTO OUTFILE '/tmp/querent_outfile'",
            "SELECT file('/etc/passwd')",
            "SELECT `file`('/etc/passwd')",
            "SELECT FILE /* x */ ('/etc/passwd')",
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM `file`('/etc/passwd', LineAsString)",
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
            "SELECT * FROM s3('http://127.0.0.1:1/bucket/key')",
            "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
            "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
            "SELECT * FROM executable('x', 'TSV', 'a String')",
            "SELECT * FROM sqlite('/etc/passwd', 't')",
            "SELECT * FROM Python(engine)",
            "SELECT * FROM merge('{db}', 't')",
            "SELECT getServerSetting('path')",
            "SELECT sleepEachRow(3)",
            "SELECT query FROM system.processes",
            "SELECT query FROM `system` /* x */ . `processes`",
            "SELECT query FROM `\\x73ystem`.processes",
            "SELECT query FROM {d:Identifier}.processes",
            "SELECT * FROM system.disks",
            "SELECT * FROM system.query_log",
            "WITH x AS (SELECT file('/etc/passwd')) SELECT * FROM x",
            "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
        ],
    )
    def test_may_not(self, warehouse_endpoint: Any, warehouse_database: str, sql: str) -> None:
        post(warehouse_endpoint, f"CREATE TABLE {warehouse_database}.t (a Int8) ENGINE = MergeTree ORDER BY a")
        post(warehouse_endpoint, f"INSERT INTO {warehouse_database}.t VALUES (1)")
        answer = post(warehouse_endpoint, sql.replace("{db}", warehouse_database), admin=False)
        assert answer.status >= 400, answer.data
        assert b"root:" not in answer.data
        assert post(warehouse_endpoint, f"SELECT sum(a) FROM {warehouse_database}.t").data == b"1\n"
        assert not Path("/tmp/querent_outfile").exists()
        assert not Path("/tmp/querent_x.tsv").exists()

    def test_system_cannot_be_the_default_database(self, warehouse_endpoint: Any) -> None:
        assert post(warehouse_endpoint, "SELECT query FROM processes", admin=False, database="system").status == 403
        assert post(warehouse_endpoint, "SELECT 1 FROM processes", admin=False, headers={"X-ClickHouse-Database": "SYSTEM"}).status == 403

    def test_a_table_of_ones_own_named_system_is_no_problem(self, warehouse_endpoint: Any, warehouse_database: str) -> None:
        post(warehouse_endpoint, f"CREATE TABLE {warehouse_database}.system (id UInt8) ENGINE = MergeTree ORDER BY id")
        assert post(warehouse_endpoint, f"SELECT count(system.id) FROM {warehouse_database}.system AS system", admin=False).data == b"0\n"

    def test_python_objects_are_out_of_reach_for_the_admin_too(self, warehouse_endpoint: Any) -> None:
        assert post(warehouse_endpoint, "SELECT * FROM Python(engine)").headers["X-ClickHouse-Exception-Code"] == "497"

    @pytest.mark.parametrize(
        ("name", "cap"),
        [("max_execution_time", 120), ("max_threads", 8), ("max_rows_to_read", 2_000_000_000), ("max_result_rows", 1_100_000)],
    )
    @pytest.mark.parametrize("asked", [None, "0", "99999999999", "1"])
    def test_caps_hold_whatever_is_asked(self, warehouse_endpoint: Any, name: str, cap: int, asked: str | None) -> None:
        answer = post(warehouse_endpoint, f"SELECT toUInt64(getSetting('{name}'))", admin=False, **({name: asked} if asked else {}))
        assert int(answer.data) == (1 if asked == "1" else cap)

    def test_caps_bite(self, warehouse_endpoint: Any) -> None:
        for settings, sql, code in (
            ({"max_execution_time": "1"}, _SLOW, "159"),
            ({"max_memory_usage": "50000000"}, "SELECT uniqExact(toString(number)) FROM numbers(5000000)", "241"),
            ({"max_rows_to_read": "100"}, "SELECT count() FROM numbers(1000) WHERE number > 1", "158"),
            ({"max_result_rows": "10", "result_overflow_mode": "throw"}, "SELECT number FROM numbers(11)", "396"),
        ):
            answer = post(warehouse_endpoint, sql, admin=False, wait_end_of_query="1", **settings)
            assert answer.headers.get("X-ClickHouse-Exception-Code") == code, answer.data[:300]

    def test_a_session_id_gives_nothing(self, warehouse_endpoint: Any) -> None:
        assert post(warehouse_endpoint, "SET max_threads = 100", admin=False, session_id="r").status == 403
        post(warehouse_endpoint, "SET max_threads = 61", session_id="shared")
        assert post(warehouse_endpoint, "SELECT getSetting('max_threads')", admin=False, session_id="shared").data == b"8\n"

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer x"}, {"X-ClickHouse-User": "querent", "X-ClickHouse-Key": "no"}],
    )
    def test_without_the_right_token_nothing_runs(self, warehouse_endpoint: Any, headers: dict[str, str]) -> None:
        answer = _POOL.request("POST", warehouse_endpoint.url + "/", headers=headers, body="SELECT 1")
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")

    def test_the_readers_token_does_not_open_the_admin(self, warehouse_endpoint: Any) -> None:
        headers = {"X-ClickHouse-User": "querent_admin", "X-ClickHouse-Key": warehouse_endpoint.reader_token}
        assert _POOL.request("POST", warehouse_endpoint.url + "/", headers=headers, body="SELECT 1").status == 403


class TestStopping:
    def test_a_query_stops_when_its_caller_hangs_up(self, warehouse_endpoint: Any) -> None:
        credentials = base64.b64encode(f"querent:{warehouse_endpoint.reader_token}".encode()).decode()
        connection = http.client.HTTPConnection(warehouse_endpoint.url.removeprefix("http://"))
        connection.request("POST", "/?wait_end_of_query=1", _SLOW.replace("sum", "max"), {"Authorization": f"Basic {credentials}"})
        wait_until(lambda: running(warehouse_endpoint, "max(sipHash64") == 1)
        connection.close()
        assert wait_until(lambda: running(warehouse_endpoint, "max(sipHash64") == 0) < 3

    def test_kill_by_query_id_of_ones_own(self, warehouse_endpoint: Any) -> None:
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(post(warehouse_endpoint, _SLOW, admin=False, query_id="victim", wait_end_of_query="1"))
        )
        thread.start()
        wait_until(lambda: running(warehouse_endpoint, "sum(sipHash64") == 1)
        killed = post(warehouse_endpoint, "KILL QUERY WHERE query_id = 'victim' SYNC", admin=False)
        assert killed.data == b"finished\tvictim\tquerent\n"
        thread.join(timeout=5)
        assert answers[0].headers["X-ClickHouse-Exception-Code"] == "394"

    def test_the_reader_cannot_stop_the_admins_query(self, warehouse_endpoint: Any) -> None:
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(post(warehouse_endpoint, _SLOW.replace("sum", "min"), query_id="admins", wait_end_of_query="1"))
        )
        thread.start()
        wait_until(lambda: running(warehouse_endpoint, "min(sipHash64") == 1)
        assert post(warehouse_endpoint, "KILL QUERY WHERE query_id = 'admins' SYNC", admin=False).data == b""
        assert running(warehouse_endpoint, "min(sipHash64") == 1
        assert post(warehouse_endpoint, "SELECT 1", query_id="admins").headers["X-ClickHouse-Exception-Code"] == "216"
        assert b"admins" in post(warehouse_endpoint, "KILL QUERY WHERE query_id = 'admins' SYNC").data
        thread.join(timeout=5)
        assert not thread.is_alive()

    def test_beyond_the_queue_callers_are_told_to_come_back(self, start_warehouse: Any, tmp_path: Path) -> None:
        endpoint = start_warehouse(tmp_path / "w", "--running", "2", "--waiting", "2", "--wait-s", "1")
        threads = [
            threading.Thread(target=post, args=(endpoint, _SLOW), kwargs={"query_id": f"long-{i}", "wait_end_of_query": "1"})
            for i in range(2)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(endpoint, "SELECT 1"), range(8)))
        assert {a.status for a in answers} == {503}
        assert {a.headers["X-ClickHouse-Exception-Code"] for a in answers} == {"202"}
        assert all(int(a.headers["Retry-After"]) >= 1 for a in answers)
        for i in range(2):
            post(endpoint, f"KILL QUERY WHERE query_id = 'long-{i}' SYNC")
        for thread in threads:
            thread.join(timeout=5)
        assert post(endpoint, "SELECT 1").data == b"1\n"


class TestProcess:
    def test_data_survives_kill_9_in_the_middle_of_inserts(self, start_warehouse: Any, tmp_path: Path) -> None:
        first = start_warehouse(tmp_path / "w")
        post(first, "CREATE DATABASE shop")
        post(first, "CREATE TABLE shop.t (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY batch")
        acknowledged: list[int] = []

        def load() -> None:
            for batch in range(10_000):
                data = b"".join(b"%d\t%d\n" % (batch, i) for i in range(1000))
                try:
                    if post(first, data, query="INSERT INTO shop.t FORMAT TSV").status != 200:
                        return
                except urllib3.exceptions.HTTPError:
                    return
                acknowledged.append(batch)

        loader = threading.Thread(target=load)
        loader.start()
        wait_until(lambda: len(acknowledged) >= 20, 30)
        os.kill(first.process.pid, signal.SIGKILL)
        loader.join(timeout=10)
        first.process.wait()
        second = start_warehouse(tmp_path / "w")
        rows = dict(line.split(b"\t") for line in post(second, "SELECT batch, count() FROM shop.t GROUP BY batch").data.splitlines())
        assert set(rows.values()) == {b"1000"}, "a batch is whole or absent"
        assert {b"%d" % batch for batch in acknowledged} <= set(rows)
        assert post(second, "7\t7\n", query="INSERT INTO shop.t FORMAT TSV").status == 200

    def test_sigterm_ends_it_cleanly_and_stops_running_queries(self, start_warehouse: Any, tmp_path: Path) -> None:
        endpoint = start_warehouse(tmp_path / "w")
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(post(endpoint, _SLOW, wait_end_of_query="1")))
        thread.start()
        wait_until(lambda: running(endpoint, "sum(sipHash64") == 1)
        started_s = time.monotonic()
        endpoint.process.terminate()
        assert endpoint.process.wait(timeout=20) == 0
        assert time.monotonic() - started_s < 15
        thread.join(timeout=5)
        assert answers[0].headers["X-ClickHouse-Exception-Code"] == "394"
        assert not (tmp_path / "w" / "endpoint.json").exists()

    def test_a_second_process_on_the_same_folder_says_who_has_it(self, start_warehouse: Any, tmp_path: Path) -> None:
        endpoint = start_warehouse(tmp_path / "w")
        second = subprocess.run(
            [sys.executable, "-m", "semantic.warehouse", "--data", str(tmp_path / "w"), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert second.returncode == 2
        assert str(endpoint.process.pid) in second.stderr
        assert "Traceback" not in second.stderr
        assert post(endpoint, "SELECT 1").data == b"1\n"

    def test_an_address_of_the_network_needs_consent(self, tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "semantic.warehouse", "--data", str(tmp_path / "w"), "--port", "0", "--host", "0.0.0.0"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 2
        assert "loopback" in done.stderr

    def test_a_taken_port_is_named(self, warehouse_endpoint: Any, tmp_path: Path) -> None:
        port = warehouse_endpoint.url.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "semantic.warehouse", "--data", str(tmp_path / "w"), "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 2
        assert port in done.stderr
        assert "Traceback" not in done.stderr

    def test_times_do_not_depend_on_the_machines_zone(self, start_warehouse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        endpoint = start_warehouse(tmp_path / "w")
        assert post(endpoint, "SELECT timezone(), toDateTime(0)").data == b"UTC\t1970-01-01 00:00:00\n"


class TestServerSetup:
    def test_the_documented_statements_are_clickhouse(self, warehouse_endpoint: Any) -> None:
        """They cannot run here (chDB has no place for users), but its parser is ClickHouse's."""
        import semantic.warehouse

        text = (Path(semantic.warehouse.__path__[0]) / "server_setup.sql").read_text()
        statements = [s.strip() for s in "\n".join(line for line in text.splitlines() if not line.startswith("--")).split(";") if s.strip()]
        assert len(statements) == 11
        for statement in statements:
            answer = post(warehouse_endpoint, f"EXPLAIN AST {statement}")
            assert answer.status == 200, (statement, answer.data)

    def test_every_setting_the_client_sends_is_in_the_profile(self) -> None:
        import semantic.warehouse
        from semantic.limits import Limits, limit_settings
        from semantic.warehouse.client import SAFE_DEFAULTS

        text = (Path(semantic.warehouse.__path__[0]) / "server_setup.sql").read_text()
        for name in (*SAFE_DEFAULTS, *limit_settings(Limits()), "additional_table_filters", "readonly"):
            assert f"    {name} = " in text
