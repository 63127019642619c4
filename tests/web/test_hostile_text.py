"""Text that would be markup or script stays text: values, file names, column names, catalog labels, questions."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.web.conftest import JOB_MS, Visit, ask, write

SCRIPT = "<script>window.pwned=1</script>"
IMAGE = "<img src=x onerror=window.pwned=1>"
BREAKOUT = '</script><svg onload="window.pwned=1">'
QUOTE = "\"'><b id=bold>x</b>"


def unharmed(page: object) -> bool:
    return bool(page.evaluate("!('pwned' in window) && !document.getElementById('bold')"))  # type: ignore[attr-defined]


class TestHostileText:
    def test_values_and_file_names(self, visit: Visit, tmp_path: Path) -> None:
        file = tmp_path / "x<img src=x onerror=alert(1)>.csv"
        values = [SCRIPT, IMAGE, BREAKOUT, QUOTE]
        lines = [f'2026-01-0{1 + i},"{v.replace(chr(34), chr(34) * 2)}",{i + 1}' for i, v in enumerate(values)]
        file.write_text("day,plonk,amount\n" + "\n".join(lines * 30) + "\n")
        page = visit("analyst")
        page.goto("/data")
        page.set_input_files("#file", file)
        page.fill("input[name=name]", "tastings")
        page.get_by_role("button", name="Upload", exact=True).press("Enter")
        page.wait_for_url("**/jobs/*")
        expect(page.locator(".job h2.headline")).to_contain_text("120 rows of x<img", timeout=JOB_MS)
        assert unharmed(page)
        ask(page, "total amount by plonk")
        expect(page.locator(".chart svg")).to_be_visible()
        cells = page.locator("tbody td:first-child").all_inner_texts()
        assert set(cells) == set(values)
        assert unharmed(page)
        page.locator("tbody button.cell").first.press("Enter")
        expect(page.locator(".chip > summary", has_text="plonk")).to_have_count(1)
        assert unharmed(page)
        page.goto("/data")
        expect(page.locator("tbody")).to_contain_text("x<img src=x")
        assert unharmed(page)

    def test_questions(self, visit: Visit) -> None:
        page = visit()
        for text in (SCRIPT, QUOTE, BREAKOUT):
            ask(page, f"revenue {text}")
            expect(page.locator(".asked")).to_contain_text(text)
            assert unharmed(page)
        page.goto("/history")
        assert unharmed(page)

    def test_catalog_text(self, visit: Visit) -> None:
        page = visit("analyst", tenant="globex")
        page.goto("/catalog/edit")
        text = page.input_value("#yaml")
        hostile = "label: '<img src=x onerror=window.pwned=1></script>'\n"
        write(page, "#yaml", text.replace("label: orders\n", hostile))
        page.get_by_role("button", name="Publish").press("Enter")
        page.wait_for_url("**published=*")
        page.goto("/")
        expect(page.locator(".card .loading")).to_have_count(0)
        assert unharmed(page)
        for path in ("/rules/new", "/channels", "/rules"):
            page.goto(path)
            assert unharmed(page)
        page.goto("/catalog?q=onerror")
        assert unharmed(page)
        expect(page.locator("main")).to_contain_text("<img src=x onerror")
        page.goto("/catalog/edit")
        write(page, "#yaml", text)
        page.get_by_role("button", name="Publish").press("Enter")
        page.wait_for_url("**published=*")
