"""An executive asks, refines, drills, goes back and gives feedback, with the keyboard only."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from core.ids import tenant_id
from core.store import questions
from tests.web.conftest import Stack, Visit, ask


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.tagName"))


class TestAsking:
    def test_slash_leads_to_the_box_and_arrows_take_a_suggestion(self, visit: Visit) -> None:
        page = visit()
        page.goto("/catalog")
        page.goto("/")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        assert focused(page) == "question"
        page.keyboard.type("reven")
        options = page.get_by_role("option")
        expect(options.first).to_be_visible()
        expect(page.locator("#question")).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("ArrowDown")
        expect(options.first).to_have_attribute("aria-selected", "true")
        assert page.input_value("#question") == options.first.get_attribute("data-text")
        page.keyboard.press("Escape")
        expect(page.locator(".suggestions")).to_be_hidden()
        assert page.input_value("#question") == "reven"

    def test_an_answer_has_headline_chart_table_chips_and_receipt(self, visit: Visit, stack: Stack) -> None:
        page = visit()
        ask(page, "revenue by region")
        expect(page.locator("h2.headline")).to_contain_text("revenue")
        expect(page.locator(".chart svg")).to_be_visible()
        assert focused(page) == "headline"
        shown = {row.locator("td").nth(0).inner_text(): row.locator("td").nth(1).inner_text() for row in page.locator("tbody tr").all()}
        rows = stack.services.core.admin.query_arrow(
            "SELECT c.region AS region, sum(l.net_amount) AS revenue FROM demo.order_lines AS l "
            "JOIN demo.orders AS o ON l.order_id = o.order_id AND o.tenant_id = l.tenant_id "
            "JOIN demo.countries AS c ON o.country = c.country AND c.tenant_id = l.tenant_id WHERE l.tenant_id = 'acme' GROUP BY c.region"
        ).to_pylist()
        assert {name: round(float(re.sub(r"[^0-9.]", "", text))) for name, text in shown.items()} == {
            row["region"]: round(float(row["revenue"])) for row in rows
        }
        page.get_by_text("How this was computed").click()
        receipt = page.locator(".receipt")
        expect(receipt).to_contain_text("Net amount of all order lines")
        expect(receipt.locator("pre")).to_contain_text("GROUP BY")
        assert "\n" in receipt.locator("pre").inner_text()

    def test_an_unknown_word_is_underlined_and_replaced_with_one_click(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by regoin of zorbs")
        expect(page.locator("mark.unknown").first).to_be_visible()
        words = page.locator("mark.unknown").all_inner_texts()
        assert "zorbs" in words
        ask(page, "revenue by regoin")
        if page.locator("mark.unknown").count():
            page.locator(".unknown-list").get_by_role("button", name="region", exact=True).press("Enter")
            expect(page.locator("tbody tr").first).to_be_visible()
        expect(page.locator(".chip > summary", has_text="region")).to_have_count(1)


class TestWaiting:
    def test_says_what_is_being_done_and_stops_on_escape(self, visit: Visit) -> None:
        page = visit()
        page.goto("/")
        page.route("**/ask", lambda route: None)  # an answer that does not come
        page.fill("#question", "revenue by region")
        page.press("#question", "Enter")
        expect(page.locator("#busy")).to_contain_text("Reading the question")
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#busy")).to_be_hidden()
        assert focused(page) == "question"
        page.unroute_all(behavior="ignoreErrors")
        page.press("#question", "Enter")
        expect(page.locator("tbody tr")).to_have_count(3)

    def test_a_server_that_is_away_is_said_in_a_sentence(self, visit: Visit) -> None:
        page = visit()
        page.goto("/")
        page.route("**/ask", lambda route: route.abort())
        page.fill("#question", "revenue by region")
        page.press("#question", "Enter")
        expect(page.locator("#answers .problem")).to_contain_text("The server did not answer")


class TestRefining:
    def test_a_chip_is_edited_by_keyboard_without_asking_again(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region last quarter")
        first = page.url
        chip = page.locator(".chip", has_text="revenue").locator("summary")
        chip.focus()
        page.keyboard.press("Enter")
        page.locator(".chip[open] select[name=value]").select_option("orders")
        page.locator(".chip[open] button", has_text="Apply").press("Enter")
        page.wait_for_url(lambda url: "/answers/" in url and url != first)
        expect(page.locator("thead")).to_contain_text("orders")
        page.go_back()
        page.wait_for_url(first)
        expect(page.locator("thead")).to_contain_text("revenue")

    def test_a_chip_is_removed(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region last quarter")
        expect(page.locator("tbody tr")).to_have_count(3)
        page.locator(".chip", has_text="last quarter").locator("summary").press("Enter")
        page.get_by_role("button", name="Remove last quarter").press("Enter")
        expect(page.locator(".chip > summary", has_text="last quarter")).to_have_count(0)
        expect(page.locator("tbody tr")).to_have_count(3)

    def test_escape_closes_a_chip_and_keeps_the_place(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region last quarter")
        summary = page.locator(".chip", has_text="last quarter").locator("summary")
        summary.press("Enter")
        expect(page.locator(".chip[open]")).to_have_count(1)
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        expect(page.locator(".chip[open]")).to_have_count(0)
        assert summary.evaluate("(e) => e === document.activeElement")


class TestDrilling:
    def test_a_value_leads_one_level_down_the_hierarchy(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region")
        page.locator("tbody tr", has_text="EMEA").locator("button.cell").press("Enter")
        expect(page.locator("thead")).to_contain_text("country")
        expect(page.locator(".chip > summary", has_text="EMEA")).to_have_count(1)
        page.go_back()
        expect(page.locator("thead")).to_contain_text("region")

    def test_a_mark_of_the_chart_does_the_same(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region")
        page.locator(".chart .mark-rect path").first.click()
        expect(page.locator("thead")).to_contain_text("country")

    def test_a_month_leads_to_its_days(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by month this year")
        page.locator("tbody button.cell").first.press("Enter")
        expect(page.locator("thead")).to_contain_text("Day")


class TestGoingOn:
    def test_a_follow_up_stands_on_the_answer_and_the_earlier_one_stays_in_reach(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region last quarter")
        follow = page.locator(".follow input[name=q]")
        follow.fill("only EMEA")
        follow.press("Enter")
        expect(page.locator(".earlier")).to_contain_text("revenue by region last quarter")
        expect(page.locator(".chip > summary", has_text="EMEA")).to_have_count(1)
        page.locator(".earlier a").first.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(3)

    def test_feedback_is_kept(self, visit: Visit, stack: Stack) -> None:
        page = visit()
        ask(page, "revenue last month")
        key = page.url.rsplit("/", 1)[-1]
        page.get_by_role("button", name="This is wrong").press("Enter")
        page.get_by_label("What was wrong").fill("Refunds are missing")
        page.get_by_role("button", name="Send").press("Enter")
        expect(page.get_by_text("Thank you, noted.")).to_be_visible()
        with stack.services.store.read() as connection:
            found = questions.list_feedback(connection, tenant_id("acme"), key)
        assert [(f.verdict, f.comment) for f in found] == [("down", "Refunds are missing")]

    def test_figures_leave_as_csv_and_excel_and_the_chart_as_a_picture(self, visit: Visit) -> None:
        page = visit()
        ask(page, "revenue by region last quarter")
        key = page.url.rsplit("/", 1)[-1]
        starts = {"csv": b"\xef\xbb\xbfregion,revenue", "xlsx": b"PK", "json": b"{", "png": b"\x89PNG", "svg": b"<svg"}
        for kind, start in starts.items():
            answer = page.request.get(f"/answers/{key}/export.{kind}")
            assert answer.ok, kind
            assert answer.body().startswith(start), kind

    def test_metric_cards_fill_and_open(self, visit: Visit) -> None:
        page = visit()
        page.goto("/")
        card = page.locator(".card", has_text="revenue").first
        expect(card.locator(".figure")).to_contain_text("€")
        expect(card.locator("svg.spark")).to_be_visible()
        card.locator(".card-title").press("Enter")
        page.wait_for_url("**/answers/*")
        expect(page.locator(".chart svg")).to_be_visible()

    def test_history_leads_back_and_forgets(self, visit: Visit) -> None:
        page = visit()
        ask(page, "orders by channel last month")
        page.goto("/history")
        item = page.locator(".list li", has_text="orders by channel last month")
        expect(item).to_have_count(1)
        item.locator("a").press("Enter")
        page.wait_for_url("**/answers/*")
        page.goto("/history")
        item.get_by_role("button").press("Enter")
        expect(item).to_have_count(0)


class TestAManager:
    def test_sees_only_the_own_region(self, visit: Visit) -> None:
        page = visit("manager")
        ask(page, "revenue by region")
        expect(page.locator("tbody tr")).to_have_count(1)
        region = page.locator("tbody tr td").first.inner_text()
        executive = visit()
        ask(executive, "revenue by region")
        regions = executive.locator("tbody tr td:first-child").all_inner_texts()
        assert region in regions
        assert len(regions) == 3

    def test_an_executives_answer_opens_with_the_managers_own_rights(self, visit: Visit) -> None:
        executive, manager = visit(), visit("manager")
        ask(executive, "revenue by region")
        manager.goto(executive.url)
        expect(manager.locator("tbody tr")).to_have_count(1)

    def test_another_companys_answer_is_not_there(self, visit: Visit) -> None:
        executive, stranger = visit(), visit(tenant="globex")
        ask(executive, "revenue by region")
        answer = stranger.goto(executive.url)
        assert answer is not None
        assert answer.status == 404
        expect(stranger.locator(".problem")).to_contain_text("Request req_")
