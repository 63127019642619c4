"""The same jobs over a real RabbitMQ: it is killed with messages in it, a job is accepted meanwhile, and all of them run once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store.jobs import JobStatus
from tests.conftest import needs
from tests.integration.workers.test_workers_redis import ended
from workers.bootstrap import build_services
from workers.queue import enqueue

pytestmark = [pytest.mark.integration, pytest.mark.slow]
_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RabbitMQ:
    """A broker of the test's own with its own name service, so that neither meets another."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"querent{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "ERL_EPMD_PORT": str(free_port()),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(_SERVER)], env=self._environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "rabbitmq-server ended"
            time.sleep(0.05)
        raise RuntimeError("rabbitmq-server did not start")

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """Its name service too, which refuses while it still knows the killed node."""
        self.kill()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            said = subprocess.run(["epmd", "-kill"], env=self._environment, capture_output=True, text=True, check=False)
            if "not allowed" not in said.stdout + said.stderr:
                return
            time.sleep(0.1)


@pytest.fixture
def rabbit(tmp_path: Path) -> Iterator[RabbitMQ]:
    if not _SERVER.exists() or shutil.which("epmd") is None:
        needs("rabbitmq", "rabbitmq-server is not installed")
    server = RabbitMQ(tmp_path / "rabbit")
    (tmp_path / "rabbit").mkdir()
    yield server
    server.end()


def test_jobs_run_once_over_rabbitmq_also_when_it_is_killed(
    world: Any, rabbit: RabbitMQ, make_processes: Callable[..., Any], flooded: Any
) -> None:
    services = build_services(world.services.settings.model_copy(update={"broker_url": rabbit.url}), world.services.clock)
    world.environment["QUERENT_BROKER_URL"] = rabbit.url
    rabbit.start()
    waiting = [enqueue(services, "diagnose", {}, world.analyst) for _ in range(3)]
    rabbit.kill()
    started_s = time.monotonic()
    waiting.append(enqueue(services, "diagnose", {}, world.analyst))
    assert time.monotonic() - started_s < 5  # accepted without waiting for the broker
    rabbit.start()
    make_processes(world.environment).worker("--concurrency=1")
    for job in waiting:
        done = ended(services, world, job)
        assert (done.status, done.attempts) == (JobStatus.DONE, 1)
    flooded(world, services)
    services.close()
