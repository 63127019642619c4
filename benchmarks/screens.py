"""Pictures of every page for docs/screens: light, dark and on a phone, from a fresh demo.

    python -m benchmarks.screens [--url http://127.0.0.1:8080] [--out docs/screens] [--only board,incident]

Needs an installation that `querent demo` just made and Debian's chromium; what the pages show (boards, rules, a goal, sources, a role) is made over the
API first, once. A picture that could not be taken is named and the old one stays.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.screens_seed import Person, Seeded, seed

CHROMIUM = "/usr/bin/chromium"
LOOKS = (("light", "light", 1280, 900), ("dark", "dark", 1280, 900), ("phone", "light", 390, 844))
TALLEST_PX = 2400
QUALITY = 78
Act = Callable[[Page], None]


def ready(selector: str, then_ms: int = 900) -> Act:
    def wait(page: Page) -> None:
        page.wait_for_selector(selector)
        page.wait_for_timeout(then_ms)

    return wait


def after(selector: str, *clicked: str) -> Act:
    """Waits for `selector`, then presses one thing after the other."""

    def act(page: Page) -> None:
        ready(selector)(page)
        for one in clicked:
            page.locator(one).first.click()
            page.wait_for_timeout(600)

    return act


def typed(page: Page) -> None:
    page.fill("#question", "reven")
    page.wait_for_selector("[role=option]")


def limit(page: Page) -> None:
    ready("#preview .chart svg")(page)
    page.check("input[name=kind][value=threshold]")
    page.fill("input[name=upper]", "300000")
    page.wait_for_timeout(4000)


def tried(page: Page) -> None:
    page.fill("#draft-question", "revenue of completed orders by region this year")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tried h3")
    page.wait_for_timeout(1500)


def asked(question: str) -> str:
    return f"/?q={question}"


CHART, STILL = ready(".chart svg"), ready("h1", 600)
QUARTER = asked("revenue by region last quarter")
AS_SEEN = {
    "suggest",
    "chip",
    "board-share",
    "board-comments",
    "board-mail",
}  # only what stands on the screen: panels that open over the page


def pictures(found: Seeded) -> list[tuple[str, str, str, Act]]:
    """Name, who looks, where, and what happens there before the picture is taken."""
    board = f"/boards/{found.board}"
    pins = ".pin .chart svg"
    return [
        ("home", "executive", "/", ready(".card .figure", 2500)),
        ("suggest", "executive", "/", typed),
        ("answer", "executive", asked("revenue by region last quarter compared to the year before"), CHART),
        ("answer-names", "executive", asked("top 5 products by revenue"), CHART),
        ("chip", "executive", QUARTER, after(".chart svg", ".chip > summary")),
        ("receipt", "executive", QUARTER, after(".chart svg", ".receipt > summary")),
        (
            "drilled",
            "executive",
            QUARTER,
            lambda page: (after(".chart svg", "tbody button.cell")(page), ready(".trail .chart, .trail", 1500)(page))[0],
        ),
        ("lines", "executive", asked("revenue by month last year"), CHART),
        ("pin", "executive", asked("revenue by month last year"), after(".chart svg", "a:has-text('Pin')")),
        ("refused", "executive", asked("revenue of zorbs by florp"), STILL),
        ("why", "executive", asked("why did revenue change last month"), ready(".state.done", 1500)),
        ("forecast", "executive", asked("forecast revenue for the next 6 months"), ready(".state.done", 1500)),
        ("unusual", "executive", asked("anything unusual in orders"), ready(".state.done", 1500)),
        ("history", "executive", "/history", STILL),
        ("boards", "executive", "/boards", STILL),
        ("board", "executive", board, ready(pins, 2500)),
        ("board-share", "executive", board, after(pins, "#share-pop > summary")),
        ("board-mail", "executive", board, after(pins, "#mail-pop > summary")),
        ("board-comments", "executive", board, after(pins, ".pin summary[aria-label^=Comments]")),
        ("board-public", "", found.link, ready(pins, 2000)),
        ("goals", "executive", "/goals", STILL),
        ("goal-form", "executive", "/goals/new", STILL),
        ("digests", "executive", "/digest", STILL),
        ("digest-issue", "executive", f"/digest/{found.issue}", CHART),
        ("incidents", "analyst", "/incidents?status=all", STILL),
        ("incident", "analyst", f"/incidents/{found.incident}", CHART),
        ("rules", "analyst", "/rules", STILL),
        ("rule", "analyst", "/rules/new", ready("#preview .chart svg", 1200)),
        ("rule-limit", "analyst", "/rules/new", limit),
        ("channels", "analyst", "/channels", STILL),
        ("inbox", "analyst", "/inbox", STILL),
        ("jobs", "analyst", "/jobs", STILL),
        ("catalog", "analyst", "/catalog", STILL),
        ("catalog-edit", "analyst", "/catalog/edit", STILL),
        ("structure", "analyst", "/catalog/structure", STILL),
        ("metric-form", "analyst", "/catalog/forms/metric/revenue", STILL),
        ("field-form", "analyst", "/catalog/forms/field/orders.status", STILL),
        ("event-form", "analyst", "/catalog/forms/event/Black%20Friday", STILL),
        ("join-form", "analyst", "/catalog/forms/join/order_lines_order_id_orders", after("h1", "button:has-text('Show figures')")),
        ("segment-form", "analyst", "/catalog/forms/segment/completed_orders", tried),
        ("policies", "analyst", "/catalog/policies", STILL),
        ("policy-form", "analyst", "/catalog/forms/policy/orders_region", STILL),
        ("personal-data", "analyst", "/catalog/personal", ready("h1", 2500)),
        ("upload", "analyst", "/data", STILL),
        ("sql", "analyst", "/sql", STILL),
        ("evaluation", "analyst", "/evaluation", STILL),
        ("models", "scientist", "/models", STILL),
        ("sources", "admin", "/sources", STILL),
        ("source", "admin", f"/sources/{found.source}", STILL),
        ("source-form", "admin", "/sources/new", STILL),
        ("people", "admin", "/admin", STILL),
        ("roles", "admin", "/admin/roles", STILL),
        ("audit", "admin", "/admin/audit", STILL),
        ("usage", "admin", "/admin/usage", STILL),
        ("branding", "admin", "/admin/branding", STILL),
        ("account", "executive", "/account", STILL),
        ("sign-in", "", "/login", STILL),
    ]


def take(browser: Browser, url: str, out: Path, look: tuple[str, str, int, int], one: tuple[str, str, str, Act], cookies: Any) -> None:
    kind, scheme, width, height = look
    name, _, path, act = one
    context = browser.new_context(
        base_url=url, viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"  # type: ignore[arg-type]
    )  # fmt: skip
    context.set_default_timeout(60_000)
    try:
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(path)
        act(page)
        page.mouse.move(0, 0)
        if name not in AS_SEEN:
            page.evaluate("scrollTo(0, 0)")
        picture = Image.open(io.BytesIO(page.screenshot(full_page=name not in AS_SEEN))).convert("RGB")
        picture.crop((0, 0, picture.width, min(TALLEST_PX, picture.height))).save(out / f"{name}-{kind}.webp", quality=QUALITY, method=6)
    except Exception as error:
        print(f"{name}, {kind}: not taken. {str(error).splitlines()[0][:160]}")
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--out", type=Path, default=Path("docs/screens"))
    parser.add_argument("--only", default="", help="names, with commas between")
    options = parser.parse_args()
    only = {name for name in options.only.split(",") if name}
    options.out.mkdir(parents=True, exist_ok=True)
    found = seed(options.url)
    began = time.monotonic()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        cookies = {who: Person(options.url, who).cookies() if who else [] for who in ("executive", "analyst", "scientist", "admin", "")}
        for look in LOOKS:
            for one in pictures(found):
                if not only or one[0] in only:
                    take(browser, options.url, options.out, look, one, cookies[one[1]])
        browser.close()
    taken = list(options.out.glob("*.webp"))
    print(f"{len(taken)} pictures, {sum(f.stat().st_size for f in taken) / 1e6:.1f} MB, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
