"""The whole product behind a real browser: embedded warehouse, SQLite, an API server, one worker process, Debian's Chromium.

One stack serves all tests of this folder (tests/together.py), because making it takes longer than any test,
and ends with them: a browser's loop would be in the way of other tests.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from api.app import create_app
from api.services import Services
from core.clock import SystemClock
from core.settings import Settings
from tests.conftest import WarehouseEndpoint, needs
from workers.bootstrap import Services as CoreServices
from workers.demo.load import load_demo
from workers.demo.people import DEMO_PASSWORD
from workers.demo.setup import ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import WORLDS

CHROMIUM = Path("/usr/bin/chromium")
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DAYS = 300
_START_TIMEOUT_S = 60
_PATIENCE_MS = 30_000  # a busy machine with two cores may take ten times as long as a quiet one
JOB_MS = 120_000  # what a worker process does on it, the start of its libraries included

_WATCH_POLICY = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.web)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running product: its address, and its parts for checking what the page says."""

    url: str
    services: Services
    endpoint: WarehouseEndpoint
    signed: dict[tuple[str, str], Any] = field(default_factory=dict)


@pytest.fixture(scope="package")
def stack(warehouse_endpoint: WarehouseEndpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not CHROMIUM.exists():
        needs("chromium", f"{CHROMIUM} is missing")
    home = tmp_path_factory.mktemp("web_home")
    settings = Settings(
        home=home, mlflow_root=home / "mlruns", environment="test", warehouse_url=warehouse_endpoint.url,
        warehouse_password=warehouse_endpoint.reader_token, warehouse_admin_password=warehouse_endpoint.token, _env_file=None,
    )  # type: ignore[call-arg]  # fmt: skip
    core = CoreServices(settings, SystemClock())
    core.migrate()
    now = core.clock.now()
    end = now.date() - dt.timedelta(days=1)
    span = Span(end - dt.timedelta(days=DAYS), end, end)
    load_demo(core.admin, tuple((world, span) for world in WORLDS))
    ensure_people_and_catalogs(core.store, now)
    services = Services(core)
    port = _free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(services), port=port, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    worker = _worker(home, warehouse_endpoint)
    _wait(lambda: server.started, "the API")
    yield Stack(f"http://127.0.0.1:{port}", services, warehouse_endpoint)
    server.should_exit = True
    thread.join(timeout=20)
    worker.terminate()
    try:
        worker.wait(timeout=20)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _worker(home: Path, endpoint: WarehouseEndpoint) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "QUERENT_HOME": str(home),
        "QUERENT_MLFLOW_ROOT": str(home / "mlruns"),
        "QUERENT_ENVIRONMENT": "test",
        "QUERENT_WAREHOUSE_URL": endpoint.url,
        "QUERENT_WAREHOUSE_PASSWORD": endpoint.reader_token,
        "QUERENT_WAREHOUSE_ADMIN_PASSWORD": endpoint.token,
        "OMP_NUM_THREADS": "1",
    }
    with (home / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "workers", "worker", "--concurrency", "1"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.05)


@pytest.fixture(scope="package")
def browser(stack: Stack) -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield made
        made.close()


class Visit:
    """Pages of one signed-in person (`who` empty: of nobody); every page is watched for policy violations and script errors.

    A person signs in once; later pages take over the session, because checking a password is slow on purpose.
    """

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self._stack, self._browser = stack, browser
        self._contexts: list[BrowserContext] = []
        self.scripted: list[BrowserContext] = []
        self.pages: list[Page] = []
        self.errors: list[str] = []
        self._signed: dict[tuple[str, str], Any] = stack.signed

    def __call__(
        self,
        who: str = "executive",
        *,
        tenant: str = "acme",
        scheme: str = "light",
        width: int = 1280,
        height: int = 900,
        script: bool = True,
    ) -> Page:
        context = self._browser.new_context(
            base_url=self._stack.url, viewport={"width": width, "height": height}, color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=script, reduced_motion="reduce", accept_downloads=True, locale="en-GB",
        )  # fmt: skip
        self._contexts.append(context)
        self.scripted += [context] if script else []
        context.add_init_script(_WATCH_POLICY)
        context.set_default_timeout(_PATIENCE_MS)
        if who and (who, tenant) not in self._signed:
            answer = context.request.post(
                f"{self._stack.url}/v1/login", data={"email": f"{who}@{tenant}.example", "password": DEMO_PASSWORD, "tenant": tenant}
            )
            assert answer.ok, answer.text()
            self._signed[who, tenant] = context.cookies()
        elif who:
            context.add_cookies(self._signed[who, tenant])
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if "Content Security Policy" in said.text else None)
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.pages.append(page)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visit(stack: Stack, browser: Browser) -> Iterator[Visit]:
    """Signs a person in and opens an empty page; at the end no page may have met a policy violation or a script error."""
    made = Visit(stack, browser)
    yield made
    found = list(made.errors)
    for page in made.pages:
        found += page.evaluate("window.__violations ?? []") if page.context in made.scripted else []
    made.close()
    assert found == []


def chips(page: Page) -> list[str]:
    """What the chips of the answer say."""
    return [text.replace("\n", " ") for text in page.locator(".chip > summary, .chip.still").all_inner_texts()]


def write(page: Page, selector: str, text: str) -> None:
    """Puts a long text into a field at once: the browser takes seconds to type 30,000 characters."""
    page.locator(selector).evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', {bubbles: true})); }", text
    )


def ask(page: Page, question: str) -> None:
    """Types a question and waits for what comes of it."""
    page.goto("/")
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_url("**/answers/*")
    page.wait_for_selector("#answers .panel")
