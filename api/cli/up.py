"""`querent up` and `querent demo`: everything on one machine."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

import httpx

from api.cli.stack import Part, Stack, python
from core.errors import Unavailable
from core.settings import Settings
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
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api_host, settings.api_port))
        except OSError as error:
            raise Unavailable(
                f"Port {settings.api_port} is taken: is Querent running already? Stop it, or choose another with QUERENT_API_PORT.",
                code="port_in_use",
            ) from error


def make_stack(services: Services, say: Callable[[str], None]) -> Stack:
    settings = services.settings
    home = settings.home.resolve()
    return Stack(
        home / "logs", {"QUERENT_HOME": str(home), "QUERENT_MLFLOW_ROOT": str(settings.mlflow_root.resolve()), "PYTHONUNBUFFERED": "1"}, say
    )


def start_warehouse(stack: Stack, settings: Settings) -> None:
    if settings.warehouse_embedded:
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
    stack.start(Part("beat", python("-m", "api.cli", "beat")))
    stack.start(Part("api", python("-m", "api.cli", "serve"), http_ok(f"http://{settings.api_host}:{settings.api_port}/healthz")))


def since(started_s: float) -> str:
    return f"{time.monotonic() - started_s:.1f} s"
