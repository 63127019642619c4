"""A chart in the formats of who looks at it: Vega's locale for figures, and the order of day, month and year on axes and in tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from core.formats import USUAL, Formats, current

Spec = dict[str, Any]


def in_formats(spec: Mapping[str, Any]) -> Spec:
    """The spec as it is for nobody, `USUAL`, for whoever reads it now; one that was made for somebody comes out the same again."""
    formats = current()
    made: Spec = _walked(dict(spec), formats)
    config = {name: value for name, value in (spec.get("config") or {}).items() if name != "locale"}
    if not formats.is_usual:
        config["locale"] = {"number": _number(formats)}
    return {name: value for name, value in made.items() if name != "config"} | ({"config": config} if config else {})


def time_format(grain: str | None, formats: Formats | None = None) -> str:
    """A d3 format of the start of a bucket."""
    say = formats or current()
    clock = "%H:%M" if say.hours == 24 else "%-I:%M %p"
    return {
        "year": "%Y", "quarter": "%b %Y", "month": "%b %Y", "hour": f"{_short(say)} {clock}", "minute": clock,
    }.get(grain or "", _day(say))  # fmt: skip


def _walked(node: Any, formats: Formats) -> Any:
    if isinstance(node, list):
        return [_walked(item, formats) for item in node]
    if not isinstance(node, Mapping):
        return node
    made = {name: value if name == "data" else _walked(value, formats) for name, value in node.items()}
    if isinstance(made.get("format"), str):
        made["format"] = _of_grains(formats).get(made["format"], made["format"])
    if made.get("type") != "temporal":
        return made
    if "scale" in made or "axis" in made:
        axis = made.get("axis", {})
        return made if axis is None or "format" in axis else made | {"axis": dict(axis) | {"format": _steps(formats)}}
    return made | {"format": f"{_day(formats)}"} if "format" not in made and "title" in made else made


@lru_cache(100)
def _of_grains(formats: Formats) -> dict[str, str]:
    """The formats of buckets, by the usual ones."""
    return {time_format(grain, USUAL): time_format(grain, formats) for grain in ("year", "month", "day", "hour", "minute")}


def _steps(formats: Formats) -> dict[str, str]:
    """What an axis writes that finds its own steps."""
    short = _short(formats)
    clock = "%H:%M" if formats.hours == 24 else "%-I:%M %p"
    return {"week": short, "date": short, "day": short, "hours": clock, "minutes": clock}


def _day(formats: Formats) -> str:
    return formats.day_template.format(d="%d" if "{b}" in formats.day_template else "%-d", dd="%d", m="%-m", mm="%m", b="%b", y="%Y")


def _short(formats: Formats) -> str:
    """The day without its year: 04 Mar, Mar 04, 04.03."""
    return _day(formats).replace(", %Y", "").replace("%Y", "").strip(" /-")


def _number(formats: Formats) -> Spec:
    last, before = formats.sizes
    return {
        "decimal": formats.decimal, "thousands": formats.group, "grouping": [last] if last == before else [last, *[before] * 6],
        "currency": ["", ""], "minus": formats.minus, "percent": formats.percent.removeprefix("{}"),
    }  # fmt: skip
