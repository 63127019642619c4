"""Engines: SQLite in WAL mode with foreign keys and a busy timeout, or PostgreSQL over psycopg 3."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy.orm  # noqa: F401 - whole from the start: MLflow imports it late, and a thread that compares columns meanwhile would fail
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError

from core.errors import Invalid
from core.store.columns import dump_json

BUSY_TIMEOUT_MS = 15_000
ASKED_AFTER_S = 1.0
_AT_WORK = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}  # what others at the file cause
READ_ONLY = "querent_read_only"


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://...` (always psycopg 3). Makes the SQLite file, which others cannot read; opens nothing yet.

    Raises: Invalid for other databases or a URL that cannot be read.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_size=5, max_overflow=15, pool_recycle=1800, pool_use_lifo=True, json_serializer=dump_json)
        _ask_after_rest(engine)
        return engine
    raise Invalid(
        f"The state store runs on SQLite or PostgreSQL; found {parsed.get_backend_name()!r}. Set QUERENT_STATE_URL to "
        "sqlite:///path/state.db or postgresql://user:password@host/database, or leave it empty for SQLite.",
        code="bad_state_url",
    )


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise Invalid(
            "QUERENT_STATE_URL is not a database URL; expected such as sqlite:///var/state.db or postgresql://user@host/name.",
            code="bad_state_url",
        ) from error


def _ask_after_rest(engine: Engine) -> None:
    """A connection that lay idle is asked first whether its server is still there. Not one that just was used: under load that question took a
    sixth of the time of each transaction, and a server that goes meanwhile fails those on their way in any case."""

    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since_s"] = time.monotonic()

    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        since_s = record.info.get("rests_since_s")  # none for a new one
        if since_s is None or time.monotonic() - since_s < ASKED_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # those that rest with it are gone as well; a new one takes its place

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", ask)


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        _make_private(Path(url.database))
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, json_serializer=dump_json)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: Path) -> None:
    """Password hashes and keys lie in it; what SQLite puts beside it is as readable as the file. One that is there stays as it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not str(file).startswith("file:"):
        with contextlib.suppress(OSError):  # said where it is opened
            file.touch(mode=0o600, exist_ok=True)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own; `_begin_sqlite` does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """The first to open a new file changes its mode; for this alone SQLite does not wait until others who try at the same time are done."""
    until_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _AT_WORK or time.monotonic() > until_s:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a transaction that reads first and writes later would fail instead of waiting."""
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
