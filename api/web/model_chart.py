"""The backtest of a custom model as a chart: what came, and what candidate, champion and seasonal naive had said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insights.chart import SCHEMA, Spec

_LINES = {"actual": "Actual", "candidate": "This model", "champion": "Who serves now", "naive": "Last season again"}


def backtest_chart(run: Mapping[str, Any]) -> Spec | None:
    """None for a backtest without a plot (detectors). Test periods are lines of their own; between them only the actual values go on."""
    plot = run.get("plot")
    if not plot:
        return None
    rows: list[dict[str, Any]] = [
        {"time": t, "value": value, "series": "Actual", "fold": -1}
        for t, value in zip(plot["history"]["t"], plot["history"]["actual"], strict=True)
        if value is not None
    ]
    for number, fold in enumerate(plot["folds"]):
        rows += [
            {"time": t, "value": value, "series": label, "fold": number}
            for key, label in _LINES.items()
            if key != "actual"
            for t, value in zip(fold["t"], fold[key], strict=True)
            if value is not None
        ]
    return {
        "$schema": SCHEMA,
        "config": {"aria": False},
        "data": {"values": rows},
        "mark": {"type": "line", "aria": False},
        "height": 280,
        "encoding": {
            "x": {"field": "time", "type": "temporal", "title": None},
            "y": {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}},
            "color": {"field": "series", "type": "nominal", "title": None, "sort": list(_LINES.values()), "legend": {"orient": "top"}},
            "strokeDash": {"field": "series", "type": "nominal", "sort": list(_LINES.values()), "legend": None},
            "detail": {"field": "fold"},
        },
    }
