"""Forecast and detection jobs on real parts, run in this process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import Cancelled
from core.ids import JobId
from core.principal import Principal
from core.store import findings, job_events, job_leases, jobs, users
from core.store.findings import DetectionEntry, ForecastEntry
from core.store.jobs import Job, JobStatus
from workers.context import JobContext
from workers.jobs import FUNCTIONS
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REGION = {"dataset": "sales", "field": "region"}


def start(world: Any, kind: str, params: dict[str, Any], who: Principal | None = None) -> JobId:
    return enqueue(world.services, kind, params, who or world.analyst)


def finish(world: Any, job: JobId) -> Job:
    run_job(world.services, FUNCTIONS, world.tenant, job)
    with world.services.store.read() as connection:
        return jobs.get(connection, world.tenant, job)


def count(world: Any, table: str, job: JobId, what: str = "count()") -> int:
    sql = f"SELECT {what} AS n FROM {world.database}.{table} WHERE job_id = {{job:String}}"
    return int(world.services.admin.query_arrow(sql, {"job": job}).column(0)[0].as_py())


class TestForecast:
    def test_a_metric_by_segment_becomes_rows_a_version_and_a_chart(self, world: Any) -> None:
        job = start(world, "forecast", {"metric": "revenue", "segments": [REGION], "grain": "day", "horizon_steps": 14})
        done = finish(world, job)
        assert done.error is None
        assert done.status is JobStatus.DONE
        result = dict(done.result or {})
        assert [series["label"] for series in result["series"]] == ["Total", "EMEA", "APAC", "AMER"]
        assert count(world, "querent_forecasts", job) == 4 * 14
        total = result["series"][0]
        assert len(total["forecast"]) == 14
        first = total["forecast"][0]
        assert first["t"] == "2025-09-27T00:00:00Z"
        assert first["lower_95"] <= first["lower_80"] <= first["mean"] <= first["upper_80"] <= first["upper_95"]
        assert 0 < total["backtest"]["mase"] < 2
        assert result["model_version"] == f"{world.tenant}.forecast.revenue.auto/1"
        assert world.database in result["receipt"]["sql"]
        with world.services.store.read() as connection:
            stored = findings.get(connection, world.tenant, ForecastEntry, job)
            events = job_events.after(connection, world.tenant, job)
        assert isinstance(stored.entry, ForecastEntry)
        assert (stored.entry.series_count, stored.entry.model_version) == (4, result["model_version"])
        shares = [event.data["progress"] for event in events if event.kind == "progress"]
        assert shares == sorted(shares)
        assert {event.data["step"] for event in events if event.kind == "progress"} == {"fetch", "fit", "write", "register"}

    def test_a_segment_without_rows_on_a_day_sold_nothing(self, world: Any) -> None:
        job = start(world, "forecast", {"metric": "revenue", "segments": [REGION], "horizon_steps": 14})
        series = dict(finish(world, job).result or {})["series"]
        america = next(item for item in series if item["label"] == "AMER")
        history = {point["t"]: point["v"] for point in america["history"]}
        assert history["2025-09-21T00:00:00Z"] == 0.0
        ahead = {point["t"]: point["mean"] for point in america["forecast"]}
        assert ahead["2025-09-28T00:00:00Z"] < 60 < 120 < ahead["2025-09-29T00:00:00Z"]

    def test_running_it_again_changes_nothing(self, world: Any) -> None:
        job = start(world, "forecast", {"metric": "revenue", "segments": [REGION], "horizon_steps": 7})
        first = finish(world, job)
        rows = count(world, "querent_forecasts", job)
        with world.services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET status = 'PENDING', lease_owner = NULL WHERE id = ?", (job,))
        second = finish(world, job)
        assert second.status is JobStatus.DONE
        assert second.attempts == 2
        assert second.result == first.result
        assert count(world, "querent_forecasts", job) == rows == 4 * 7
        name = str(dict(first.result or {})["model_version"]).rpartition("/")[0]
        assert len(world.services.registry.versions(world.tenant, name)) == 1

    def test_a_half_written_attempt_is_completed_without_doubles(self, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("workers.jobs.forecast.BATCH_SERIES", 1)
        job = start(world, "forecast", {"metric": "revenue", "segments": [REGION], "horizon_steps": 7})
        seen: list[float] = []
        report = JobContext.progress

        def stop_half_way(context: JobContext, step: str, done: float = 0, total: float = 1) -> None:
            report(context, step, done, total)
            seen.append(done)
            if step == "fit" and done == 3:
                raise Cancelled("the test stops here")

        monkeypatch.setattr(JobContext, "progress", stop_half_way)
        assert finish(world, job).status is JobStatus.CANCELLED
        assert count(world, "querent_forecasts", job, "uniqExact(series_id)") == 2
        monkeypatch.setattr(JobContext, "progress", report)
        with world.services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET status = 'PENDING' WHERE id = ?", (job,))
        assert finish(world, job).status is JobStatus.DONE
        assert count(world, "querent_forecasts", job) == 4 * 7

    def test_a_manager_forecasts_only_the_own_region(self, world: Any) -> None:
        job = start(world, "forecast", {"metric": "revenue", "segments": [REGION], "horizon_steps": 7}, world.manager)
        result = dict(finish(world, job).result or {})
        assert [series["label"] for series in result["series"]] == ["Total", "EMEA"]
        total, emea = result["series"]
        assert total["history"] == emea["history"]

    def test_rights_are_those_at_the_start_of_the_run(self, world: Any) -> None:
        job = start(world, "forecast", {"metric": "revenue"})
        with world.services.store.write() as connection:
            users.set_disabled(connection, world.tenant, world.analyst.user, True)
        ended = finish(world, job)
        assert (ended.status, dict(ended.error or {})["code"]) == (JobStatus.FAILED, "user_disabled")

    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"metric": "revenu"}, "unknown_metric"),
            ({"metric": "revenue", "segments": [{"dataset": "sales", "field": "town"}]}, "unknown_field"),
            (
                {
                    "metric": "revenue",
                    "time": {"window": {"kind": "absolute", "start": "1999-01-01", "end": "1999-02-01"}},
                },
                "no_rows",
            ),
        ],
    )
    def test_what_cannot_be_forecast_fails_with_its_reason(self, world: Any, params: dict[str, Any], code: str) -> None:
        ended = finish(world, start(world, "forecast", params))
        assert (ended.status, dict(ended.error or {})["code"]) == (JobStatus.FAILED, code)


class TestDetect:
    def test_a_planted_drop_is_found_and_written_once(self, world: Any) -> None:
        world.services.admin.execute(
            f"ALTER TABLE {world.database}.sales DELETE WHERE day = '2025-06-10' AND region = 'EMEA'", settings={"mutations_sync": 2}
        )
        job = start(world, "detect", {"metric": "revenue", "segments": [REGION]})
        done = finish(world, job)
        assert done.error is None
        result = dict(done.result or {})
        assert any(i["started_at"] == "2025-06-10T00:00:00Z" and i["direction"] == "down" for i in result["incidents"])
        points = count(world, "querent_detections", job)
        with world.services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET status = 'PENDING' WHERE id = ?", (job,))
        again = finish(world, job)
        assert again.result == done.result
        assert count(world, "querent_detections", job) == points
        assert count(world, "querent_detected_incidents", job) == result["incident_count"]
        with world.services.store.read() as connection:
            assert isinstance(findings.get(connection, world.tenant, DetectionEntry, job).entry, DetectionEntry)


def test_an_expired_lease_does_not_let_two_runs_finish(world: Any) -> None:
    job = start(world, "diagnose", {})
    old = job_leases.Lease(job, world.tenant, "elsewhere/1/1/1")
    long_ago = datetime.now(UTC)
    with world.services.store.write() as connection:
        job_leases.claim(connection, old, now=long_ago, lease_for=timedelta(seconds=-1))
    assert run_job(world.services, FUNCTIONS, world.tenant, job) is None
    from workers.reaper import reap

    assert reap(world.services).reclaimed == 1
    assert run_job(world.services, FUNCTIONS, world.tenant, job) is JobStatus.DONE
    with world.services.store.write() as connection:
        assert not job_leases.finish(connection, old, {"stale": True}, now=datetime.now(UTC))
