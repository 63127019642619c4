"""Runs guarded queries on ClickHouse's HTTP interface: `Warehouse` for the API (async), `SyncWarehouse` for workers.

The only way in is a GuardedQuery. The user behind it is read-only on the server as well (a second wall).
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import clickhouse_connect
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError
from opentelemetry.trace import Span, SpanKind
from prometheus_client import Counter, Histogram

from core.errors import AppError, Cancelled, InternalError
from core.ids import new_id
from core.tracing import carried, span
from semantic.limits import MEANING_SETTINGS
from semantic.states import GuardedQuery, QueryStats, ResultTable
from semantic.warehouse.arrow import to_table
from semantic.warehouse.connection import Connection
from semantic.warehouse.error_codes import to_app_error
from semantic.warehouse.parameters import render
from semantic.warehouse.versions import holds_view, parse_version, parse_versions, version_sql, wide_version_sql, with_views

_log = structlog.get_logger("querent.query")
_SECONDS = Histogram(
    "querent_query_seconds",
    "Warehouse queries by outcome",
    ["outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
_ROWS = Counter("querent_query_rows_read_total", "Rows that warehouse queries read")
_BYTES = Counter("querent_query_bytes_read_total", "Bytes that warehouse queries read")
# What a query means without a word from the guard; its own settings come on top.
SAFE_DEFAULTS: Mapping[str, str | int] = MEANING_SETTINGS
# Not worth failing for when the server keeps them to itself: its own caps hold then.
_OPTIONAL_PREFIXES = ("max_", "output_format_", "readonly")
_OPTIONAL_SUFFIX = "_overflow_mode"
_POOL_SIZE = 32
PING_S = 10.0  # one that is stopped takes connections and never answers; who asks whether we are ready must be told


class Warehouse:
    """For asyncio. Connects at the first query; one instance per process, closed at its end.

    Sockets belong to an event loop: under another loop (a command line that calls asyncio.run twice) it connects anew.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connecting = asyncio.Lock()
        self._kills: set[asyncio.Task[None]] = set()

    async def run(self, query: GuardedQuery, *, query_id: str | None = None) -> ResultTable:
        """The rows. Cancelling the caller's task stops the query on the server.

        Raises: QueryTooExpensive, Invalid, QueryRejected, Cancelled, Unavailable, InternalError.
        """
        identity = query_id or new_id("q")
        started_s = time.perf_counter()
        try:
            client = await self._connected()
            with _span(_checked(query), identity) as traced:
                result = await client.query(**_request(query, identity, client.server_settings))
                return _finished(query, identity, result, started_s, traced)
        except asyncio.CancelledError:
            self._stop_soon(identity)
            _failed(query, identity, Cancelled("The caller left."), started_s)
            raise
        except AppError as error:
            _failed(query, identity, error, started_s)
            raise
        except _FAILURES as error:
            ours = to_app_error(error, identity)
            _failed(query, identity, ours, started_s)
            raise ours from error

    async def cancel(self, query_id: str) -> None:
        """Asks the server to stop a query of ours; does nothing when it has ended."""
        try:
            client = await self._connected()
            await client.command(_kill(query_id))
        except _ANY_FAILURE as error:
            _log.debug("warehouse_kill_failed", query_id=query_id, error=type(error).__name__)

    async def data_versions(self, tables: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """Of each (database, table) what changes whenever its rows may have changed; within ten seconds, as answers that are kept wait for it.

        Raises: Unavailable, InternalError.
        """
        try:
            async with asyncio.timeout(PING_S):
                client = await self._connected()
                sql, params = version_sql(tables)
                found = await client.query(sql, parameters=params)
                versions = parse_versions(found, tables)
                return with_views(versions, found, await client.query(wide_version_sql())) if holds_view(found) else versions
        except _FAILURES as error:
            raise to_app_error(error) from error

    async def ping(self) -> None:
        """Returns when the warehouse answers a query with our credentials, within ten seconds. Raises: Unavailable."""
        try:
            async with asyncio.timeout(PING_S):
                client = await self._connected()
                await client.query("SELECT 1")
        except _FAILURES as error:
            raise to_app_error(error) from error

    async def close(self) -> None:
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.close()
        self._client = None

    async def _connected(self) -> Any:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._client, self._loop, self._connecting = None, loop, asyncio.Lock()
        if self._client is None:
            async with self._connecting:
                if self._client is None:
                    arguments = self._connection.client_arguments()
                    self._client = await clickhouse_connect.get_async_client(**arguments, connector_limit_per_host=_POOL_SIZE)
        return self._client

    def _stop_soon(self, query_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self.cancel(query_id))
        self._kills.add(task)
        task.add_done_callback(self._kills.discard)


class SyncWarehouse:
    """For threads and worker processes. Safe to share between threads, and to make before a fork."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: Any = None
        self._owner_pid = 0
        self._connecting = threading.Lock()

    def run(self, query: GuardedQuery, *, query_id: str | None = None) -> ResultTable:
        """The rows. Raises: QueryTooExpensive, Invalid, QueryRejected, Cancelled, Unavailable, InternalError."""
        identity = query_id or new_id("q")
        started_s = time.perf_counter()
        try:
            client = self._connected()
            with _span(_checked(query), identity) as traced:
                result = client.query(**_request(query, identity, client.server_settings))
                return _finished(query, identity, result, started_s, traced)
        except AppError as error:
            _failed(query, identity, error, started_s)
            raise
        except _FAILURES as error:
            ours = to_app_error(error, identity)
            _failed(query, identity, ours, started_s)
            raise ours from error

    def cancel(self, query_id: str) -> None:
        """Asks the server to stop a query that another thread runs; does nothing when it has ended."""
        try:
            self._connected().command(_kill(query_id))
        except _ANY_FAILURE as error:
            _log.debug("warehouse_kill_failed", query_id=query_id, error=type(error).__name__)

    def data_version(self, tables: Sequence[tuple[str, str]]) -> str:
        """Changes whenever rows of one of these (database, table) may have changed. Raises: Unavailable, InternalError."""
        try:
            client = self._connected()
            sql, params = version_sql(tables)
            found = client.query(sql, parameters=params)
            return parse_version(client.query(wide_version_sql()) if holds_view(found) else found)
        except _FAILURES as error:
            raise to_app_error(error) from error

    def close(self) -> None:
        if self._client is not None and self._owner_pid == os.getpid():
            self._client.close()
        self._client = None

    def _connected(self) -> Any:
        with self._connecting:
            if self._client is None or self._owner_pid != os.getpid():
                self._client = clickhouse_connect.get_client(**self._connection.client_arguments(), dedicated_pool=True)
                self._owner_pid = os.getpid()
            return self._client


def _failure_types() -> tuple[type[BaseException], ...]:
    import aiohttp
    from urllib3.exceptions import HTTPError

    return (ClickHouseError, aiohttp.ClientError, HTTPError, OSError, TimeoutError)


_FAILURES = _failure_types()
_ANY_FAILURE: tuple[type[BaseException], ...] = (AppError, *_FAILURES)


def _checked(query: GuardedQuery) -> GuardedQuery:
    if not isinstance(query, GuardedQuery):
        raise TypeError(f"the warehouse runs a GuardedQuery only, found {type(query).__name__}")
    return query


def _request(query: GuardedQuery, query_id: str, server: Mapping[str, Any]) -> dict[str, Any]:
    settings = {**SAFE_DEFAULTS, **query.settings}
    return {
        "query": query.sql,
        "parameters": render(query.params),
        "settings": {**_settings(settings, server), "query_id": query_id},
        "column_oriented": True,
        "transport_settings": carried(),
    }


def _span(query: GuardedQuery, query_id: str) -> AbstractContextManager[Span]:
    """The server continues the trace by the header `traceparent` (system.opentelemetry_span_log)."""
    return span(
        "warehouse query", SpanKind.CLIENT, **{"db.system.name": "clickhouse", "querent.query_id": query_id, "querent.tenant": query.tenant}
    )


def _settings(asked: Mapping[str, str | int], server: Mapping[str, Any]) -> dict[str, str]:
    """What to send: not what the server has already, nor caps it keeps to itself.

    Raises: InternalError when the server forbids a setting that changes what the query means.
    """
    sent: dict[str, str] = {}
    for name, value in asked.items():
        known = server.get(name)
        if known is not None and known.readonly:
            if known.value != str(value) and not (name.startswith(_OPTIONAL_PREFIXES) or name.endswith(_OPTIONAL_SUFFIX)):
                raise InternalError(
                    f"The warehouse's user may not set {name}; make it changeable_in_readonly in its profile.", code="warehouse_profile"
                )
            continue
        sent[name] = str(value)
    return sent


def _finished(query: GuardedQuery, query_id: str, result: Any, started_s: float, traced: Span) -> ResultTable:
    duration_s = time.perf_counter() - started_s
    table = to_table(result.column_names, [kind.name for kind in result.column_types], result.result_columns)
    truncated = table.num_rows > query.max_rows
    stats = QueryStats(query_id, duration_s, int(result.summary.get("read_rows", 0)), int(result.summary.get("read_bytes", 0)))
    traced.set_attributes({"db.response.returned_rows": table.num_rows, "querent.rows_read": stats.rows_read})
    _SECONDS.labels("ok").observe(duration_s)
    _ROWS.inc(stats.rows_read)
    _BYTES.inc(stats.bytes_read)
    _log.info(
        "warehouse_query",
        tenant=query.tenant,
        query_id=query_id,
        duration_ms=round(duration_s * 1000, 1),
        rows_read=stats.rows_read,
        bytes_read=stats.bytes_read,
        rows=min(table.num_rows, query.max_rows),
        truncated=truncated,
        outcome="ok",
    )
    return ResultTable(table.slice(0, query.max_rows) if truncated else table, query.columns, stats, truncated)


def _failed(query: GuardedQuery, query_id: str, error: AppError, started_s: float) -> None:
    duration_ms = round((time.perf_counter() - started_s) * 1000, 1)
    _SECONDS.labels(error.code).observe(duration_ms / 1000)
    _log.warning("warehouse_query", tenant=query.tenant, query_id=query_id, duration_ms=duration_ms, outcome=error.code)


def _kill(query_id: str) -> str:
    return "KILL QUERY WHERE query_id = '" + query_id.replace("\\", "").replace("'", "") + "' ASYNC"
