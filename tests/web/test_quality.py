"""Every page, light and dark, phone and wide: no accessibility violation, no policy violation, no sideways scrolling; and a small first load."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from api.boards import changes, service
from api.boards.links import token
from api.web.assets import STATIC
from api.web.pages import PARTS, router
from core.ids import JobId, tenant_id
from core.principal import Principal
from core.store import alert_rules, boards, digests, evaluations, goals, incidents, model_versions, sources, users
from core.store.alert_rules import NewAlertRule
from core.store.goals import NewGoal
from core.store.incidents import Finding
from core.store.sources import NewSource, Run
from models.sdk.card import read_card
from tests.web.conftest import HERE, ROOT, Stack, Visit, ask
from workers.alerts.preview import PreviewAsking
from workers.alerts.rule import as_definition, parse_rule
from workers.boards.snapshot import snapshot
from workers.digests.definition import DigestDefinition
from workers.queue import enqueue

INSTALLED = ROOT / "web/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = {"type": "rule", "values": ["color-contrast"]}  # all that differs between light and dark
LAYOUT = {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}  # and between wide and narrow
FIRST_LOAD_MAX_BYTES = 400_000
# Reading these gives no page: files, parts of pages that are looked at as part of their page, streams, style sheets, ways to elsewhere.
NO_PAGES = {
    "/answers/{key}/table", "/answers/{key}/export.{kind}", "/boards/{key}/pdf", "/boards/{key}/pins/{pin_id}", "/cards/{metric}",
    "/digest/{key}/pdf", "/brand/preview.css", "/brand/{tenant}/{version}.css", "/brand/{tenant}/{version}/logo", "/inbox/unread/events",
    "/ask", "/inbox/{key}", "/conversations/{key}", "/auth/oidc/callback", "/auth/oidc/{tenant}",
}  # fmt: skip
ALSO = ("/incidents?status=resolved", "/answers/qst_none")
QUESTION = "revenue by region last quarter compared to the year before"


@pytest.fixture(scope="session")
def axe() -> str:
    return (INSTALLED if INSTALLED.exists() else HERE / "vendor/axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, axe: str, rules: object = TAGS) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", rules)
    return [f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for v in found["violations"] for node in v["nodes"]]


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def places(page: Page, stack: Stack) -> Iterator[str]:
    """Walks through all pages; yields the name of each once it is there."""
    board = _board(stack)
    incident = _incident(stack)
    page.goto("/")
    expect(page.locator(".card .figure").first).to_be_visible()
    expect(page.locator(".card .loading")).to_have_count(0)
    yield "home"
    page.locator("#choose-cards summary").click()
    yield "home, choosing cards"
    ask(page, QUESTION)
    page.wait_for_selector(".chart svg")
    yield "answer"
    page.locator(".chip summary").first.click()
    yield "chip"
    page.keyboard.press("Escape")
    page.get_by_text("How this was computed").click()
    page.get_by_role("link", name="Pin").click()
    page.wait_for_selector(".pin-form")
    yield "receipt and pin"
    page.locator("tbody button.cell").first.click()
    page.wait_for_selector(".trail")
    yield "drilled"
    page.goto("/")
    page.fill("#question", "reven")
    page.wait_for_selector("[role=option]")
    yield "suggestions"
    ask(page, "revenue of zorbs by florp")
    yield "refused"
    page.goto(f"/boards/{board}")
    expect(page.locator(".pin .chart svg")).to_have_count(2)
    yield "board"
    for name in ("share", "history", "more", "filter"):
        page.locator(f"#{name}-pop > summary").click()
        yield f"board, {name}"
        page.keyboard.press("Escape")
    page.locator(".pin summary[aria-label^=Comments]").first.click()
    yield "board, comments"
    page.goto(f"/incidents/{incident}")
    page.wait_for_selector(".chart svg")
    yield "incident"
    page.goto("/rules/new")
    page.wait_for_selector("#preview .chart svg")
    for summary in page.locator(".more summary").all():
        summary.click()
    yield "rule"
    page.goto("/channels")
    for summary in page.locator(".panel.add summary").all():
        summary.click()
    yield "channels"
    for path in (
        *plain_routes(),
        *ALSO,
        f"/digest/{_issue(stack, board)}",
        f"/models/{_model(stack)}",
        f"/evaluation/{_evaluation(stack)}",
        f"/goals/{_goal(stack)}",
        f"/sources/{_source(stack)}",
        f"/sources/{_source(stack)}/change",
        "/catalog/forms/metric",
        "/catalog/forms/metric/revenue",
        "/catalog/forms/policy/orders_region",
        "/catalog/forms/levels/geography",
        "/catalog/forms/event/Black%20Friday",
    ):
        page.goto(path)
        for summary in page.locator("main .panel.add > summary, main li.rule details > summary").all()[:3]:
            summary.click()
        yield path
    page.goto("/rules")
    page.locator("main li.rule a").first.click()
    page.wait_for_url("**/rules/*")
    page.wait_for_selector("#preview .chart svg")
    yield "a rule"
    page.goto("/history")
    page.locator("main .list a").first.click()
    yield "conversation"
    page.goto(f"/answers/{page.url.rpartition('/')[2]}/pin")
    yield "pin"
    page.goto("/catalog/versions/1")
    yield "catalog version"
    page.goto(f"/jobs/{enqueue(stack.services.core, 'diagnose', {}, _analyst(stack))}")
    yield "job"
    page.goto("/catalog")
    page.locator(".dataset summary").first.click()
    yield "dataset"
    page.goto(_public(stack, board))
    yield "public board"
    page.context.clear_cookies()
    page.goto("/login")
    yield "login"


def page_routes() -> list[APIRoute]:
    """Every address that shows a page, whatever module it is in."""
    found = [route for part in (router, *(one.router for one in PARTS)) for route in part.routes if isinstance(route, APIRoute)]
    return [route for route in found if "GET" in route.methods and route.path not in NO_PAGES]


def plain_routes() -> list[str]:
    return [route.path for route in page_routes() if "{" not in route.path and route.path not in ("/", "/login", "/rules/new", "/channels")]


def _issue(stack: Stack, board: str) -> str:
    caller = _analyst(stack)
    now = stack.services.clock.now()
    with stack.services.store.write() as connection:
        asked = digests.NewDigest(
            "Quality", caller.user, None, DigestDefinition(board=board).model_dump(mode="json"), True, now + dt.timedelta(days=7)
        )
        made = digests.create(connection, caller.tenant, asked, [caller.user], now=now)
        stored = boards.get(connection, caller.tenant, board)
    found = snapshot(PreviewAsking(caller.tenant, caller, stack.services.core, now), stored)
    body = {"digest": "Quality", "board": board, "sentences": ["All is well."], "sections": [one.as_json() for one in found.sections]}
    with stack.services.store.write() as connection:
        issue = digests.put_issue(
            connection, caller.tenant, digests.NewIssue(made.id, caller.user, "a", "issued", "Quality", body), now=now
        )
    assert issue is not None
    return issue.id


def _model(stack: Stack) -> str:
    caller = _analyst(stack)
    card = read_card((ROOT / "models/templates/pyfunc/model.yaml").read_text(encoding="utf-8")).as_json()
    new = model_versions.NewVersion("acme.forecaster.revenue.quality", "forecaster", "revenue", "0" * 64, 1000, card, caller.user)
    with stack.services.store.write() as connection:
        return model_versions.create(connection, caller.tenant, new, now=stack.services.clock.now())[0].name


def _evaluation(stack: Stack) -> str:
    caller = _analyst(stack)
    item = {
        "question": "revenue last month", "verdict": "other rows", "regression": True, "reads_worse": True,
        "old": {"sql": "SELECT 1", "rows": 1, "error": None}, "new": {"sql": "SELECT 2", "rows": 2, "error": None, "reads": "asks"},
    }  # fmt: skip
    new = evaluations.NewEvaluation(None, 2, 1, 1, 1, {"items": [item]}, caller.user)
    with stack.services.store.write() as connection:
        return evaluations.save(connection, caller.tenant, new, now=stack.services.clock.now()).id


def _analyst(stack: Stack) -> Principal:
    with stack.services.store.read() as connection:
        found = users.by_email(connection, tenant_id("acme"), "analyst@acme.example")
    assert found is not None
    return found.principal()


def _goal(stack: Stack) -> str:
    caller, now = _analyst(stack), stack.services.clock.now()
    with stack.services.store.write() as connection:
        new = NewGoal("Quality", "revenue", dt.date(now.year, 1, 1), dt.date(now.year + 1, 1, 1), 1e6, "at_least", caller.user)
        made = goals.create(connection, caller.tenant, new, by=caller.user, now=now)
    return made.id


def _source(stack: Stack) -> str:
    """One that failed once; the same each time."""
    caller, now = _analyst(stack), stack.services.clock.now()
    with stack.services.store.write() as connection:
        known = sources.by_name(connection, caller.tenant, "Quality")
        if known is not None:
            return known.id
        where = {
            "kind": "postgresql",
            "host": "db.example.com",
            "port": 5432,
            "database": "shop",
            "schema_name": "public",
            "table": "t",
            "user": "u",
        }
        plan = {
            "table": "quality",
            "mode": "incremental",
            "key": "changed_at",
            "identity": ["id"],
            "look_back_days": 0,
            "every_minutes": 60,
        }
        made = sources.create(
            connection, caller.tenant, NewSource("Quality", "postgresql", where, plan, None, "quality", caller.user), now=now
        )
        drift = {"added": {"colour": "String"}, "removed": ["size"], "retyped": {"price": ["Int64", "Float64"]}}
        ok = Run("run_1", made.id, JobId("job_1"), "ok", 10, {"total": 10, "to": "2026", "drift": drift}, now, now)
        sources.record(connection, made, ok)
        failed = Run(
            "run_2", made.id, JobId("job_2"), "failed", 0, {"error": {"code": "x", "message": "It could not be reached."}}, now, now
        )
        sources.record(connection, made, failed, error="It could not be reached.")
    return made.id


def _board(stack: Stack) -> str:
    caller = _analyst(stack)
    visible = stack.services.catalogs.visible(caller)
    made = service.create(stack.services, caller, "Quality", "What is looked at")
    for question in ("revenue by month", "revenue by region", "orders"):
        query = visible.understander.understand(question, as_of=stack.services.clock.now()).readings[0].query
        pin = service.new_pin(question, query)
        service.change(stack.services, caller, made.id, changes.AddPin(pin=pin), on=None)
        service.comment(stack.services, caller, made.id, "Look at this", pin_id=pin.id, point=None)
    return made.id


def _public(stack: Stack, board: str) -> str:
    caller = _analyst(stack)
    link = service.add_link(stack.services, caller, board, 1)
    return f"/public/boards/{token(stack.services.core.session_key, caller.tenant, link.id)}"


def _incident(stack: Stack) -> str:
    now = stack.services.clock.now()
    began = now.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=2)
    caller = _analyst(stack)
    points = [
        {"t": (began - dt.timedelta(days=n)).replace(tzinfo=None).isoformat(), "v": 100 + n, "expected": 102, "lower": 90, "upper": 120}
        for n in range(20, -2, -1)
    ]
    facts = {"label": "orders", "grain": "day", "scope": "Total", "expected": 102.0, "actual": 40.0, "points": points, "rule_name": "Orders",
             "drivers": ["By channel: direct went from 50 to 2."], "last_bucket": began.isoformat(),
             "segments": [{"label": n, "kind": "value", "direction": "down", "severity": 60, "impact": -5.0, "expected": 9.0, "actual": 4.0}
                          for n in ("Total", "direct")]}  # fmt: skip
    with stack.services.store.write() as connection:
        definition = as_definition(parse_rule({"metric": "orders"}))
        rule = alert_rules.create(
            connection, caller.tenant, NewAlertRule("Orders", "orders", definition, caller.user, False, None), now=now
        )
        found = Finding("quality", "orders", "total", "value", "down", 72.0, -62.0, began, None, now, facts, rule_id=rule.id)
        return incidents.put(connection, caller.tenant, found, now=now)[0].id


def test_every_page_is_accessible_and_fits(visit: Visit, stack: Stack, axe: str) -> None:
    """Each page of the application at two widths, in both colour schemes, in one walk: moving between pages is what takes time."""
    page = visit("admin", width=1440)
    wrong: list[str] = []
    visited: set[str] = set()
    page.on("framenavigated", lambda frame: visited.add(urlsplit(frame.url).path))
    looks: tuple[tuple[str, int, object], ...] = (
        ("light", 1440, TAGS), ("light", 320, LAYOUT), ("dark", 320, COLOURS), ("dark", 1440, COLOURS),
    )  # fmt: skip
    for name in places(page, stack):
        for scheme, width, rules in looks:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{name}, {scheme}, {width}"
            wrong += [f"{where}: {found}" for found in violations(page, axe, rules)]
            wrong += [f"{where}: scrolls sideways"] if scheme == "light" and scrolls_sideways(page) else []
        wrong += [f"{name}: {found}" for found in page.evaluate("window.__violations.splice(0)")]
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert wrong == []
    missed = [route.path for route in page_routes() if not any(route.path_regex.fullmatch(path) for path in visited)]
    assert missed == []


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
    page.wait_for_function("window.__violations.length")
    page.evaluate("window.__violations.splice(0)")
    assert visit.errors
    visit.errors.clear()


def test_the_first_load_is_small() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))
    main = manifest["src/main.js"]
    charts = [entry["file"] for entry in manifest.values() if entry.get("isDynamicEntry")]
    fonts = [name for name in main.get("assets", []) if "latin-wght" in name]
    files = [main["file"], *main["css"], *charts, *fonts]
    assert fonts
    assert sum(len(gzip.compress(Path(STATIC / name).read_bytes())) for name in files) <= FIRST_LOAD_MAX_BYTES
    assert charts
    assert main["file"] not in charts
