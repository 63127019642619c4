"""The chart of an incident: actual over the expected band, the odd stretch marked. One Vega-Lite spec for page, e-mail and API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insights.chart import value_axis
from insights.chart_formats import in_formats

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH, HEIGHT = 560, 220
_FAR = 2  # a line farther away than twice the size of the values would press them flat
_BAND, _LINE, _EXPECTED, _ODD = "#c9d7ea", "#1f4e8c", "#7f8fa6", "#c0392b"


def incident_chart(
    points: Sequence[Mapping[str, Any]], *, title: str, start: str, end: str, limits: Sequence[float] = (), format_: str | None = None
) -> dict[str, Any]:
    """points: {"t", "v", "expected", "lower", "upper"}, ascending; start, end: ISO bucket starts of the odd stretch, inclusive.

    limits: lines across that are not to be passed; one far from all values is left out. format_: of the metric, for its axis.
    """
    data = [dict(point) | {"odd": start <= str(point["t"]) <= end} for point in points]
    by_the_clock = any(not str(point["t"]).partition("T")[2].startswith("00:00") for point in points)
    x = {"field": "t", "type": "temporal", "title": "UTC" if by_the_clock else None, "scale": {"type": "utc"}}
    zero = {"zero": False}
    layers: list[dict[str, Any]] = []
    if any(point.get("lower") is not None for point in points):
        band = {"x": x, "y": {"field": "lower", "type": "quantitative", "title": None, "scale": zero}, "y2": {"field": "upper"}}
        layers.append({"mark": {"type": "area", "color": _BAND, "opacity": 0.7}, "encoding": band})
    if any(point.get("expected") is not None for point in points):
        expected = {"x": x, "y": {"field": "expected", "type": "quantitative", "scale": zero}}
        layers.append({"mark": {"type": "line", "color": _EXPECTED, "strokeDash": [4, 3], "strokeWidth": 1}, "encoding": expected})
    for limit in _near(limits, [float(point["v"]) for point in points if point.get("v") is not None]):
        across = {"y": {"field": "limit", "type": "quantitative", "scale": zero}}
        layers.append(
            {"data": {"values": [{"limit": limit}]}, "mark": {"type": "rule", "color": _ODD, "strokeDash": [6, 4]}, "encoding": across}
        )
    value = {"x": x, "y": {"field": "v", "type": "quantitative", "title": None, "scale": zero, "axis": value_axis(format_)}}
    layers.append({"mark": {"type": "line", "color": _LINE, "strokeWidth": 1.6}, "encoding": value})
    odd = {"mark": {"type": "point", "color": _ODD, "filled": True, "size": 46}, "encoding": value}
    layers.append(odd | {"transform": [{"filter": "datum.odd"}]})
    return in_formats({"$schema": SCHEMA, "title": title, "width": WIDTH, "height": HEIGHT, "data": {"values": data}, "layer": layers})


def _near(limits: Sequence[float], values: Sequence[float]) -> list[float]:
    if not values:
        return []
    low, high = min(values), max(values)
    room = _FAR * max(high - low, abs(high), abs(low))
    return [limit for limit in limits if low - room <= limit <= high + room]


def png(spec: Mapping[str, Any]) -> bytes:
    """The chart as an image. Reads nothing from the network."""
    import vl_convert

    made: bytes = vl_convert.vegalite_to_png(dict(spec), scale=1.5, allowed_base_urls=[])
    return made
