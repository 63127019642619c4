from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound, QueryTooExpensive
from core.ids import TenantId
from semantic import states
from semantic.cache import CachedWarehouse, MemoryStore, StoredResult, cache_key, decode_result, encode_result, tables_of
from semantic.catalog.model import Catalog, Dataset
from semantic.states import GuardedQuery, OutputColumn, Param, QueryStats, ResultTable

TABLES = (("shop", "orders"),)


def guarded(sql: str = "SELECT 1", *, tenant: str = "acme", **changes: Any) -> GuardedQuery:
    arguments: dict[str, Any] = {"params": {"region": Param("String", "EMEA")}, "columns": (), "settings": {"join_use_nulls": 1}} | changes
    return GuardedQuery(sql=sql, tenant=TenantId(tenant), _seal=states._SEAL, **arguments)


@dataclass
class CountingWarehouse:
    """Answers every query with its own number; waits for `gate` first when there is one."""

    version: str = "v1"
    gate: asyncio.Event | None = None
    error: Exception | None = None
    runs: list[str] = field(default_factory=list)
    cancelled: int = 0
    versions_asked: int = 0

    async def run(self, query: GuardedQuery, *, query_id: str | None = None) -> ResultTable:
        self.runs.append(query.sql)
        number = len(self.runs)
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return ResultTable(pa.table({"n": [number]}), query.columns, QueryStats(f"q{number}", 0.1, 5, 50))

    async def data_versions(self, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        self.versions_asked += 1
        return dict.fromkeys(tables, self.version)


@dataclass
class Clock:
    at_s: float = 0.0

    def __call__(self) -> float:
        return self.at_s


def cached(warehouse: CountingWarehouse, clock: Clock | None = None, **options: Any) -> CachedWarehouse:
    clock = clock or Clock()
    return CachedWarehouse(
        warehouse, MemoryStore(now_s=clock), now_s=clock, version_max_age_s=options.pop("version_max_age_s", 0.0), **options
    )


class TestKey:
    base = guarded()

    @pytest.mark.parametrize(
        "other",
        [
            guarded(tenant="globex"),
            guarded("SELECT 2"),
            guarded(params={"region": Param("String", "APAC")}),
            guarded(params={"region": Param("LowCardinality(String)", "EMEA")}),
            guarded(params={"area": Param("String", "EMEA")}),
            guarded(settings={"join_use_nulls": 0}),
            guarded(settings={}),
            guarded(max_rows=9),
        ],
        ids=["tenant", "sql", "value", "type", "name", "setting", "no setting", "row cap"],
    )
    def test_differs_with_everything_that_can_change_rows(self, other: GuardedQuery) -> None:
        assert cache_key(self.base, {}, "v") != cache_key(other, {}, "v")

    def test_differs_with_the_data_version_and_the_policy_values(self) -> None:
        keys = {
            cache_key(self.base, {}, "v1"),
            cache_key(self.base, {}, "v2"),
            cache_key(self.base, {"regions": ("EMEA",)}, "v1"),
            cache_key(self.base, {"regions": ("EMEA", "APAC")}, "v1"),
            cache_key(self.base, {"regions": ("EMEA,APAC",)}, "v1"),
        }
        assert len(keys) == 5

    def test_tells_a_number_from_its_text(self) -> None:
        keys = {cache_key(guarded(params={"x": Param("String", value)}), {}, "v") for value in ("1", 1, 1.0, True, ("1",), (1,))}
        assert len(keys) == 6

    def test_does_not_depend_on_the_order_of_parameters(self) -> None:
        a, b = Param("String", "a"), Param("String", "b")
        assert cache_key(guarded(params={"a": a, "b": b}), {}, "v") == cache_key(guarded(params={"b": b, "a": a}), {}, "v")

    def test_labels_do_not_matter(self) -> None:
        column = OutputColumn("n", "Orders", "measure")
        assert cache_key(guarded(columns=(column,)), {}, "v") == cache_key(self.base, {}, "v")


class TestTablesOf:
    catalog = Catalog(datasets=(Dataset(name="orders", database="shop", table="fct_orders", label="Orders", fields=()),))

    def test_names_what_lies_in_the_warehouse(self) -> None:
        assert tables_of(guarded(datasets=("orders",)), self.catalog) == (("shop", "fct_orders"),)

    def test_a_dataset_of_another_catalog_is_an_error(self) -> None:
        with pytest.raises(NotFound):
            tables_of(guarded(datasets=("visits",)), self.catalog)


class TestCachedWarehouse:
    async def _twice(self, cache: CachedWarehouse, **second: Any) -> tuple[ResultTable, ResultTable]:
        return await cache.run(guarded(), tables=TABLES), await cache.run(guarded(**second), tables=TABLES)

    def test_the_same_query_runs_once_and_says_that_it_was_kept(self) -> None:
        warehouse = CountingWarehouse()
        first, second = asyncio.run(self._twice(cached(warehouse)))
        assert len(warehouse.runs) == 1
        assert (first.stats.cached, second.stats.cached) == (False, True)
        assert second.table.to_pylist() == [{"n": 1}]
        assert second.stats.data_version == "v1"

    def test_a_query_of_unknown_tables_is_never_kept(self) -> None:
        warehouse = CountingWarehouse()
        cache = cached(warehouse)

        async def scenario() -> list[bool]:
            return [(await cache.run(guarded(), tables=())).stats.cached for _ in range(2)]

        assert asyncio.run(scenario()) == [False, False]
        assert len(warehouse.runs) == 2

    def test_another_tenant_never_gets_it(self) -> None:
        warehouse = CountingWarehouse()
        _, second = asyncio.run(self._twice(cached(warehouse), tenant="globex"))
        assert second.table.to_pylist() == [{"n": 2}]

    def test_other_policy_values_do_not_get_it(self) -> None:
        warehouse = CountingWarehouse()
        cache = cached(warehouse)

        async def scenario() -> None:
            for values in (("EMEA",), ("APAC",), ("EMEA",)):
                await cache.run(guarded(), tables=TABLES, policy_values={"regions": values})

        asyncio.run(scenario())
        assert len(warehouse.runs) == 2

    def test_the_answer_has_the_labels_of_who_asks(self) -> None:
        column = OutputColumn("n", "Orders", "measure")
        _, second = asyncio.run(self._twice(cached(CountingWarehouse()), columns=(column,)))
        assert second.stats.cached
        assert second.columns == (column,)

    def test_changed_data_is_asked_for_again(self) -> None:
        warehouse = CountingWarehouse()
        cache = cached(warehouse)

        async def scenario() -> ResultTable:
            await cache.run(guarded(), tables=TABLES)
            warehouse.version = "v2"
            return await cache.run(guarded(), tables=TABLES)

        assert asyncio.run(scenario()).stats.data_version == "v2"
        assert len(warehouse.runs) == 2

    def test_a_query_runs_while_the_version_is_asked_for(self) -> None:
        warehouse = CountingWarehouse()
        cache = cached(warehouse)
        order: list[str] = []

        async def scenario() -> tuple[ResultTable, ResultTable]:
            await cache.run(guarded(), tables=TABLES)
            plain = warehouse.data_versions

            async def slow(tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
                await asyncio.sleep(0.01)
                order.append(f"version after {len(warehouse.runs)} runs")
                return await plain(tables)

            cache._versions._ask = slow
            return await cache.run(guarded("SELECT 2"), tables=TABLES), await cache.run(guarded("SELECT 2"), tables=TABLES)

        first, second = asyncio.run(scenario())
        assert order[0] == "version after 2 runs"
        assert (first.stats.cached, second.stats.cached) == (False, True)
        assert (first.stats.data_version, len(warehouse.runs)) == ("v1", 2)

    def test_rows_read_while_the_data_changed_are_not_kept(self) -> None:
        warehouse = CountingWarehouse()
        cache = cached(warehouse)

        async def scenario() -> tuple[ResultTable, ResultTable]:
            await cache.run(guarded(), tables=TABLES)
            warehouse.version = "v2"
            found = await cache.run(guarded("SELECT 2"), tables=TABLES)
            warehouse.version = "v1"
            return found, await cache.run(guarded("SELECT 2"), tables=TABLES)

        found, back = asyncio.run(scenario())
        assert (found.stats.data_version, back.stats.data_version) == ("v2", "v1")
        assert not back.stats.cached

    def test_a_failing_query_fails_also_when_run_early(self) -> None:
        warehouse = CountingWarehouse()
        cache = cached(warehouse)

        async def scenario() -> None:
            await cache.run(guarded(), tables=TABLES)
            warehouse.error = RuntimeError("no")
            with pytest.raises(RuntimeError):
                await cache.run(guarded("SELECT 2"), tables=TABLES)
            warehouse.error = None
            assert not (await cache.run(guarded("SELECT 2"), tables=TABLES)).stats.cached

        asyncio.run(scenario())

    def test_a_version_is_believed_for_its_time_and_forgotten_on_demand(self) -> None:
        warehouse, clock = CountingWarehouse(), Clock()
        cache = cached(warehouse, clock, version_max_age_s=1.0)

        async def scenario() -> None:
            await cache.run(guarded(), tables=TABLES)
            clock.at_s = 0.9
            await cache.run(guarded(), tables=TABLES)
            assert warehouse.versions_asked == 1
            clock.at_s = 1.1
            await cache.run(guarded(), tables=TABLES)
            assert warehouse.versions_asked == 2
            cache.forget_versions()
            await cache.run(guarded(), tables=TABLES)
            assert warehouse.versions_asked == 3

        asyncio.run(scenario())

    def test_a_result_ends_with_its_time_to_live(self) -> None:
        warehouse, clock = CountingWarehouse(), Clock()
        cache = cached(warehouse, clock, ttl_s=10)

        async def scenario() -> None:
            await cache.run(guarded(), tables=TABLES)
            clock.at_s = 10.0
            await cache.run(guarded(), tables=TABLES)

        asyncio.run(scenario())
        assert len(warehouse.runs) == 2

    def test_equal_queries_that_arrive_together_run_once(self) -> None:
        async def scenario() -> tuple[list[ResultTable], CountingWarehouse]:
            warehouse = CountingWarehouse(gate=asyncio.Event())
            cache = cached(warehouse)
            tasks = [asyncio.create_task(cache.run(guarded(), tables=TABLES)) for _ in range(50)]
            await asyncio.sleep(0.01)
            assert warehouse.gate is not None
            warehouse.gate.set()
            return await asyncio.gather(*tasks), warehouse

        results, warehouse = asyncio.run(scenario())
        assert len(warehouse.runs) == 1
        assert {r.stats.query_id for r in results} == {"q1"}
        assert sum(not r.stats.cached for r in results) == 1

    def test_one_waiter_that_leaves_does_not_stop_the_others(self) -> None:
        async def scenario() -> tuple[ResultTable, CountingWarehouse]:
            warehouse = CountingWarehouse(gate=asyncio.Event())
            cache = cached(warehouse)
            leaver = asyncio.create_task(cache.run(guarded(), tables=TABLES))
            stayer = asyncio.create_task(cache.run(guarded(), tables=TABLES))
            await asyncio.sleep(0.01)
            leaver.cancel()
            await asyncio.sleep(0.01)
            assert warehouse.gate is not None
            warehouse.gate.set()
            return await stayer, warehouse

        result, warehouse = asyncio.run(scenario())
        assert result.table.to_pylist() == [{"n": 1}]
        assert warehouse.cancelled == 0

    def test_the_last_waiter_that_leaves_stops_the_query_and_the_next_caller_starts_anew(self) -> None:
        async def scenario() -> tuple[ResultTable, CountingWarehouse]:
            warehouse = CountingWarehouse(gate=asyncio.Event())
            cache = cached(warehouse)
            leavers = [asyncio.create_task(cache.run(guarded(), tables=TABLES)) for _ in range(3)]
            await asyncio.sleep(0.01)
            for task in leavers:
                task.cancel()
            await asyncio.gather(*leavers, return_exceptions=True)
            warehouse.gate = None
            return await cache.run(guarded(), tables=TABLES), warehouse

        result, warehouse = asyncio.run(scenario())
        assert warehouse.cancelled == 1
        assert result.table.to_pylist() == [{"n": 2}]

    def test_an_error_reaches_everyone_and_is_not_kept(self) -> None:
        async def scenario() -> tuple[list[Any], ResultTable]:
            warehouse = CountingWarehouse(error=QueryTooExpensive("too much"))
            cache = cached(warehouse)
            failed = await asyncio.gather(*(cache.run(guarded(), tables=TABLES) for _ in range(3)), return_exceptions=True)
            warehouse.error = None
            return failed, await cache.run(guarded(), tables=TABLES)

        failed, later = asyncio.run(scenario())
        assert all(isinstance(error, QueryTooExpensive) for error in failed)
        assert later.table.num_rows == 1

    @pytest.mark.parametrize(("max_age_s", "asked"), [(1.0, [1, 1, 2, 3]), (0.0, [1, 2, 3, 4])])
    def test_a_slow_warehouse_is_asked_for_the_version_once_for_all_who_come_in_its_time(self, max_age_s: float, asked: list[int]) -> None:
        async def scenario() -> list[int]:
            clock, gate, found = Clock(), asyncio.Event(), list[int]()

            class Slow(CountingWarehouse):
                async def data_versions(self, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
                    self.versions_asked += 1
                    await gate.wait()
                    return dict.fromkeys(tables, self.version)

            warehouse = Slow()
            cache = cached(warehouse, clock, version_max_age_s=max_age_s)
            waiting = list[asyncio.Task[str]]()
            for at_s in (0.0, 0.5, 1.5):
                clock.at_s = at_s
                waiting.append(asyncio.create_task(cache._versions.of(TABLES)))
                await asyncio.sleep(0.001)
                found.append(warehouse.versions_asked)
            waiting[0].cancel()  # who leaves takes the answer from nobody
            cache.forget_versions()
            waiting.append(asyncio.create_task(cache._versions.of(TABLES)))
            await asyncio.sleep(0.001)
            gate.set()
            assert await asyncio.gather(*waiting[1:]) == ["v1"] * 3
            assert not cache._versions._asking
            return [*found, warehouse.versions_asked]

        assert asyncio.run(scenario()) == asked


def stored(size: int = 10, name: str = "n") -> StoredResult:
    return StoredResult(pa.table({name: pa.array(range(size), pa.int64())}), QueryStats("q", 0.1, 1, 1), False)


class TestMemoryStore:
    def test_stays_below_its_bytes_and_drops_what_was_not_used(self) -> None:
        async def scenario() -> None:
            store = MemoryStore(max_bytes=150_000)
            for number in range(100):
                await store.put(f"k{number}", stored(1000), 60)
                assert await store.get("k0") is not None
                assert store.size_bytes <= 150_000
            assert await store.get("k1") is None
            assert await store.get("k99") is not None
            assert 5 <= len(store) <= 15

        asyncio.run(scenario())

    def test_keeps_no_result_that_would_fill_it(self) -> None:
        async def scenario() -> None:
            store = MemoryStore(max_bytes=100_000)
            await store.put("k", stored(5_000), 60)
            assert len(store) == 0

        asyncio.run(scenario())

    def test_replacing_a_result_does_not_count_it_twice(self) -> None:
        async def scenario() -> None:
            store = MemoryStore()
            await store.put("k", stored(10), 60)
            size = store.size_bytes
            await store.put("k", stored(10), 60)
            assert store.size_bytes == size

        asyncio.run(scenario())

    def test_what_is_too_old_leaves_though_nobody_asks_for_it_again(self) -> None:
        clock = Clock()

        async def scenario() -> None:
            store = MemoryStore(now_s=clock)
            await store.put("again", stored(), 60)
            await store.put("old", stored(), 60)
            clock.at_s += 50
            await store.put("again", stored(), 60)
            clock.at_s += 20
            await store.put("new", stored(), 60)
            assert len(store) == 2
            assert await store.get("again") is not None

        asyncio.run(scenario())

    def test_small_results_count_with_all_that_they_take(self) -> None:
        """The process itself is the measure: what 20,000 results are said to take is what it grows by."""
        script = """
import asyncio, pyarrow as pa
from semantic.cache import MemoryStore, StoredResult
from semantic.states import QueryStats
def resident() -> int:
    return int(open("/proc/self/statm").read().split()[1]) * 4096
async def scenario() -> None:
    store = MemoryStore()
    before = resident()
    for number in range(20_000):
        table = pa.table({name: pa.array([float(number)]) for name in "abc"})
        await store.put(str(number), StoredResult(table, QueryStats(str(number), 0.1, 1, 1), False), 60)
    print((resident() - before) / store.size_bytes)
asyncio.run(scenario())
"""
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert 0.5 < float(run.stdout) < 1.3


class TestEncoding:
    @given(st.lists(st.tuples(st.text(), st.none() | st.integers(-(2**63), 2**63 - 1), st.datetimes())), st.booleans())
    def test_round_trip(self, rows: list[tuple[str, int | None, dt.datetime]], truncated: bool) -> None:
        columns = [[row[i] for row in rows] for i in range(3)]
        table = pa.Table.from_arrays(
            [pa.array(columns[0], pa.string()), pa.array(columns[1], pa.int64()), pa.array(columns[2], pa.timestamp("us", "UTC"))],
            names=["a", "a", "line\nend"],
        )
        result = StoredResult(table, QueryStats("q", 0.25, 3, 4, data_version="v"), truncated)
        back = decode_result(encode_result(result))
        assert back.table.equals(table)
        assert (back.stats, back.truncated) == (result.stats, truncated)

    @pytest.mark.parametrize("damaged", [b"", b"{}", b"\n", b"[]\n", b'{"truncated": false}\nxx', b"\x80\x04."])
    def test_refuses_anything_else(self, damaged: bytes) -> None:
        with pytest.raises((ValueError, KeyError, TypeError, pa.ArrowException)):
            decode_result(damaged)
