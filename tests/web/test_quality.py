"""Every page, light and dark, phone and wide: no accessibility violation, no policy violation, no sideways scrolling; and a small first load."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.web.assets import STATIC
from tests.web.conftest import HERE, ROOT, Visit, ask

INSTALLED = ROOT / "web/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIRST_LOAD_MAX_BYTES = 400_000
QUESTION = "revenue by region last quarter compared to the year before"


@pytest.fixture(scope="session")
def axe() -> str:
    return (INSTALLED if INSTALLED.exists() else HERE / "vendor/axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("(tags) => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", TAGS)
    return [f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for v in found["violations"] for node in v["nodes"]]


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def places(page: Page) -> Iterator[str]:
    """Walks through all pages; yields the name of each once it is there."""
    page.goto("/")
    expect(page.locator(".card .figure").first).to_be_visible(timeout=20_000)
    expect(page.locator(".card .loading")).to_have_count(0, timeout=20_000)
    yield "home"
    ask(page, QUESTION)
    page.wait_for_selector(".chart svg")
    yield "answer"
    page.locator(".chip summary").first.click()
    yield "chip"
    page.keyboard.press("Escape")
    page.get_by_text("How this was computed").click()
    yield "receipt"
    page.goto("/")
    page.fill("#question", "reven")
    page.wait_for_selector("[role=option]")
    yield "suggestions"
    ask(page, "revenue of zorbs by florp")
    yield "refused"
    for path in ("/history", "/jobs", "/catalog", "/catalog/edit", "/data", "/sql", "/nowhere-answers"):
        page.goto(path if path != "/nowhere-answers" else "/answers/qst_none")
        yield path
    page.goto("/catalog")
    page.locator(".dataset summary").first.click()
    yield "dataset"
    page.context.clear_cookies()
    page.goto("/login")
    yield "login"


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(visit: Visit, axe: str, scheme: str, width: int) -> None:
    page = visit("analyst", scheme=scheme, width=width)
    wrong: list[str] = []
    for name in places(page):
        wrong += [f"{name}: {found}" for found in violations(page, axe)]
        wrong += [f"{name}: scrolls sideways"] if scrolls_sideways(page) else []
        wrong += [f"{name}: {found}" for found in page.evaluate("window.__violations")]
    assert wrong == []


def test_axe_finds_what_is_wrong(visit: Visit, axe: str) -> None:
    page = visit()
    page.goto("/")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(found.startswith("image-alt") for found in violations(page, axe))


def test_the_policy_is_watched(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.evaluate(
        "document.body.setAttribute('style', 'color: red'); document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.__violations.splice(0)")
    assert visit.errors
    visit.errors.clear()


def test_the_first_load_is_small() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))
    main = manifest["src/main.js"]
    charts = [entry["file"] for entry in manifest.values() if entry.get("isDynamicEntry")]
    files = [main["file"], *main["css"], *charts]
    assert sum(len(gzip.compress(Path(STATIC / name).read_bytes())) for name in files) <= FIRST_LOAD_MAX_BYTES
    assert charts
    assert main["file"] not in charts
