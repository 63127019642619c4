"""Results kept for a while, so that equal questions on unchanged data run once.

A key holds the tenant, row-policy values, SQL, parameters, settings, row cap and data version: two callers share a result only when the
warehouse would have given both the same rows. A change of the data changes the version, so stale results are never found again; they age out.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import io
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa
import redis.asyncio
import redis.exceptions
import structlog

from semantic.catalog.model import Catalog
from semantic.data_versions import DataVersions, seen
from semantic.states import GuardedQuery, QueryStats, ResultTable

_log = structlog.get_logger("querent.cache")
_REDIS_PREFIX = "querent:result:1:"
_MAX_SHARE_OF_STORE = 8
# What the process grows by beside the buffers, measured with 10,000 results of 1 to 10 columns.
_ENTRY_BYTES, _COLUMN_BYTES = 6 * 1024, 1024


@dataclass(frozen=True, slots=True)
class StoredResult:
    """Rows without their meaning: labels and units are taken from the query that asks."""

    table: pa.Table
    stats: QueryStats
    truncated: bool


class ResultStore(Protocol):
    """Where results lie. A store may forget anything at any time; it never raises."""

    async def get(self, key: str) -> StoredResult | None: ...

    async def put(self, key: str, result: StoredResult, ttl_s: float) -> None: ...


class QueryRunner(Protocol):
    """The part of the warehouse client that the cache needs."""

    async def run(self, query: GuardedQuery, *, query_id: str | None = None) -> ResultTable: ...

    async def data_versions(self, tables: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], str]: ...


def cache_key(query: GuardedQuery, policy_values: Mapping[str, Sequence[str]], data_version: str) -> str:
    """64 hexadecimal digits that differ whenever the rows could."""
    parts = {
        "tenant": query.tenant,
        "policy": {name: list(values) for name, values in policy_values.items()},
        "sql": query.sql,
        "params": {name: [param.type, type(param.value).__name__, repr(param.value)] for name, param in query.params.items()},
        "settings": {name: str(value) for name, value in query.settings.items()},
        "max_rows": query.max_rows,
        "data_version": data_version,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")).hexdigest()


def tables_of(query: GuardedQuery, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """The physical (database, table) of the query's datasets. Raises: NotFound when the catalog is not the query's."""
    return tuple((found.database, found.table) for found in map(catalog.dataset, query.datasets))


class MemoryStore:
    """In this process: what is too old leaves when something comes, and least recently used results when they take `max_bytes` of memory.

    For one event loop.
    """

    def __init__(self, max_bytes: int = 256 * 1024**2, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._now_s = now_s
        self._entries: OrderedDict[str, tuple[StoredResult, float, int]] = OrderedDict()
        self._ends: list[tuple[float, str]] = []  # a heap; of what was dropped or put anew as well
        self.size_bytes = 0

    async def get(self, key: str) -> StoredResult | None:
        found = self._entries.get(key)
        if found is None:
            return None
        result, expires_at_s, _ = found
        if expires_at_s <= self._now_s():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return result

    async def put(self, key: str, result: StoredResult, ttl_s: float) -> None:
        self._drop_old()
        size = _size_bytes(result.table)
        if size > self._max_bytes // _MAX_SHARE_OF_STORE:
            return
        self._drop(key)
        ends_at_s = self._now_s() + ttl_s
        self._entries[key] = (result, ends_at_s, size)
        heapq.heappush(self._ends, (ends_at_s, key))
        self.size_bytes += size
        while self.size_bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop_old(self) -> None:
        while self._ends and self._ends[0][0] <= self._now_s():
            ended_at_s, key = heapq.heappop(self._ends)
            if key in self._entries and self._entries[key][1] == ended_at_s:
                self._drop(key)

    def _drop(self, key: str) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self.size_bytes -= found[2]

    def __len__(self) -> int:
        return len(self._entries)


class RedisStore:
    """Shared by several processes. A Redis that does not answer is a cache that forgot everything: logged, never an error.

    Redis bounds its own memory (`maxmemory` with an LRU policy); values above `max_value_bytes` are not sent.
    """

    def __init__(self, client: redis.asyncio.Redis, *, max_value_bytes: int = 16 * 1024**2) -> None:
        self._client = client
        self._max_value_bytes = max_value_bytes

    async def get(self, key: str) -> StoredResult | None:
        try:
            value = await self._client.get(_REDIS_PREFIX + key)
            return decode_result(value) if isinstance(value, bytes) else None
        except (redis.exceptions.RedisError, OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            _log.warning("result_cache_read_failed", error=type(error).__name__)
            return None

    async def put(self, key: str, result: StoredResult, ttl_s: float) -> None:
        value = encode_result(result)
        if len(value) > self._max_value_bytes:
            return
        try:
            await self._client.set(_REDIS_PREFIX + key, value, px=max(1, int(ttl_s * 1000)))
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("result_cache_write_failed", error=type(error).__name__)

    async def close(self) -> None:
        await self._client.aclose()


def encode_result(result: StoredResult) -> bytes:
    """JSON of the figures, a line end, then the rows as an Arrow IPC stream. Nothing in it is executable."""
    stats = result.stats
    head = {
        "query_id": stats.query_id,
        "duration_s": stats.duration_s,
        "rows_read": stats.rows_read,
        "bytes_read": stats.bytes_read,
        "data_version": stats.data_version,
        "truncated": result.truncated,
    }
    sink = io.BytesIO()
    sink.write(json.dumps(head).encode() + b"\n")
    with pa.ipc.new_stream(sink, result.table.schema) as writer:
        writer.write_table(result.table)
    return sink.getvalue()


def decode_result(value: bytes) -> StoredResult:
    """The inverse of `encode_result`. Raises: ValueError, KeyError, TypeError or pyarrow.ArrowException for anything else."""
    head, _, rows = value.partition(b"\n")
    figures = json.loads(head)
    truncated = bool(figures.pop("truncated"))
    return StoredResult(pa.ipc.open_stream(rows).read_all(), QueryStats(**figures), truncated)


class CachedWarehouse:
    """Runs a query, or gives its kept result. Equal queries that arrive together run once.

    ttl_s: how long a result is kept. version_max_age_s: for how long a data version is believed (0: asked for every time, about 9 ms, while
    the query runs).
    """

    def __init__(
        self,
        warehouse: QueryRunner,
        store: ResultStore,
        *,
        ttl_s: float = 600.0,
        version_max_age_s: float = 1.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._warehouse = warehouse
        self._store = store
        self._ttl_s = ttl_s
        self._versions = DataVersions(warehouse.data_versions, max_age_s=version_max_age_s, now_s=now_s)
        self._flights: dict[str, _Flight] = {}

    async def run(
        self,
        query: GuardedQuery,
        *,
        tables: Sequence[tuple[str, str]],
        policy_values: Mapping[str, Sequence[str]] | None = None,
        query_id: str | None = None,
    ) -> ResultTable:
        """The rows; `stats.cached` says whether they were kept, `stats.data_version` which state of `tables` (database, table) they are of.

        tables: everything the query reads (see `tables_of`); with none the result is not kept.

        The caller's cancellation stops the query only when nobody else waits for it. Raises: what Warehouse.run raises; errors are not kept.
        """
        if not tables:
            # Without knowing what it reads nobody can tell when its rows change.
            return await self._warehouse.run(query, query_id=query_id)
        values = policy_values or {}
        names = tuple(sorted(set(tables)))
        last = self._versions.last(names)
        if last is not None and not last[1]:
            early = await self._run_early(query, query_id, values, names, last[0])
            if early is not None:
                return _answer(query, early, cached=False)
        version = await self._versions.of(names)
        key = cache_key(query, values, version)
        flight = self._flights.get(key)
        if flight is None:
            kept = await self._store.get(key)
            if kept is not None:
                return _answer(query, kept, cached=True)
            # Another caller may have started the same query while the store was asked.
            flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._start(query, query_id, key, version)
        return _answer(query, await self._landed(flight, key), cached=joined)

    async def _run_early(
        self, query: GuardedQuery, query_id: str | None, values: Mapping[str, Sequence[str]], names: tuple[tuple[str, str], ...], known: str
    ) -> StoredResult | None:
        """The result, run while the data version is asked for, if that is still `known` from before; None when it has changed.

        Rows of a query that began after the version was `known`, and ended up with it unchanged, are of that version or newer, as rows always are
        that are run once a version has been asked for.
        """
        key = cache_key(query, values, known)
        if key in self._flights or await self._store.get(key) is not None or key in self._flights:
            return None
        flight = self._start(query, query_id, key, known, keep=False)
        landing = asyncio.ensure_future(self._landed(flight, key))
        landing.add_done_callback(seen)
        try:
            if await self._versions.of(names) != known:
                return None
            found = await landing
        finally:
            landing.cancel()
            if flight.leave_if_alone():  # cancelled before it began to wait
                self._flights.pop(key, None)
        await self._store.put(key, found, self._ttl_s)
        return found

    def _start(self, query: GuardedQuery, query_id: str | None, key: str, version: str, *, keep: bool = True) -> _Flight:
        flight = _Flight(asyncio.create_task(self._run(query, query_id, key, version, keep=keep)))
        self._flights[key] = flight
        flight.task.add_done_callback(seen)
        return flight

    async def _landed(self, flight: _Flight, key: str) -> StoredResult:
        try:
            return await flight.wait()
        finally:
            if flight.is_over and self._flights.get(key) is flight:
                del self._flights[key]

    def forget_versions(self) -> None:
        """After a load by this process: the next query sees the new data without waiting `version_max_age_s`."""
        self._versions.forget()

    async def _run(self, query: GuardedQuery, query_id: str | None, key: str, version: str, *, keep: bool) -> StoredResult:
        result = await self._warehouse.run(query, query_id=query_id)
        stored = StoredResult(result.table, replace(result.stats, data_version=version), result.truncated)
        if keep:
            await self._store.put(key, stored, self._ttl_s)
        return stored


class _Flight:
    """One running query and how many wait for it."""

    def __init__(self, task: asyncio.Task[StoredResult]) -> None:
        self.task = task
        self._waiting = 0
        self.is_over = False

    async def wait(self) -> StoredResult:
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            self.leave_if_alone()

    def leave_if_alone(self) -> bool:
        """Stops the query unless somebody waits for it; whether it did."""
        if self._waiting or self.is_over:
            return False
        self.is_over = True
        self.task.cancel()
        return True


def _answer(query: GuardedQuery, stored: StoredResult, *, cached: bool) -> ResultTable:
    return ResultTable(stored.table, query.columns, replace(stored.stats, cached=cached), stored.truncated)


def _size_bytes(table: pa.Table) -> int:
    """Bytes held in memory, the buffers behind a slice included."""
    return int(table.get_total_buffer_size() + table.num_columns * _COLUMN_BYTES) + _ENTRY_BYTES
