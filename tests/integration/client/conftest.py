"""A running product for programs: embedded warehouse, SQLite, an API process, workers of every queue, half a year of the demo company."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.clock import SystemClock
from core.settings import Settings
from tests.conftest import WarehouseEndpoint
from workers.bootstrap import Services
from workers.demo.load import load_demo
from workers.demo.setup import ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import WORLDS

ROOT = Path(__file__).parents[3]
DAYS = 700
_START_TIMEOUT_S = 120
QUEUES = ("default", "heavy,models", "sandbox")


@pytest.fixture(scope="session")
def address(warehouse_endpoint: WarehouseEndpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("client_home")
    settings = Settings(
        home=home, mlflow_root=home / "mlruns", environment="test", warehouse_url=warehouse_endpoint.url,
        warehouse_password=warehouse_endpoint.reader_token, warehouse_admin_password=warehouse_endpoint.token, _env_file=None,
    )  # type: ignore[call-arg]  # fmt: skip
    core = Services(settings, SystemClock())
    core.migrate()
    end = core.clock.now().date() - dt.timedelta(days=1)
    load_demo(core.admin, tuple((world, Span(end - dt.timedelta(days=DAYS), end, end)) for world in WORLDS))
    ensure_people_and_catalogs(core.store, core.clock.now())
    core.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {
        "QUERENT_HOME": str(home), "QUERENT_MLFLOW_ROOT": str(home / "mlruns"), "QUERENT_ENVIRONMENT": "test", "QUERENT_API_PORT": str(port),
        "QUERENT_WAREHOUSE_URL": warehouse_endpoint.url, "QUERENT_WAREHOUSE_PASSWORD": warehouse_endpoint.reader_token,
        "QUERENT_WAREHOUSE_ADMIN_PASSWORD": warehouse_endpoint.token, "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    commands = [["serve"], *(["worker", "--queues", queues, "--concurrency", "1"] for queues in QUEUES)]
    with (home / "processes.log").open("ab") as log:
        running = [
            subprocess.Popen([sys.executable, "-m", "api.cli", *command], cwd=ROOT, env=environment, stdout=log, stderr=log)
            for command in commands
        ]
    url = f"http://127.0.0.1:{port}"
    _wait(url, home / "processes.log")
    yield url
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise RuntimeError(f"the API did not start: {log.read_text()[-2000:]}")
