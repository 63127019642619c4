"""Engine, migrations, times and locks on SQLite."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from core.errors import Invalid, Unavailable
from core.ids import TenantId
from core.store import Store, tenants
from core.store.columns import dump_json
from core.store.engine import make_engine
from core.store.migrate import current_revision, downgrade, migrate
from core.store.tables import metadata

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class TestEngine:
    @pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "oracle://x"])
    def test_other_databases_are_refused(self, url: str) -> None:
        with pytest.raises(Invalid):
            make_engine(url)

    def test_sqlite_is_in_wal_mode_with_foreign_keys(self, store: Store) -> None:
        with store.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1

    def test_others_of_the_machine_cannot_read_what_holds_hashes_and_keys(self, tmp_path: Path) -> None:
        made = Store.open(f"sqlite:///{tmp_path}/home/state.db")
        with made.write() as connection:
            connection.exec_driver_sql("CREATE TABLE t (a)")
            modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "home").iterdir()}
        made.close()
        assert modes == {"state.db": 0, "state.db-wal": 0, "state.db-shm": 0}

    def test_a_database_that_cannot_be_opened_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "state.db").mkdir()
        with pytest.raises(Unavailable):
            Store.open(f"sqlite:///{tmp_path}/state.db").ping()

    def test_writers_in_parallel_lose_nothing(self, store: Store) -> None:
        """Each reads, then writes, in one transaction: with deferred locks some would fail as locked or overwrite the other."""

        def count_up() -> None:
            for _ in range(20):
                with store.write() as connection:
                    seen = connection.exec_driver_sql("SELECT name FROM tenants WHERE id = 'acme'").scalar_one()
                    connection.exec_driver_sql("UPDATE tenants SET name = ? WHERE id = 'acme'", (str(int(seen) + 1),))

        with store.write() as connection:
            connection.exec_driver_sql("UPDATE tenants SET name = '0' WHERE id = 'acme'")
        threads = [threading.Thread(target=count_up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.read() as connection:
            assert tenants.get(connection, ACME).name == "80"

    def test_a_reader_keeps_its_snapshot_while_another_writes(self, store: Store) -> None:
        with store.read() as reader:
            before = tenants.get(reader, ACME)
            with store.write() as writer:
                tenants.set_disabled(writer, ACME, True)
            assert tenants.get(reader, ACME) == before


class TestMigrations:
    def test_the_tables_are_what_the_migrations_make(self, store: Store) -> None:
        with store.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_down_removes_everything_and_up_brings_it_back(self, store: Store) -> None:
        downgrade(store.engine)
        assert set(inspect(store.engine).get_table_names()) <= {"alembic_version"}
        assert current_revision(store.engine) is None
        migrate(store.engine)
        assert {"jobs", "users", "audit_log"} <= set(inspect(store.engine).get_table_names())

    def test_migrating_again_changes_nothing(self, store: Store) -> None:
        migrate(store.engine)
        with store.read() as connection:
            assert [tenant.id for tenant in tenants.list_all(connection)] == [ACME, GLOBEX]

    def test_a_schema_of_a_newer_release_stays_and_the_older_one_starts_beside_it(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        with store.write() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        migrate(store.engine)
        assert "newer release (revision 9999)" in caplog.text
        assert current_revision(store.engine) == "9999"
        with store.read() as connection:
            assert len(tenants.list_all(connection)) == 2

    def test_several_at_once_make_one_schema(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/new.db"
        failures: list[BaseException] = []

        def start() -> None:
            engine = make_engine(url)
            try:
                migrate(engine)
            except BaseException as error:
                failures.append(error)
            finally:
                engine.dispose()

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


class TestTimes:
    def test_instants_come_back_in_utc(self, store: Store) -> None:
        local = datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
        with store.write() as connection:
            tenants.create(connection, "later", name="Later", now=local)  # type: ignore[arg-type]
            read = tenants.get(connection, "later").created_at  # type: ignore[arg-type]
        assert read == local
        assert read.tzinfo is UTC

    def test_naive_times_are_refused(self, store: Store) -> None:
        with pytest.raises(Exception, match="naive"), store.write() as connection:
            tenants.create(connection, "later", name="Later", now=NOW.replace(tzinfo=None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\0b", '"a\\ufffdb"'), ("a\\u0000b", '"a\\\\u0000b"'), ("\ud800", '"?"'), ("ü\n", '"ü\\n"')],
)
def test_json_text_suits_both_databases(value: str, text: str) -> None:
    assert dump_json(value) == text
