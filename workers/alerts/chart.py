"""The chart of an incident: actual over the expected band, the odd stretch marked. One Vega-Lite spec for page, e-mail and API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH, HEIGHT = 560, 220
_BAND, _LINE, _EXPECTED, _ODD = "#c9d7ea", "#1f4e8c", "#7f8fa6", "#c0392b"


def incident_chart(points: Sequence[Mapping[str, Any]], *, title: str, start: str, end: str) -> dict[str, Any]:
    """points: {"t", "v", "expected", "lower", "upper"}, ascending; start, end: ISO bucket starts of the odd stretch, inclusive."""
    data = [dict(point) | {"odd": start <= str(point["t"]) <= end} for point in points]
    x = {"field": "t", "type": "temporal", "title": None, "scale": {"type": "utc"}}
    zero = {"zero": False}
    layers: list[dict[str, Any]] = []
    if any(point.get("lower") is not None for point in points):
        band = {"x": x, "y": {"field": "lower", "type": "quantitative", "title": None, "scale": zero}, "y2": {"field": "upper"}}
        layers.append({"mark": {"type": "area", "color": _BAND, "opacity": 0.7}, "encoding": band})
    if any(point.get("expected") is not None for point in points):
        expected = {"x": x, "y": {"field": "expected", "type": "quantitative", "scale": zero}}
        layers.append({"mark": {"type": "line", "color": _EXPECTED, "strokeDash": [4, 3], "strokeWidth": 1}, "encoding": expected})
    value = {"x": x, "y": {"field": "v", "type": "quantitative", "title": None, "scale": zero}}
    layers.append({"mark": {"type": "line", "color": _LINE, "strokeWidth": 1.6}, "encoding": value})
    odd = {"mark": {"type": "point", "color": _ODD, "filled": True, "size": 46}, "encoding": value}
    layers.append(odd | {"transform": [{"filter": "datum.odd"}]})
    return {"$schema": SCHEMA, "title": title, "width": WIDTH, "height": HEIGHT, "data": {"values": data}, "layer": layers}


def png(spec: Mapping[str, Any]) -> bytes:
    """The chart as an image. Reads nothing from the network."""
    import vl_convert

    made: bytes = vl_convert.vegalite_to_png(dict(spec), scale=1.5, allowed_base_urls=[])
    return made
