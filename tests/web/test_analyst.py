"""An analyst uploads a file and asks about it, edits the catalog, and writes SQL."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.web.conftest import JOB_MS, Visit, ask, write

ROWS = """sold_on,shop,bottles,price
2026-01-05,Harbour,10,4.50
2026-01-06,Harbour,7,4.50
2026-01-07,Station,many,4.40
2026-02-01,Station,12,4.40
2026-02-02,Market,5,4.60
"""


def many_rows() -> str:
    """Enough good rows that one bad word does not make the column text."""
    good = "".join(f"2026-03-{1 + i % 28:02d},Harbour,{i % 9},4.50\n" for i in range(400))
    return ROWS + good


class TestUploading:
    def test_a_file_is_loaded_bad_rows_are_named_and_it_can_be_asked(self, visit: Visit, tmp_path: Path) -> None:
        file = tmp_path / "lemonade sales.csv"
        file.write_text(many_rows())
        page = visit("analyst")
        page.goto("/data")
        page.set_input_files("#file", file)
        page.get_by_role("button", name="Upload", exact=True).press("Enter")
        page.wait_for_url("**/jobs/*")
        expect(page.locator(".job h2.headline")).to_contain_text("404 rows of lemonade sales.csv loaded, 1 set aside", timeout=JOB_MS)
        rejected = page.locator("table", has_text="Why").first.locator("tbody tr").first
        expect(rejected).to_contain_text("4")
        expect(rejected).to_contain_text("bottles")
        expect(rejected).to_contain_text("many")
        ask(page, "total bottles by shop")
        shown = {row.locator("td").nth(0).inner_text(): row.locator("td").nth(1).inner_text() for row in page.locator("tbody tr").all()}
        harbour = 17 + sum(i % 9 for i in range(400))
        assert shown == {"Harbour": f"{harbour:,}", "Market": "5", "Station": "12"}

    def test_a_file_of_another_kind_is_refused_in_place(self, visit: Visit, tmp_path: Path) -> None:
        file = tmp_path / "picture.csv.exe"
        file.write_bytes(b"MZ")
        page = visit("analyst")
        page.goto("/data")
        page.locator("#file").evaluate("(e) => e.removeAttribute('accept')")
        page.set_input_files("#file", file)
        page.get_by_role("button", name="Upload", exact=True).press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Expected a file that ends in .csv")


class TestTheCatalog:
    def test_searches_as_one_types(self, visit: Visit) -> None:
        page = visit()
        page.goto("/catalog")
        page.fill("#find", "turnover")
        expect(page.locator(".defs > li").first).to_contain_text("revenue")
        expect(page.locator(".defs > li", has_text="orders")).to_have_count(0)
        page.fill("#find", "zzzz")
        expect(page.locator(".empty")).to_contain_text("Nothing in the catalog matches")

    def test_a_metric_is_made_by_form_checked_as_one_types_and_removed(self, visit: Visit) -> None:
        page = visit("analyst", tenant="globex")
        page.goto("/catalog")
        page.get_by_role("link", name="New metric").press("Enter")
        page.fill("#in-label", "small <b>orders</b>")
        page.fill("#in-name", "small_orders")
        page.select_option("#in-dataset", "orders")
        page.select_option("#in-aggregate", "count")
        page.fill("#in-where", "statuz = 'completed'")
        expect(page.locator("#checked-object")).to_contain_text("cannot be read")
        page.fill("#in-where", "status = 'completed'")
        expect(page.locator("#checked-object")).to_contain_text("added metrics/small_orders")
        expect(page.locator("#checked-object pre")).to_contain_text("orders.status =")
        page.get_by_role("button", name="Show figures").press("Enter")
        expect(page.locator("#checked-object tbody td")).to_have_text(re.compile(r"[\d,]+"))
        page.get_by_role("button", name="Add and publish").press("Enter")
        page.wait_for_url("**/catalog/forms/metric/small_orders?saved=yes")
        expect(page.locator("h1")).to_have_text("Small <b>orders</b>")
        page.get_by_text("Remove this metric").click()
        page.get_by_role("button", name="Remove “").press("Enter")
        page.wait_for_url("**/catalog")
        expect(page.locator(".defs")).not_to_contain_text("small <b>orders</b>")

    def test_a_segment_is_tried_before_it_is_published(self, visit: Visit) -> None:
        page = visit("analyst", tenant="globex")
        page.goto("/catalog/structure")
        page.get_by_role("link", name="New segment").press("Enter")
        page.fill("#in-label", "big <i>ones</i>")
        page.fill("#in-name", "big_ones")
        page.fill("#in-synonyms", "whales")
        page.select_option("#in-dataset", "order_lines")
        page.fill("#in-where", "quantity > 1")
        expect(page.locator("#checked-object")).to_contain_text("added segments/big_ones")
        page.fill("#draft-question", "revenue of whales")
        page.press("#draft-question", "Enter")
        expect(page.locator("#tried h3")).to_contain_text("Revenue")
        expect(page.locator("#tried pre")).to_contain_text("quantity >")
        page.goto("/catalog/forms/join/order_lines_order_id_orders")
        page.get_by_role("button", name="Show figures").press("Enter")
        expect(page.locator("#checked-object tbody td").nth(1)).to_have_text("0")

    def test_personal_data_is_decided_on_and_policies_are_listed(self, visit: Visit) -> None:
        page = visit("analyst", tenant="globex", script=False)
        page.goto("/catalog/personal")
        row = page.locator("tr", has_text="customer name")
        expect(row.locator("code").first).to_contain_text("a a")
        row.locator("select").select_option("confidential")
        row.get_by_role("button", name="Set the class").click()
        expect(page.locator("tr", has_text="customer name").locator("select")).to_have_value("confidential")
        page.get_by_role("link", name="Who sees what", exact=True).click()
        page.get_by_role("link", name="orders region", exact=True).click()
        expect(page.get_by_label("Manager")).to_be_checked()

    def test_is_checked_published_and_rolled_back(self, visit: Visit) -> None:
        page = visit("analyst", tenant="globex")
        page.goto("/catalog/edit")
        version = int(page.input_value("form.stack input[name=version]"))
        text = page.input_value("#yaml")
        write(page, "#yaml", text.replace("label: revenue\n", "label: top line\n", 1).replace("datasets:", "datasetz:", 1))
        page.get_by_role("button", name="Check").press("Enter")
        expect(page.locator("#checked .problem")).to_contain_text("datasetz")
        expect(page.locator("#as-typed")).to_contain_text("datasetz")
        write(page, "#yaml", text.replace("label: revenue\n", "label: top line\n", 1))
        page.get_by_role("button", name="Check").press("Enter")
        expect(page.locator("#checked h2")).to_contain_text("Valid. Publishing makes 1 change")
        expect(page.locator("#as-typed")).to_contain_text("Valid. 1 change.")
        page.fill("#draft-question", "top line last month")
        page.press("#draft-question", "Enter")
        expect(page.locator("#tried h3")).to_contain_text("Top line")
        page.fill("input[name=note]", "Say it as the board does")
        page.get_by_role("button", name="Publish").press("Enter")
        page.wait_for_url("**published=*")
        expect(page.locator("form.stack input[name=version]")).to_have_value(str(version + 1))
        page.goto("/catalog?q=top line")
        expect(page.locator(".defs")).to_contain_text("top line")
        page.goto("/catalog/edit")
        page.get_by_role("button", name=f"Roll back to {version}", exact=True).press("Enter")
        page.wait_for_url("**published=*")
        assert "label: top line" not in page.input_value("#yaml")

    def test_takes_a_model_of_another_tool_and_lists_what_it_cannot_hold(self, visit: Visit) -> None:
        page = visit("analyst", tenant="globex")
        page.goto("/catalog/edit")
        page.get_by_text("Bring in a model of another tool").click()
        page.select_option("select[name=form]", "cube")
        cubes = b"cubes: [{name: '<b>o</b>', sql_table: nowhere.at_all, measures: [{name: n, type: count}]}]"
        page.set_input_files("input[name=files]", {"name": "<i>m</i>.yml", "mimeType": "text/yaml", "buffer": cubes})
        page.get_by_role("button", name="Bring it in").click()
        expect(page.locator(".notice")).to_contain_text("nothing is published yet")
        expect(page.locator(".notice li").first).to_contain_text("<i>m</i>.yml")

    def test_two_editors_get_a_friendly_word(self, visit: Visit) -> None:
        first, second = visit("analyst", tenant="globex"), visit("admin", tenant="globex")
        first.goto("/catalog/edit")
        second.goto("/catalog/edit")
        for page, words in ((first, "one"), (second, "two")):
            text = page.input_value("#yaml")
            write(page, "#yaml", text.replace("description: ''", f"description: {words}", 1))
            page.get_by_role("button", name="Publish").press("Enter")
            if page is first:
                page.wait_for_url("**published=*")
        expect(second.locator("#checked .problem")).to_contain_text("Somebody else published a newer version")
        assert "description: two" in second.input_value("#yaml")

    def test_is_not_edited_by_executives(self, visit: Visit) -> None:
        page = visit()
        answer = page.goto("/catalog/edit")
        assert answer is not None
        assert answer.status == 403
        expect(page.locator(".problem")).to_contain_text("analyst")


class TestSql:
    def test_runs_and_says_why_when_refused(self, visit: Visit) -> None:
        page = visit("analyst")
        page.goto("/sql")
        page.fill("#sql", "SELECT status, count() AS n FROM demo.orders GROUP BY status")
        page.press("#sql", "Control+Enter")
        expect(page.locator("#result thead")).to_contain_text("status")
        page.fill("#sql", "SELECT * FROM system.tables")
        page.press("#sql", "Control+Enter")
        expect(page.locator("#result .problem")).to_contain_text("system.tables")
        expect(page.locator("#result .problem")).to_contain_text("Request req_")
