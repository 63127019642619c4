"""The same over HTTP, on the pages and on the command line; another tenant sees nothing."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.app import create_app
from api.services import Services
from core.ids import TenantId
from core.principal import Role
from core.store import tenants, users
from core.store.users import NewUser
from tests.conftest import needs

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ROOT = Path(__file__).parents[3]
CHROMIUM = Path("/usr/bin/chromium")
AXE = ROOT / "tests/web/vendor/axe.min.js"


class Person:
    """Somebody who is signed in."""

    def __init__(self, client: TestClient, tenant: str, email: str) -> None:
        self.client = client
        client.cookies.clear()
        answer = client.post("/v1/login", json={"email": email, "password": "a-long-password-1", "tenant": tenant})
        assert answer.status_code == 200, answer.text
        self.token = answer.cookies["querent_session"]
        client.cookies.clear()

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        return self.client.request(method, path, headers={"Cookie": f"querent_session={self.token}"}, follow_redirects=False, **more)


@pytest.fixture(scope="module")
def client(models_world: Any) -> Iterator[TestClient]:
    other = TenantId(f"o{secrets.token_hex(5)}")
    now = models_world.services.clock.now()
    with models_world.services.store.write() as connection:
        tenants.create(connection, other, name="Other", now=now)
        new = NewUser("eve@x.com", "Eve", frozenset({Role.ADMIN, Role.DATA_SCIENTIST}), "a-long-password-1")
        users.create(connection, other, new, now=now)
    with TestClient(create_app(Services(models_world.services)), raise_server_exceptions=False) as made:
        made.other = other  # type: ignore[attr-defined]
        yield made


@pytest.fixture(scope="module")
def ada(client: TestClient, models_world: Any) -> Person:
    return Person(client, models_world.tenant, "ada@x.com")


@pytest.fixture(scope="module")
def ben(client: TestClient, models_world: Any) -> Person:
    return Person(client, models_world.tenant, "ben@x.com")


@pytest.fixture(scope="module")
def ann(client: TestClient, models_world: Any) -> Person:
    return Person(client, models_world.tenant, "ann@x.com")


@pytest.fixture(scope="module")
def eve(client: TestClient) -> Person:
    return Person(client, client.other, "eve@x.com")  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def name(models_world: Any, ada: Person) -> str:
    """A challenger that was uploaded over HTTP."""
    with models_world.good().open("rb") as file:
        answer = ada("POST", "/v1/models", files={"file": ("package.zip", file, "application/zip")})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['job_id']}"
    assert answer.json()["state"] == "checking"
    models_world.run(answer.json()["job_id"])
    return str(answer.json()["name"])


class TestRoutes:
    def test_one_version_with_all_that_is_known(self, name: str, ann: Person) -> None:
        found = ann("GET", f"/v1/models/{name}/versions/1").json()
        assert found["state"] == "challenger"
        assert found["verdict"]["passed"]
        assert found["lineage"]["package_sha256"] == found["sha256"]
        assert found["shadow_runs"] == 1

    def test_lists(self, name: str, ada: Person) -> None:
        listed = ada("GET", "/v1/models").json()
        assert [item["name"] for item in listed["items"]] == [name]
        assert [item["version"] for item in ada("GET", f"/v1/models/{name}").json()["items"]] == [1]
        assert [item["action"] for item in ada("GET", f"/v1/models/{name}/log").json()["items"]] == ["challenger", "shadow", "registered"]

    def test_another_tenants_model_is_404(self, name: str, eve: Person) -> None:
        assert eve("GET", "/v1/models").json()["items"] == []
        for method, path in (
            ("GET", f"/v1/models/{name}"), ("GET", f"/v1/models/{name}/log"), ("GET", f"/v1/models/{name}/versions/1"),
            ("DELETE", f"/v1/models/{name}/versions/1"), ("GET", f"/models/{name}"),
        ):  # fmt: skip
            assert eve(method, path).status_code == 404, path
        assert eve("POST", f"/v1/models/{name}/versions/1/promote", json={}).status_code == 404
        assert eve("POST", f"/v1/models/{name}/rollback", json={}).status_code == 404
        assert eve("POST", f"/models/{name}/promote", data={"version": 1, "revision": 0}).status_code == 404

    def test_the_same_person_gets_409(self, name: str, ada: Person) -> None:
        answer = ada("POST", f"/v1/models/{name}/versions/1/promote", json={})
        assert answer.status_code == 409
        assert answer.json()["code"] == "same_person"

    def test_analysts_look_and_do_not_promote(self, name: str, ann: Person) -> None:
        assert ann("POST", f"/v1/models/{name}/versions/1/promote", json={}).status_code == 403
        assert ann("POST", "/v1/models", files={"file": ("a.zip", b"x", "application/zip")}).status_code == 403

    def test_a_stale_decision_is_told(self, name: str, ben: Person) -> None:
        answer = ben("POST", f"/v1/models/{name}/versions/1/promote", json={"revision": 77})
        assert answer.status_code == 409
        assert answer.json()["code"] == "slot_changed"

    def test_promote_and_roll_back(self, name: str, ben: Person) -> None:
        revision = ben("GET", f"/v1/models/{name}/versions/1").json()["revision"]
        promoted = ben("POST", f"/v1/models/{name}/versions/1/promote", json={"note": "good", "revision": revision})
        assert promoted.status_code == 200, promoted.text
        assert promoted.json()["state"] == "champion"
        assert ben("GET", "/v1/models").json()["serving"][0]["champion"] == f"{name}/1"
        began_s = time.perf_counter()
        back = ben("POST", f"/v1/models/{name}/rollback", json={"reason": "a try"})
        assert time.perf_counter() - began_s < 2
        assert back.json() == {"serving": "Querent's own model"}

    def test_what_is_no_package_is_told_why(self, ada: Person) -> None:
        answer = ada("POST", "/v1/models", files={"file": ("a.zip", b"hello", "application/zip")})
        assert answer.status_code == 422
        assert answer.json()["code"] == "bad_package"


class TestPages:
    def test_list_and_detail(self, name: str, ben: Person) -> None:
        assert name in ben("GET", "/models").text
        text = ben("GET", f"/models/{name}").text
        for words in ("The gate", "Better by more than chance", "All together", "registered version 1", "Where it comes from"):
            assert words in text, words

    def test_the_registrar_sees_no_promote_button(self, name: str, ada: Person, ben: Person) -> None:
        assert "Make it the champion" not in ada("GET", f"/models/{name}").text
        assert "Make it the champion" in ben("GET", f"/models/{name}").text

    def test_promote_and_roll_back_by_form(self, name: str, ben: Person) -> None:
        revision = ben("GET", f"/v1/models/{name}/versions/1").json()["revision"]
        done = ben("POST", f"/models/{name}/promote", data={"version": 1, "revision": revision, "note": "<b>bold</b>"})
        assert done.status_code == 303
        assert "Bring back what served before" in ben("GET", f"/models/{name}").text
        assert ben("POST", f"/models/{name}/rollback", data={"reason": "no"}).status_code == 303
        assert "&lt;b&gt;bold" in ben("GET", f"/models/{name}").text

    def test_executives_are_told_it_is_not_theirs(self, models_world: Any, client: TestClient, name: str) -> None:
        now = models_world.services.clock.now()
        with models_world.services.store.write() as connection:
            new = NewUser("exe@x.com", "Exe", frozenset({Role.EXECUTIVE}), "a-long-password-1")
            users.create(connection, models_world.tenant, new, now=now)
        assert Person(client, models_world.tenant, "exe@x.com")("GET", "/models").status_code == 403

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_nothing_keeps_anybody_out(self, scheme: str, models_world: Any, name: str, ben: Person) -> None:
        """axe on both pages, wide and narrow, and the chart is drawn."""
        if not CHROMIUM.exists():
            needs("chromium", f"{CHROMIUM} is not there")
        from playwright.sync_api import sync_playwright

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        app = create_app(Services(models_world.services))
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        wrong: list[str] = []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"])
            for width in (320, 1280):
                context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
                context.add_cookies([{"name": "querent_session", "value": ben.token, "url": f"http://127.0.0.1:{port}"}])
                page = context.new_page()
                for path in ("/models", f"/models/{name}"):
                    page.goto(f"http://127.0.0.1:{port}{path}")
                    if path != "/models":
                        page.wait_for_selector(".chart svg")
                    page.evaluate(AXE.read_text(encoding="utf-8"))
                    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
                    wrong += [f"{path} {width}: {v['id']} {node['html'][:120]}" for v in found["violations"] for node in v["nodes"]]
                    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                        wrong.append(f"{path} {width}: scrolls sideways")
                if width == 1280 and scheme == "light":
                    page.screenshot(path=str(models_world.folder / "model.png"), full_page=True)
                context.close()
            browser.close()
        server.should_exit = True
        thread.join(timeout=20)
        assert wrong == []


class TestCommandLine:
    def run(self, world: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
        import os

        command = [sys.executable, "-m", "api.cli", "models", *arguments]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **world.environment}, capture_output=True, text=True, timeout=280)

    def test_promote_log_and_rollback(self, models_world: Any, name: str) -> None:
        tenant = ["--tenant", models_world.tenant]
        same = self.run(models_world, "promote", *tenant, name, "1", "--as", "ada@x.com")
        assert same.returncode == 2
        assert "second data scientist" in same.stderr
        done = self.run(models_world, "promote", *tenant, name, "1", "--as", "ben@x.com", "--note", "by hand")
        assert done.returncode == 0, done.stderr
        back = self.run(models_world, "rollback", *tenant, name, "--as", "ben@x.com")
        assert "Querent's own model serves again" in back.stdout
        log = json.loads(self.run(models_world, "log", *tenant, name, "--json").stdout)
        assert [entry["action"] for entry in log[:2]] == ["rolled back", "promoted"]

    def test_check_says_what_is_wrong(self, models_world: Any, tmp_path: Path) -> None:
        draft = models_world.package(
            "flat",
            "from models.sdk import Forecaster\nclass Model(Forecaster):\n    def fit(self, h, c): raise ValueError('no idea')\n    def predict(self, f): ...\n",
        )
        done = self.run(models_world, "check", str(draft))
        assert done.returncode == 1
        assert "ValueError: no idea (model.py, line 3)" in done.stdout
