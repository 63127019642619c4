"""Sources from real parts: a PostgreSQL server, files over HTTP, S3's interface, Iceberg and Delta tables, into the real warehouse."""

from __future__ import annotations

import dataclasses
import json
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer

from core.clock import SystemClock
from core.errors import Invalid
from core.ids import JobId, TenantId, tenant_database
from core.settings import Settings
from core.store import audit, datasets, jobs, sources, tenants
from core.store.jobs import Job, JobStatus
from core.store.sources import NewSource, Source
from tests.integration.state.bucket_server import bucket_server
from workers.bootstrap import Services, build_services
from workers.jobs import FUNCTIONS
from workers.principals import system_principal
from workers.queue import enqueue
from workers.run import run_job
from workers.sources.spec import SourceBody
from workers.sources.streaming import Stream, Streamed, look
from workers.sources.tick import start_due_sources
from workers.sources.vault import Vault, reseal_all

pytestmark = pytest.mark.integration
NO_DRIFT = {"added": {}, "removed": [], "retyped": {}}
PASSWORD = "p'w\\d`{x:String}"


@dataclass(frozen=True, slots=True)
class Place:
    services: Services
    tenant: TenantId
    database: str  # URL of the PostgreSQL database
    files: Path
    web: str
    seen: list[str]

    def declare(self, connection: dict[str, Any], **plan: Any) -> Source:
        body = SourceBody.model_validate({"name": f"s{secrets.token_hex(4)}", "connection": connection, "plan": plan})
        now = self.services.clock.now()
        new = NewSource(
            body.name, body.connection.kind, body.connection.shown, body.plan.model_dump(mode="json"),
            Vault.of(self.services).seal(body.connection.hidden), body.plan.table, system_principal(self.tenant).user,
            next_run_at=now if body.plan.every_minutes else None,
        )  # fmt: skip
        with self.services.store.write() as store:
            return sources.create(store, self.tenant, new, now=now)

    def run(self, source: Source, *, full: bool = False) -> Job:
        job = enqueue(self.services, "refresh_source", {"source": source.id, "full": full}, system_principal(self.tenant))
        run_job(self.services, FUNCTIONS, self.tenant, job)
        with self.services.store.read() as store:
            return jobs.get(store, self.tenant, job)

    def rows(self, table: str, what: str = "*") -> list[dict[str, Any]]:
        return self.services.admin.query_arrow(f"SELECT {what} FROM {tenant_database(self.tenant)}.{table}").to_pylist()

    @property
    def postgres(self) -> dict[str, Any]:
        port = int(self.database.partition("@127.0.0.1:")[2].partition("/")[0])
        return {"kind": "postgresql", "host": "127.0.0.1", "port": port, "database": "shop", "user": "querent", "password": PASSWORD}


@pytest.fixture(scope="module")
def place(postgresql: Any, warehouse_endpoint: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("sources")
    seen: list[str] = []
    url = postgresql.database("shop")
    with bucket_server(folder / "files", seen) as web:
        settings = Settings(
            home=folder / "home", mlflow_root=folder / "mlruns", warehouse_url=warehouse_endpoint.url,
            warehouse_password=warehouse_endpoint.reader_token, warehouse_admin_password=warehouse_endpoint.token,
            outbound_hosts=frozenset({"127.0.0.1"}),
        )  # fmt: skip
        services = build_services(settings, SystemClock())
        services.migrate()
        tenant = TenantId(f"t{secrets.token_hex(5)}")
        with services.store.write() as connection:
            tenants.create(connection, tenant, name="Tenant", now=datetime.now(UTC))
        (folder / "files").mkdir()
        yield Place(services, tenant, url, folder / "files", web, seen)
        services.close()


def ended(job: Job) -> dict[str, Any]:
    assert job.status is JobStatus.DONE, job.error
    return dict(job.result or {})


def failed(job: Job) -> dict[str, Any]:
    assert job.status is JobStatus.FAILED, (job.status, job.error, job.result)
    return dict(job.error or {})


class TestPostgreSQL:
    def test_incremental_runs_bring_what_is_new_and_replace_what_changed(self, place: Place) -> None:
        with psycopg.connect(place.database, autocommit=True) as db:
            db.execute("CREATE TABLE orders (id int PRIMARY KEY, amount numeric(10,2), country text, changed timestamp NOT NULL)")
            db.execute(
                "INSERT INTO orders SELECT i, i, 'it''s', '2025-01-01'::timestamp + i * interval '1 hour' FROM generate_series(1, 1000) i"
            )
            source = place.declare(
                place.postgres | {"table": "orders"}, table="orders", mode="incremental", key="changed", identity=["id"], look_back_days=1
            )
            first = ended(place.run(source))
            assert (first["rows"], first["total"], first["outcome"]) == (1000, 1000, "ok")
            assert place.rows("orders", "sum(amount) AS s, uniqExact(id) AS n") == [{"s": pytest.approx(500500), "n": 1000}]
            db.execute("UPDATE orders SET amount = 0, changed = '2025-03-01' WHERE id = 1")
            db.execute("INSERT INTO orders VALUES (1001, 5, 'de', '2025-03-02')")
            second = ended(place.run(source))
            assert second["total"] == 1001
            assert second["rows"] < 100  # not all again: what is newer than a day before the newest
            assert second["to"].startswith("2025-03-02")
            assert place.rows("orders", "sum(amount) AS s, uniqExact(id) AS n, count() AS c") == [
                {"s": pytest.approx(500504), "n": 1001, "c": 1001}
            ]
            assert ended(place.run(source))["total"] == 1001  # nothing doubles
        with place.services.store.read() as store:
            known = datasets.by_name(store, place.tenant, "orders")
            assert (known.status, known.rows_loaded, known.report["origin"]) == ("ready", 1001, second["origin"])
            assert audit.read(store, place.tenant, limit=1)[0].action in ("job.refresh_source", "source.refresh")
        assert any(d.table == "orders" for d in place.services.catalog(place.tenant).datasets)

    def test_rows_that_nothing_tells_apart_are_refused_and_none_is_lost(self, place: Place) -> None:
        with psycopg.connect(place.database, autocommit=True) as db:
            db.execute("CREATE TABLE nameless (id int, at int NOT NULL)")
            db.execute("INSERT INTO nameless VALUES (1, 1), (2, 2)")
            source = place.declare(place.postgres | {"table": "nameless"}, table="nameless", mode="incremental", key="at", identity=["id"])
            ended(place.run(source))
            db.execute("INSERT INTO nameless VALUES (NULL, 3)")
            assert failed(place.run(source))["code"] == "source_no_identity"
        assert place.rows("nameless", "count() AS c") == [{"c": 2}]

    def test_changed_columns_are_reported_and_only_taken_over_where_they_fit(self, place: Place) -> None:
        with psycopg.connect(place.database, autocommit=True) as db:
            db.execute("CREATE TABLE drifting (id int NOT NULL, name text)")
            db.execute("INSERT INTO drifting VALUES (1, 'a')")
            source = place.declare(place.postgres | {"table": "drifting"}, table="drifting", mode="incremental", key="id")
            ended(place.run(source))
            db.execute("ALTER TABLE drifting ADD COLUMN size int")
            db.execute("INSERT INTO drifting VALUES (2, 'b', 7)")
            assert ended(place.run(source))["drift"]["added"] == {"size": "Nullable(Int32)"}
            assert sorted(place.rows("drifting", "id, size"), key=lambda row: row["id"]) == [{"id": 1, "size": None}, {"id": 2, "size": 7}]
            db.execute("ALTER TABLE drifting DROP COLUMN name")
            error = failed(place.run(source))
            assert error["code"] == "source_drift"
            assert "name" in error["message"]
            assert len(place.rows("drifting")) == 2
            assert ended(place.run(source, full=True))["drift"]["removed"] == ["name"]

    def test_a_failure_says_why_without_secrets_and_changes_nothing(self, place: Place) -> None:
        source = place.declare(place.postgres | {"table": "missing"}, table="missing", every_minutes=60)
        error = failed(place.run(source))
        assert error["code"] == "source_unreadable"
        with place.services.store.read() as store:
            now = sources.get(store, place.tenant, source.id)
            (run,) = sources.runs(store, place.tenant, source.id)
        assert (now.failures, run.outcome, now.refreshed_at) == (1, "failed", None)
        stored = json.dumps([error, str(source.sealed), dict(now.connection), now.last_error, dict(run.report)])
        assert PASSWORD not in stored
        assert json.dumps(PASSWORD)[1:-1] not in stored


class TestFiles:
    def test_a_file_is_fetched_once_and_again_only_when_it_changed(self, place: Place) -> None:
        (place.files / "cities.csv").write_text("City;People\nRoma;2800000\nOslo;700000\n")
        source = place.declare({"kind": "url", "url": f"http://{place.web}/cities.csv", "bearer_token": "tok-123"}, table="cities")
        assert ended(place.run(source))["rows"] == 2
        assert any("Bearer tok-123" in line for line in place.seen)
        assert place.services.uploads.stat().st_mode & 0o077 == 0  # where others' uploads will lie
        assert ended(place.run(source))["outcome"] == "unchanged"
        (place.files / "cities.csv").write_text("City;People\nRoma;2800000\nOslo;700000\nBonn;330000\n")
        assert ended(place.run(source))["rows"] == 3
        assert sum(row["people"] for row in place.rows("cities")) == 3_830_000

    @pytest.mark.parametrize(
        ("url", "code"), [("http://10.0.0.1/x.csv", "source_host_refused"), ("http://{web}/moved.csv", "source_unreachable")]
    )
    def test_addresses_inside_and_redirects_are_refused(self, place: Place, url: str, code: str) -> None:
        source = place.declare({"kind": "url", "url": url.replace("{web}", place.web)}, table=f"inside_{secrets.token_hex(3)}")
        assert failed(place.run(source))["code"] == code


def _parquet(path: Path, days: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"id": pa.array(range(days), pa.int64()), "amount": pa.array([float(i) for i in range(days)], pa.float64())})
    pq.write_table(table, path)
    return path.stat().st_size


class TestBuckets:
    def test_parquet_files_of_a_bucket(self, place: Place) -> None:
        _parquet(place.files / "bucket/in/a.parquet", 10)
        _parquet(place.files / "bucket/in/b.parquet", 5)
        keys = {"access_key": "AKIA", "secret_key": "very-secret-key"}
        source = place.declare(
            {"kind": "s3", "url": f"http://{place.web}/bucket/in/*.parquet", "format": "Parquet", **keys}, table="of_bucket"
        )
        assert ended(place.run(source))["rows"] == 15
        assert any("Credential=AKIA" in line for line in place.seen)
        assert not any("very-secret-key" in line for line in place.seen)

    def test_a_delta_table(self, place: Place) -> None:
        root = place.files / "bucket/delta"
        size = _parquet(root / "part-0.parquet", 4)
        fields = [{"name": n, "type": t, "nullable": True, "metadata": {}} for n, t in (("id", "long"), ("amount", "double"))]
        schema = json.dumps({"type": "struct", "fields": fields})
        meta = {"id": str(uuid.uuid4()), "format": {"provider": "parquet", "options": {}}, "schemaString": schema, "partitionColumns": []}
        actions = [
            {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
            {"metaData": meta | {"configuration": {}, "createdTime": 0}},
            {"add": {"path": "part-0.parquet", "partitionValues": {}, "size": size, "modificationTime": 0, "dataChange": True}},
        ]
        (root / "_delta_log").mkdir()
        (root / "_delta_log/00000000000000000000.json").write_text("\n".join(map(json.dumps, actions)) + "\n")
        source = place.declare({"kind": "delta", "url": f"http://{place.web}/bucket/delta/"}, table="of_delta")
        assert ended(place.run(source))["rows"] == 4

    def test_an_iceberg_table(self, place: Place) -> None:
        root = place.files / "bucket/ice"
        root.mkdir(parents=True)
        made = f"CREATE TABLE t (id Int64, amount Float64) ENGINE = IcebergLocal('{root}/', 'Parquet'); INSERT INTO t SELECT number, number FROM numbers(6)"
        code = f"import chdb; chdb.query({'SET allow_experimental_insert_into_iceberg = 1; ' + made!r})"
        subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=60)
        source = place.declare({"kind": "iceberg", "url": f"http://{place.web}/bucket/ice/"}, table="of_ice")
        assert ended(place.run(source))["rows"] == 6

    def test_only_known_stores_and_hosts_that_the_operator_named(self, place: Place) -> None:
        source = place.declare({"kind": "s3", "url": "http://169.254.169.254/latest/x.csv", "format": "CSVWithNames"}, table="metadata")
        assert failed(place.run(source))["code"] == "source_host_refused"


class TestSchedule:
    def test_a_due_source_starts_once_for_each_time(self, place: Place) -> None:
        source = place.declare(place.postgres | {"table": "nothing"}, table="scheduled", every_minutes=60)
        start_due_sources(place.services)
        start_due_sources(place.services)
        with place.services.store.read() as store:
            started = [j for j in jobs.list_all(store, place.tenant, kind="refresh_source") if j.params["source"] == source.id]
            moved = sources.get(store, place.tenant, source.id)
        assert len(started) == 1
        assert moved.next_run_at is not None
        assert timedelta(minutes=59) < moved.next_run_at - datetime.now(UTC) <= timedelta(minutes=60)

    def test_one_run_at_a_time(self, place: Place) -> None:
        source = place.declare(place.postgres | {"table": "orders"}, table="held")
        with place.services.store.write() as store:
            assert sources.claim(store, place.tenant, source.id, JobId("other"), now=datetime.now(UTC), lease_for=timedelta(hours=1))
        job = place.run(source)
        assert (job.status, dict(job.error or {}).get("code")) == (JobStatus.PENDING, "source_busy")


def test_secrets_open_with_earlier_keys_until_they_are_sealed_anew(place: Place) -> None:
    source = place.declare(place.postgres | {"table": "orders"}, table="sealed_one")
    assert source.sealed is not None
    assert PASSWORD not in source.sealed
    own = place.services.secret("source_key")
    older = Vault(["new", own])
    assert older.unseal(source.sealed) == {"password": PASSWORD}
    assert reseal_all(place.services) > 0
    anew = Vault(["new", own]).resealed(source.sealed)
    assert Vault(["new"]).unseal(anew) == {"password": PASSWORD}
    with pytest.raises(Invalid, match="another key"):
        Vault(["wrong"]).unseal(anew)


class TestTopics:
    """The client library's own cluster speaks the protocol; no server of Kafka's was run."""

    def test_every_message_comes_once_in_the_types_that_it_has(self, place: Place) -> None:
        cluster = Cluster("orders")
        cluster.send(
            [{"id": n, "amount": n / 2, "at": "2026-01-05T10:00:00Z", "paid": n % 2 == 0, "day": "2026-01-05"} for n in range(500)]
        )
        source = place.declare(cluster.address, table="events", mode="stream", every_minutes=5)
        first = ended(place.run(source))
        assert (first["rows"], first["total"], first["behind"], first["set_aside"]) == (500, 500, 0, 0)
        assert first["columns"]["at"] == "Nullable(DateTime64(3))"
        again = ended(place.run(source))
        assert (again["rows"], again["total"], again["drift"]) == (0, 500, NO_DRIFT)
        cluster.send([{"id": n, "amount": 1} for n in range(500, 600)])
        assert ended(place.run(source))["total"] == 600
        assert place.rows("events", "uniqExact(id) AS n, sum(amount) AS s, uniqExact(kafka_partition) AS p, countIf(paid) AS t") == [
            {"n": 600, "s": pytest.approx(62_475), "p": 4, "t": 250}
        ]

    def test_a_run_that_dies_before_its_rows_are_seen_brings_nothing_and_the_next_brings_all(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cluster = Cluster("dying")
        cluster.send([{"id": n} for n in range(100)])
        source = place.declare(cluster.address, table="dying", mode="stream")
        ended(place.run(source))
        cluster.send([{"id": n} for n in range(100, 150)])
        monkeypatch.setattr("workers.sources.streaming.Target.finish", lambda _: (_ for _ in ()).throw(Invalid("killed")))
        failed(place.run(source))
        assert place.rows("dying", "count() AS n") == [{"n": 100}]
        monkeypatch.undo()
        assert ended(place.run(source))["rows"] == 50
        monkeypatch.setattr("core.store.sources.record", lambda *_, **__: (_ for _ in ()).throw(Invalid("killed after they are seen")))
        cluster.send([{"id": 150}])
        failed(place.run(source))
        monkeypatch.undo()
        assert ended(place.run(source))["rows"] == 0
        assert place.rows("dying", "count() AS n, uniqExact(id) AS u") == [{"n": 151, "u": 151}]

    def test_what_is_no_row_is_set_aside_once_and_new_fields_become_columns(self, place: Place) -> None:
        cluster = Cluster("mixed")
        cluster.send([{"id": 1, "a b": "x"}, b"no json", [1], {"id": "text"}, {"id": 2, "kafka_offset": 1}, None, {"id": 3}])
        source = place.declare(cluster.address | {"fields": [{"name": "id", "type": "Int64"}]}, table="mixed", mode="stream")
        found = ended(place.run(source))
        assert (found["rows"], found["set_aside"], found["empty"]) == (2, 4, 1)
        assert len(place.rows("mixed__rejected", "reason")) == 4
        cluster.send([b"no json either"])
        assert ended(place.run(source))["set_aside"] == 1
        cluster.send([{"id": 4, "more": 1.5}])
        assert ended(place.run(source))["drift"]["added"] == {"more": "Nullable(Float64)"}
        assert len(place.rows("mixed__rejected", "reason")) == 5
        strict = place.declare(cluster.address, table="strict", mode="stream", on_drift="stop")
        ended(place.run(strict))
        cluster.send([{"id": 5, "other": 1}])
        assert failed(place.run(strict))["code"] == "source_drift"
        assert place.rows("strict", "count() AS n") == [{"n": 4}]

    def test_a_long_topic_is_read_in_parts_and_one_that_was_made_anew_is_told(self, place: Place) -> None:
        cluster = Cluster("long")
        cluster.send([{"id": n} for n in range(2_000)])
        address = SourceBody.model_validate({"name": "x", "connection": cluster.address, "plan": {"table": "long", "mode": "stream"}})
        stream = Stream(place.services.admin, tenant_database(place.tenant), address.plan, address.connection, {"127.0.0.1"})
        assert stream.run(full=False, until_s=0.0).behind == 2_000
        assert stream.run(full=False).total == 2_000
        ahead = dataclasses.replace(stream, known={0: 5_000})
        with pytest.raises(Invalid, match="made anew"):
            ahead.run(full=False)
        assert ahead.run(full=True).total == 2_000
        other = dataclasses.replace(stream, origin=stream.address.origin.replace("long", "short"))
        with pytest.raises(Invalid, match="holds messages of"):
            other.run(full=False)
        moved = dataclasses.replace(stream, origin=f"kafka://b:1,{stream.address.origin.removeprefix('kafka://')}")
        assert (moved.run(full=False).rows, other.run(full=True).total) == (0, 2_000)

    def test_a_source_that_is_removed_while_it_runs_leaves_its_table_as_a_dataset(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cluster = Cluster("leaving")
        cluster.send([{"id": 1}])
        source = place.declare(cluster.address, table="leaving", mode="stream")

        def removed(stream: Stream, **asked: Any) -> Streamed:
            with place.services.store.write() as store:
                sources.delete(store, place.tenant, source.id)
            return run(stream, **asked)

        run = Stream.run
        monkeypatch.setattr(Stream, "run", removed)
        assert ended(place.run(source))["rows"] == 1
        with place.services.store.read() as store:
            assert datasets.by_name(store, place.tenant, "leaving").rows_loaded == 1

    def test_brokers_must_be_named_by_the_operator_and_passwords_are_not_sent_in_the_clear(self, place: Place) -> None:
        cluster = Cluster("walled")
        cluster.send([{"id": 1}])
        source = place.declare(cluster.address | {"brokers": ["10.0.0.1:9092"]}, table="walled", mode="stream")
        assert failed(place.run(source))["code"] == "source_host_refused"
        known = SourceBody.model_validate({"name": "x", "connection": cluster.address, "plan": {"table": "x", "mode": "stream"}}).connection
        assert list(look(known, {"127.0.0.1"})) == ["kafka_partition", "kafka_offset", "kafka_time", "kafka_key"]
        open_ = cluster.address | {"user": "u", "password": "p", "mechanism": "PLAIN"}
        for wrong, mode in ((open_, "stream"), (cluster.address, "full")):
            with pytest.raises(ValueError, match=r"PLAIN|mode stream"):
                place.declare(wrong, table="walled", mode=mode)


class Cluster:
    """A topic on a cluster of one broker, within this process."""

    def __init__(self, topic: str) -> None:
        self._topic = topic  # made by the first message, with four partitions
        self._producer = Producer(
            {"test.mock.num.brokers": 1, "test.mock.broker.rtt": 0, "sticky.partitioning.linger.ms": 0, "log_level": 0}
        )
        found = self._producer.list_topics(timeout=10)
        (broker,) = found.brokers.values()
        self.address: dict[str, Any] = {"kind": "kafka", "brokers": [f"127.0.0.1:{broker.port}"], "topic": topic, "tls": False}

    def send(self, values: list[Any]) -> None:
        for value in values:
            body = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self._producer.produce(self._topic, body)
        self._producer.flush(10)
