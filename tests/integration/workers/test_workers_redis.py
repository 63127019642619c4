"""The same jobs over a real Redis: it may be away when a job is accepted, and it may lose all it holds."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.ids import JobId
from core.store import jobs
from core.store.jobs import Job, JobStatus
from tests.conftest import needs
from workers.bootstrap import build_services
from workers.queue import enqueue
from workers.reaper import reap

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Redis:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Always empty: nothing is kept on disk."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("redis-server did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        needs("redis", "redis-server is not installed")
    server = Redis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def redis_world(world: Any, redis_server: Redis) -> Iterator[Any]:
    """The services of `world` with Redis as broker, and its environment."""
    services = build_services(world.services.settings.model_copy(update={"broker_url": redis_server.url}), world.services.clock)
    world.environment["QUERENT_BROKER_URL"] = redis_server.url
    yield services
    services.close()


def ended(services: Any, world: Any, job: JobId, within_s: float = 40) -> Job:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with services.store.read() as connection:
            found = jobs.get(connection, world.tenant, job)
        if found.status.is_final:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not ended within {within_s} s: {found}")


def test_jobs_run_over_redis_and_a_flood_of_one_company_does_not_hold_anothers(
    redis_world: Any, world: Any, redis_server: Redis, make_processes: Callable[..., Any], flooded: Any
) -> None:
    redis_server.start()
    make_processes(world.environment).worker("--concurrency=2")
    for _ in range(5):
        done = ended(redis_world, world, enqueue(redis_world, "diagnose", {}, world.analyst))
        assert (done.status, done.attempts) == (JobStatus.DONE, 1)
    flooded(world, redis_world)


def test_a_job_accepted_without_a_broker_runs_when_it_is_back(
    redis_world: Any, world: Any, redis_server: Redis, make_processes: Callable[..., Any]
) -> None:
    started_s = time.monotonic()
    job = enqueue(redis_world, "diagnose", {}, world.analyst)
    assert time.monotonic() - started_s < 2
    assert reap(redis_world).sent == 0
    redis_server.start()
    make_processes(world.environment).worker("--concurrency=1")
    assert ended(redis_world, world, job).status is JobStatus.DONE


def test_a_broker_that_forgets_everything_loses_no_job(
    redis_world: Any, world: Any, redis_server: Redis, make_processes: Callable[..., Any]
) -> None:
    redis_server.start()
    waiting = [enqueue(redis_world, "diagnose", {}, world.analyst) for _ in range(3)]
    redis_server.kill()
    redis_server.start()
    time.sleep(2.5)
    make_processes(world.environment).worker("--concurrency=1")
    for job in waiting:
        assert ended(redis_world, world, job).status is JobStatus.DONE
