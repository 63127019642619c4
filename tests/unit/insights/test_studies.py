"""How the result of a detection reads."""

from __future__ import annotations

from typing import Any

import pytest

from insights.studies import detection_view


def event(day: str) -> dict[str, Any]:
    at = f"{day}T00:00:00Z"
    return {"series_id": "all", "started_at": at, "ended_at": at, "kind": "value", "direction": "down", "actual": 62.0, "expected": 278.0,
            "impact": -216.0, "severity": 80.0}  # fmt: skip


THIS_MONTH = {"label": "this month", "start": "2026-11-01T00:00:00", "end": "2026-12-01T00:00:00"}
LATEST = "on 14 Oct 2026: 62 where 278 was expected."


@pytest.mark.parametrize(
    ("period", "days", "said"),
    [
        (None, ("2026-10-14", "2026-03-02"), f"2 unusual events in orders; the latest {LATEST}"),
        (None, (), "Nothing unusual in orders."),
        (THIS_MONTH, ("2026-10-14",), f"Nothing unusual in orders (this month, Nov 2026). The latest before that was {LATEST}"),
        (THIS_MONTH, ("2026-11-02", "2026-10-14"), "One unusual event in orders (this month, Nov 2026), on 2 Nov 2026: 62 where 278 was expected."),
    ],
)  # fmt: skip
def test_only_what_was_unusual_in_the_period_asked_about_is_told(period: dict[str, str] | None, days: tuple[str, ...], said: str) -> None:
    result = {"label": "orders", "grain": "day", "period": period, "incidents": [event(day) for day in days]}
    view = detection_view(result)
    assert view.headline == said
    assert len(view.table.get("rows", ())) == sum(day >= "2026-11-01" or period is None for day in days)
