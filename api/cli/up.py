"""`querent up` and `querent demo`: everything on one machine."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from api.cli.stack import Part, Stack, python
from core.errors import Unavailable
from core.settings import Settings
from semantic.warehouse.connection import read_address, warehouse_folder
from workers.bootstrap import Services


def http_ok(url: str) -> Callable[[], bool]:
    def check() -> bool:
        try:
            return httpx.get(url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    return check


def refuse_taken_port(settings: Settings) -> None:
    """Raises: Unavailable when something listens on the API's port already."""
    if is_taken(settings.api_host, settings.api_port):
        raise Unavailable(
            f"Port {settings.api_port} is taken: is Querent running already? Stop it, or choose another with QUERENT_API_PORT.",
            code="port_in_use",
        )


def is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def make_stack(services: Services, say: Callable[[str], None]) -> Stack:
    settings = services.settings
    home = settings.home.resolve()
    return Stack(
        home / "logs", {"QUERENT_HOME": str(home), "QUERENT_MLFLOW_ROOT": str(settings.mlflow_root.resolve()), "PYTHONUNBUFFERED": "1"}, say
    )


def start_warehouse(stack: Stack, settings: Settings) -> None:
    """The embedded endpoint, unless one over the same folder runs already. Raises: Unavailable when another program has its port."""
    if not settings.warehouse_embedded:
        return
    address = urlsplit(settings.warehouse_url)
    if is_taken(address.hostname or "127.0.0.1", address.port or 8124):
        running = read_address(warehouse_folder(settings))
        if running is None or urlsplit(running.url).port != address.port:
            raise Unavailable(
                f"Port {address.port} is taken by another program; choose another with QUERENT_WAREHOUSE_URL=http://127.0.0.1:PORT.",
                code="port_in_use",
            )
        return
    stack.start(Part("warehouse", python("-m", "api.cli", "warehouse"), http_ok(f"{settings.warehouse_url}/ping")))


def start_services(stack: Stack, settings: Settings) -> None:
    """API, workers and beat; the API is waited for. Short jobs have a worker of their own, so that they do not wait behind long ones."""
    stack.start(Part("worker", python("-m", "api.cli", "worker", "--queues", "default", "--concurrency", "1")))
    stack.start(
        Part(
            "worker-heavy",
            python("-m", "api.cli", "worker", "--queues", "heavy,models", "--concurrency", str(max(1, (os.cpu_count() or 2) - 1))),
        )
    )
    stack.start(Part("worker-sandbox", python("-m", "api.cli", "worker", "--queues", "sandbox", "--concurrency", "1")))
    stack.start(Part("beat", python("-m", "api.cli", "beat")))
    stack.start(Part("api", python("-m", "api.cli", "serve"), http_ok(f"http://{settings.api_host}:{settings.api_port}/healthz")))


def since(started_s: float) -> str:
    return f"{time.monotonic() - started_s:.1f} s"
