"""A tenant whose revenue fell yesterday, a mail server, a webhook receiver that behaves as told, and real processes."""

from __future__ import annotations

import email
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default as email_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from aiosmtpd.controller import Controller
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from api.app import create_app
from api.services import Services as ApiServices
from core.clock import SystemClock
from core.ids import TenantId, tenant_database
from core.principal import Role
from core.settings import Settings
from core.store import api_keys, catalogs, tenants, users
from core.store.catalogs import NewCatalog
from core.store.users import NewUser, User
from semantic.warehouse.admin import WarehouseAdmin
from tests.integration.workers.conftest import Processes, catalog, make_processes  # noqa: F401
from workers.bootstrap import Services, build_services

DAYS = 500
REGIONS = ("EMEA", "APAC", "AMER")
FALLEN = 0.15


class Mailbox:
    """An SMTP server that keeps what it is given; `down` answers 451."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.down = False
        self._controller = Controller(self, hostname="127.0.0.1", port=0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.down:
            return "451 come back later"
        self.messages.append(email.message_from_bytes(envelope.content, policy=email_policy))  # type: ignore[arg-type]
        return "250 OK"

    def start(self) -> int:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._controller.port = probe.getsockname()[1]
        self._controller.start()
        return int(self._controller.port)

    def stop(self) -> None:
        self._controller.stop()


@dataclass
class Hook:
    """A webhook receiver. behave: what to do with a request, by default 204; `calls` are (headers, body) of all requests."""

    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    behave: Callable[[BaseHTTPRequestHandler], None] | None = None
    port: int = 0
    _server: Any = None

    def start(self) -> None:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                hook.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
                if hook.behave is not None:
                    hook.behave(self)
                else:
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]


@dataclass
class Shop:
    """Services of one tenant, its API client and its environment for processes."""

    services: Services
    tenant: TenantId
    ann: User
    client: TestClient
    headers: dict[str, str]
    environment: dict[str, str]
    admin: WarehouseAdmin

    @property
    def database(self) -> str:
        return tenant_database(self.tenant)

    def call(self, method: str, path: str, json: object = None, expect: int = 200, headers: dict[str, str] | None = None) -> Any:
        answer = self.client.request(method, path, json=json, headers=headers or self.headers)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def rows(self, sql: str) -> list[Any]:
        """What the state store holds."""
        with self.services.store.read() as connection:
            return list(connection.execute(text(sql)).all())

    def try_again_now(self) -> None:
        """What waits for another try does not wait longer."""
        with self.services.store.write() as connection:
            connection.execute(text("UPDATE deliveries SET next_at = created_at WHERE status = 'pending' AND mode = 'now'"))

    def load(self, fallen: float, *, days: int = DAYS) -> None:
        """Replaces the sales; yesterday's are `fallen` times the usual."""
        self.admin.execute(f"CREATE DATABASE IF NOT EXISTS {self.database}")
        self.admin.execute(f"DROP TABLE IF EXISTS {self.database}.sales SYNC")
        self.admin.execute(
            f"CREATE TABLE {self.database}.sales (day Date, region String, amount Float64) ENGINE = MergeTree ORDER BY (region, day)"
        )
        self.admin.insert_arrow(self.database, "sales", sales(fallen, days))


def sales(fallen: float, days: int) -> pa.Table:
    """A weekly season, a slow trend and noise of 3 %, by region, until yesterday."""
    rng = np.random.default_rng(11)
    today = datetime.now(UTC).date()
    rows = []
    for index in range(days):
        day = today - timedelta(days=days - index)
        for size, region in zip((3.0, 2.0, 1.0), REGIONS, strict=True):
            season = 1.0 + 0.4 * (day.weekday() < 5)
            value = 100 * size * season * (1 + index / 2000) * (1 + float(rng.normal(0, 0.03)))
            rows.append({"day": day, "region": region, "amount": value * (fallen if index == days - 1 else 1.0)})
    return pa.Table.from_pylist(rows, schema=pa.schema([("day", pa.date32()), ("region", pa.string()), ("amount", pa.float64())]))


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    port = box.start()
    yield box, port
    box.stop()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def shop(
    tmp_path: Path, warehouse_endpoint: Any, warehouse_admin: WarehouseAdmin, mailbox: tuple[Mailbox, int], hook: Hook
) -> Iterator[Shop]:
    home = tmp_path / "home"
    _, smtp_port = mailbox
    allowed = f"127.0.0.1:{hook.port}"
    environment = {
        "QUERENT_HOME": str(home), "QUERENT_MLFLOW_ROOT": str(home / "mlruns"), "QUERENT_WAREHOUSE_URL": warehouse_endpoint.url,
        "QUERENT_WAREHOUSE_PASSWORD": warehouse_endpoint.reader_token, "QUERENT_WAREHOUSE_ADMIN_PASSWORD": warehouse_endpoint.token,
        "QUERENT_SMTP_HOST": "127.0.0.1", "QUERENT_SMTP_PORT": str(smtp_port), "QUERENT_SMTP_SECURITY": "none",
        "QUERENT_SMTP_FROM": "Querent <alerts@querent.example>", "QUERENT_OUTBOUND_HOSTS": json.dumps([allowed]),
        "QUERENT_TICK_S": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    settings = Settings(
        home=home, mlflow_root=home / "mlruns", environment="test", warehouse_url=warehouse_endpoint.url,
        warehouse_password=SecretStr(warehouse_endpoint.reader_token), warehouse_admin_password=SecretStr(warehouse_endpoint.token),
        smtp_host="127.0.0.1", smtp_port=smtp_port, smtp_security="none", smtp_from="Querent <alerts@querent.example>",
        outbound_hosts=frozenset({allowed}), _env_file=None,
    )  # type: ignore[call-arg]  # fmt: skip
    services = build_services(settings, SystemClock())
    services.migrate()
    tenant, now = TenantId(f"t{secrets.token_hex(5)}"), datetime.now(UTC)
    with services.store.write() as connection:
        tenants.create(connection, tenant, name="Shop", now=now)
        ann = users.create(connection, tenant, NewUser("ann@shop.example", "Ann", frozenset({Role.ANALYST})), now=now)
        document = catalog(tenant_database(tenant)).model_dump(mode="json")
        catalogs.append(connection, tenant, NewCatalog(document, ann.id), now=now)
        _, text = api_keys.create(connection, tenant, ann.id, name="test", now=now, scopes=["*"], expires_at=None)
    with TestClient(create_app(ApiServices(services)), raise_server_exceptions=False) as client:
        made = Shop(services, tenant, ann, client, {"Authorization": f"Bearer {text}"}, environment, warehouse_admin)
        made.load(FALLEN)
        yield made
    warehouse_admin.execute(f"DROP DATABASE {made.database} SYNC")


def until(condition: Callable[[], Any], within_s: float = 60) -> Any:
    """What `condition` says once it is true."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {within_s} s")


@pytest.fixture
def wait() -> Callable[..., Any]:
    return until


@pytest.fixture
def kill_the_first_worker(
    shop: Shop,
    mailbox: tuple[Mailbox, int],
    make_processes: Callable[..., Processes],  # noqa: F811
) -> Callable[[str], None]:
    """Starts beat and a worker, kills the worker when `sql` gives rows, lets one with two processes go on: one mail comes.
    Until then the mail server is down."""

    def act(sql: str) -> None:
        box, _ = mailbox
        box.down = True  # messages wait in the outbox until the second worker is there
        processes = make_processes(shop.environment)
        processes.start("workers", "beat")
        first = processes.worker("--concurrency=1")
        until(lambda: shop.rows(sql), 120)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        box.down = False
        shop.try_again_now()
        processes.worker("--concurrency=2")
        until(lambda: box.messages, 180)
        until(lambda: not shop.rows("SELECT 1 FROM deliveries WHERE status = 'pending'"), 60)
        assert len(box.messages) == 1

    return act
