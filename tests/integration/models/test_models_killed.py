"""kill -9 at every step of a registration: it goes on where it was, once, and nothing of the model runs on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.ids import JobId
from core.store import job_events, jobs, model_log
from core.store.jobs import Job, JobStatus

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ROOT = Path(__file__).parents[3]
FIRST_UID = 1_900_000_000


@pytest.fixture(scope="module")
def worker(models_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The running worker of queue sandbox, started where there is none, in a group of its own; ended after the tests."""
    started: list[subprocess.Popen[bytes]] = []
    tmp_path = tmp_path_factory.mktemp("workers")

    def running() -> subprocess.Popen[bytes]:
        if started and started[-1].poll() is None:
            return started[-1]
        command = [sys.executable, "-m", "workers", "worker", "--queues", "sandbox", "--concurrency", "1"]
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            environment = {**os.environ, **models_world.environment}
            made = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        started.append(made)
        return made

    yield running
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        process.wait(timeout=30)


def until(world: Any, job: str, reached: Any, within_s: float = 150) -> Job:
    deadline = time.monotonic() + within_s
    found = None
    while time.monotonic() < deadline:
        with world.services.store.read() as connection:
            found = jobs.get(connection, world.tenant, JobId(job))
        if reached(found):
            return found
        time.sleep(0.03)
    raise AssertionError(f"not within {within_s} s: {found}")


def sandboxed() -> list[int]:
    """Processes that run as a model's user."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if place.stat().st_uid >= FIRST_UID:
                found.append(int(place.name))
        except OSError:
            continue
    return found


class TestKilled:
    @pytest.mark.parametrize("step", ["check", "backtest", "register", "shadow"])
    def test_goes_on(self, step: str, models_world: Any, worker: Any) -> None:
        first = worker()
        version = models_world.accept(models_world.good(f"killed-{step}"))
        until(models_world, version.job_id, lambda job: job.step == step)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        ran, until_s = set(sandboxed()), time.monotonic() + 5
        while ran & set(sandboxed()) and time.monotonic() < until_s:
            time.sleep(0.02)
        assert not ran & set(sandboxed())
        worker()
        done = until(models_world, version.job_id, lambda job: job.status.is_final)
        assert done.status is JobStatus.DONE, done.error
        assert done.losses == 1
        after = models_world.version(version.id)
        assert after.state == "challenger", after.reason
        with models_world.services.store.read() as connection:
            log = [entry.action for entry in model_log.read(connection, models_world.tenant, name=version.name)]
            events = job_events.after(connection, models_world.tenant, JobId(version.job_id))
        assert log.count("registered") == log.count("challenger") == 1
        assert sum(event.kind == "status" and event.data["status"] == "DONE" for event in events) == 1
        found = models_world.services.registry.versions(models_world.tenant, version.name)
        assert [(item.version, item.run_id) for item in found] == [(1, after.run_id)]

    def test_a_cancelled_registration_is_cleanly_refused(self, models_world: Any, worker: Any) -> None:
        from workers.custom.accept import settle
        from workers.queue import cancel

        running = worker()
        os.killpg(running.pid, signal.SIGKILL)  # else it may take the job before it is cancelled
        running.wait()
        version = models_world.accept(models_world.good("cancelled"))
        cancel(models_world.services, models_world.tenant, JobId(version.job_id))
        assert settle(models_world.services, version).state == "refused"
