"""The warehouse clients against a real endpoint in another process."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import redis
import redis.asyncio
import structlog
from pydantic import SecretStr

from core.errors import Cancelled, Invalid, QueryRejected, QueryTooExpensive, Unavailable
from core.ids import TenantId
from core.settings import Settings
from semantic import states
from semantic.cache import CachedWarehouse, MemoryStore, RedisStore, StoredResult
from semantic.states import GuardedQuery, Param, QueryStats
from semantic.warehouse import client
from semantic.warehouse.admin import WarehouseAdmin
from semantic.warehouse.client import SyncWarehouse, Warehouse
from semantic.warehouse.connection import Connection, admin_connection, reader_connection
from semantic.warehouse.versions import version_sql
from tests.conftest import needs

pytestmark = pytest.mark.integration

_SLOW = "SELECT sum(sipHash64(number)) FROM numbers(1900000000)"


def guarded(sql: str, params: dict[str, Param] | None = None, *, max_rows: int = 100, **settings: str | int) -> GuardedQuery:
    """What verify would make; these tests are about running, not about guarding."""
    return GuardedQuery(
        sql=sql, params=params or {}, tenant=TenantId("acme"), columns=(), settings=settings, max_rows=max_rows, _seal=states._SEAL
    )


def still_running(admin: WarehouseAdmin, text: str) -> int:
    sql = "SELECT count() AS n FROM system.processes WHERE query LIKE {text:String} AND query NOT LIKE '%system.processes%'"
    return int(admin.query_arrow(sql, {"text": f"%{text}%"}).column("n")[0].as_py())


def wait_until_gone(admin: WarehouseAdmin, text: str, timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while still_running(admin, text):
        assert time.monotonic() < deadline, f"{text} still runs"
        time.sleep(0.02)


class TestRun:
    def test_values_arrive_with_their_types(self, sync_warehouse: SyncWarehouse) -> None:
        result = sync_warehouse.run(
            guarded(
                "SELECT 1::UInt8 AS a, 2.5 AS b, toDecimal64(1.10, 2) AS c, 'é' AS d, toDate('2024-02-29') AS e, "
                "toDateTime('2024-02-29 12:00:00', 'UTC') AS f, NULL::Nullable(Int8) AS g, [1, 2]::Array(UInt8) AS h, true AS i, "
                "CAST('x', 'Enum8(\\'x\\' = 1)') AS j, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS k, toUInt256(7) AS l, "
                "tuple(1, 'a') AS m, toIPv4('10.0.0.1') AS n"
            )
        )
        row = result.rows()[0]
        assert row[:9] == [
            1,
            2.5,
            Decimal("1.10"),
            "é",
            dt.date(2024, 2, 29),
            dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
            None,
            [1, 2],
            True,
        ]
        assert row[9:12] == ["x", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", Decimal(7)]
        assert row[13] == "10.0.0.1"
        assert result.table.schema.field("c").type == pa.decimal128(18, 2)

    @pytest.mark.parametrize(
        ("type_", "value", "expected"),
        [
            ("String", "o'b\t\\n\\ {x:String} é\n", "o'b\t\\n\\ {x:String} é\n"),
            ("Array(String)", ("a'b", "\t\\", "", "]"), ["a'b", "\t\\", "", "]"]),
            ("Array(Int64)", (-1, 2), [-1, 2]),
            ("Array(Float64)", (0.1, 1e300), [0.1, 1e300]),
            ("Float64", 1e-300, 1e-300),
            ("Int64", -(2**63), -(2**63)),
            ("UInt64", 2**64 - 1, 2**64 - 1),
            ("Bool", True, True),
            ("Date", dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
            (
                "DateTime64(6, 'UTC')",
                dt.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=dt.UTC),
                dt.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=dt.UTC),
            ),
            ("DateTime('America/New_York')", dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC), dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)),
            ("Array(Date)", ("2024-01-01",), [dt.date(2024, 1, 1)]),
        ],
    )
    def test_parameters_are_bound_exactly(self, sync_warehouse: SyncWarehouse, type_: str, value: Any, expected: Any) -> None:
        assert sync_warehouse.run(guarded(f"SELECT {{x:{type_}}} AS v", {"x": Param(type_, value)})).rows() == [[expected]]

    def test_one_row_too_many_says_that_it_was_cut(self, sync_warehouse: SyncWarehouse) -> None:
        cut = sync_warehouse.run(guarded("SELECT number FROM numbers(50) LIMIT 11", max_rows=10))
        whole = sync_warehouse.run(guarded("SELECT number FROM numbers(10) LIMIT 11", max_rows=10))
        assert (cut.table.num_rows, cut.truncated) == (10, True)
        assert (whole.table.num_rows, whole.truncated) == (10, False)

    def test_stats_tell_what_was_read(self, sync_warehouse: SyncWarehouse) -> None:
        stats = sync_warehouse.run(guarded("SELECT max(number) FROM numbers(1000) WHERE number >= 0"), query_id="my-query-1").stats
        assert (stats.query_id, stats.rows_read, stats.bytes_read) == ("my-query-1", 1000, 8000)
        assert 0 < stats.duration_s < 5

    def test_defaults_hold_and_the_guards_settings_come_on_top(self, sync_warehouse: SyncWarehouse) -> None:
        sql = "SELECT getSetting('join_use_nulls'), getSetting('prefer_column_name_to_alias'), getSetting('max_threads')"
        assert sync_warehouse.run(guarded(sql)).rows()[0][:2] == [True, True]
        assert sync_warehouse.run(guarded(sql, join_use_nulls=0, max_threads=2)).rows()[0] == [False, True, 2]

    def test_repeated_column_names_keep_their_places(self, sync_warehouse: SyncWarehouse) -> None:
        assert sync_warehouse.run(guarded("SELECT number AS a, number AS a FROM numbers(1)")).rows() == [[0, 0]]

    def test_takes_nothing_but_a_guarded_query(self, sync_warehouse: SyncWarehouse) -> None:
        with pytest.raises(TypeError, match="GuardedQuery"):
            sync_warehouse.run("SELECT 1")  # type: ignore[arg-type]


class TestErrors:
    @pytest.mark.parametrize(
        ("sql", "settings", "kind", "code"),
        [
            (_SLOW, {"max_execution_time": 1}, QueryTooExpensive, "query_timeout"),
            (
                "SELECT uniqExact(toString(number)) FROM numbers(5000000)",
                {"max_memory_usage": 50_000_000},
                QueryTooExpensive,
                "query_memory",
            ),
            ("SELECT count() FROM numbers(1000) WHERE number > 1", {"max_rows_to_read": 10}, QueryTooExpensive, "too_many_rows"),
            ("SELECT number FROM numbers(100)", {"max_result_rows": 10}, QueryTooExpensive, "result_too_large"),
            ("SELECT * FROM nowhere", {}, Invalid, "unknown_table"),
            ("SELECT nothing FROM numbers(1)", {}, Invalid, "unknown_column"),
            ("SELECT toUInt8('secret-value')", {}, Invalid, "query_failed_on_data"),
            ("DROP TABLE x", {}, QueryRejected, "warehouse_denied"),
            ("SELECT file('/etc/passwd')", {}, QueryRejected, "warehouse_denied"),
            ("SELECT 1", {"allow_ddl": 0}, Exception, "warehouse_profile"),
        ],
    )
    def test_are_ours_and_show_no_values(
        self, sync_warehouse: SyncWarehouse, sql: str, settings: dict[str, int], kind: type, code: str
    ) -> None:
        with pytest.raises(kind) as caught:
            sync_warehouse.run(guarded(sql, **settings))
        assert caught.value.code == code
        assert "secret-value" not in str(caught.value)

    def test_nobody_there(self) -> None:
        for url in ("http://127.0.0.1:1", "http://no-such-host.invalid:8123"):
            with pytest.raises(Unavailable) as caught:
                SyncWarehouse(Connection(url, "querent", SecretStr("x"), connect_timeout_s=2)).run(guarded("SELECT 1"))
            assert (caught.value.code, caught.value.status) == ("warehouse_down", 503)
            with pytest.raises(Unavailable):
                asyncio.run(Warehouse(Connection(url, "querent", SecretStr("x"), connect_timeout_s=2)).run(guarded("SELECT 1")))

    def test_one_that_takes_connections_and_never_answers_is_not_ready(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "PING_S", 0.3)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(Unavailable) as caught:
                asyncio.run(Warehouse(Connection(url, "querent", SecretStr("x"))).ping())
        assert caught.value.code == "warehouse_timeout"

    def test_wrong_password(self, warehouse_endpoint: Any) -> None:
        with pytest.raises(Unavailable) as caught:
            SyncWarehouse(Connection(warehouse_endpoint.url, "querent", SecretStr("wrong"))).run(guarded("SELECT 1"))
        assert (caught.value.code, caught.value.retry_after_s) == ("warehouse_sign_in", 30)
        assert "wrong" not in str(caught.value)

    def test_a_server_that_does_not_answer_in_time(self, warehouse_endpoint: Any, warehouse_admin: WarehouseAdmin) -> None:
        connection = Connection(warehouse_endpoint.url, "querent", SecretStr(warehouse_endpoint.reader_token), read_timeout_s=1)
        with pytest.raises(Unavailable) as caught:
            SyncWarehouse(connection).run(guarded(_SLOW.replace("sum", "any")))
        assert (caught.value.code, caught.value.status) == ("warehouse_timeout", 504)
        wait_until_gone(warehouse_admin, "any(sipHash64")

    @pytest.mark.parametrize("no_proxy", [None, "example.com"])
    def test_a_proxy_of_the_environment_never_sees_this_machines_traffic(
        self, warehouse_endpoint: Any, monkeypatch: pytest.MonkeyPatch, no_proxy: str | None
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("no_proxy", no_proxy or "")
        assert SyncWarehouse(warehouse_endpoint.reader_connection).run(guarded("SELECT 1")).rows() == [[1]]
        assert asyncio.run(Warehouse(warehouse_endpoint.reader_connection).run(guarded("SELECT 1"))).rows() == [[1]]

    def test_a_bad_url_is_named(self) -> None:
        with pytest.raises(Invalid, match="http"):
            SyncWarehouse(Connection("clickhouse://x", "a", SecretStr("b"))).run(guarded("SELECT 1"))

    def test_comes_back_after_a_restart(self, start_warehouse: Any, tmp_path: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        first = start_warehouse(tmp_path / "w", "--port", port, token="t" * 20, reader_token="r" * 20)
        warehouse = SyncWarehouse(first.reader_connection)
        assert warehouse.run(guarded("SELECT 1")).rows() == [[1]]
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        with pytest.raises(Unavailable):
            warehouse.run(guarded("SELECT 1"))
        start_warehouse(tmp_path / "w", "--port", port, token="t" * 20, reader_token="r" * 20)
        assert warehouse.run(guarded("SELECT 2")).rows() == [[2]]


class TestConcurrency:
    def test_a_hundred_at_once_keep_parameters_and_settings_apart(self, warehouse_endpoint: Any) -> None:
        async def scenario() -> list[Any]:
            warehouse = Warehouse(warehouse_endpoint.reader_connection)
            sql = "SELECT {v:UInt64}, getSetting('max_block_size'), (SELECT count() FROM numbers(100000) WHERE sipHash64(number) >= 0)"

            async def ask(i: int) -> Any:
                return (await warehouse.run(guarded(sql, {"v": Param("UInt64", i)}, max_block_size=1000 + i))).rows()[0]

            try:
                return list(await asyncio.gather(*(ask(i) for i in range(150))))
            finally:
                await warehouse.close()

        assert asyncio.run(scenario()) == [[i, 1000 + i, 100_000] for i in range(150)]

    def test_an_async_client_outlives_its_event_loop(self, warehouse_endpoint: Any) -> None:
        warehouse = Warehouse(warehouse_endpoint.reader_connection)
        for number in (1, 2, 3):
            assert asyncio.run(warehouse.run(guarded(f"SELECT {number}"))).rows() == [[number]]

    def test_one_sync_client_serves_many_threads(self, sync_warehouse: SyncWarehouse) -> None:
        with ThreadPoolExecutor(16) as pool:
            rows = pool.map(lambda i: sync_warehouse.run(guarded("SELECT {v:UInt64} + 1", {"v": Param("UInt64", i)})).rows(), range(100))
            assert list(rows) == [[[i + 1]] for i in range(100)]

    def test_works_after_a_fork(self, warehouse_endpoint: Any) -> None:
        warehouse = SyncWarehouse(warehouse_endpoint.reader_connection)
        warehouse.run(guarded("SELECT 1"))
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if warehouse.run(guarded("SELECT 2")).rows() == [[2]] else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert warehouse.run(guarded("SELECT 3")).rows() == [[3]]


class TestCancellation:
    def test_cancelling_the_task_stops_the_query_on_the_server(self, warehouse_endpoint: Any, warehouse_admin: WarehouseAdmin) -> None:
        async def scenario() -> None:
            warehouse = Warehouse(warehouse_endpoint.reader_connection)
            task = asyncio.create_task(warehouse.run(guarded(_SLOW.replace("sum", "avg"))))
            while not await asyncio.to_thread(still_running, warehouse_admin, "avg(sipHash64"):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(wait_until_gone, warehouse_admin, "avg(sipHash64")
            assert (await warehouse.run(guarded("SELECT 1"))).rows() == [[1]]
            await warehouse.close()

        asyncio.run(scenario())

    def test_a_thread_can_stop_the_query_of_another(self, sync_warehouse: SyncWarehouse, warehouse_admin: WarehouseAdmin) -> None:
        errors: list[BaseException] = []

        def run() -> None:
            try:
                sync_warehouse.run(guarded(_SLOW.replace("sum", "varPop")), query_id="stop-me")
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while not still_running(warehouse_admin, "varPop(sipHash64"):
            time.sleep(0.01)
        sync_warehouse.cancel("stop-me")
        thread.join(timeout=5)
        assert isinstance(errors[0], Cancelled)
        sync_warehouse.cancel("never-existed")


class TestLog:
    def test_every_query_is_a_line_without_its_values(self, sync_warehouse: SyncWarehouse) -> None:
        with structlog.testing.capture_logs() as lines:
            sync_warehouse.run(guarded("SELECT {x:String}", {"x": Param("String", "secret-value")}), query_id="logged")
            with pytest.raises(Invalid):
                sync_warehouse.run(guarded("SELECT toUInt8({x:String})", {"x": Param("String", "secret-value")}), query_id="failed")
        found = {line["query_id"]: line for line in lines if line["event"] == "warehouse_query"}
        assert (found["logged"]["outcome"], found["failed"]["outcome"]) == ("ok", "query_failed_on_data")
        assert {"tenant", "duration_ms", "rows_read", "bytes_read", "rows"} <= set(found["logged"])
        assert "secret-value" not in repr(lines)


class TestAdmin:
    def test_arrow_goes_in_and_comes_out(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        table = pa.table(
            {
                "id": pa.array([1, 2, 3], pa.int64()),
                "text": pa.array(["a", None, "ü'\\"], pa.string()),
                "day": pa.array([dt.date(2024, 1, 1), None, dt.date(1999, 12, 31)], pa.date32()),
                "at": pa.array([dt.datetime(2024, 1, 1, 1, 2, 3, 456000)] * 3, pa.timestamp("ms", "UTC")),
                "money": pa.array([Decimal("1.10"), Decimal("-2.00"), None], pa.decimal128(18, 2)),
                "flag": pa.array([True, None, False]),
                "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            }
        )
        warehouse_admin.execute(
            f"CREATE TABLE {warehouse_database}.`odd ``name` (id Int64, text Nullable(String), day Nullable(Date32), at DateTime64(3, 'UTC'), "
            "money Nullable(Decimal(18, 2)), flag Nullable(Bool), kind LowCardinality(String)) ENGINE = MergeTree ORDER BY id"
        )
        assert warehouse_admin.insert_arrow(warehouse_database, "odd `name", table) == 3
        back = warehouse_admin.query_arrow(f"SELECT * FROM {warehouse_database}.`odd ``name` ORDER BY id")
        assert back.to_pylist() == table.to_pylist()

    def test_columns_are_matched_by_name_and_the_rest_take_their_defaults(
        self, warehouse_admin: WarehouseAdmin, warehouse_database: str
    ) -> None:
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.t (a Int8, b Int8 DEFAULT 7, c Int8) ENGINE = MergeTree ORDER BY a")
        warehouse_admin.insert_arrow(warehouse_database, "t", pa.table({"c": pa.array([3], pa.int8()), "a": pa.array([1], pa.int8())}))
        assert warehouse_admin.query_arrow(f"SELECT a, b, c FROM {warehouse_database}.t").to_pylist() == [{"a": 1, "b": 7, "c": 3}]

    def test_an_empty_table_writes_nothing(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.t (a Int8) ENGINE = MergeTree ORDER BY a")
        assert warehouse_admin.insert_arrow(warehouse_database, "t", pa.table({"a": pa.array([], pa.int8())})) == 0

    def test_many_rows_stream(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        rows = 5_000_000
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.t (a UInt64, b Float64) ENGINE = MergeTree ORDER BY a")
        data = pa.table({"a": np.arange(rows, dtype=np.uint64), "b": np.ones(rows)})
        assert warehouse_admin.insert_arrow(warehouse_database, "t", data) == rows
        assert warehouse_admin.query_arrow(
            f"SELECT count() AS n, sum(b) AS s, uniqExact(a) AS u FROM {warehouse_database}.t"
        ).to_pylist() == [{"n": rows, "s": float(rows), "u": rows}]

    def test_a_missing_table_and_a_bad_statement_are_our_errors(self, warehouse_admin: WarehouseAdmin) -> None:
        with pytest.raises(Invalid) as caught:
            warehouse_admin.insert_arrow("nowhere", "t", pa.table({"a": [1]}))
        assert caught.value.code == "unknown_table"
        with pytest.raises(Exception, match="SYNTAX_ERROR"):
            warehouse_admin.execute("CREATE NONSENSE")

    def test_tables_can_be_exchanged_at_once(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        for name, value in (("a", 1), ("b", 2)):
            warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.{name} (x Int8) ENGINE = MergeTree ORDER BY x")
            warehouse_admin.execute(f"INSERT INTO {warehouse_database}.{name} VALUES ({value})")
        warehouse_admin.execute(f"EXCHANGE TABLES {warehouse_database}.a AND {warehouse_database}.b")
        assert warehouse_admin.query_arrow(f"SELECT x FROM {warehouse_database}.a").to_pylist() == [{"x": 2}]


class TestDataVersion:
    def test_changes_with_the_rows_and_not_with_merges(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        def version(*tables: str) -> str:
            return warehouse_admin.data_version(warehouse_database, tables or ("t",))

        seen = [version()]
        create = f"CREATE TABLE {warehouse_database}.t (a UInt32) ENGINE = MergeTree PARTITION BY a % 2 ORDER BY a"
        changes = [
            create,
            f"INSERT INTO {warehouse_database}.t SELECT number FROM numbers(10)",
            f"INSERT INTO {warehouse_database}.t SELECT number FROM numbers(10)",
            f"ALTER TABLE {warehouse_database}.t DELETE WHERE a = 1 SETTINGS mutations_sync = 2",
            f"DELETE FROM {warehouse_database}.t WHERE a = 2",
            f"ALTER TABLE {warehouse_database}.t DROP PARTITION 1",
            f"ALTER TABLE {warehouse_database}.t ADD COLUMN b UInt8",
        ]
        for statement in changes:
            warehouse_admin.execute(statement)
            assert version() not in seen, statement
            seen.append(version())
        warehouse_admin.execute(f"DROP TABLE {warehouse_database}.t SYNC")
        assert version() == seen[0]
        warehouse_admin.execute(create)
        assert version() not in seen, "another table of the same name"
        empty = version()
        warehouse_admin.execute(changes[1])
        first = version()
        warehouse_admin.execute(f"TRUNCATE TABLE {warehouse_database}.t")
        assert version() == empty, "no rows are the same rows as before"
        warehouse_admin.execute(changes[1])
        assert version() != first, "as many rows again may be other rows"
        warehouse_admin.execute(changes[1])
        before = version()
        warehouse_admin.execute(f"OPTIMIZE TABLE {warehouse_database}.t FINAL")
        assert version() == before
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.other (a UInt8) ENGINE = MergeTree ORDER BY a")
        assert version() == before
        assert version("t", "other") != before

    def test_a_view_changes_with_what_it_reads(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.base (a UInt8) ENGINE = MergeTree ORDER BY a")
        warehouse_admin.execute(f"CREATE VIEW {warehouse_database}.v AS SELECT * FROM {warehouse_database}.base")
        before = warehouse_admin.data_version(warehouse_database, ["v"])
        warehouse_admin.execute(f"INSERT INTO {warehouse_database}.base VALUES (1)")
        assert warehouse_admin.data_version(warehouse_database, ["v"]) != before

    def test_where_nobody_tells_of_changes_it_is_the_minute(self, warehouse_admin: WarehouseAdmin, warehouse_database: str) -> None:
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.t (a UInt8) ENGINE = MergeTree ORDER BY a")
        warehouse_admin.execute(
            f"CREATE TABLE {warehouse_database}.all AS {warehouse_database}.t ENGINE = Merge({warehouse_database}, '^t$')"
        )
        sql, params = version_sql([(warehouse_database, "all"), (warehouse_database, "t")])
        before = time.time()
        found = {row["name"]: row["size"] for row in warehouse_admin.query_arrow(sql, params).to_pylist()}
        assert found["t"] == 0
        assert before - 60 <= found["all"] <= time.time()

    def test_the_reader_may_ask_for_it_and_gets_the_same(
        self, warehouse_admin: WarehouseAdmin, sync_warehouse: SyncWarehouse, warehouse_database: str
    ) -> None:
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.t (a UInt32) ENGINE = MergeTree ORDER BY a")
        warehouse_admin.execute(f"INSERT INTO {warehouse_database}.t VALUES (1)")
        assert sync_warehouse.data_version([(warehouse_database, "t")]) == warehouse_admin.data_version(warehouse_database, ["t"])


class TestConnections:
    def test_the_embedded_tokens_are_found(self, start_warehouse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        endpoint = start_warehouse(tmp_path / "warehouse", token="a" * 20, reader_token="r" * 20)
        (tmp_path / "warehouse" / "tokens.json").write_text('{"querent_admin": "' + "a" * 20 + '", "querent": "' + "r" * 20 + '"}')
        settings = Settings(home=tmp_path, warehouse_url=endpoint.url)
        assert SyncWarehouse(reader_connection(settings)).run(guarded("SELECT 1")).rows() == [[1]]
        assert WarehouseAdmin(admin_connection(settings)).query_arrow("SELECT 1 AS x").to_pylist() == [{"x": 1}]

    def test_a_server_of_ones_own_needs_an_admin_user(self) -> None:
        settings = Settings(
            warehouse_embedded=False, warehouse_url="http://ch:8123", warehouse_user="reader", warehouse_password=SecretStr("p")
        )
        assert reader_connection(settings).user == "reader"
        with pytest.raises(Invalid, match="QUERENT_WAREHOUSE_ADMIN_USER"):
            admin_connection(settings)
        admin = admin_connection(settings.model_copy(update={"warehouse_admin_user": "loader", "warehouse_admin_password": SecretStr("q")}))
        assert (admin.url, admin.user, admin.password.get_secret_value()) == ("http://ch:8123", "loader", "q")

    def test_before_the_first_start_it_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="querent warehouse"):
            reader_connection(Settings(home=tmp_path))


class TestCacheOnTheRealWarehouse:
    def test_a_kept_result_is_dropped_the_moment_the_data_changes(
        self, warehouse_endpoint: Any, warehouse_admin: WarehouseAdmin, warehouse_database: str
    ) -> None:
        warehouse_admin.execute(f"CREATE TABLE {warehouse_database}.t (a UInt32) ENGINE = MergeTree ORDER BY a")
        query = guarded(f"SELECT count() FROM {warehouse_database}.t")

        async def scenario() -> list[tuple[Any, bool]]:
            warehouse = Warehouse(warehouse_endpoint.reader_connection)
            cache = CachedWarehouse(warehouse, MemoryStore(), version_max_age_s=0)
            answers = []
            for insert in (False, False, True, False):
                if insert:
                    await asyncio.to_thread(warehouse_admin.execute, f"INSERT INTO {warehouse_database}.t VALUES (1)")
                result = await cache.run(query, tables=[(warehouse_database, "t")])
                answers.append((result.rows()[0][0], result.stats.cached))
            await warehouse.close()
            return answers

        assert asyncio.run(scenario()) == [(0, False), (0, True), (1, False), (1, True)]


@pytest.fixture
def redis_url(tmp_path: Path) -> Any:
    import shutil
    import subprocess

    if shutil.which("redis-server") is None:
        needs("redis", "redis-server is not installed")
    socket = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--save",
            "",
            "--maxmemory",
            "20mb",
            "--maxmemory-policy",
            "allkeys-lru",
        ],
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 10
    while not socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield f"unix://{socket}", process
    process.kill()
    process.wait()


def _stored(size: int = 10) -> StoredResult:
    return StoredResult(pa.table({"n": pa.array(range(size), pa.int64())}), QueryStats("q", 0.1, 1, 1, data_version="v"), True)


class TestRedisStore:
    def test_results_are_shared_and_end_with_their_time(self, redis_url: Any) -> None:
        async def scenario() -> None:
            one, two = (RedisStore(redis.asyncio.from_url(redis_url[0])) for _ in range(2))
            await one.put("k", _stored(), 60)
            await one.put("short", _stored(), 0.05)
            found = await two.get("k")
            assert found is not None
            assert found.table.equals(_stored().table)
            assert (found.stats, found.truncated) == (_stored().stats, True)
            await asyncio.sleep(0.1)
            assert await two.get("short") is None
            assert await two.get("other") is None
            await one.close()
            await two.close()

        asyncio.run(scenario())

    def test_a_damaged_value_is_a_miss(self, redis_url: Any) -> None:
        async def scenario() -> None:
            client = redis.asyncio.from_url(redis_url[0])
            store = RedisStore(client)
            await store.put("k", _stored(), 60)
            (key,) = await client.keys("*")
            await client.set(key, b"\x80\x04cos\nsystem\n")
            assert await store.get("k") is None
            await store.close()

        asyncio.run(scenario())

    def test_too_large_a_value_is_not_sent(self, redis_url: Any) -> None:
        async def scenario() -> None:
            store = RedisStore(redis.asyncio.from_url(redis_url[0]), max_value_bytes=1000)
            await store.put("k", _stored(1000), 60)
            assert await store.get("k") is None
            await store.close()

        asyncio.run(scenario())

    def test_a_redis_that_dies_is_an_empty_cache(self, redis_url: Any) -> None:
        async def scenario() -> None:
            store = RedisStore(redis.asyncio.from_url(redis_url[0], socket_timeout=1))
            await store.put("k", _stored(), 60)
            redis_url[1].kill()
            redis_url[1].wait()
            assert await store.get("k") is None
            await store.put("k", _stored(), 60)
            await store.close()

        asyncio.run(scenario())
