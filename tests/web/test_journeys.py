"""Whole journeys with nothing but keys: what is reached is reached by Tab, what is chosen is chosen by Enter, Space and arrows."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.web.conftest import JOB_MS, Stack, Visit

MOST_TABS = 160
_NAME = """() => { const e = document.activeElement;
  return (e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || e.title || '').trim(); }"""


def reach(page: Page, name: str) -> None:
    """Tabs on until what is called `name` (a pattern of the whole name) has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if re.fullmatch(name, str(page.evaluate(_NAME)), re.DOTALL):
            assert page.evaluate("document.activeElement.matches(':focus-visible')"), f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} was not reached with {MOST_TABS} tabs from {page.url}")


def choose(page: Page, name: str) -> None:
    reach(page, name)
    page.keyboard.press("Enter")


def typed(page: Page, question: str) -> None:
    page.keyboard.press("/")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(question)
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")


def test_an_executive_asks_drills_asks_why_sees_the_forecast_and_subscribes(visit: Visit) -> None:
    page = visit()
    page.goto("/catalog")
    page.goto("/")
    page.evaluate("document.activeElement.blur()")
    typed(page, "revenue by region last quarter")
    page.wait_for_url("**/answers/*")
    expect(page.locator("tbody tr")).to_have_count(3)
    choose(page, "EMEA")
    expect(page.locator(".trail")).to_contain_text("region is EMEA")
    expect(page.locator("thead")).to_contain_text("country")
    drilled = page.url
    choose(page, r"Why\?")
    expect(page.locator(".job h2.headline")).to_contain_text("Revenue", timeout=JOB_MS)
    page.goto(drilled)
    choose(page, "Forecast")
    expect(page.locator(".job h2.headline")).to_contain_text("expected", timeout=JOB_MS)
    expect(page.locator(".job .chart svg").first).to_be_visible()
    page.goto(drilled)
    choose(page, "Alert")
    choose(page, "Tell me of every incident in revenue")
    expect(page.locator(".toolbar")).to_contain_text("Subscribed")
    page.keyboard.press("Escape")
    choose(page, "Pin")
    expect(page.locator(".pin-form")).to_be_visible()
    reach(page, r"(Name of a new board|On a new board called).*")
    page.keyboard.type("Keys only")
    choose(page, "Pin it")
    expect(page.locator(".notice", has_text="Pinned to")).to_be_visible()


def test_an_analyst_changes_the_catalog_with_keys(visit: Visit, stack: Stack) -> None:
    page = visit("analyst", tenant="globex")
    page.goto("/catalog")
    choose(page, "YAML and versions")
    page.wait_for_url("**/catalog/edit")
    version = int(page.input_value("form.stack input[name=version]"))
    reach(page, "YAML, from version .*")
    page.locator("#yaml").evaluate(
        "(field) => { const at = field.value.indexOf('label: revenue\\n'); field.setSelectionRange(at + 7, at + 14); }"
    )
    page.keyboard.type("takings")
    choose(page, "Check")
    expect(page.locator("#checked h2")).to_contain_text("Valid. Publishing makes 1 change")
    page.locator("#yaml").focus()
    choose(page, "Publish")
    page.wait_for_url("**published=*")
    assert int(page.input_value("form.stack input[name=version]")) == version + 1
    choose(page, f"Roll back to {version}")
    expect(page.locator("form.stack input[name=version]")).to_have_value(str(version + 2))
    assert "label: takings" not in page.input_value("#yaml")
