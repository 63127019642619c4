"""The chart beside a told fact: the metric's (or the segment's) course, the told stretch marked."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from insights.chart import SCHEMA, value_axis
from insights.past import MetricPast
from insights.phrasing import capital
from insights.types import Fact

SHOWN = 60
WIDTH, HEIGHT = 560, 180
_LINE, _MARK = "#1f4e8c", "#c0392b"


_STANDING = ("period_change", "year_ago")


def fact_charts(told: Sequence[Fact], pasts: Sequence[MetricPast], most: int) -> list[dict[str, Any]]:
    """[{"title", "fact", "chart"}] of at most `most` facts in the order told: news before how metrics stand, the same picture once."""
    chosen: dict[str, dict[str, Any]] = {}
    seen: set[tuple[object, ...]] = set()
    for fact in sorted(told, key=lambda fact: fact.kind in _STANDING):
        picture = (fact.quantity, fact.scope, fact.names == ("day",), fact.period)
        if len(chosen) == most or picture in seen or fact.key in chosen:
            continue
        chart = past_chart(fact, pasts)
        if chart is not None:
            seen.add(picture)
            chosen[fact.key] = {"title": chart["title"], "fact": fact.key, "chart": chart}
    return [chosen[fact.key] for fact in told if fact.key in chosen]


def past_chart(fact: Fact, pasts: Sequence[MetricPast]) -> dict[str, Any] | None:
    """Vega-Lite; None where the fact's metric was not looked at."""
    past = next((p for p in pasts if p.quantity == fact.quantity), None)
    if past is None:
        return None
    points = _points(past, fact)
    if len(points) < 3:
        return None
    title = capital(fact.quantity.label if not fact.scope else f"{fact.quantity.label}: {fact.segment}")
    x = {"field": "t", "type": "temporal", "title": None, "scale": {"type": "utc"}}
    y = {"field": "v", "type": "quantitative", "title": None, "scale": {"zero": False}, "axis": value_axis(fact.quantity.format)}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "color": _LINE, "strokeWidth": 1.6}, "encoding": {"x": x, "y": y}},
        {
            "transform": [{"filter": "datum.told"}],
            "mark": {"type": "point", "color": _MARK, "filled": True, "size": 46},
            "encoding": {"x": x, "y": y},
        },
    ]
    return {
        "$schema": SCHEMA, "title": title, "description": title, "width": WIDTH, "height": HEIGHT, "data": {"values": points}, "layer": layers,
    }  # fmt: skip


def _points(past: MetricPast, fact: Fact) -> list[dict[str, Any]]:
    start, end = fact.period.start, fact.period.end
    if fact.names == ("day",) and past.days is not None:
        first = past.days.last - dt.timedelta(days=len(past.days.values) - 1)
        moments = [dt.datetime.combine(first + dt.timedelta(days=k), dt.time()) for k in range(len(past.days.values))]
        values = past.days.values
    else:
        moments = [p.start for p in past.periods if p.start is not None]
        values = past.values
        for dimension, name in fact.scope:
            names, cells = past.segments.get(dimension, ((), np.zeros((0, 0))))
            if name in names:
                values = cells[:, names.index(name)]
                if dimension in past.segment_bases:
                    with np.errstate(divide="ignore", invalid="ignore"):
                        values = values / past.segment_bases[dimension][:, names.index(name)] * past.scale
                moments = moments[-len(values) :]
    rows = list(zip(moments, values, strict=False))[-SHOWN:]
    return [
        {"t": at.isoformat(), "v": float(value), "told": bool(start and end and start <= at < end)}
        for at, value in rows
        if math.isfinite(value)
    ]
