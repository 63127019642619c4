"""The parts of an installation as processes that can be killed and started again on their own data: the servers and Querent's own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

START_S = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Part:
    """One process in a group of its own. ready: whether it serves; called until it says so."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, ready: Callable[[], bool]) -> None:
        self.name = name
        self._command, self._environment, self._log, self._ready = list(command), dict(environment), log, ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def start(self, *, wait: bool = True) -> None:
        """Raises: RuntimeError when it ends, or does not serve in time."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_S
        while wait and not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start: {self._log.read_text(errors='replace')[-800:]}")
            time.sleep(0.02)

    def keep(self) -> None:
        """Starts it again when it ended by itself, as one that finds its own lock file for a moment does."""
        if self._process is not None and self._process.poll() is not None:
            self.start(wait=False)

    def kill(self) -> None:
        """SIGKILL to it and its children, at once; PostgreSQL's connections are in sessions of their own."""
        if self._process is not None:
            for pid in family(self._process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def end_in_order() -> None:
    """SIGTERM ends this process as Ctrl-C does, so that its parts do not outlive it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def family(pid: int) -> list[int]:
    """The process and its living children."""
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(child))]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def redis_part(folder: Path) -> tuple[Part, str]:
    """An empty broker that keeps nothing, and its URL. Raises: RuntimeError when it is not installed."""
    if shutil.which("redis-server") is None:
        raise RuntimeError("redis-server is not installed")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    return Part("broker", command, os.environ, folder / "redis.log", lambda: answers(port)), f"redis://127.0.0.1:{port}/0"


def postgresql_part(folder: Path) -> tuple[Part, str]:
    """A new cluster, and the URL of its database. Raises: RuntimeError when it is not installed."""
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not tools:
        raise RuntimeError("PostgreSQL is not installed")
    data, port = folder / "postgresql", free_port()
    data.mkdir()
    as_server: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        pwd.getpwnam("postgres")
        shutil.chown(data, "postgres")
        for parent in (folder, *folder.parents):
            parent.chmod(parent.stat().st_mode | 0o111) if parent.stat().st_uid == 0 and parent != Path("/") else None
        as_server = ["runuser", "-u", "postgres", "--"]
    made = [*as_server, str(tools[0] / "initdb"), "-D", str(data), "--username=querent", "--auth=trust"]
    subprocess.run(made, check=True, capture_output=True, cwd="/")
    command = [
        *as_server,
        str(tools[0] / "postgres"),
        "-D",
        str(data),
        "-p",
        str(port),
        "-k",
        str(data),
        "-c",
        "listen_addresses=127.0.0.1",
    ]
    ready = [str(tools[0] / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    part = Part(
        "postgresql", command, os.environ, folder / "postgresql.log", lambda: subprocess.run(ready, check=False).returncode == 0
    )  # fmt: skip
    return part, f"postgresql://querent@127.0.0.1:{port}/postgres"


def querent_parts(
    folder: Path, state_url: str, broker_url: str, workers: int, *, limited: bool = False
) -> tuple[dict[str, str], str, list[Part]]:
    """The environment of our own processes, the API's address, and the processes: warehouse first, API last.

    limited: with the limits of requests that an installation has by itself.
    """
    warehouse_port, api_port = free_port(), free_port()
    environment = {
        **os.environ,
        "QUERENT_HOME": str(folder / "home"),
        "QUERENT_MLFLOW_ROOT": str(folder / "mlruns"),
        "QUERENT_STATE_URL": state_url,
        "QUERENT_BROKER_URL": broker_url,
        "QUERENT_WAREHOUSE_URL": f"http://127.0.0.1:{warehouse_port}",
        "QUERENT_WAREHOUSE_PASSWORD": secrets.token_hex(16),
        "QUERENT_WAREHOUSE_ADMIN_PASSWORD": secrets.token_hex(16),
        "QUERENT_API_PORT": str(api_port),
        **({} if limited else {"QUERENT_RATE_PER_MINUTE": "0", "QUERENT_TENANT_RATE_PER_MINUTE": "0"}),
        "OMP_NUM_THREADS": "1",
    }
    python = [sys.executable, "-m"]

    def made(name: str, command: list[str], ready: Callable[[], bool] = lambda: True) -> Part:
        return Part(name, [*python, *command], environment, folder / f"{name}.log", ready)

    data = ["--data", str(folder / "warehouse"), "--port", str(warehouse_port)]
    parts = [made("warehouse", ["semantic.warehouse", *data], lambda: answers(warehouse_port))]
    parts += [made(f"worker_{n}", ["workers", "worker", "--concurrency=1", "--log-level=WARNING"]) for n in range(1, workers + 1)]
    parts += [made("beat", ["workers", "beat", "--log-level=WARNING"])]
    parts += [made("api", ["api.cli", "serve"], lambda: answers(api_port))]
    return environment, f"http://127.0.0.1:{api_port}", parts
