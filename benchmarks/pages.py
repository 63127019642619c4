"""How soon the pages of a running Querent stand before their reader, in a real browser.

    python -m benchmarks.pages [--url http://127.0.0.1:8080] [--email executive@acme.example] [--password ...] [--repeat 7]

Needs an installation with the demo's data (`querent demo`) and Debian's chromium. Wall-clock milliseconds as the browser sees them, medians of so
many repetitions, with the machine otherwise quiet:

- `first_load`: the sign-in page into an empty cache, until it can be used; `first_load_kb` what came over the wire for it.
- `new`, `kept`: from Enter in the question box until the headline of an answer stands there, for a question nobody asked before and for one asked before.
- `board`: from opening a board of twelve pins until all their charts are drawn. `long_table`: the next fifty of thousands of rows.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
CHARTS = [
    f"{metric} by {group} {period}"
    for metric, group, period in itertools.product(
        ("revenue", "orders", "gross profit"), ("channel", "country"), ("last month", "this year")
    )
]
LONG = "revenue by customer this year"


class Reader:
    """One person's browser."""

    def __init__(self, browser: Browser, url: str, email: str, password: str) -> None:
        self.url = url
        self.page: Page = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}).new_page()
        self.page.set_default_timeout(60_000)
        signed = self.page.request.post(f"{url}/v1/login", data={"email": email, "password": password}, headers={"Origin": url})
        if not signed.ok:
            raise SystemExit(f"Could not sign in as {email}: {signed.status} {signed.text()[:200]}")

    def api(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.page.request.post(f"{self.url}{path}", data=body, headers={"Origin": self.url})
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.status} {answer.text()[:300]}")
        return answer.json()

    def asked(self, question: str) -> float:
        """Milliseconds from Enter to the headline."""
        self.page.goto("/")
        self.page.fill("#question", question)
        start = time.perf_counter()
        self.page.press("#question", "Enter")
        self.page.wait_for_selector("h2.headline")
        return (time.perf_counter() - start) * 1000

    def board(self) -> str:
        """The address of a board with a pin for each of CHARTS."""
        made = self.api("/v1/boards", {"title": "Speed of pages"})
        for question in CHARTS:
            query = self.api("/v1/ask", {"question": question})["query"]
            self.api("/v1/pins", {"title": question, "query": query, "board_id": made["id"]})
        return f"/boards/{made['id']}"

    def remove(self, address: str) -> None:
        self.page.request.delete(f"{self.url}/v1{address}", headers={"Origin": self.url})

    def drawn(self, address: str) -> float:
        start = time.perf_counter()
        self.page.goto(address)
        self.page.wait_for_function(f"() => document.querySelectorAll('.pin .chart svg').length >= {len(CHARTS)}")
        return (time.perf_counter() - start) * 1000

    def next_rows(self) -> float:
        start = time.perf_counter()
        before = self.page.locator("tbody tr").first.inner_text()
        self.page.get_by_role("link", name="Next").first.click()
        self.page.wait_for_function("(before) => document.querySelector('tbody tr').innerText !== before", arg=before)
        return (time.perf_counter() - start) * 1000


def first_load(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds until the sign-in page can be used, and the kilobytes that came for it, with nothing in the cache."""
    page = browser.new_context(base_url=url).new_page()
    page.goto("/login", wait_until="load")
    timing = page.evaluate("() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    sizes = page.evaluate("() => performance.getEntries().reduce((sum, e) => sum + (e.transferSize || 0), 0)")
    page.context.close()
    return float(timing), float(sizes) / 1000


def median(measure: Callable[[], float], repeat: int) -> float:
    return round(statistics.median(measure() for _ in range(repeat)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--email", default="executive@acme.example")
    parser.add_argument("--password", default="querent-demo-1")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        loads = [first_load(browser, options.url) for _ in range(options.repeat)]
        reader = Reader(browser, options.url, options.email, options.password)
        floors = itertools.count(int(time.time()) % 100_000)
        found: dict[str, Any] = {
            "first_load_ms": round(statistics.median(ms for ms, _ in loads), 1),
            "first_load_kb": round(max(kb for _, kb in loads), 1),
            "new_ms": median(lambda: reader.asked(f"orders by region with revenue over {next(floors)} last quarter"), options.repeat),
            "kept_ms": median(lambda: reader.asked("revenue by region last quarter"), options.repeat + 1),
        }
        address = reader.board()
        try:
            reader.drawn(address)
            found |= {"board_charts": len(CHARTS), "board_ms": median(lambda: reader.drawn(address), options.repeat)}
        finally:
            reader.remove(address)
        reader.asked(LONG)
        found["long_table_ms"] = median(reader.next_rows, options.repeat)
        browser.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
