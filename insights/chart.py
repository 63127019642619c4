"""A Vega-Lite chart for a result: which form suits its columns, as plain JSON. Tested without a browser; rendered by the page or vl-convert."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.formats import current
from insights.chart_formats import in_formats, time_format
from semantic.expr import Unit
from semantic.states import OutputColumn
from semantic.windows import add_units

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MAX_BARS = 30
MAX_SERIES = 12
_STEP = re.compile(r"\s*([<>≤≥]?)=?\s*(\d+(?:\.\d+)?)")
_RUNNING = "running"
Spec = dict[str, Any]
Rows = Sequence[Sequence[Any]]


def chart(columns: Sequence[OutputColumn], rows: Rows, *, title: str = "", now: dt.datetime | None = None) -> Spec | None:
    """The chart for these rows, or None where a table or a single number says it better. now: wall-clock time; the way to a period that runs is dashed.

    One time column: lines (one per value of a dimension, at most twelve). One dimension: bars in the order of the rows. Two dimensions: stacked bars.
    """
    times = [i for i, c in enumerate(columns) if c.role == "time"]
    dimensions = [i for i, c in enumerate(columns) if c.role == "dimension"]
    measures = [i for i, c in enumerate(columns) if c.role == "measure" and any(_is_number(row[i]) for row in rows)]
    if not measures or len(rows) < 2:
        return None
    if len(times) == 1 and not _is_cycle(columns[times[0]]) and len(dimensions) <= 1:
        spec = _lines(columns, rows, times[0], dimensions[0] if dimensions else None, measures, title)
        return _running_apart(spec, columns[times[0]].grain, now) if now is not None else spec
    if times and not dimensions:
        return _bars(columns, rows, times[0], measures, title)
    if len(dimensions) == 1 and not times:
        return _bars(columns, rows, dimensions[0], measures, title)
    if len(dimensions) == 2 and not times:
        return _stacked(columns, rows, dimensions, measures[0], title)
    return None


def _lines(columns: Sequence[OutputColumn], rows: Rows, time: int, dimension: int | None, measures: list[int], title: str) -> Spec:
    if dimension is not None:
        keys = list(dict.fromkeys(str(row[dimension]) for row in rows))
        series_title = columns[dimension].label
        if len(keys) > MAX_SERIES:
            totals = {key: sum(abs(_number(row[measures[0]])) for row in rows if str(row[dimension]) == key) for key in keys}
            series_title = _part(series_title, "largest", MAX_SERIES, len(keys))
            keys = sorted(keys, key=lambda key: -totals[key])[:MAX_SERIES]
        data = [
            {"time": _plain(row[time]), "value": _plain(row[measures[0]]), "series": str(row[dimension])}
            for row in rows
            if str(row[dimension]) in set(keys)
        ]
    else:
        same_unit = [
            i for i in measures if columns[i].format == columns[measures[0]].format and columns[i].unit == columns[measures[0]].unit
        ]
        data = [{"time": _plain(row[time]), "value": _plain(row[i]), "series": columns[i].label} for i in same_unit for row in rows]
        series_title = ""
    several = len({point["series"] for point in data}) > 1
    measure = columns[measures[0]]
    encoding: Spec = {
        "x": {
            "field": "time",
            "type": "temporal",
            "title": None,
            "scale": {"type": "utc"},
            "axis": _time_axis(columns[time].grain, sorted({point["time"] for point in data if isinstance(point["time"], str)})),
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None if several else measure.label,
            "axis": value_axis(measure.format),
            "scale": {"zero": not _is_ratio(measure)},
        },
        "tooltip": _tooltip(columns[time], measure, series_title if several else None),
    }
    if several:
        encoding["color"] = {"field": "series", "type": "nominal", "title": series_title or None, "legend": {"orient": "bottom"}}
    return _spec(title, data, {"type": "line", "point": len(data) <= 60, "interpolate": "linear"}, encoding)


def _running_apart(spec: Spec, grain: str | None, now: dt.datetime) -> Spec:
    """A period that is not over is not held against whole ones: the line to it is dashed, and its point says so."""
    data = spec["data"]["values"]
    last = max((point["time"] for point in data if point["time"]), default=None)
    if not isinstance(last, str) or grain not in {unit.value for unit in Unit}:
        return spec
    start = dt.datetime.fromisoformat(last).replace(tzinfo=None)
    if not start <= now < add_units(start, Unit(grain), 1):
        return spec
    whole = [point for point in data if point["time"] != last]
    if not whole:
        return spec
    before = max(point["time"] for point in whole if point["time"])
    marked = [{**point, "part": _RUNNING} for point in data if point["time"] in (before, last)]
    for point in marked:  # the line to it begins at the point before, which itself is whole
        point["state"] = "so far" if point["time"] == last else "whole"
    encoding = {
        **spec["encoding"],
        "strokeDash": {
            "field": "part",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": ["whole", _RUNNING], "range": [[1, 0], [4, 4]]},
        },
        "tooltip": [*spec["encoding"]["tooltip"], {"field": "state", "title": "period"}],
    }
    return {**spec, "data": {"values": [*({**p, "part": "whole", "state": "whole"} for p in whole), *marked]}, "encoding": encoding}


def _bars(columns: Sequence[OutputColumn], rows: Rows, dimension: int, measures: list[int], title: str) -> Spec:
    measure = columns[measures[0]]
    shown = _compared(columns, measures)
    several = len(shown) > 1
    data = [
        {"name": _name(row[dimension]), "value": _plain(row[i])} | ({"series": columns[i].label} if several else {})
        for row in rows[:MAX_BARS]
        for i in shown
    ]
    encoding: Spec = {
        "y": {
            "field": "name",
            "type": "nominal",
            "title": _part(columns[dimension].label, "first", MAX_BARS, len(rows)),
            "sort": _scale([point["name"] for point in data]),
            "axis": {"labelLimit": 180},
        },
        "x": {"field": "value", "type": "quantitative", "title": measure.label, "axis": value_axis(measure.format)},
        "tooltip": [
            {"field": "name", "title": columns[dimension].label},
            *([{"field": "series", "title": "measure"}] if several else []),
            {"field": "value", "type": "quantitative", "title": measure.label, "format": _format(measure)},
        ],
    }
    if several:
        encoding["yOffset"] = {"field": "series", "sort": None}
        encoding["color"] = {
            "field": "series", "type": "nominal", "title": None, "sort": None,
            "legend": {"orient": "bottom", "direction": "vertical", "labelLimit": 420},
        }  # fmt: skip
    return _spec(title, data, {"type": "bar", "cornerRadiusEnd": 2}, encoding)


def _part(label: str, which: str, drawn: int, of: int) -> str:
    """
    >>> _part("channel", "first", 30, 214), _part("channel", "first", 30, 6)
    ('channel (first 30 of 214)', 'channel')
    """
    return f"{label} ({which} {drawn} of {of})" if of > drawn else label


def _scale(names: Sequence[Any]) -> list[Any] | None:
    """Steps of a scale ("18-24", "< 5 kg", "100+", ratings, hours) from low to high; any other names as the rows come, which is the order asked
    for. Bare numbers with wide gaps between them are no scale but what things are numbered by.

    >>> _scale(["25-34", "< 9", "9-17"]), _scale([5, 3, 4]), _scale([1042, 77, 5003])
    (['< 9', '9-17', '25-34'], [3, 4, 5], None)
    """
    steps = [step for name in names if (step := _STEP.match(str(name)))]
    if len(steps) < len(names) or not steps:
        return None
    values = [float(step[2]) for step in steps]
    if all(step.end() == len(step.string) for step in steps) and max(values) - min(values) >= 2 * len(set(values)):
        return None
    placed = {name: (step[1] != "<", float(step[2])) for name, step in zip(names, steps, strict=True)}
    return sorted(dict.fromkeys(names), key=lambda name: (placed[name][1], placed[name][0]))


def _compared(columns: Sequence[OutputColumn], measures: list[int]) -> list[int]:
    """The first measure, with its value in the compared window where there is one: two bars side by side."""
    first = columns[measures[0]]
    if first.measure_index is None:
        return measures[:1]
    same = [i for i in measures[1:] if columns[i].measure_index == first.measure_index and columns[i].format == first.format]
    return [measures[0], *same[:1]]


def _stacked(columns: Sequence[OutputColumn], rows: Rows, dimensions: list[int], measure_index: int, title: str) -> Spec | None:
    first, second = dimensions
    if len({str(row[second]) for row in rows}) > len({str(row[first]) for row in rows}):
        first, second = second, first
    if len({str(row[first]) for row in rows}) > MAX_BARS or len({str(row[second]) for row in rows}) > MAX_SERIES:
        return None
    measure = columns[measure_index]
    data = [{"name": _name(row[first]), "part": _name(row[second]), "value": _plain(row[measure_index])} for row in rows]
    encoding: Spec = {
        "y": {"field": "name", "type": "nominal", "title": columns[first].label, "sort": "-x", "axis": {"labelLimit": 180}},
        "x": {
            "field": "value",
            "type": "quantitative",
            "title": measure.label,
            "axis": value_axis(measure.format),
            "stack": None if _is_ratio(measure) else "zero",
        },
        "color": {"field": "part", "type": "nominal", "title": columns[second].label, "legend": {"orient": "bottom"}},
        "tooltip": [
            {"field": "name", "title": columns[first].label},
            {"field": "part", "title": columns[second].label},
            {"field": "value", "type": "quantitative", "title": measure.label, "format": _format(measure)},
        ],
    }
    if _is_ratio(measure):
        encoding["yOffset"] = {"field": "part"}
    return _spec(title, data, {"type": "bar"}, encoding)


def _spec(title: str, data: list[Spec], mark: Spec, encoding: Spec) -> Spec:
    spec: Spec = {"$schema": SCHEMA, "width": "container", "height": 300, "data": {"values": data}, "mark": mark, "encoding": encoding}
    if title:
        spec["title"] = {"text": title, "anchor": "start"}
        spec["description"] = title
    return in_formats(spec)


def _tooltip(time: OutputColumn, measure: OutputColumn, series: str | None) -> list[Spec]:
    items: list[Spec] = [{"field": "time", "type": "temporal", "title": time.label, "format": time_format(time.grain)}]
    if series is not None:
        items.append({"field": "series", "title": series or "measure"})
    return [*items, {"field": "value", "type": "quantitative", "title": measure.label, "format": _format(measure)}]


def value_axis(format_: str | None) -> Spec:
    """Labels as people write them: 0, €2M, 3B; d3 alone says 0M, 2M and 3G."""
    made: Spec = {"format": ".1~%" if format_ == "percent" else "~s", "labelOverlap": True}
    if format_ == "percent":
        return made
    known = (format_ or "").partition("currency:")[2]
    formats = current()
    before, _, after = formats.amount(known, "#").replace("'", "").replace("\\", "").partition("#") if known else ("", "", "")
    large = "replace(replace(format(abs(datum.value), '~s'), 'G', 'B'), 'k', 'K')"
    said = f"(abs(datum.value) < 1000 ? format(abs(datum.value), ',.3~f') : {large})"
    sign = f"(datum.value < 0 ? '{formats.minus}' : '') + (datum.value ? '{before}' : '')"
    made["labelExpr"] = f"{sign} + {said}" + (f" + (datum.value ? '{after}' : '')" if after else "")
    return made


def _format(column: OutputColumn) -> str:
    """A d3 format: percent for fractions, thousands separators elsewhere."""
    return ".1%" if column.format == "percent" else ",.2~f"


def _time_axis(grain: str | None, buckets: Sequence[str]) -> Spec:
    """Labels at buckets, not between them; bucket starts are dates without a zone, so the axis is UTC.

    Vega's own weeks begin on Sundays, so weeks are named one by one.
    """
    axis: Spec = {"format": time_format(grain), "labelOverlap": True, "labelSeparation": 6, "labelFlush": False, "grid": False}
    if grain == "week" and len(buckets) <= 24:
        days = [dt.date.fromisoformat(bucket[:10]) for bucket in buckets]
        axis["values"] = [{"year": day.year, "month": day.month, "date": day.day, "utc": True} for day in days]
    elif grain in ("month", "year", "day") and len(buckets) <= 24:
        axis["tickCount"] = {"interval": grain, "step": 1}
    elif grain == "quarter":
        axis["tickCount"] = {"interval": "month", "step": 3}
    return axis


def _is_cycle(column: OutputColumn) -> bool:
    return column.grain not in {None, "minute", "hour", "day", "week", "month", "quarter", "year"}


def _is_ratio(column: OutputColumn) -> bool:
    return column.format == "percent"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else 0.0


def _name(value: Any) -> str:
    return "–" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value
