from __future__ import annotations

from api.web.incident_pages import LATELY, _latest


def test_lately_over_are_those_that_began_last_whenever_they_were_found() -> None:
    days = (14, 2, 30, 21, 9, 5, 17)
    found = [{"id": str(day), "started_at": f"2026-10-{day:02}T00:00:00Z"} for day in days]
    assert [item["id"] for item in _latest(found)] == ["30", "21", "17", "14", "9"]
    assert len(_latest(found)) == LATELY
