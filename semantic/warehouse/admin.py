"""Trusted internal work that is not a user's SQL: making tables, loading, inference, writing results back."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeVar

import clickhouse_connect
import pyarrow as pa

from semantic.warehouse.arrow import to_table
from semantic.warehouse.client import _FAILURES
from semantic.warehouse.connection import Connection
from semantic.warehouse.error_codes import to_app_error
from semantic.warehouse.versions import holds_view, parse_version, version_sql, wide_version_sql

_T = TypeVar("_T")
_INSERT_BATCH_ROWS = 200_000


class WarehouseAdmin:
    """Synchronous; safe to share between threads and to make before a fork. From asyncio call it with `asyncio.to_thread`.

    Statements hold values as `{name:Type}` with `params`, never pasted in. Every method raises what `SyncWarehouse.run` raises.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: Any = None
        self._owner_pid = 0
        self._connecting = threading.Lock()

    def execute(self, sql: str, params: Mapping[str, Any] | None = None, *, settings: Mapping[str, str | int] | None = None) -> None:
        """Runs a statement that returns no rows that matter."""
        self._guarded(lambda client: client.command(sql, parameters=dict(params or {}), settings=dict(settings or {})))

    def query_arrow(
        self, sql: str, params: Mapping[str, Any] | None = None, *, settings: Mapping[str, str | int] | None = None
    ) -> pa.Table:
        """The rows of a query, as Arrow with types as `semantic.warehouse.arrow` says."""

        def fetch(client: Any) -> pa.Table:
            result = client.query(sql, parameters=dict(params or {}), settings=dict(settings or {}), column_oriented=True)
            return to_table(result.column_names, [kind.name for kind in result.column_types], result.result_columns)

        return self._guarded(fetch)

    def insert_arrow(self, database: str, table: str, data: pa.Table, *, settings: Mapping[str, str | int] | None = None) -> int:
        """Inserts by column name, streamed; returns the rows written.

        Up to about a million rows go in as one part, whole or not at all; more may be left half-way by an error: load into a staging table.
        """

        def insert(client: Any) -> int:
            summary = client.raw_insert(
                f"{quote_name(database)}.{quote_name(table)}",
                column_names=data.column_names,
                insert_block=_arrow_stream(data),
                fmt="ArrowStream",
                settings=dict(settings or {}),
            )
            return int(summary.written_rows)

        return self._guarded(insert) if data.num_rows else 0

    def insert_stream(self, database: str, table: str, columns: Sequence[str], blocks: Iterator[bytes], input_format: str) -> int:
        """Inserts bytes of any ClickHouse input format as they come; returns the rows written."""
        name = f"{quote_name(database)}.{quote_name(table)}"
        return self._guarded(
            lambda client: int(client.raw_insert(name, column_names=list(columns), insert_block=blocks, fmt=input_format).written_rows)
        )

    def write_to(self, sql: str, file: BinaryIO, output_format: str) -> int:
        """The rows of a query in any ClickHouse output format, streamed into `file`; how many bytes."""

        def fetch(client: Any) -> int:
            with client.raw_stream(sql, fmt=output_format) as blocks:
                return sum(file.write(block) for block in iter(lambda: blocks.read(1 << 20), b""))

        return self._guarded(fetch)

    def data_version(self, database: str, tables: Sequence[str]) -> str:
        """Changes whenever rows of one of these tables may have changed; about 3 ms."""

        def fetch(client: Any) -> str:
            sql, params = version_sql([(database, table) for table in tables])
            found = client.query(sql, parameters=params)
            return parse_version(client.query(wide_version_sql()) if holds_view(found) else found)

        return self._guarded(fetch)

    def close(self) -> None:
        if self._client is not None and self._owner_pid == os.getpid():
            self._client.close()
        self._client = None

    def _guarded(self, work: Callable[[Any], _T]) -> _T:
        try:
            return work(self._connected())
        except _FAILURES as error:
            raise to_app_error(error) from error

    def _connected(self) -> Any:
        with self._connecting:
            if self._client is None or self._owner_pid != os.getpid():
                self._client = clickhouse_connect.get_client(**self._connection.client_arguments(), dedicated_pool=True)
                self._owner_pid = os.getpid()
            return self._client


def quote_name(name: str) -> str:
    """A ClickHouse identifier in backquotes."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _arrow_stream(data: pa.Table) -> Iterator[bytes]:
    """`data` as Arrow IPC stream bytes, a batch at a time, so that a large table is not held twice."""
    written: list[bytes] = []
    with pa.ipc.new_stream(pa.PythonFile(_Sink(written), "w"), data.schema) as writer:
        for batch in data.to_batches(max_chunksize=_INSERT_BATCH_ROWS):
            writer.write_batch(batch)
            yield b"".join(written)
            written.clear()
    yield b"".join(written)


class _Sink(io.RawIOBase):
    """Collects what is written."""

    def __init__(self, written: list[bytes]) -> None:
        self._written = written

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(data)
