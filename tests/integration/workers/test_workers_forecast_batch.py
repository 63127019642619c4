"""Batches of forecasts on real workers: refits only where due or drifting, killed half-way, cancelled."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.clock import FixedClock
from core.ids import JobId
from core.store import catalogs, jobs
from core.store.catalogs import NewCatalog
from core.store.jobs import Job, JobStatus
from semantic.catalog.model import Catalog
from workers.bootstrap import Services, build_services
from workers.jobs import FUNCTIONS
from workers.queue import cancel, enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

SHOP = {"dataset": "sales", "field": "shop"}
SERIES = 25  # with the total
NOW = dt.datetime(2025, 9, 27, 9, 0, tzinfo=dt.UTC)
SHOPS, DAYS, START = 24, 180, np.datetime64("2025-03-31")


def shop_sales(first: int, last: int, *, factor: dict[int, float] | None = None) -> pa.Table:
    """Sales of 24 shops on days [first, last) from 31 March 2025 on; `factor` multiplies a shop's."""
    day = np.arange(first, last)
    rows = {"day": [], "region": [], "shop": [], "amount": []}
    for shop in range(SHOPS):
        noise = np.random.default_rng(1000 + shop).standard_normal(DAYS + 60)[day]
        amount = (100 + 5 * shop) * (1 + 0.3 * ((START + day).astype("datetime64[D]").view("int64") % 7 < 2)) + 4 * noise
        rows["day"] += list((START + day).astype(object))
        rows["region"] += ["EMEA"] * len(day)
        rows["shop"] += [f"shop {shop:02d}"] * len(day)
        rows["amount"] += list(amount * (factor or {}).get(shop, 1.0))
    return pa.table(
        {"day": pa.array(rows["day"], type=pa.date32()), "region": rows["region"], "shop": rows["shop"], "amount": rows["amount"]}
    )


@pytest.fixture
def shops(world: Any) -> Any:
    """The world with 24 shops instead of three regions."""
    admin = world.services.admin
    admin.execute(f"DROP TABLE {world.database}.sales")
    admin.execute(
        f"CREATE TABLE {world.database}.sales (day Date, region String, shop String, amount Float64) ENGINE = MergeTree ORDER BY (shop, day)"
    )
    admin.insert_arrow(world.database, "sales", shop_sales(0, DAYS))
    with world.services.store.write() as connection:
        known = Catalog.model_validate(catalogs.current(connection, world.tenant).document)
        sales = known.dataset("sales")
        shop = sales.field("region").model_copy(update={"name": "shop", "column": "shop", "label": "Shop", "values": ()})
        changed = known.model_copy(update={"datasets": (sales.model_copy(update={"fields": (*sales.fields, shop)}),)})
        catalogs.append(
            connection, world.tenant, NewCatalog(changed.model_dump(mode="json", exclude={"version"}), world.analyst.user), now=NOW
        )
    return world


@pytest.fixture
def at(shops: Any) -> Iterator[Any]:
    """days after the data's end -> Services whose clock says so."""
    made: list[Services] = []

    def services(days: int) -> Services:
        made.append(build_services(shops.services.settings, FixedClock(NOW + dt.timedelta(days=days))))
        return made[-1]

    yield services
    for one in made:
        one.close()


def batch(world: Any, services: Services, **more: Any) -> dict[str, Any]:
    params = {"metrics": ["revenue"], "segments": [SHOP], "horizon_steps": 14, "batch_series": 20, "refit_steps": 7} | more
    job = enqueue(services, "forecast_batch", params, world.analyst)
    run_job(services, FUNCTIONS, world.tenant, job)
    found = read(world, job)
    assert found.error is None
    return dict(found.result or {})


def read(world: Any, job: str) -> Job:
    with world.services.store.read() as connection:
        return jobs.get(connection, world.tenant, JobId(job))


def parts(world: Any, batch_job: str) -> list[Job]:
    with world.services.store.read() as connection:
        found = jobs.list_all(connection, world.tenant, kind="forecast_part", limit=200)
    return [job for job in found if job.params["batch"] == batch_job]


def rows(world: Any, job: str, what: str = "count()") -> int:
    sql = f"SELECT {what} AS n FROM {world.database}.querent_forecasts WHERE job_id = {{job:String}}"
    return int(world.services.admin.query_arrow(sql, {"job": job}).column(0)[0].as_py())


class TestServing:
    def test_fits_serve_until_they_are_due_or_drift(self, shops: Any, at: Any) -> None:
        first = batch(shops, at(0))
        assert (first["series"], first["fitted"], first["carried"], first["tasks"]) == (SERIES, SERIES, 0, 2)
        assert first["metrics"][0]["model_version"] == f"{shops.tenant}.forecast.revenue.auto/1"
        assert first["metrics"][0]["adds_up"] is True
        gaps = by_step(shops, latest_batch(shops))
        assert len(gaps) == 14 + 7
        assert max(abs(gap) for gap in gaps) < 1e-6
        unchanged = batch(shops, at(0))
        assert (unchanged["fitted"], unchanged["carried"]) == (0, SERIES)
        shops.services.admin.insert_arrow(shops.database, "sales", shop_sales(DAYS, DAYS + 4, factor={7: 3.0}))
        drifted = batch(shops, at(4))
        assert drifted["carried"] >= SERIES - 4
        reasons: dict[str, int] = {}
        for part in parts(shops, latest_batch(shops)):
            for name, count in dict(part.result or {})["reasons"].items():
                reasons[name] = reasons.get(name, 0) + count
        assert reasons["drifting"] >= 1
        shops.services.admin.insert_arrow(shops.database, "sales", shop_sales(DAYS + 4, DAYS + 9))
        due = batch(shops, at(9))
        assert due["fitted"] >= SERIES - 4

    def test_a_batch_leaves_a_run_per_task_with_errors_by_series(self, shops: Any, at: Any) -> None:
        services = at(0)
        batch(shops, services)
        name = f"{shops.tenant}.forecast.revenue.auto"
        (version,) = services.registry.versions(shops.tenant, name)
        assert version.aliases == ("champion",)
        assert {"catalog_version", "code_version", "data_version", "query_hash"} <= set(version.lineage)
        model = services.registry.file(shops.tenant, version, "model/model.json")
        assert len(model["runs"]) == 2
        assert len(model["models"]) == SERIES
        (part, *_) = parts(shops, latest_batch(shops))
        assert rows(shops, part.id) == len(part.params["series"]) * (14 + 7)

    def test_an_unknown_metric_fails_and_an_unsplittable_one_is_left_out(self, shops: Any, at: Any) -> None:
        services = at(0)
        job = enqueue(services, "forecast_batch", {"metrics": ["revenu"]}, shops.analyst)
        run_job(services, FUNCTIONS, shops.tenant, job)
        assert dict(read(shops, job).error or {})["code"] == "unknown_metric"


class TestKilled:
    def test_killed_half_way_it_goes_on_without_fitting_again_what_was_done(self, shops: Any, processes: Any) -> None:
        first = processes.worker("--concurrency=2")
        params = {"metrics": ["revenue"], "segments": [SHOP], "horizon_steps": 14, "batch_series": 10}
        job = enqueue(shops.services, "forecast_batch", params, shops.analyst)
        until(lambda: any(part.status is JobStatus.DONE for part in parts(shops, job)))
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        before = {part.id: part for part in parts(shops, job) if part.status is JobStatus.DONE}
        assert len(before) < 3
        processes.worker("--concurrency=2")
        until(lambda: read(shops, job).status.is_final, within_s=600)
        done = read(shops, job)
        assert (done.status, done.error) == (JobStatus.DONE, None)
        assert dict(done.result or {})["series"] == SERIES
        found = parts(shops, job)
        assert len(found) == 3
        assert {part.id: (part.attempts, part.finished_at, part.result) for part in found if part.id in before} == {
            key: (part.attempts, part.finished_at, part.result) for key, part in before.items()
        }
        assert sum(rows(shops, part.id, "uniqExact(series_id)") for part in found) == SERIES
        assert sum(rows(shops, part.id) for part in found) == SERIES * (14 + 7)

    def test_cancelling_a_batch_stops_its_tasks(self, shops: Any, processes: Any) -> None:
        processes.worker("--concurrency=1")
        params = {"metrics": ["revenue"], "segments": [SHOP], "batch_series": 10}
        job = enqueue(shops.services, "forecast_batch", params, shops.analyst)
        until(lambda: any(part.status is JobStatus.RUNNING for part in parts(shops, job)))
        cancel(shops.services, shops.tenant, JobId(job))
        until(lambda: read(shops, job).status.is_final and all(part.status.is_final for part in parts(shops, job)), within_s=120)
        assert read(shops, job).status is JobStatus.CANCELLED
        assert any(part.status is JobStatus.CANCELLED for part in parts(shops, job))


def by_step(world: Any, batch_job: str) -> list[float]:
    """What the shops' sum lacks of the total, relative to it, at each step."""
    ids = [part.id for part in parts(world, batch_job)]
    sql = (
        "SELECT sumIf(mean, series_id = 'total') AS whole, sumIf(mean, series_id != 'total') AS added FROM "
        f"{world.database}.querent_forecasts FINAL WHERE job_id IN {{ids:Array(String)}} GROUP BY time ORDER BY time"
    )
    return [row["added"] / row["whole"] - 1 for row in world.services.admin.query_arrow(sql, {"ids": ids}).to_pylist()]


def latest_batch(world: Any) -> str:
    with world.services.store.read() as connection:
        return str(jobs.list_all(connection, world.tenant, kind="forecast_batch", limit=1)[0].id)


def until(reached: Any, within_s: float = 400.0) -> None:
    end_s = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < end_s, "not reached in time"
        time.sleep(0.1)
