"""What is kept is read in the reader's formats; names and what programs read stay."""

from __future__ import annotations

from core.formats import writing
from core.locales import formats_of
from insights.kept_texts import kept_retold, title_retold

SECTION = {
    "title": "Plan 2.0", "headline": "Plan 2.0: €1.2M in Plan 3.5 (5 Mar 2026)", "columns": ["plan", "revenue"], "right": [1], "left_out": 0,
    "rows": [["Plan 3.5", "1,234.5"], ["5 Mar 2026", "2"]], "notes": [],
    "chart": {"title": "Plan 2.0", "encoding": {"x": {"type": "temporal", "axis": {"format": "%d %b %Y"}}}, "data": {"values": [{"v": 1.5}]}},
}  # fmt: skip


def test_a_snapshot_is_retold_but_for_its_names() -> None:
    kept = {"sections": [SECTION], "sentences": ["Plan 2.0: €1.2M"], "tested": 1.5}
    assert kept_retold(kept) == kept
    with writing(formats_of("de-DE")):
        made = kept_retold(kept)
        assert title_retold("Plan 2.0, 5 Mar 2026") == "Plan 2.0, 05.03.2026"
    one = made["sections"][0]
    assert (made["sentences"], made["tested"]) == (["Plan 2.0: 1,2M\u00a0€"], 1.5)
    assert one["headline"] == "Plan 2.0: 1,2M\u00a0€ in Plan 3.5 (05.03.2026)"
    assert one["rows"] == [["Plan 3.5", "1.234,5"], ["05.03.2026", "2"]]
    assert one["chart"]["encoding"]["x"]["axis"]["format"] == "%d.%m.%Y"
    assert one["chart"]["data"] == SECTION["chart"]["data"]  # type: ignore[index]
    assert one["chart"]["config"]["locale"]["number"]["decimal"] == ","
