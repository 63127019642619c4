"""A file becomes a table and a catalog in one job; a second file completes the catalog; a cut-off append is not repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import NotFound
from core.ids import JobId
from core.principal import Principal
from core.store import catalogs, datasets, jobs
from core.store.catalogs import NewCatalog
from core.store.jobs import Job, JobStatus
from workers.jobs import FUNCTIONS
from workers.principals import system_principal
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SHOPS = "shop_id,city,opened_on\n" + "".join(f"{n},{'Rome' if n % 2 else 'Oslo'},2020-01-{1 + n % 28:02d}\n" for n in range(1, 60))
VISITS = "visit_id,shop_id,visited_on,minutes\n" + "".join(
    f"{n},{1 + n % 59},2024-0{1 + n % 9}-{1 + n % 28:02d},{5 + n % 7}\n" for n in range(1, 900)
)


def run(world: Any, job: JobId) -> Job:
    run_job(world.services, FUNCTIONS, world.tenant, job)
    with world.services.store.read() as connection:
        return jobs.get(connection, world.tenant, job)


def load(world: Any, name: str, text: str, who: Principal | None = None, **more: str) -> JobId:
    world.services.uploads.mkdir(parents=True, exist_ok=True)
    upload = world.services.uploads / f"upl_{name}_{len(text)}.csv"
    upload.write_text(text)
    params = {"upload": upload.name, "original_name": f"{name}.csv", "dataset": name, **more}
    return enqueue(world.services, "load_file", params, who or world.analyst)


def count(world: Any, table: str) -> int:
    return int(world.services.admin.query_arrow(f"SELECT count() AS n FROM {world.database}.{table}").column(0)[0].as_py())


def names(world: Any) -> set[str]:
    return {dataset.name for dataset in world.services.catalog(world.tenant).datasets}


class TestLoad:
    def test_files_become_tables_and_complete_the_catalog(self, world: Any) -> None:
        before = world.services.catalog(world.tenant)
        first = run(world, load(world, "shops", SHOPS))
        assert first.error is None
        second = run(world, load(world, "visits", VISITS))
        assert second.error is None
        after = world.services.catalog(world.tenant)
        assert {"sales", "shops", "visits"} == names(world)
        assert after.dataset("sales") == before.dataset("sales")
        assert {metric.name for metric in before.metrics} < {metric.name for metric in after.metrics}
        assert any({r.from_dataset, r.to_dataset} == {"shops", "visits"} for r in after.relationships)
        assert after.row_policies == before.row_policies
        assert (count(world, "shops"), count(world, "visits")) == (59, 899)
        with world.services.store.read() as connection:
            stored = datasets.by_name(connection, world.tenant, "visits")
        assert (stored.status, stored.rows_loaded, stored.rows_rejected) == ("ready", 899, 0)
        assert not list(world.services.uploads.iterdir())

    def test_a_first_load_makes_the_catalog(self, world: Any) -> None:
        world.services.admin.execute(f"DROP TABLE {world.database}.sales SYNC")
        with world.services.store.write() as connection:
            connection.exec_driver_sql("DELETE FROM catalogs")
        done = run(world, load(world, "shops", SHOPS))
        assert dict(done.result or {})["catalog"]["version"] == 1
        assert names(world) == {"shops"}

    def test_what_an_analyst_removed_does_not_come_back(self, world: Any) -> None:
        run(world, load(world, "shops", SHOPS))
        catalog = world.services.catalog(world.tenant)
        kept = catalog.model_copy(update={"metrics": catalog.metrics[:1]})
        with world.services.store.write() as connection:
            catalogs.append(
                connection, world.tenant, NewCatalog(kept.model_dump(mode="json"), world.analyst.user), now=world.services.clock.now()
            )
        done = run(world, load(world, "shops", SHOPS + "99,Bern,2021-05-05\n"))
        assert done.error is None
        assert count(world, "shops") == 60
        assert len(world.services.catalog(world.tenant).metrics) == 1

    def test_a_file_that_cannot_be_loaded_changes_nothing(self, world: Any) -> None:
        ended = run(world, load(world, "shops", "shop_id,city\n"))
        assert ended.status is JobStatus.FAILED
        assert names(world) == {"sales"}
        with world.services.store.read() as connection:
            assert datasets.by_name(connection, world.tenant, "shops").status == "failed"
        with pytest.raises(Exception, match="shops"):
            count(world, "shops")

    def test_a_failed_replacement_keeps_the_former_data(self, world: Any) -> None:
        run(world, load(world, "shops", SHOPS))
        assert run(world, load(world, "shops", "shop_id,city\n")).status is JobStatus.FAILED
        assert count(world, "shops") == 59
        with world.services.store.read() as connection:
            stored = datasets.by_name(connection, world.tenant, "shops")
        assert (stored.status, stored.rows_loaded) == ("ready", 59)

    def test_managers_may_not_load(self, world: Any) -> None:
        ended = run(world, load(world, "shops", SHOPS, world.manager))
        assert dict(ended.error or {})["code"] == "role_missing"


class TestAppend:
    def again(self, world: Any, job: JobId, *, forget_report: bool) -> Job:
        """As after a kill: the job is pending again, with what its checkpoint held before the load, or after it."""
        with world.services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET status = 'PENDING' WHERE id = ?", (job,))
            if forget_report:
                connection.exec_driver_sql('UPDATE jobs SET checkpoint = json(\'{"before_append": "another"}\') WHERE id = ?', (job,))
        return run(world, job)

    def test_a_finished_append_is_not_repeated(self, world: Any) -> None:
        run(world, load(world, "shops", SHOPS))
        job = load(world, "shops", SHOPS, mode="append")
        run(world, job)
        assert count(world, "shops") == 118
        again = self.again(world, job, forget_report=False)
        assert (again.status, count(world, "shops")) == (JobStatus.DONE, 118)

    def test_an_append_that_may_have_happened_asks_to_look(self, world: Any, tmp_path: Path) -> None:
        run(world, load(world, "shops", SHOPS))
        job = load(world, "shops", SHOPS, mode="append")
        kept = tmp_path / "kept.csv"
        upload = next(world.services.uploads.iterdir())
        kept.write_bytes(upload.read_bytes())
        run(world, job)
        kept.rename(upload)
        ended = self.again(world, job, forget_report=True)
        assert dict(ended.error or {})["code"] == "append_cut_off"
        assert count(world, "shops") == 118


class TestInfer:
    def test_another_tenants_database_is_refused(self, world: Any) -> None:
        for who in (world.analyst, system_principal(world.tenant)):
            ended = run(world, enqueue(world.services, "infer_catalog", {"database": "tenant_other"}, who))
            assert dict(ended.error or {})["code"] in ("database_not_own", "database_not_allowed")

    def test_a_preview_changes_nothing(self, world: Any) -> None:
        run(world, load(world, "shops", SHOPS, infer_catalog="false"))
        done = run(world, enqueue(world.services, "infer_catalog", {"apply": False}, world.analyst))
        result = dict(done.result or {})
        assert result["version"] is None
        assert "shops" in [dataset["name"] for dataset in result["datasets"]]
        assert names(world) == {"sales"}

    def test_an_empty_database_is_said_so(self, world: Any) -> None:
        world.services.admin.execute(f"DROP TABLE {world.database}.sales SYNC")
        ended = run(world, enqueue(world.services, "infer_catalog", {}, world.analyst))
        assert dict(ended.error or {})["code"] == "no_tables"


def test_a_missing_upload_is_said_so(world: Any) -> None:
    params = {"upload": "upl_none.csv", "original_name": "x.csv", "dataset": "x"}
    ended = run(world, enqueue(world.services, "load_file", params, world.analyst))
    assert dict(ended.error or {})["code"] == "upload_gone"
    with world.services.store.read() as connection, pytest.raises(NotFound):
        datasets.by_name(connection, world.tenant, "y")


class TestValues:
    def test_loaded_values_are_found_at_once_and_refreshed_later(self, world: Any) -> None:
        run(world, load(world, "shops", SHOPS))
        services, version = world.services, world.services.catalog(world.tenant).version
        assert [match.value for match in services.values(world.tenant, version).find("rome")] == ["Rome"]
        stamp = services.value_files.stamp(world.tenant, version)
        services.admin.execute(
            f"INSERT INTO {world.database}.shops SELECT shop_id + 100, 'Vienna', opened_on FROM {world.database}.shops LIMIT 3"
        )
        assert services.values(world.tenant, version).find("vienna") == []
        done = run(world, enqueue(services, "refresh_values", {}, system_principal(world.tenant)))
        assert done.status is JobStatus.DONE
        assert [match.value for match in services.values(world.tenant, version).find("vienna")] == ["Vienna"]
        assert services.value_files.stamp(world.tenant, version) > stamp

    def test_a_damaged_file_is_built_again(self, world: Any) -> None:
        services, version = world.services, world.services.catalog(world.tenant).version
        assert services.values(world.tenant, version).find("emea")
        next((services.settings.home / "values" / world.tenant).glob("*.values")).write_bytes(b"not an index")
        assert services.values(world.tenant, version).find("emea")

    def test_the_daily_refresh_is_accepted_once_a_day(self, world: Any) -> None:
        from workers.schedule import start_daily

        assert start_daily(world.services) == 1
        assert start_daily(world.services) == 1
        with world.services.store.read() as connection:
            assert sorted(job.kind for job in jobs.list_all(connection, world.tenant)) == ["refresh_values", "score_forecasts"]
