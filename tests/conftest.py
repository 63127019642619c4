"""Shared by all tests: the embedded warehouse, started once per worker and only when a test asks for it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import pytest
from pydantic import SecretStr

from semantic.warehouse.admin import WarehouseAdmin
from semantic.warehouse.client import SyncWarehouse
from semantic.warehouse.connection import ADMIN_USER, READER_USER, Connection, read_address


def needs(name: str, why: str) -> NoReturn:
    """Skips a test whose server is not there, or fails it where `QUERENT_TEST_REQUIRE` names that server (as in CI)."""
    if name in os.environ.get("QUERENT_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{name} is required here, but {why}")
    pytest.skip(why)


_REPOSITORY = Path(__file__).parent.parent
_START_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class WarehouseEndpoint:
    """A running endpoint: its address, its process and data folder, and the admin's and the reader's tokens."""

    url: str
    token: str
    reader_token: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def admin_connection(self) -> Connection:
        return Connection(self.url, ADMIN_USER, SecretStr(self.token), read_timeout_s=120)

    @property
    def reader_connection(self) -> Connection:
        return Connection(self.url, READER_USER, SecretStr(self.reader_token), read_timeout_s=60)


def _start(folder: Path, *arguments: str, token: str = "", reader_token: str = "") -> WarehouseEndpoint:
    """Starts `python -m semantic.warehouse` on a free port and returns when it answers."""
    token, reader_token = token or secrets.token_hex(16), reader_token or secrets.token_hex(16)
    environment = {
        **os.environ,
        "QUERENT_WAREHOUSE_ADMIN_PASSWORD": token,
        "QUERENT_WAREHOUSE_PASSWORD": reader_token,
        "PYTHONPATH": str(_REPOSITORY),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "semantic.warehouse", "--data", str(folder), "--port", "0", *arguments],
            cwd=_REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        address = read_address(folder)
        if address is not None and address.pid == process.pid:
            return WarehouseEndpoint(address.url, token, reader_token, folder, process)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"the warehouse did not start: {(folder.parent / f'{folder.name}.log').read_text()[-2000:]}")


def _stop(endpoint: WarehouseEndpoint) -> int:
    """Ends it as an operator does; returns its exit code."""
    endpoint.process.terminate()
    try:
        return endpoint.process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        endpoint.process.kill()
        return endpoint.process.wait()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`, tests that share what takes long to make run in one process (tests/together.py)."""
    from tests.together import Together

    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


class WarehouseStarter(Protocol):
    def __call__(self, folder: Path, *arguments: str, token: str = "", reader_token: str = "") -> WarehouseEndpoint: ...


@pytest.fixture
def start_warehouse() -> Iterator[WarehouseStarter]:
    """Starts endpoints of the test's own (command-line arguments after the folder); they are stopped at its end."""
    started: list[WarehouseEndpoint] = []

    def start(folder: Path, *arguments: str, token: str = "", reader_token: str = "") -> WarehouseEndpoint:
        started.append(_start(folder, *arguments, token=token, reader_token=reader_token))
        return started[-1]

    yield start
    for endpoint in started:
        _stop(endpoint)


@pytest.fixture(scope="session")
def warehouse_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseEndpoint]:
    """A real embedded endpoint on a free port with a temporary data folder; tests share it, so they make databases of their own."""
    endpoint = _start(tmp_path_factory.mktemp("warehouse") / "data")
    yield endpoint
    _stop(endpoint)


@pytest.fixture(scope="session")
def warehouse_admin(warehouse_endpoint: WarehouseEndpoint) -> Iterator[WarehouseAdmin]:
    """The admin client of the shared endpoint."""
    admin = WarehouseAdmin(warehouse_endpoint.admin_connection)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def sync_warehouse(warehouse_endpoint: WarehouseEndpoint) -> Iterator[SyncWarehouse]:
    """The read-only client of the shared endpoint."""
    warehouse = SyncWarehouse(warehouse_endpoint.reader_connection)
    yield warehouse
    warehouse.close()


@pytest.fixture
def warehouse_database(warehouse_admin: WarehouseAdmin) -> Iterator[str]:
    """An empty database of the test's own, dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    warehouse_admin.execute(f"CREATE DATABASE {name}")
    yield name
    warehouse_admin.execute(f"DROP DATABASE {name} SYNC")
