"""What the pictures of docs/screens show, made over the API of a fresh demo."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

PASSWORD = "querent-demo-1"
PINS = (
    ("revenue by month last year", "half"),
    ("revenue by region last quarter compared to the year before", "half"),
    ("orders last month", "third"),
    ("active customers last month", "third"),
    ("revenue last month", "third"),
    ("gross profit by category last quarter", "half"),
    ("top 5 products by revenue", "half"),
)
STUDIES = (
    "why did revenue change last month",
    "forecast revenue for the next 6 months",
    "anything unusual in orders",
    "revenue of zorbs by florp",
)
FEED = {"kind": "url", "url": "https://data.example.com/suppliers.csv"}
BOARD = "Monday review"


@dataclass(frozen=True, slots=True)
class Seeded:
    """Ids, and the address of a public link."""

    board: str
    link: str
    incident: str
    issue: str
    source: str


class Person:
    def __init__(self, url: str, who: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=120, headers={"Origin": url})
        self("POST", "/v1/login", {"email": f"{who}@acme.example", "password": PASSWORD, "tenant": "acme"})
        self._url = url

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def form(self, path: str, **values: Any) -> None:
        answer = self._client.post(path, data=values)
        if answer.status_code not in (200, 303):
            print(f"{path}: {answer.status_code}")

    def cookies(self) -> list[dict[str, Any]]:
        return [{"name": c.name, "value": c.value, "url": self._url} for c in self._client.cookies.jar]


def seed(url: str) -> Seeded:
    executive, analyst, admin = Person(url, "executive"), Person(url, "analyst"), Person(url, "admin")
    known = [b for b in executive("GET", "/v1/boards")["items"] if b["title"] == BOARD]
    board = known[0]["id"] if known else _made(executive, analyst, admin)
    link = executive("POST", f"/v1/boards/{board}/links", {"days": 30})["href"]
    sources = admin("GET", "/v1/sources")["items"]
    return Seeded(
        board,
        link,
        _until(lambda: analyst("GET", "/v1/incidents")["items"], "an incident"),
        _until(lambda: executive("GET", "/v1/digests/issues")["items"], "a digest's issue"),
        sources[0]["id"] if sources else "none",
    )


def _until(look: Any, what: str, patience_s: float = 600) -> str:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := look():
            return str(found[0]["id"])
        time.sleep(3)
    print(f"{what} did not come")
    return "none"


def _made(executive: Person, analyst: Person, admin: Person) -> str:
    goal = {
        "name": "Revenue 2026",
        "metric": "revenue",
        "starts_on": "2026-01-01",
        "ends_on": "2027-01-01",
        "target": 65e6,
        "direction": "at_least",
    }
    executive("POST", "/v1/goals", goal)
    often, limit = {"schedule": {"every_minutes": 5}}, {"kind": "threshold", "metric": "revenue", "lower": 170_000, "grain": "day"}
    unusual = {"kind": "anomaly", "metric": "revenue", "sensitivity": 24, "grain": "day", "schedule": {"every_minutes": 60}}
    analyst("POST", "/v1/alert-rules", {"name": "Revenue is unusual", "definition": unusual})
    by_region = limit | often | {"segments": [{"dataset": "countries", "field": "region"}]}
    analyst("POST", "/v1/alert-rules", {"name": "A weak day", "definition": by_region})
    executive("POST", "/v1/alert-rules", {"name": "Revenue below its floor", "definition": limit | often})
    analyst("POST", "/v1/channels", {"name": "Shop team", "config": {"kind": "email", "to": ["shop@example.com"]}})
    board, first = _board(executive)
    points = [row["time"] for row in executive("GET", f"/v1/boards/{board}/pins/{first}")["chart"]["data"]["values"]]
    executive("POST", f"/v1/boards/{board}/comments", {"text": "The summer campaign began here.", "pin_id": first, "point": points[5]})
    executive("POST", f"/v1/boards/{board}/comments", {"text": "Please look at the channels before Thursday."})
    executive("POST", "/v1/boards", {"title": "Growth", "description": "New customers and where they come from"})
    executive("PUT", f"/v1/boards/{board}/sharing", {"roles": {"manager": "see", "analyst": "edit"}})
    digest = executive(
        "POST",
        "/v1/digests",
        {"name": BOARD, "definition": {"board": board, "cadence": "weekly", "at": "08:00", "weekday": 0, "pdf": True}},
    )
    executive.form(f"/boards/{board}/mail/{digest['id']}/now")
    for question in STUDIES:
        executive("POST", "/v1/ask", {"question": question})
    admin.form(
        "/admin/roles",
        name="regional_lead",
        description="Managers who also look after alerts of their region",
        inherits=["manager"],
        rights=["channels", "keep"],
    )
    admin.form(
        "/sources", name="Suppliers", table="suppliers", every_minutes="1440", infer_catalog="yes", enabled="yes", on_drift="adopt", **FEED
    )
    return board


def _board(executive: Person) -> tuple[str, str]:
    """The board and its first pin."""
    board = first = ""
    for question, width in PINS:
        query = executive("POST", "/v1/ask", {"question": question})["query"]
        body = {"title": question[:1].upper() + question[1:], "query": query, "width": width}
        made = executive("POST", "/v1/pins", body | ({"board_id": board} if board else {"new_board": BOARD}))
        board = made["board"]["id"]
        first = first or made["board"]["content"]["pins"][0]["id"]
    return board, first
