"""Two worker processes on PostgreSQL: jobs run once each, also when one of the two is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.clock import SystemClock
from core.ids import JobId, TenantId
from core.settings import Settings
from core.store import jobs, tenants
from core.store.jobs import Job, JobStatus
from workers.bootstrap import Services, build_services
from workers.principals import system_principal
from workers.queue import enqueue

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ACME = TenantId("acme")
REPOSITORY = Path(__file__).parents[3]


def read(services: Services, job: JobId) -> Job:
    with services.store.read() as connection:
        return jobs.get(connection, ACME, job)


def test_jobs_run_once_each_and_survive_a_kill(postgresql: Any, tmp_path: Path) -> None:
    url = postgresql.database("workers")
    services = build_services(Settings(home=tmp_path / "home", state_url=url), SystemClock())
    services.migrate()
    with services.store.write() as connection:
        tenants.create(connection, ACME, name="Acme", now=services.clock.now())
    environment = {**os.environ, "QUERENT_HOME": str(tmp_path / "home"), "QUERENT_STATE_URL": url}
    command = [sys.executable, "-m", "workers", "worker", "--concurrency=1", "--log-level=WARNING"]
    log = (tmp_path / "log").open("wb")
    started = [subprocess.Popen(command, cwd=REPOSITORY, env=environment, start_new_session=True, stdout=log, stderr=log) for _ in range(2)]
    try:
        waiting = [enqueue(services, "diagnose", {"hold_s": 0.5}, system_principal(ACME)) for _ in range(8)]
        deadline = time.monotonic() + 60
        while sum(read(services, job).status.is_final for job in waiting) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(started[0].pid, signal.SIGKILL)
        while not all(read(services, job).status.is_final for job in waiting) and time.monotonic() < deadline:
            time.sleep(0.1)
        ended = [read(services, job) for job in waiting]
        assert {job.status for job in ended} == {JobStatus.DONE}
        assert all(job.attempts == 1 + job.losses for job in ended)
        assert sum(job.losses for job in ended) <= 1
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
        services.close()
        log.close()
