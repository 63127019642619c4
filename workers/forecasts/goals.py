"""How likely a goal is and when it will be reached, from drawn paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.timeseries import FloatArray
from forecasting.types import Forecast
from workers.forecasts.data import ForecastData
from workers.forecasts.paths import Dependence, draw, interval
from workers.forecasts.plan import Plan
from workers.forecasts.totals import PeriodTotal
from workers.jobs.chart_data import MAX_HISTORY, instant
from workers.jobs.series import TOTAL
from workers.kinds import GoalParams

NEVER_BELOW, NEVER_ABOVE = 0.005, 0.995
"""Drawn paths cannot tell smaller chances: 2,000 of them, from a model that may be wrong."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """basis: period_total, running_total or level (a single bucket). probability: of reaching it by `until`. dates: of reaching it, None
    when that lies beyond; earliest and latest are the 80 % range. now: where it stands; expected: at the end.
    line: the running figure with its 80 % range; past: the running figure until now.
    """

    basis: str
    target: float
    direction: str
    probability: float
    now: float | None
    expected: float
    bounds: Mapping[str, float]
    until: str
    reached_at: str | None
    earliest: str | None
    latest: str | None
    already: bool
    line: tuple[Mapping[str, Any], ...]
    past: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "basis": self.basis, "target": self.target, "direction": self.direction, "probability": round(self.probability, 4),
            "now": self.now, "expected": self.expected, **self.bounds, "until": self.until, "reached_at": self.reached_at,
            "earliest": self.earliest, "latest": self.latest, "already": self.already, "line": list(self.line), "past": list(self.past),
        }  # fmt: skip


def outlook(
    data: ForecastData, made: Sequence[Mapping[str, Forecast]], plan: Plan, dependence: Dependence, total: PeriodTotal | None
) -> Outlook:
    """The goal of `plan` against the total series. total: the period's figure, where a period was asked."""
    goal = plan.params.goal
    assert goal is not None
    if total is not None and not plan.running_total:
        found = _of_paths("period_total", goal, total.running, total.times, total.known, total.expected, at_end=True)
        return replace(found, past=_past(data, plan, from_start=False))
    forecasts = [part[TOTAL] for part in made]
    times = forecasts[0].times
    paths = data.formula.evaluate(list(draw(forecasts, dependence)))
    if plan.running_total:
        so_far = float(np.nansum(data.history[TOTAL].values)) + (data.partial[TOTAL].value if TOTAL in data.partial else 0.0)
        whole = float(np.nansum(data.history[TOTAL].values))
        running = whole + np.cumsum(paths, axis=1)
        inside = slice(None) if plan.period is None else times < np.datetime64(plan.period.end, "ns")
        expected = whole + float(np.cumsum(forecasts[0].mean)[inside][-1])
        found = _of_paths("running_total", goal, running[:, inside], times[inside], so_far, expected, at_end=True)
        return replace(found, past=_past(data, plan, from_start=True))
    history = data.history[TOTAL].values
    last = float(history[-1]) if np.isfinite(history[-1]) else None
    expected = float(data.formula.evaluate([f.mean for f in forecasts])[-1])
    return _of_paths("level", goal, paths, times, last, expected, at_end=False)


def _past(data: ForecastData, plan: Plan, *, from_start: bool) -> tuple[Mapping[str, Any], ...]:
    """The running figure of what has come: within the period, or since the data begin."""
    parts = [part[TOTAL] for part in data.parts]
    times = parts[0].times
    counted = np.ones(len(times), dtype=np.bool_)
    if not from_start and plan.period is not None:
        counted = times >= np.datetime64(plan.period.start, "ns")
    if not data.formula.adds_up or not counted.any():
        return ()
    running = data.formula.evaluate([np.cumsum(np.nan_to_num(p.values[counted])) for p in parts])
    shown = slice(-MAX_HISTORY, None)
    pairs = zip(times[counted][shown], running[shown], strict=True)
    return tuple({"t": instant(t), "v": float(v)} for t, v in pairs if np.isfinite(v))


def _of_paths(
    basis: str, goal: GoalParams, paths: FloatArray, times: np.ndarray, now: float | None, expected: float, *, at_end: bool
) -> Outlook:
    """at_end: the goal is judged by where paths end; else by whether they ever get there."""
    up = goal.direction == "at_least"
    hit = paths >= goal.target if up else paths <= goal.target
    ever = hit.any(axis=1) if hit.shape[1] else np.zeros(paths.shape[0], dtype=np.bool_)
    reached = np.where(ever, hit.argmax(axis=1) if hit.shape[1] else 0, hit.shape[1])
    end_met = (hit[:, -1] if at_end else ever) if hit.shape[1] else np.full(1, now is not None and (now >= goal.target) == up)
    already = now is not None and (now >= goal.target if up else now <= goal.target) and not (basis == "period_total" and not up)
    share = 1.0 if already and up and basis != "level" else float(np.clip(end_met.mean(), NEVER_BELOW, NEVER_ABOVE))

    def date(quantile: float) -> str | None:
        place = int(np.quantile(reached, quantile, method="higher"))
        return instant(times[place]) if up and place < len(times) else None

    ends = paths[:, -1] if paths.shape[1] else np.full(1, expected)
    middle = np.nanmedian(paths, axis=0) if paths.shape[1] else np.zeros(0)
    low, high = (np.nanpercentile(paths, q, axis=0) if paths.shape[1] else middle for q in (10, 90))
    line = tuple(
        {"t": instant(t), "v": float(v), "l": float(a), "u": float(b)} for t, v, a, b in zip(times, middle, low, high, strict=True)
    )
    return Outlook(
        basis=basis,
        target=goal.target,
        direction=goal.direction,
        probability=share,
        now=now,
        expected=expected,
        bounds=interval(ends, expected),
        until=instant(times[-1]) if len(times) else "",
        reached_at=None if already else date(0.5),
        earliest=None if already else date(0.1),
        latest=None if already else date(0.9),
        already=already,
        line=line if basis != "level" else (),
    )
