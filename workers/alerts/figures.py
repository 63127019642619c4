"""What an incident keeps of its event: figures, segments and the points of its chart, ready for JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workers.alerts.evaluate import Judge
from workers.alerts.events import Event
from workers.alerts.history import cut
from workers.alerts.rule import AnomalyRule, AnyRule
from workers.alerts.signals import Signal, goal_is_over
from workers.jobs.chart_data import finite, instant

POINTS_BEFORE = 60
MAX_POINTS = 400
SHOWN_SEGMENTS = 20


def details(judge: Judge, rule: AnyRule, event: Event, *, sensitivity: float) -> dict[str, Any]:
    """JSON values of the event."""
    measure = judge.history.measure
    shown = points(judge, rule, event, sensitivity=sensitivity)
    return {
        "label": measure.label,
        "unit": measure.unit,
        "format": measure.format,
        "good_direction": measure.good_direction,
        "grain": judge.history.grain.value,
        "rule_kind": rule.kind,
        "model": judge.model if rule.kind == "anomaly" else "",
        "scope": event.main.label,
        "expected": finite(event.main.expected),
        "actual": finite(event.main.actual),
        "known_at": instant(event.known_at),
        "last_bucket": instant(event.end),
        "peak_bucket": _peak(shown, event),
        "repeated": judge.repeated.get(event.end),
        "repeated_bucket": instant(event.end) if judge.repeated.get(event.end) else None,
        "adds_up": judge.history.adds_up,
        "period_over": goal_is_over(rule, event.end),
        "new_normal_at": instant(event.new_normal_at) if event.new_normal_at else None,
        "segments": segments(event.signals),
        "points": shown,
        "receipt": judge.history.receipt.as_json(),
    }


def segments(found: Sequence[Signal]) -> list[dict[str, Any]]:
    """One entry per series, its strongest signal, the event's main one first."""
    first: dict[str, Signal] = {}
    for signal in found:
        first.setdefault(signal.series_id, signal)
    return [
        {
            "id": s.series_id,
            "label": s.label,
            "kind": s.kind,
            "direction": s.direction,
            "start": instant(s.start),
            "end": instant(s.end),
            "severity": round(s.severity, 2),
            "impact": finite(s.impact),
            "expected": finite(s.expected),
            "actual": finite(s.actual),
        }
        for s in list(first.values())[:SHOWN_SEGMENTS]
    ]


def points(judge: Judge, rule: AnyRule, event: Event, *, sensitivity: float) -> list[Mapping[str, Any]]:
    """The main series around the event: 60 buckets before to its end and a few after."""
    until = judge.until(rule)
    series = next(item for item in judge.history.series if item.series_id == event.main.series_id)
    series = cut(series, until)
    first = int(np.searchsorted(series.times, np.datetime64(_naive(event.start), "ns")))
    last = int(np.searchsorted(series.times, np.datetime64(_naive(event.end), "ns"), side="right"))
    begin, stop = max(0, first - POINTS_BEFORE), min(len(series), last + POINTS_BEFORE // 4, max(0, first - POINTS_BEFORE) + MAX_POINTS)
    values = {"v": series.values}
    times = series.times
    if isinstance(rule, AnomalyRule):
        found = judge.detector(rule, until, sensitivity)(series)
        times = found.times
        values = {"v": found.values, "expected": found.expected, "lower": found.lower, "upper": found.upper}
    return [
        {"t": instant(times[i]), **{name: finite(float(column[i])) for name, column in values.items()}}
        for i in range(begin, min(stop, len(times)))
    ]


def _peak(shown: Sequence[Mapping[str, Any]], event: Event) -> str | None:
    """The bucket that `actual` is of, where it is one bucket's value."""
    first, last, actual = instant(event.start), instant(event.end), finite(event.main.actual)
    return next((str(point["t"]) for point in shown if first <= point["t"] <= last and point["v"] == actual), None)


def _naive(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(tzinfo=None)
