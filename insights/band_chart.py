"""Charts of a series with what is expected of it: forecasts with their intervals, history with unusual points. Plain Vega-Lite JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
Point = Mapping[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_AXIS_FORMATS = {"year": "%Y", "quarter": "%b %Y", "month": "%b %Y", "hour": "%d %b %H:%M", "minute": "%H:%M"}


def forecast_chart(history: Sequence[Point], forecast: Sequence[Point], *, label: str, grain: str, percent: bool = False) -> Spec:
    """History as a line, the forecast dashed, with its 80 and 95 % intervals as bands.

    history: {t, v}; forecast: {t, mean, lower_80, upper_80, lower_95, upper_95}; t as ISO 8601 in UTC.
    """
    actual = [{"t": p["t"], "value": p["v"]} for p in history]
    ahead = [dict(p) for p in forecast]
    layers = [
        _band(ahead, "lower_95", "upper_95", 0.15),
        _band(ahead, "lower_80", "upper_80", 0.25),
        _line(actual, "value", label, percent=percent),
        _line(ahead, "mean", f"{label}, forecast", percent=percent, dash=True),
    ]
    return _spec(layers, f"{label}: history and forecast with 80 and 95 % intervals", label, grain, percent=percent)


def detection_chart(points: Sequence[Point], unusual: Sequence[str], *, label: str, grain: str, percent: bool = False) -> Spec:
    """The series, the band it was expected in, and the unusual points marked.

    points: {t, v, lower, upper}; unusual: the t of points inside an incident.
    """
    rows = [{"t": p["t"], "value": p["v"], "lower": p["lower"], "upper": p["upper"]} for p in points]
    wanted = set(unusual)
    layers = [
        _band(rows, "lower", "upper", 0.2),
        _line(rows, "value", label, percent=percent),
        {
            "data": {"values": [row for row in rows if row["t"] in wanted]},
            "mark": {"type": "point", "filled": True, "size": 70, "color": "#c62828"},
            "encoding": {"x": _time(), "y": {"field": "value", "type": "quantitative"}, "tooltip": _tooltip("value", label, percent)},
        },
    ]
    return _spec(layers, f"{label}: what happened, what was expected, and what was unusual", label, grain, percent=percent)


def _band(rows: Sequence[Point], low: str, high: str, opacity: float) -> Spec:
    return {
        "data": {
            "values": [{"t": row["t"], low: row[low], high: row[high]} for row in rows if row[low] is not None and row[high] is not None]
        },
        "mark": {"type": "area", "opacity": opacity},
        "encoding": {"x": _time(), "y": {"field": low, "type": "quantitative"}, "y2": {"field": high}},
    }


def _line(rows: Sequence[Point], field: str, label: str, *, percent: bool, dash: bool = False) -> Spec:
    mark: Spec = {"type": "line"}
    if dash:
        mark["strokeDash"] = [5, 3]
    encoding = {"x": _time(), "y": {"field": field, "type": "quantitative"}, "tooltip": _tooltip(field, label, percent)}
    return {"data": {"values": [{"t": row["t"], field: row[field]} for row in rows]}, "mark": mark, "encoding": encoding}


def _time() -> Spec:
    return {"field": "t", "type": "temporal", "scale": {"type": "utc"}}


def _tooltip(field: str, label: str, percent: bool) -> list[Spec]:
    return [
        {"field": "t", "type": "temporal", "title": "Time"},
        {"field": field, "type": "quantitative", "title": label, "format": ".1%" if percent else ",.2~f"},
    ]


def _spec(layers: list[Spec], description: str, label: str, grain: str, *, percent: bool) -> Spec:
    first = layers[0]["encoding"]
    first["x"] = first["x"] | {"title": None, "axis": {"format": _AXIS_FORMATS.get(grain, "%d %b %Y"), "labelOverlap": True}}
    first["y"] = first["y"] | {"title": label, "axis": {"format": ".1%" if percent else "~s"}, "scale": {"zero": False}}
    return {"$schema": SCHEMA, "width": "container", "height": 300, "description": description, "layer": layers}
