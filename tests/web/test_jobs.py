"""Jobs on the page: progress to a result, cancel, try again."""

from __future__ import annotations

from playwright.sync_api import expect

from core.ids import UserId, tenant_id
from core.principal import Principal, Role
from tests.web.conftest import JOB_MS, Stack, Visit, ask
from workers.queue import enqueue


class TestAForecast:
    def test_runs_from_an_answer_to_its_chart_in_place(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by month")
        page.get_by_role("button", name="Forecast", exact=True).press("Enter")
        expect(page.locator(".job h2.headline")).to_contain_text("expected", timeout=JOB_MS)
        expect(page.locator(".job .chart svg").first).to_be_visible()
        page.goto("/jobs")
        expect(page.locator("tbody tr").first).to_contain_text("done")
        page.locator("tbody a").first.press("Enter")
        expect(page.locator("h1")).to_have_text("Forecast: revenue")

    def test_why_names_the_change(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue last month")
        page.get_by_role("button", name="Why?", exact=True).press("Enter")
        expect(page.locator(".job h2.headline")).to_contain_text("Revenue", timeout=JOB_MS)


class TestALongJob:
    def test_shows_progress_is_cancelled_and_tried_again(self, visit: Visit, stack: Stack) -> None:
        page = visit("analyst")
        page.goto("/")
        person = page.request.get("/v1/me").json()
        caller = Principal(tenant=tenant_id("acme"), user=UserId(person["user"]), roles=frozenset({Role.ANALYST}))
        job = enqueue(stack.services.core, "diagnose", {"hold_s": 30}, caller)
        page.goto(f"/jobs/{job}")
        expect(page.locator("progress")).to_have_js_property("max", 1)
        expect(page.locator(".steps [aria-current=step]")).to_have_text("hold")
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.locator(".state")).to_have_text("cancelled")
        page.get_by_role("button", name="Try again").press("Enter")
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.locator(".state")).to_have_text("cancelled")
