"""A whole API over the real embedded warehouse, SQLite and half a year of both demo companies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.services import Services
from core.clock import FixedClock
from core.settings import Settings
from tests.conftest import WarehouseEndpoint
from workers.bootstrap import Services as CoreServices
from workers.demo.load import load_demo
from workers.demo.people import DEMO_PASSWORD
from workers.demo.setup import ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import WORLDS

HERE = Path(__file__).parent
TODAY = dt.date(2026, 5, 21)
NOW = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One stack serves all tests of this folder; tests/together.py has one process run them, always in the same order."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


class Caller:
    """A signed-in person: a client with their cookie."""

    def __init__(self, client: TestClient, email: str) -> None:
        self.client = client
        self.client.cookies.clear()
        answer = client.post("/v1/login", json={"email": email, "password": DEMO_PASSWORD})
        assert answer.status_code == 200, answer.text
        self.headers = {"Cookie": f"querent_session={answer.cookies['querent_session']}"}
        self.client.cookies.clear()

    def get(self, path: str, **more: object) -> object:
        return self.client.get(path, headers=self.headers, **more)  # type: ignore[arg-type]

    def post(self, path: str, json: object = None, **more: object) -> object:
        return self.client.post(path, json=json, headers={**self.headers, **more.pop("headers", {})}, **more)  # type: ignore[arg-type, dict-item]

    def put(self, path: str, json: object) -> object:
        return self.client.put(path, json=json, headers=self.headers)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def services(warehouse_endpoint: WarehouseEndpoint, home: Path) -> Iterator[Services]:
    settings = Settings(
        home=home,
        mlflow_root=home / "mlruns",
        environment="test",
        warehouse_url=warehouse_endpoint.url,
        warehouse_password=warehouse_endpoint.reader_token,
        warehouse_admin_password=warehouse_endpoint.token,
        _env_file=None,
    )  # type: ignore[call-arg]
    core = CoreServices(settings, FixedClock(NOW))
    core.migrate()
    end = TODAY - dt.timedelta(days=1)
    span = Span(end - dt.timedelta(days=500), end, end)
    load_demo(core.admin, tuple((world, span) for world in WORLDS))
    ensure_people_and_catalogs(core.store, NOW)
    yield Services(core)
    core.close()


@pytest.fixture(scope="session")
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture(scope="session")
def executive(client: TestClient) -> Caller:
    return Caller(client, "executive@acme.example")


@pytest.fixture(scope="session")
def manager(client: TestClient) -> Caller:
    return Caller(client, "manager@acme.example")


@pytest.fixture(scope="session")
def analyst(client: TestClient) -> Caller:
    return Caller(client, "analyst@acme.example")


@pytest.fixture(scope="session")
def admin(client: TestClient) -> Caller:
    return Caller(client, "admin@acme.example")


@pytest.fixture(scope="session")
def stranger(client: TestClient) -> Caller:
    """An analyst of the other company."""
    return Caller(client, "analyst@globex.example")
