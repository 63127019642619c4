"""What a rule would have told: the production path over the whole history."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.ids import TenantId
from core.principal import Principal
from core.timeseries import Grain
from workers.alerts.chart import incident_chart
from workers.alerts.evaluate import Custom, Judge
from workers.alerts.events import Event
from workers.alerts.feedback import Tuning
from workers.alerts.figures import segments
from workers.alerts.history import fetch_history
from workers.alerts.rule import AnomalyRule, AnyRule, ThresholdRule
from workers.alerts.timing import wall_clock
from workers.bootstrap import Services
from workers.champions import champion_for
from workers.jobs.chart_data import finite, instant

YEAR = dt.timedelta(days=365)
SHOWN_EVENTS = 200
SHOWN_POINTS = 800


@dataclass(frozen=True, slots=True)
class PreviewAsking:
    """Asks without a job."""

    tenant: TenantId
    principal: Principal
    services: Services
    as_of: dt.datetime

    def check_cancelled(self) -> None:
        """Nobody can cancel a preview; it is short."""


def preview(
    services: Services, principal: Principal, rule: AnyRule, *, now: dt.datetime, tuned: Tuning | None = None, custom: Custom | None = None
) -> dict[str, Any]:
    """{"fired", "since", "until", "events": [...], "chart", "headline", ...}: what would have fired in the last year, or since the history begins.

    custom: judges in the place of Querent's own detector, which only a job on queue `sandbox` can have (`preview_rule`); `promoted` says
    which custom detector judges when the rule runs.
    Raises: UserError for what cannot be asked; NotEnoughData without any row; Unavailable.
    """
    started_s = time.perf_counter()
    services.quotas.refuse_over(principal.tenant, "queries")
    services.quotas.count(principal)
    asking = PreviewAsking(principal.tenant, principal, services, now)
    history = fetch_history(asking, rule)
    judge = Judge(history, now, custom)
    sensitivity = (tuned or Tuning(0, 0, 1.0)).sensitivity(rule)
    wall = wall_clock(now, history.grain, history.zone)
    begins = dt.datetime.fromisoformat(instant(history.series[0].times.min()))
    since = max(wall - YEAR, begins)
    found = told_since(judge.events(rule, sensitivity=sensitivity), since)
    weeks = max((wall - since) / dt.timedelta(days=7), 1e-9)
    return {
        "fired": len(found),
        "headline": headline(found, since, wall),
        "since": instant(since),
        "until": instant(judge.until(rule)),
        "per_week": round(len(found) / weeks, 3),
        "events": [_event(event) for event in reversed(found)][:SHOWN_EVENTS],
        "label": history.measure.label,
        "unit": history.measure.unit,
        "format": history.measure.format,
        "grain": history.grain.value,
        "series_count": len(history.series),
        "series_left_out": history.left_out,
        "sensitivity": round(sensitivity, 3),
        "promoted": _promoted(services, principal.tenant, rule),
        "chart": _chart(judge, rule, found, since, sensitivity),
        "receipt": history.receipt.as_json(),
        "seconds": round(time.perf_counter() - started_s, 3),
    }


def _promoted(services: Services, tenant: TenantId, rule: AnyRule) -> str:
    """The custom detector that judges this rule when it runs; empty: Querent's own does."""
    found = champion_for(services, tenant, "detect", rule.metric, Grain(rule.grain)) if isinstance(rule, AnomalyRule) else None
    return str(found) if found is not None else ""


def told_since(found: Sequence[Event], since: dt.datetime) -> list[Event]:
    """Those that were known since then, and those from before that went on: the rule opens an incident for them as well."""
    return [event for event in found if event.known_at >= since or event.end >= since]


def headline(found: Sequence[Event], since: dt.datetime, now: dt.datetime) -> str:
    days = (now - since).days
    span = "in the last year" if days >= 364 else f"in the last {days} days"
    times = {0: "not have fired", 1: "have fired once", 2: "have fired twice"}.get(len(found), f"have fired {len(found)} times")
    at_once = " It is the case now, so you would be told at once." if any(event.is_open for event in found) else ""
    return f"This rule would {times} {span}.{at_once}"


def _event(event: Event) -> dict[str, Any]:
    return {
        "start": instant(event.start),
        "end": instant(event.end),
        "known_at": instant(event.known_at),
        "kind": event.main.kind,
        "direction": event.direction,
        "severity": round(event.severity, 2),
        "impact": finite(event.main.impact),
        "expected": finite(event.main.expected),
        "actual": finite(event.main.actual),
        "scope": event.main.label,
        "is_open": event.is_open,
        "new_normal_at": instant(event.new_normal_at) if event.new_normal_at else None,
        "segments": segments(event.signals),
    }


def _chart(judge: Judge, rule: AnyRule, found: list[Event], since: dt.datetime, sensitivity: float) -> dict[str, Any]:
    series = judge.history.series[0]
    begin = max(0, len(series) - SHOWN_POINTS)
    columns = {"v": series.values}
    times = series.times
    if isinstance(rule, AnomalyRule):
        from workers.alerts.history import cut

        seen = judge.detector(rule, judge.until(rule), sensitivity)(cut(series, judge.until(rule)))
        times = seen.times
        columns = {"v": seen.values, "expected": seen.expected, "lower": seen.lower, "upper": seen.upper}
    points = [
        {"t": instant(times[i]), **{name: finite(float(values[i])) for name, values in columns.items()}}
        for i in range(begin, len(times))
        if instant(times[i]) >= instant(since)
    ]
    measure = judge.history.measure
    lines = [line for line in (rule.upper, rule.lower) if line is not None] if isinstance(rule, ThresholdRule) else []
    spec = incident_chart(points, title=measure.label, start="~", end="", limits=lines, format_=measure.format)
    odd = [(instant(event.start), instant(event.end)) for event in found]
    for point in spec["data"]["values"]:
        point["odd"] = any(start <= point["t"] <= end for start, end in odd)
    return spec
