"""The questions of tests/questions/acme.yaml through the whole service, against SQL written by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from api.services import Services
from tests.questions.match import matches

FILE = Path(__file__).parents[2] / "questions" / "acme.yaml"
TABLES = (
    "countries",
    "channels",
    "devices",
    "products",
    "customers",
    "orders",
    "order_lines",
    "visits",
    "ad_spend",
    "refunds",
    "subscriptions",
)
RIGHT_AT_LEAST, WRONG_AT_MOST = 0.95, 0.0


def own_rows(sql: str) -> str:
    """Table names as this tenant's rows."""
    return re.sub(
        rf"\b(FROM|JOIN) ({'|'.join(TABLES)})\b(?: (?!JOIN|WHERE|GROUP|ORDER|ON|LIMIT)(\w+))?",
        lambda m: f"{m[1]} (SELECT * FROM demo.{m[2]} WHERE tenant_id = 'acme') AS {m[3] or m[2]}",
        sql,
    )


def expected_rows(services: Services, sql: str) -> list[list[Any]]:
    table = services.core.admin.query_arrow(own_rows(sql), settings={"join_use_nulls": 1})
    return [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]


def verdict(case: dict[str, Any], answer: dict[str, Any], services: Services) -> str:
    """right, wrong (shown and not true) or abstained (asked back or refused)."""
    outcome = answer["outcome"]
    if "outcome_any" in case:
        return "right" if outcome in case["outcome_any"] else "wrong" if outcome in {"answer", "job"} else "abstained"
    if outcome != "answer":
        return "abstained"
    for sql in filter(None, (case["sql"], case.get("also"))):
        expected = expected_rows(services, sql)
        rows = answer["rows"]
        if case.get("count") and answer["row_count"] == len(expected):
            return "right"
        if case.get("count_any") and (answer["row_count"] == expected[0][0] or (len(rows) == 1 and matches(expected, rows))):
            return "right"
        if matches(expected, rows, ordered=bool(case.get("ordered")), subset=bool(case.get("subset"))):
            return "right"
    return "wrong"


def test_questions(analyst: Any, services: Services) -> None:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    verdicts: dict[str, list[str]] = {"right": [], "wrong": [], "abstained": []}
    for case in document["questions"]:
        response = analyst.post("/v1/ask", {"question": case["q"], "as_of": str(document["as_of"])})
        answer = (
            response.json() if response.status_code == 200 else {"outcome": f"error {response.status_code}", "rows": [], "row_count": 0}
        )
        verdicts[verdict(case, answer, services)].append(case["q"])
    total = sum(map(len, verdicts.values()))
    said = "\n".join(f"{kind}: {question}" for kind in ("wrong", "abstained") for question in verdicts[kind])
    print(f"{len(verdicts['right'])} of {total} right, {len(verdicts['wrong'])} wrong\n{said}")
    assert len(verdicts["wrong"]) <= WRONG_AT_MOST * total, said
    assert len(verdicts["right"]) >= RIGHT_AT_LEAST * total, said
