"""Real worker processes: killed, cancelled, cut off from the warehouse, started together. No job is lost, none runs twice."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.ids import JobId
from core.store import job_events, jobs
from core.store.jobs import Job, JobStatus
from workers.queue import cancel, enqueue

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REGION = {"dataset": "sales", "field": "region"}


def read(world: Any, job: JobId) -> Job:
    with world.services.store.read() as connection:
        return jobs.get(connection, world.tenant, job)


def until(world: Any, job: JobId, condition: Callable[[Job], bool], within_s: float = 60) -> Job:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = read(world, job)
        if condition(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {read(world, job)}")


def ended(job: Job) -> bool:
    return job.status.is_final


def statuses(world: Any, job: JobId) -> list[str]:
    with world.services.store.read() as connection:
        return [event.data["status"] for event in job_events.after(connection, world.tenant, job) if event.kind == "status"]


def rows(world: Any, job: JobId) -> int:
    sql = f"SELECT count() AS n FROM {world.database}.querent_forecasts WHERE job_id = {{job:String}}"
    return int(world.services.admin.query_arrow(sql, {"job": job}).column(0)[0].as_py())


class TestKilledWorker:
    @pytest.mark.parametrize("whole_group", [True, False], ids=["with its children", "only the parent"])
    def test_a_job_survives_kill_9_and_finishes_once(self, world: Any, processes: Any, whole_group: bool) -> None:
        first = processes.worker("--concurrency=1")
        job = enqueue(world.services, "diagnose", {"hold_s": 4}, world.analyst)
        until(world, job, lambda found: found.progress > 0.1)
        (os.killpg if whole_group else os.kill)(first.pid, signal.SIGKILL)
        first.wait()
        restarted_s = time.monotonic()
        processes.worker("--concurrency=1")
        done = until(world, job, ended)
        assert done.status is JobStatus.DONE
        assert statuses(world, job).count("DONE") == 1
        assert time.monotonic() - restarted_s < 20
        if whole_group:
            assert (done.attempts, done.losses) == (2, 1)

    def test_a_killed_child_process_costs_one_attempt(self, world: Any, processes: Any) -> None:
        parent = processes.worker("--concurrency=1")
        job = enqueue(world.services, "diagnose", {"hold_s": 3}, world.analyst)
        running = until(world, job, lambda found: found.progress > 0.1)
        child = int((running.lease_owner or "").split("/")[1])
        assert child != parent.pid
        os.kill(child, signal.SIGKILL)
        done = until(world, job, ended, within_s=30)
        assert (done.status, done.attempts, done.losses) == (JobStatus.DONE, 2, 1)
        assert parent.poll() is None

    def test_a_forecast_killed_while_it_works_leaves_no_doubled_rows(self, world: Any, processes: Any) -> None:
        first = processes.worker("--concurrency=1")
        params = {"metric": "revenue", "segments": [REGION], "horizon_steps": 14}
        job = enqueue(world.services, "forecast", params, world.analyst)
        until(world, job, lambda found: found.status is JobStatus.RUNNING)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        assert read(world, job).status is JobStatus.RUNNING
        processes.worker("--concurrency=1")
        done = until(world, job, ended, within_s=90)
        assert (done.status, done.error, done.attempts) == (JobStatus.DONE, None, 2)
        assert rows(world, job) == 4 * 14
        name = str(dict(done.result or {})["model_version"]).rpartition("/")[0]
        assert len(world.services.registry.versions(world.tenant, name)) == 1

    def test_jobs_accepted_while_no_worker_runs_are_not_lost(self, world: Any, processes: Any) -> None:
        waiting = [enqueue(world.services, "diagnose", {}, world.analyst) for _ in range(5)]
        spool = Path(world.environment["QUERENT_HOME"]) / "broker" / "messages"
        for message in sorted(spool.glob("*.msg"))[:3]:
            message.unlink()  # as if a killed worker had taken them
        time.sleep(2.5)
        processes.worker("--concurrency=1")
        for job in waiting:
            assert until(world, job, ended).status is JobStatus.DONE
            assert read(world, job).attempts == 1


class TestTwoWorkers:
    def test_each_job_runs_once_however_often_it_is_sent(self, world: Any, processes: Any) -> None:
        from workers.queue import dispatch

        waiting = [enqueue(world.services, "diagnose", {"hold_s": 0.2}, world.analyst) for _ in range(8)]
        for job in waiting:
            for _ in range(3):
                dispatch(world.services, world.tenant, job, "default")
        processes.worker("--concurrency=2")
        processes.worker("--concurrency=2")
        for job in waiting:
            assert until(world, job, ended).attempts == 1
        time.sleep(1)
        for job in waiting:
            assert statuses(world, job) == ["PENDING", "RUNNING", "DONE"]


class TestFlood:
    def test_another_companys_job_does_not_wait_behind_a_flood(self, world: Any, processes: Any, flooded: Any) -> None:
        processes.worker("--concurrency=1")
        flooded(world, world.services)


class TestCancel:
    def test_a_running_job_stops_soon(self, world: Any, processes: Any) -> None:
        processes.worker("--concurrency=1")
        job = enqueue(world.services, "diagnose", {"hold_s": 60}, world.analyst)
        until(world, job, lambda found: found.progress > 0)
        asked_s = time.monotonic()
        cancel(world.services, world.tenant, job)
        assert until(world, job, ended, within_s=8).status is JobStatus.CANCELLED
        assert time.monotonic() - asked_s < 6


class TestShutdown:
    def test_sigterm_lets_short_work_end_and_leaves_long_work_to_the_next(self, world: Any, processes: Any) -> None:
        first = processes.worker("--concurrency=2")
        short = enqueue(world.services, "diagnose", {"hold_s": 2}, world.analyst)
        long = enqueue(world.services, "diagnose", {"hold_s": 14}, world.analyst)
        for job in (short, long):
            until(world, job, lambda found: found.progress > 0)
        first.terminate()
        assert first.wait(timeout=30) == 0
        assert read(world, short).status is JobStatus.DONE
        processes.worker("--concurrency=2")
        done = until(world, long, ended, within_s=60)
        assert (done.status, done.attempts) == (JobStatus.DONE, 2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestWarehouseDown:
    def test_the_job_waits_and_then_completes(
        self, tmp_path: Path, make_world: Callable[..., Any], load_sales: Callable[..., None], make_processes: Callable[..., Any]
    ) -> None:
        port, reader, admin = free_port(), secrets.token_hex(8), secrets.token_hex(8)
        world = make_world(tmp_path / "home", f"http://127.0.0.1:{port}", reader, admin)
        running = make_processes(world.environment)
        arguments = ("semantic.warehouse", "--data", str(tmp_path / "warehouse"), "--port", str(port))
        try:
            running.worker("--concurrency=1")
            job = enqueue(world.services, "forecast", {"metric": "revenue", "horizon_steps": 7}, world.analyst)
            waiting = until(world, job, lambda found: found.status is JobStatus.PENDING and found.attempts >= 2)
            assert dict(waiting.error or {})["retryable"] is True
            warehouse = running.start(*arguments)
            deadline = time.monotonic() + 30
            while not (tmp_path / "warehouse" / "endpoint.json").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            load_sales(world, world.services.admin)
            done = until(world, job, ended, within_s=90)
            assert (done.status, done.losses) == (JobStatus.DONE, 0)
            assert rows(world, job) == 7
            assert warehouse.poll() is None
        finally:
            world.services.close()


class TestBeat:
    def test_beat_brings_lost_jobs_back_and_starts_daily_work(self, world: Any, processes: Any) -> None:
        processes.start("workers", "beat")
        messages = Path(world.environment["QUERENT_HOME"]) / "broker" / "messages"
        deadline = time.monotonic() + 40
        sent = ""
        while "querent.reap" not in sent and time.monotonic() < deadline:
            time.sleep(0.2)
            sent = " ".join(message.read_text() for message in messages.glob("*.msg"))
        assert "querent.reap" in sent
