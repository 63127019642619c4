"""chDB (the ClickHouse engine) in this process: one data folder, a session per request.

Measured on chDB 4.4 (ClickHouse 26.9), 2 cores: connections to one folder are separate sessions (settings, parameters, current database
and temporary tables do not cross), cost 0.13 ms to open and close, and run in parallel in threads without the GIL; one connection runs its
queries one after another. So every request gets a connection of its own and nothing can leak between requests.

Only the endpoint's process may import this module: importing chdb loads the engine (0.5 GB library).
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from chdb import _chdb as _chdb_module

from semantic.warehouse.engine_errors import EngineError, from_engine

_chdb: Any = _chdb_module  # A binary module without stubs.


@dataclass(frozen=True, slots=True)
class Outcome:
    """body: the encoded result. read_*: from storage. elapsed_s: the engine's own clock."""

    body: bytes
    rows_read: int = 0
    bytes_read: int = 0
    result_rows: int = 0
    rows_written: int = 0
    bytes_written: int = 0
    elapsed_s: float = 0.0


class EngineSession:
    """One connection. Use from one thread at a time; every method may block. Raises: EngineError."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> EngineSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def apply(self, settings: Mapping[str, str]) -> None:
        """SET each setting for this session; the engine validates names and values."""
        if settings:
            self.query("SET " + ", ".join(f"{_setting_name(name)} = {quote(value)}" for name, value in settings.items()))

    def use(self, database: str) -> None:
        self.query(f"USE {quote_name(database)}")

    def set_parameters(self, params: Mapping[str, str]) -> None:
        """Parameters for statements that take none directly (inserts)."""
        if params:
            self.query("SET " + ", ".join(f"param_{_setting_name(name)} = {quote(value)}" for name, value in params.items()))

    def query(self, sql: str, output_format: str = "TabSeparated", params: Mapping[str, str] | None = None) -> Outcome:
        try:
            result = self._connection.query(sql, output_format, params=dict(params or {}))
            if result.has_error():
                raise from_engine(RuntimeError(result.error_message()))
            return Outcome(
                result.bytes(),
                rows_read=result.storage_rows_read(),
                bytes_read=result.storage_bytes_read(),
                result_rows=result.rows_read(),
                rows_written=result.rows_written(),
                bytes_written=result.bytes_written(),
                elapsed_s=result.elapsed(),
            )
        except RuntimeError as error:
            raise from_engine(error) from None

    def stream(self, sql: str, output_format: str, params: Mapping[str, str]) -> Generator[bytes, None, None]:
        """The result block by block, each block encoded on its own. Closing the iterator cancels the query."""
        try:
            result = self._connection.send_query(sql, output_format, params=dict(params))
        except RuntimeError as error:
            raise from_engine(error) from None
        finished = False
        try:
            while True:
                try:
                    block = self._connection.streaming_fetch_result(result)
                except RuntimeError as error:
                    finished = True
                    raise from_engine(error) from None
                if block is None or block.rows_read() == 0:
                    finished = True
                    return
                yield block.bytes()
        finally:
            if not finished:
                self._connection.streaming_cancel_query(result)

    def begin_insert(self, statement: str, input_format: str) -> EngineInsert:
        """`statement`: INSERT INTO ... without its FORMAT clause."""
        try:
            return EngineInsert(self._connection, self._connection.send_insert(statement, input_format))
        except RuntimeError as error:
            raise from_engine(error) from None

    def header(self, sql: str, params: Mapping[str, str]) -> bytes:
        """The Native block with no rows that a server sends for an empty result; chDB sends nothing at all then."""
        described = self.query(f"DESCRIBE TABLE (\n{sql}\n)", "RowBinary", params).body
        return _native_header(_described_columns(described))

    def is_one_read(self, sql: str) -> bool:
        """By the engine's own parser: exactly one statement, and one that only reads."""
        found = self._connection.classify_query(sql)
        return bool(found["statement_count"] == 1 and found["query_class"] == _chdb.query_class.READ_ONLY)


class EngineInsert:
    """Raw bytes of one format going into one table. Raises: EngineError."""

    def __init__(self, connection: Any, handle: Any) -> None:
        self._connection = connection
        self._handle = handle

    def append(self, data: bytes) -> None:
        try:
            self._connection.insert_append(self._handle, data)
        except RuntimeError as error:
            raise from_engine(error) from None

    def finish(self) -> Outcome:
        try:
            done = self._connection.insert_done(self._handle)
        except RuntimeError as error:
            raise from_engine(error) from None
        return Outcome(b"", rows_written=done.rows_written(), bytes_written=done.bytes_written(), elapsed_s=done.elapsed())

    def cancel(self) -> None:
        try:
            self._connection.insert_cancel(self._handle)
        except RuntimeError as error:
            raise from_engine(error) from None


class Engine:
    """The open data folder. The first connection stays open for the life of the process; it owns the folder.

    max_query_bytes: what one query may use of this machine's memory, whoever asks. system_tables: the names in database `system`.
    """

    def __init__(self, folder: Path) -> None:
        self._address = str(folder)
        try:
            self._root = _chdb.connect(self._address)
            _chdb.set_signal_handlers_enabled(False)
        except RuntimeError as error:
            raise from_engine(error) from error
        with self.session() as session:
            self.version = session.query("SELECT version()").body.decode().strip()
            self.time_zone = session.query("SELECT timezone()").body.decode().strip()
            names = session.query("SELECT lower(name) FROM system.tables WHERE database = 'system'").body.decode()
            self.system_tables = frozenset(names.split())
        self.max_query_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2

    def session(self) -> EngineSession:
        try:
            return EngineSession(_chdb.connect(self._address))
        except RuntimeError as error:
            raise from_engine(error) from None

    def kill(self, marks: Iterable[str]) -> None:
        """Stop every query whose `log_comment` is one of `marks`; returns at once."""
        listed = ", ".join(quote(mark) for mark in marks)
        with self.session() as session:
            session.query(f"KILL QUERY WHERE Settings['log_comment'] IN ({listed}) ASYNC FORMAT Null")

    def close(self) -> None:
        self._root.close()


def quote(text: str) -> str:
    """A ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0") + "'"


def quote_name(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _setting_name(name: str) -> str:
    if not (name.isascii() and name.replace("_", "a").isalnum()):
        raise EngineError(
            115, f"DB::Exception: Unknown setting or parameter {name[:60]!r}: a name is letters, digits and _. (UNKNOWN_SETTING)"
        )
    return name


def _described_columns(row_binary: bytes) -> list[tuple[bytes, bytes]]:
    """(name, type) from DESCRIBE's seven String columns in RowBinary."""
    values, position = [], 0
    while position < len(row_binary):
        size, position = _read_varint(row_binary, position)
        values.append(row_binary[position : position + size])
        position += size
    return [(values[i], values[i + 1]) for i in range(0, len(values), 7)]


def _native_header(columns: list[tuple[bytes, bytes]]) -> bytes:
    parts = [_varint(len(columns)), _varint(0)]
    for name, kind in columns:
        parts += [_varint(len(name)), name, _varint(len(kind)), kind]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
