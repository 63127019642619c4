"""Charts of a forecast as Vega-Lite: history with bands, a running figure against its goal, and what the forecast is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insights.chart import SCHEMA, Spec, value_axis
from insights.chart_formats import in_formats

HISTORY_SHOWN = 3
MAX_CHARTED = 6
_X = {"field": "t", "type": "temporal", "title": None, "scale": {"type": "utc"}}
_VALUE_TIP = {"field": "v", "type": "quantitative", "format": ",.4~r", "title": "value"}


def forecast_chart(
    series: Sequence[Mapping[str, Any]],
    title: str,
    *,
    goal: float | None = None,
    scenario: Mapping[str, Any] | None = None,
    format_: str | None = None,
) -> Spec:
    """Actual and expected values with 80 and 95 % bands. A running bucket is a point of its own, joined to nothing; a goal is a line across.

    format_: of the metric, for its axis.
    """
    data: list[dict[str, Any]] = []
    for s in series[:MAX_CHARTED]:
        history = s.get("history", [])[-max(HISTORY_SHOWN * len(s["forecast"]), 60) :]
        data += [{"t": p["t"], "v": p["v"], "series": s["label"], "part": "actual"} for p in history]
        data += _joints(history, s["label"], ("forecast", *(("scenario",) if scenario and s is series[0] else ())))
        if s.get("partial"):
            data.append({"t": s["partial"]["t"], "v": s["partial"]["v"], "series": s["label"], "part": "so far (running)"})
        data += [
            {"t": p["t"], "v": p["mean"], "l80": p["lower_80"], "u80": p["upper_80"], "l95": p["lower_95"], "u95": p["upper_95"],
             "series": s["label"], "part": "forecast"}
            for p in s["forecast"]
        ]  # fmt: skip
    if scenario:
        data += [{"t": p["t"], "v": p["v"], "series": series[0]["label"], "part": "scenario"} for p in scenario["forecast"]]
    color = {
        "field": "series",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "bottom", "symbolOpacity": 1} if len(series) > 1 else None,
    }
    layers: list[Spec] = [_band("l95", "u95", 0.12, color), _band("l80", "u80", 0.22, color), _line(color, format_)]
    if any(s.get("partial") for s in series[:MAX_CHARTED]):
        layers += [_running_points(color), _running_words(color)]
    if goal is not None:
        layers.append(_goal_line(goal))
    return _layered(layers, data, title)


def _joints(history: Sequence[Mapping[str, Any]], label: str, parts: Sequence[str]) -> list[dict[str, Any]]:
    """The last actual point as the beginning of what goes on from it, so that lines and bands open from there."""
    last = history[-1] if history else None
    if last is None or last["v"] is None:
        return []
    return [
        {"t": last["t"], "v": last["v"], **dict.fromkeys(("l80", "u80", "l95", "u95"), last["v"]), "series": label, "part": p}
        for p in parts
    ]


def running_chart(goal: Mapping[str, Any], title: str, format_: str | None = None) -> Spec:
    """The figure so far and its possible way on (80 %), against the goal."""
    data = [{"t": p["t"], "v": p["v"], "part": "so far"} for p in goal.get("past", ())]
    data += [{"t": p["t"], "v": p["v"], "l80": p["l"], "u80": p["u"], "part": "forecast"} for p in goal.get("line", ())]
    return _layered([_band("l80", "u80", 0.22, None), _line(None, format_), _goal_line(float(goal["target"]))], data, title)


def part_charts(parts: Mapping[str, Any], forecast_from: str, format_: str | None = None) -> list[dict[str, Any]]:
    """{"title", "chart"} per part: trend, seasons, holidays, events, rest; the part that lies ahead is dashed."""
    made = []
    for part in parts.get("parts", ()):
        data = [{"t": p["t"], "v": p["v"], "part": "actual"} for p in part["history"]]
        data += [{"t": p["t"], "v": p["v"], "part": "forecast"} for p in part["ahead"]]
        if not any(point["v"] for point in data):
            continue
        line = _line(None, format_)
        line["encoding"] |= {"strokeDash": {"field": "part", "type": "nominal", "legend": None, "sort": ["actual", "forecast"]}}
        spec = _layered([line], data, f"{part['name']}, forecast from {forecast_from[:10]}")
        made.append({"title": part["name"], "chart": spec | {"height": 90}})
    return made


def _band(low: str, high: str, opacity: float, color: Mapping[str, Any] | None) -> Spec:
    encoding = {"x": _X, "y": {"field": low, "type": "quantitative", "title": None}, "y2": {"field": high}}
    return {
        "transform": [{"filter": "datum.part === 'forecast'"}],
        "mark": {"type": "area", "opacity": opacity},
        "encoding": encoding | ({"color": color} if color else {}),
    }


def _line(color: Mapping[str, Any] | None, format_: str | None) -> Spec:
    encoding = {
        "x": _X,
        "y": {"field": "v", "type": "quantitative", "title": None, "axis": value_axis(format_), "scale": {"zero": False}},
        "strokeDash": {
            "field": "part",
            "type": "nominal",
            "title": None,
            "legend": {"orient": "bottom"},
            "sort": ["actual", "so far", "forecast", "scenario"],
        },
        "tooltip": [{"field": "t", "type": "temporal", "title": "time"}, _VALUE_TIP],
    }
    return {
        "transform": [{"filter": "datum.part !== 'so far (running)'"}],
        "mark": {"type": "line", "point": False},
        "encoding": encoding | ({"color": color} if color else {}),
    }


def _running_points(color: Mapping[str, Any]) -> Spec:
    return {
        "transform": [{"filter": "datum.part === 'so far (running)'"}],
        "mark": {"type": "point", "size": 70, "filled": False},
        "encoding": {
            "x": _X,
            "y": {"field": "v", "type": "quantitative"},
            "color": color,
            "tooltip": [{"field": "part", "type": "nominal", "title": "bucket"}, _VALUE_TIP],
        },
    }


def _running_words(color: Mapping[str, Any]) -> Spec:
    return {
        "transform": [{"filter": "datum.part === 'so far (running)'"}],
        "mark": {"type": "text", "align": "right", "dx": -10, "fontSize": 12},
        "encoding": {"x": _X, "y": {"field": "v", "type": "quantitative"}, "text": {"value": "so far"}, "color": color},
    }


def _goal_line(target: float) -> Spec:
    return {
        "data": {"values": [{"goal": target, "name": "goal"}]},
        "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 1.5},
        "encoding": {
            "y": {"field": "goal", "type": "quantitative"},
            "tooltip": [{"field": "goal", "type": "quantitative", "format": ",.4~r", "title": "goal"}],
        },
    }


def _layered(layers: list[Spec], data: list[dict[str, Any]], title: str) -> Spec:
    return in_formats(
        {"$schema": SCHEMA, "width": "container", "height": 320, "description": title, "data": {"values": data}, "layer": layers}
    )
