"""How the result of a detection reads: headline, sentences, chart, table. Says only what the result holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insights.chart import SCHEMA, Spec
from insights.chart_formats import in_formats
from insights.periods import period_of
from insights.retold import retold_lines
from insights.wording import bucket, during, number
from semantic.expr import Unit
from semantic.windows import add_units


@dataclass(frozen=True, slots=True)
class View:
    """table: {"columns", "rows"} of formatted text."""

    headline: str
    sentences: tuple[str, ...] = ()
    chart: Spec | None = None
    table: dict[str, list[Any]] = field(default_factory=dict)


def detection_view(result: Mapping[str, Any]) -> View:
    """From the result of a detection job: the incidents, latest first, and the series with its expected band."""
    label, grain = str(result.get("label", "the metric")), str(result.get("grain", "day"))
    ever = sorted(result.get("incidents", ()), key=lambda i: str(i["started_at"]), reverse=True)
    asked = _Asked.of(result.get("period"), Unit(grain))
    incidents = [i for i in ever if asked.holds(i)]
    say = _Say(result)

    def told(incident: Mapping[str, Any]) -> str:
        return (
            f"{during(_moment(incident['started_at']), grain)}: {say(incident['actual'])} where {say(incident['expected'])} was expected."
        )

    if len(incidents) > 1:
        head = f"{len(incidents)} unusual events in {label}{asked.said}; the latest {told(incidents[0])}"
    elif incidents:
        head = f"One unusual event in {label}{asked.said}, {told(incidents[0])}"
    else:
        head = f"Nothing unusual in {label}{asked.said}."
        head += f" The latest before that was {told(ever[0])}" if ever and asked.is_after(ever[0]) else ""
    rows = [
        [
            i.get("label", ""), bucket(_moment(i["started_at"]), grain), bucket(_moment(i["ended_at"]), grain), _kind(i), say(i["actual"]),
            say(i["expected"]), say(i["impact"]), f"{float(i['severity']):.0f}",
        ]
        for i in incidents
    ]  # fmt: skip
    columns = ["series", "from", "to", "what", "actual", "expected", "impact", "severity"]
    sentences = tuple(retold_lines(result.get("notes", ()), (label, *(str(s["label"]) for s in result.get("series", ()) if "label" in s))))
    return View(head, sentences, _detection_chart(result, ever, head), {"columns": columns, "rows": rows} if rows else {})


@dataclass(frozen=True, slots=True)
class _Asked:
    """The period that was asked about; open ends hold everything. said: in brackets, as headlines have it."""

    start: dt.datetime | None = None
    end: dt.datetime | None = None
    said: str = ""
    step: Unit = Unit.DAY

    @classmethod
    def of(cls, period: Mapping[str, str] | None, step: Unit) -> _Asked:
        if period is None:
            return cls()
        start, end = (dt.datetime.fromisoformat(period[name]) if name in period else None for name in ("start", "end"))
        words = (period["label"], period_of(start, end, "").label)
        return cls(start, end, f" ({', '.join(dict.fromkeys(w for w in words if w))})" if any(words) else "", step)

    def holds(self, incident: Mapping[str, Any]) -> bool:
        begins, ends = _wall(incident["started_at"]), add_units(_wall(incident["ended_at"]), self.step, 1)
        return (self.end is None or begins < self.end) and (self.start is None or ends > self.start)

    def is_after(self, incident: Mapping[str, Any]) -> bool:
        return self.start is not None and _wall(incident["started_at"]) < self.start


class _Say:
    """Numbers in the metric's unit and format."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self._format, self._unit = result.get("format"), result.get("unit")

    def __call__(self, value: float | None) -> str:
        return number(value, self._format, self._unit, compact=True)


def _detection_chart(result: Mapping[str, Any], incidents: Sequence[Mapping[str, Any]], title: str) -> Spec | None:
    shown = [s for s in result.get("series", ()) if s.get("points")]
    if not shown:
        return None
    first = shown[0]
    marked = {str(i["started_at"]) for i in incidents if i.get("series_id") == first["id"]}
    data = [
        {"t": p["t"], "v": p["v"], "l": p["lower"], "u": p["upper"], "e": p["expected"], "unusual": str(p["t"]) in marked}
        for p in first["points"]
    ]
    x = {"field": "t", "type": "temporal", "title": None, "scale": {"type": "utc"}}
    band: Spec = {
        "mark": {"type": "area", "opacity": 0.18},
        "encoding": {"x": x, "y": {"field": "l", "type": "quantitative", "title": None}, "y2": {"field": "u"}},
    }
    line: Spec = {
        "mark": {"type": "line"},
        "encoding": {
            "x": x,
            "y": {"field": "v", "type": "quantitative", "title": None, "axis": {"format": "~s"}, "scale": {"zero": False}},
        },
    }
    points: Spec = {
        "transform": [{"filter": "datum.unusual"}],
        "mark": {"type": "point", "size": 90, "filled": True, "color": "#c4572b"},
        "encoding": {
            "x": x,
            "y": {"field": "v", "type": "quantitative"},
            "tooltip": [
                {"field": "t", "type": "temporal", "title": "time"},
                {"field": "v", "type": "quantitative", "format": ",.4~r", "title": "actual"},
                {"field": "e", "type": "quantitative", "format": ",.4~r", "title": "expected"},
            ],
        },
    }
    return _layered([band, line, points], data, title)


def _layered(layers: list[Spec], data: list[dict[str, Any]], title: str) -> Spec:
    return in_formats(
        {"$schema": SCHEMA, "width": "container", "height": 320, "description": title, "data": {"values": data}, "layer": layers}
    )


def _kind(incident: Mapping[str, Any]) -> str:
    words = {"value": "unusual value", "level_shift": "new level", "missing_data": "missing data", "flat_line": "flat line"}
    direction = {"up": ", up", "down": ", down"}.get(str(incident.get("direction")), "")
    return words.get(str(incident.get("kind")), str(incident.get("kind"))) + (
        direction if incident.get("kind") in {"value", "level_shift"} else ""
    )


def _wall(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(str(text).replace("Z", "+00:00")).replace(tzinfo=None)


def _moment(text: str) -> dt.datetime | dt.date:
    found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found.date() if found.time() == dt.time() else found
