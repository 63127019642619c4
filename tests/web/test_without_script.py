"""Without JavaScript one can still sign in, ask, read, edit chips, drill, page and look at a job."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web.conftest import Visit
from workers.demo.people import DEMO_PASSWORD


class TestWithoutScript:
    def test_asking_reading_refining_and_drilling(self, visit: Visit) -> None:
        page = visit(script=False)
        page.goto("/")
        page.fill("#question", "revenue by region last quarter")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_url("**/answers/*")
        expect(page.locator("tbody tr")).to_have_count(3)
        page.locator(".chip", has_text="last quarter").locator("summary").click()
        page.get_by_role("button", name="Remove last quarter").click()
        expect(page.locator(".chip > summary", has_text="last quarter")).to_have_count(0)
        page.locator("tbody button.cell").first.click()
        expect(page.locator("thead")).to_contain_text("country")
        page.locator("a.sort").last.click()
        expect(page.locator("th[aria-sort=descending]")).to_have_count(1)

    def test_a_share_link_asks(self, visit: Visit) -> None:
        page = visit(script=False)
        page.goto("/?q=revenue%20by%20region%20last%20quarter")
        page.wait_for_url("**/answers/*")
        expect(page.locator("h2.headline")).to_contain_text("revenue")
        page.goto("/ask?q=orders%20last%20month")
        page.wait_for_url("**/answers/*")

    def test_an_address_without_a_page_says_so_and_leads_back(self, visit: Visit) -> None:
        page = visit(script=False)
        found = page.goto("/nowhere")
        assert found is not None
        assert found.status == 404
        expect(page.locator("h2.headline")).to_contain_text("no page at this address")
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        page.get_by_role("link", name="Go to Ask").click()
        expect(page.locator("#question")).to_be_visible()
        answered = page.request.get("/v1/nowhere", headers={"Accept": "text/html"})
        assert (answered.status, answered.headers["content-type"]) == (404, "application/problem+json")

    def test_a_job_is_followed_by_looking_again(self, visit: Visit) -> None:
        page = visit(script=False)
        page.goto("/?q=revenue%20last%20month")
        page.get_by_role("button", name="Why?", exact=True).click()
        page.get_by_role("link", name="See progress and result").click()
        expect(page.locator(".state")).to_be_visible()
        for _ in range(240):
            if page.locator(".state.done").count():
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(page.locator(".job h2.headline")).to_contain_text("Revenue")

    def test_signing_in_and_out(self, visit: Visit) -> None:
        page = visit(script=False)
        page.context.clear_cookies()
        page.goto("/jobs")
        page.fill("input[name=email]", "executive@acme.example")
        page.fill("input[name=password]", "wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.fill("input[name=password]", DEMO_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/jobs")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")

    def test_a_goal_is_set_changed_and_removed(self, visit: Visit) -> None:
        page = visit("executive", tenant="globex", script=False)
        page.goto("/goals")
        page.get_by_role("link", name="Set a goal", exact=True).click()
        page.select_option("select[name=metric]", "revenue")
        page.get_by_role("button", name="Set the goal").click()
        page.fill("input[name=target]", "a lot")
        page.get_by_role("button", name="Set the goal").click()
        expect(page.locator(".problem")).to_contain_text("is not a number")
        page.fill("input[name=target]", "1,234,567")
        page.fill("input[name=name]", "<b>Big</b> year")
        page.get_by_role("button", name="Set the goal").click()
        row = page.locator("li.rule", has_text="<b>Big</b> year")
        expect(row).to_contain_text("1.23M")
        stale = visit("executive", tenant="globex", script=False)
        row.get_by_role("link", name="Change").click()
        stale.goto(page.url)
        for one, name in ((page, "Good year"), (stale, "Best year")):
            one.fill("input[name=name]", name)
            one.get_by_role("button", name="Save").click()
        expect(stale.locator(".problem")).to_contain_text("Somebody else changed this")
        stale.get_by_role("button", name="Save").click()
        stale.locator("li.rule", has_text="Best year").get_by_role("link", name="Change").click()
        stale.get_by_text("Remove this goal").click()
        stale.get_by_role("button", name="Remove “Best year”").click()
        expect(stale.locator("li.rule", has_text="Best year")).to_have_count(0)
