"""Comments on points of a chart: a numbered mark at the point, with the words in its tooltip."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_COLOUR = "#c0392b"


@dataclass(frozen=True, slots=True)
class Note:
    """point: as the chart's own data write it. number: what the list of comments beside the chart says."""

    point: str
    number: int
    text: str


def points_of(spec: Mapping[str, Any] | None) -> list[str]:
    """The points that can be commented on: times, or names of bars, in the order of the chart."""
    field = _field(spec) if spec is not None else None
    if spec is None or field is None:
        return []
    return list(dict.fromkeys(str(row[field]) for row in spec["data"]["values"] if row.get(field) is not None))


def annotated(spec: Mapping[str, Any], notes: Sequence[Note]) -> dict[str, Any]:
    """The chart with a mark per note; notes on points that are not in the chart (any more) are left to the list."""
    made: dict[str, Any] = copy.deepcopy(dict(spec))
    field = _field(spec)
    known = set(points_of(spec))
    shown = [{"point": n.point, "number": str(n.number), "text": n.text[:300]} for n in notes if n.point in known]
    if field is None or not shown:
        return made
    base = {"mark": made.pop("mark"), "encoding": made.pop("encoding")}
    axis = {**base["encoding"]["x" if field == "time" else "y"], "field": "point"}
    axis.pop("sort", None)
    tip = [{"field": "text", "type": "nominal", "title": "Comment"}]
    data = {"values": shown}
    if field == "time":
        rule = {"data": data, "mark": {"type": "rule", "color": _COLOUR, "strokeDash": [3, 3]}, "encoding": {"x": axis, "tooltip": tip}}
        label = {
            "data": data, "mark": {"type": "text", "color": _COLOUR, "fontWeight": "bold", "dy": -6, "baseline": "bottom"},
            "encoding": {"x": axis, "y": {"value": 0}, "text": {"field": "number"}, "tooltip": tip},
        }  # fmt: skip
        made["layer"] = [base, rule, label]
    else:
        label = {
            "data": data, "mark": {"type": "text", "color": _COLOUR, "fontWeight": "bold", "align": "left", "dx": 4},
            "encoding": {"y": {**axis, "sort": None}, "x": {"value": 0}, "text": {"field": "number"}, "tooltip": tip},
        }  # fmt: skip
        made["layer"] = [base, label]
    return made


def _field(spec: Mapping[str, Any]) -> str | None:
    encoding = spec.get("encoding") or {}
    if (encoding.get("x") or {}).get("field") == "time":
        return "time"
    return "name" if (encoding.get("y") or {}).get("field") == "name" else None
