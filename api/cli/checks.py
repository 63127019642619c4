"""`querent doctor`: what is there, what answers, and the remedy where not."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from core.errors import AppError
from models.sandbox.walls import walls_here
from workers.bootstrap import Services

MIN_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    part: str
    ok: bool
    found: str
    remedy: str = ""


def diagnose(services: Services) -> list[Check]:
    """One check per part, in the order in which parts depend on each other."""
    settings = services.settings
    home = settings.home.resolve()
    free = shutil.disk_usage(home if home.exists() else home.parent).free
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [
        Check("python", sys.version_info >= (3, 11), python, "" if sys.version_info >= (3, 11) else "Use Python 3.11 or newer."),
        Check(
            "disk",
            free > MIN_FREE_BYTES,
            f"{free / 1e9:.0f} GB free",
            "" if free > MIN_FREE_BYTES else "Free at least 2 GB where QUERENT_HOME lies.",
        ),
        _attempt(
            "state store",
            services.store.ping,
            _without_secrets(settings.resolved_state_url),
            "Check QUERENT_STATE_URL; run `querent migrate`.",
        ),
        _attempt(
            "warehouse",
            lambda: asyncio.run(_warehouse(services)),
            settings.warehouse_url,
            "Start it with `querent up` or `querent warehouse`, or check QUERENT_WAREHOUSE_URL.",
        ),
        _attempt("broker", lambda: _broker(services), _without_secrets(settings.broker_url) or "spool folder", "Check QUERENT_BROKER_URL."),
        _walls(),
        _attempt("api", lambda: _api(services), settings.resolved_base_url, "Start it with `querent up` or `querent serve`."),
    ]


def _walls() -> Check:
    """Whether this machine can keep a custom model in; a worker of queue `sandbox` may run elsewhere."""
    walls = walls_here()
    return Check(
        "model sandbox",
        not walls.missing,
        walls.described() if not walls.missing else "; ".join(walls.missing),
        ""
        if not walls.missing
        else "Run the worker of queue sandbox on Linux 5.13 or newer, or allow it namespaces; until then no custom model runs.",
    )


def _attempt(part: str, check: Callable[[], object], found: str, remedy: str) -> Check:
    try:
        check()
    except (AppError, OSError, httpx.HTTPError) as error:
        return Check(part, False, f"{found}: {error}", remedy)
    return Check(part, True, found)


async def _warehouse(services: Services) -> None:
    try:
        await services.warehouse.ping()
    finally:
        await services.warehouse.close()


def _broker(services: Services) -> None:
    with services.celery.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=3)


def _api(services: Services) -> None:
    settings = services.settings
    httpx.get(f"http://{settings.api_host}:{settings.api_port}/healthz", timeout=3).raise_for_status()


def _without_secrets(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    _, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{'***@' if at else ''}{host}" if mark else url
