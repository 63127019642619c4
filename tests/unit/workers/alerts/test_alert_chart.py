"""The chart of an incident draws the limit that was passed, unless it is so far away that nothing else could be seen."""

from __future__ import annotations

import pytest

from workers.alerts.chart import incident_chart

POINTS = [{"t": f"2026-05-0{day}T00:00:00Z", "v": value} for day, value in enumerate((100.0, 120.0, 260.0), 1)]


@pytest.mark.parametrize(("limits", "drawn"), [((), []), ((250.0, 50.0), [250.0, 50.0]), ((1e6,), [])])
def test_limits_are_lines_across(limits: tuple[float, ...], drawn: list[float]) -> None:
    spec = incident_chart(POINTS, title="x", start="2026-05-03", end="2026-05-04", limits=limits, format_="currency:EUR")
    assert [layer["data"]["values"][0]["limit"] for layer in spec["layer"] if layer["mark"]["type"] == "rule"] == drawn
    line = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
    assert "€" in line["encoding"]["y"]["axis"]["labelExpr"]


@pytest.mark.parametrize(("clock", "said"), [("00:00:00Z", None), ("13:05:00Z", "UTC")])
def test_whose_clock_it_is_is_said_of_what_is_not_days(clock: str, said: str | None) -> None:
    points = [{"t": f"2026-05-0{day}T{clock}", "v": 1.0} for day in (1, 2)]
    spec = incident_chart(points, title="x", start="2026-05-02", end="2026-05-03")
    assert spec["layer"][0]["encoding"]["x"]["title"] == said


def test_without_values_there_is_nothing_to_be_near() -> None:
    assert len(incident_chart([{"t": "2026-05-01T00:00:00Z", "v": None}], title="x", start="~", end="", limits=(5.0,))["layer"]) == 2
