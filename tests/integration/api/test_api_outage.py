"""The warehouse is away: questions get 503 with Retry-After, jobs wait, nothing is lost; and it comes back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from api.services import Services
from core.clock import FixedClock
from core.settings import Settings
from tests.conftest import WarehouseStarter
from tests.integration.api.conftest import NOW, Caller
from workers.bootstrap import Services as CoreServices
from workers.demo.load import load_demo
from workers.demo.setup import ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import GLOBEX

QUESTION = {"question": "orders last week"}


def settings(home: Path, url: str, token: str, reader: str) -> Settings:
    return Settings(
        home=home,
        mlflow_root=home / "mlruns",
        environment="test",
        warehouse_url=url,
        warehouse_password=reader,
        warehouse_admin_password=token,
        _env_file=None,
    )  # type: ignore[call-arg]


def test_an_outage_is_said_and_survived(tmp_path: Path, start_warehouse: WarehouseStarter) -> None:
    first = start_warehouse(tmp_path / "data", token="admin-token", reader_token="reader-token")
    port = first.url.rsplit(":", 1)[1]
    core = CoreServices(settings(tmp_path / "home", first.url, first.token, first.reader_token), FixedClock(NOW))
    core.migrate()
    end = NOW.date() - dt.timedelta(days=1)
    load_demo(core.admin, ((GLOBEX, Span(end - dt.timedelta(days=20), end, end)),))
    ensure_people_and_catalogs(core.store, NOW)
    with TestClient(create_app(Services(core)), raise_server_exceptions=False) as client:
        analyst = Caller(client, "analyst@globex.example")
        before = analyst.post("/v1/ask", QUESTION).json()["rows"]
        first.process.kill()
        first.process.wait()
        answer = analyst.post("/v1/ask", {"question": "orders by channel last week"})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["code"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["state"] == "ok"
        assert client.get("/healthz").status_code == 200
        job = analyst.post("/v1/forecasts", {"metric": "orders", "horizon": 5})
        assert job.status_code == 202
        start_warehouse(tmp_path / "data", "--port", port, token="admin-token", reader_token="reader-token")
        assert analyst.post("/v1/ask", QUESTION).json()["rows"] == before
        assert client.get("/readyz").status_code == 200
    core.close()
