"""A real PostgreSQL of the test's own, from the system's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.conftest import needs

_CANDIDATES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@dataclass(frozen=True, slots=True)
class Server:
    url: str

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        return f"{self.url}/{name}"


def _as_server_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    if not _CANDIDATES:
        needs("postgresql", "PostgreSQL is not installed")
    if os.geteuid() == 0 and not any(entry.pw_name == "postgres" for entry in pwd.getpwall()):
        needs("postgresql", "this is root and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="querent-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools, data = _CANDIDATES[0], str(folder / "data")
    user = ["--username=querent", "--auth=trust", "--no-sync"]
    subprocess.run(_as_server_user([str(tools / "initdb"), "-D", data, *user]), check=True, capture_output=True, cwd=folder)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    start = [str(tools / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"]
    subprocess.run(_as_server_user(start), check=True, capture_output=True, cwd=folder)
    yield Server(f"postgresql://querent@127.0.0.1:{port}")
    stop = [str(tools / "pg_ctl"), "-D", data, "-m", "immediate", "stop"]
    subprocess.run(_as_server_user(stop), check=True, capture_output=True, cwd=folder)
    shutil.rmtree(folder, ignore_errors=True)
