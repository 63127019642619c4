"""Connections to PostgreSQL that the server ended while they rested, and reading without a transaction."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from core.errors import Unavailable
from core.store import Store, engine

pytestmark = pytest.mark.integration


def test_connections_that_rested_are_asked_and_replaced_when_the_server_ended_them(
    postgresql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(postgresql.database("state_rest"))

    def served_by() -> int:
        with store.read() as connection:
            return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    def end_all() -> None:
        with psycopg.connect(f"{postgresql.url}/postgres", autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'state_rest'")

    first = served_by()
    assert served_by() == first
    end_all()
    with pytest.raises(Unavailable):  # not asked: it was used a moment ago
        served_by()
    second = served_by()
    monkeypatch.setattr(engine, "ASKED_AFTER_S", 0.0)
    assert served_by() == second
    end_all()
    assert served_by() not in {first, second}
    store.close()


def test_a_glance_takes_no_transaction_and_leaves_none_to_others(postgresql: Any) -> None:
    store = Store.open(postgresql.database("state_glance"))
    started, isolation = text("SELECT now() = statement_timestamp()"), text("SHOW transaction_isolation")
    with store.write() as connection:
        connection.execute(text("CREATE TABLE t (n int)"))
    with store.glance() as connection:
        assert [connection.execute(started).scalar() for _ in range(3)] == [True] * 3
        assert connection.execute(isolation).scalar() == "read committed"
    with store.read() as connection:
        assert connection.execute(isolation).scalar() == "repeatable read"
        with pytest.raises(InternalError):
            connection.execute(text("INSERT INTO t VALUES (1)"))
        connection.rollback()

    def fail() -> None:
        with store.write() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            raise RuntimeError("the deed failed")

    with pytest.raises(RuntimeError):
        fail()
    with store.glance() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
    store.close()


def test_a_server_that_is_read_only_is_away_for_writers_and_the_log_says_why(postgresql: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = Store.open(postgresql.database("state_standby") + "?options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(Unavailable), store.write() as connection:
        connection.execute(text("CREATE TABLE t (n int)"))
    assert "read-only transaction" in caplog.text
    store.ping()
    store.close()
