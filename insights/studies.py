"""How the result of a forecast or a detection reads: headline, sentences, chart, table. Says only what the result holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insights.chart import SCHEMA, Spec
from insights.wording import bucket, during, number

HISTORY_SHOWN = 3
MAX_CHARTED = 6


@dataclass(frozen=True, slots=True)
class View:
    """table: {"columns", "rows"} of formatted text."""

    headline: str
    sentences: tuple[str, ...] = ()
    chart: Spec | None = None
    table: dict[str, list[Any]] = field(default_factory=dict)


def forecast_view(result: Mapping[str, Any]) -> View:
    """From the result of a forecast job: sum over the horizon for amounts, the last value for rates, with the 80 % interval."""
    series = [s for s in result.get("series", ()) if s.get("forecast")]
    label, grain = str(result.get("label", "the metric")), str(result.get("grain", "day"))
    if not series:
        return View(f"There is nothing to forecast for {label}.", tuple(map(str, result.get("notes", ()))))
    say = _Say(result)
    first = series[0]
    points = first["forecast"]
    start, end = _moment(points[0]["t"]), _moment(points[-1]["t"])
    head = (
        f"{_cap(label)}{_of(first, series)} is expected at {say(points[-1]['mean'])} {during(end, grain)} "
        f"(80% between {say(points[-1]['lower_80'])} and {say(points[-1]['upper_80'])})."
    )
    sentences = [f"{len(points)} {grain}s, from {bucket(start, grain)} to {bucket(end, grain)}."]
    sentences += _backtest(first)
    if first.get("model"):
        sentences.append(f"Model: {first['model']}{'; ' + first['fallback'] if first.get('fallback') else ''}.")
    sentences += [str(n) for n in (*result.get("notes", ()), *first.get("notes", ()))]
    rows = [
        [
            s["label"],
            bucket(_moment(p["t"]), grain),
            say(p["mean"]),
            say(p["lower_80"]),
            say(p["upper_80"]),
            say(p["lower_95"]),
            say(p["upper_95"]),
        ]
        for s in series
        for p in s["forecast"]
    ]
    columns = ["series", grain, "expected", "80% low", "80% high", "95% low", "95% high"]
    return View(head, tuple(sentences), _forecast_chart(series[:MAX_CHARTED], head), {"columns": columns, "rows": rows})


def detection_view(result: Mapping[str, Any]) -> View:
    """From the result of a detection job: the incidents, latest first, and the series with its expected band."""
    label, grain = str(result.get("label", "the metric")), str(result.get("grain", "day"))
    incidents = sorted(result.get("incidents", ()), key=lambda i: str(i["started_at"]), reverse=True)
    say = _Say(result)
    if incidents:
        last = incidents[0]
        many = f"{len(incidents)} unusual {'event' if len(incidents) == 1 else 'events'} in {label}"
        head = f"{many}; the latest {during(_moment(last['started_at']), grain)}: {say(last['actual'])} where {say(last['expected'])} was expected."
    else:
        head = f"Nothing unusual in {label}."
    rows = [
        [
            i.get("label", ""), bucket(_moment(i["started_at"]), grain), bucket(_moment(i["ended_at"]), grain), _kind(i), say(i["actual"]),
            say(i["expected"]), say(i["impact"]), f"{float(i['severity']):.0f}",
        ]
        for i in incidents
    ]  # fmt: skip
    columns = ["series", "from", "to", "what", "actual", "expected", "impact", "severity"]
    sentences = tuple(str(n) for n in result.get("notes", ()))
    return View(head, sentences, _detection_chart(result, incidents, head), {"columns": columns, "rows": rows} if rows else {})


class _Say:
    """Numbers in the metric's unit and format."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self._format, self._unit = result.get("format"), result.get("unit")

    def __call__(self, value: float | None) -> str:
        return number(value, self._format, self._unit, compact=True)


def _backtest(series: Mapping[str, Any]) -> list[str]:
    found = series.get("backtest") or {}
    ours, naive = found.get("mase"), found.get("naive_mase")
    if not ours or not naive:
        return ["History is too short to test the forecast on itself."]
    change = (1 - ours / naive) * 100
    word = "smaller" if change >= 0 else "larger"
    return [f"On past data its error was {abs(change):.0f}% {word} than repeating the last season."]


def _forecast_chart(series: Sequence[Mapping[str, Any]], title: str) -> Spec:
    data: list[dict[str, Any]] = []
    for s in series:
        history = s.get("history", [])[-max(HISTORY_SHOWN * len(s["forecast"]), 60) :]
        data += [{"t": p["t"], "v": p["v"], "series": s["label"], "part": "actual"} for p in history]
        data += [
            {
                "t": p["t"],
                "v": p["mean"],
                "l80": p["lower_80"],
                "u80": p["upper_80"],
                "l95": p["lower_95"],
                "u95": p["upper_95"],
                "series": s["label"],
                "part": "forecast",
            }
            for p in s["forecast"]
        ]
    x = {"field": "t", "type": "temporal", "title": None, "scale": {"type": "utc"}}
    color = {"field": "series", "type": "nominal", "title": None, "legend": {"orient": "bottom"} if len(series) > 1 else None}

    def band(low: str, high: str, opacity: float) -> Spec:
        return {
            "transform": [{"filter": "datum.part === 'forecast'"}],
            "mark": {"type": "area", "opacity": opacity},
            "encoding": {"x": x, "y": {"field": low, "type": "quantitative", "title": None}, "y2": {"field": high}, "color": color},
        }

    line: Spec = {
        "mark": {"type": "line", "point": False},
        "encoding": {
            "x": x,
            "y": {"field": "v", "type": "quantitative", "title": None, "axis": {"format": "~s"}, "scale": {"zero": False}},
            "color": color,
            "strokeDash": {
                "field": "part",
                "type": "nominal",
                "title": None,
                "legend": {"orient": "bottom"},
                "sort": ["actual", "forecast"],
            },
            "tooltip": [
                {"field": "t", "type": "temporal", "title": "time"},
                {"field": "v", "type": "quantitative", "format": ",.4~r", "title": "value"},
            ],
        },
    }
    return _layered([band("l95", "u95", 0.12), band("l80", "u80", 0.22), line], data, title)


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
    return {"$schema": SCHEMA, "width": "container", "height": 320, "description": title, "data": {"values": data}, "layer": layers}


def _kind(incident: Mapping[str, Any]) -> str:
    words = {"value": "unusual value", "level_shift": "new level", "missing_data": "missing data", "flat_line": "flat line"}
    direction = {"up": ", up", "down": ", down"}.get(str(incident.get("direction")), "")
    return words.get(str(incident.get("kind")), str(incident.get("kind"))) + (
        direction if incident.get("kind") in {"value", "level_shift"} else ""
    )


def _of(first: Mapping[str, Any], series: Sequence[Mapping[str, Any]]) -> str:
    return f" of {first['label']}" if len(series) > 1 else ""


def _moment(text: str) -> dt.datetime | dt.date:
    found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found.date() if found.time() == dt.time() else found


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]
