"""Figures against labelled events: one threshold for all series of a suite, and the alerts as sent.

Flagged rows closer than the quiet time (six steps, six hours below an hour) form an alert; one that goes on for longer than a day counts
anew each day. Rows in the probation are not scored. Tolerance: 2 steps, or 15 below an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray

DAY_S, WEEK_S = 86_400.0, 604_800.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One series: seconds (n,), scores (n,), events [(start, end)] in seconds, seconds of its alerts, first scored row."""

    seconds: FloatArray
    score: FloatArray
    events: tuple[tuple[float, float], ...]
    alerts: tuple[tuple[float, float], ...]
    first: int
    step_s: float

    @property
    def tolerance_s(self) -> float:
        return (2 if self.step_s >= 3600 else 15) * self.step_s

    @property
    def quiet_s(self) -> float:
        return 6 * self.step_s if self.step_s >= 3600 else max(3 * self.step_s, 6 * 3600.0)

    @property
    def weeks(self) -> float:
        return (len(self.seconds) - self.first) * self.step_s / WEEK_S

    def scored_events(self) -> list[tuple[float, float]]:
        return [e for e in self.events if len(self.seconds) and e[1] >= self.seconds[min(self.first, len(self.seconds) - 1)]]


def f1(true: int, false: int, found: int, events: int) -> float:
    """Harmonic mean of the share of true alerts and of found events."""
    p, r = true / max(true + false, 1), found / max(events, 1)
    return 2 * p * r / max(p + r, 1e-12)


def at_threshold(series: list[Labelled], threshold: float) -> tuple[float, float, float]:
    """(F1, recall, false alarms per series-week) when rows at or above the threshold are flagged."""
    true = false = found = events = 0
    for s in series:
        spans = s.scored_events()
        events += len(spans)
        rows = np.flatnonzero(s.score[s.first :] >= threshold) + s.first
        if not len(rows):
            continue
        t = s.seconds[rows]
        inside = np.zeros(len(t), bool)
        for a, b in spans:
            near = (t >= a - s.tolerance_s) & (t <= b + s.tolerance_s)
            inside |= near
            found += bool(near.any())
        opens = np.r_[True, np.diff(t) > s.quiet_s]
        since = t - np.maximum.accumulate(np.where(opens, t, -np.inf))
        part = np.floor(since / max(DAY_S, 6 * s.step_s))
        group = np.cumsum(opens | np.r_[False, np.diff(part) > 0]) - 1
        hit = np.bincount(group, weights=inside) > 0
        true, false = true + int(hit.sum()), false + int((~hit).sum())
    return f1(true, false, found, events), found / max(events, 1), false / max(sum(s.weeks for s in series), 1e-9)


def from_scores(series: list[Labelled]) -> dict[str, float]:
    """Best F1 over 60 thresholds, and the best recall at up to half a false alarm per series-week."""
    pool = np.concatenate([s.score[s.first :] for s in series])
    pool = pool[np.isfinite(pool)]
    if not len(pool):
        return {}
    tried = [at_threshold(series, th) for th in np.unique(np.quantile(pool, 1 - np.geomspace(1e-4, 0.2, 60)))]
    return {"F1": round(max(x[0] for x in tried), 4), "recall_at_half": round(max((x[1] for x in tried if x[2] <= 0.5), default=0.0), 4)}


def hits(s: Labelled, spans: list[tuple[float, float]], at: float, end: float) -> set[int]:
    """The events an alert hits: those around its time (or just after, when it lasts into them), and the close followers it lasts into."""
    early = s.quiet_s if end > at else s.tolerance_s
    marks = [
        k
        for k, (a, b) in enumerate(spans)
        if at <= b + s.tolerance_s and (at >= a - s.tolerance_s or (at >= a - early and end >= a - s.tolerance_s))
    ]
    if marks:
        k = marks[-1]
        while k + 1 < len(spans) and spans[k + 1][0] - spans[k][1] <= s.quiet_s and end >= spans[k + 1][0] - s.tolerance_s:
            k += 1
            marks.append(k)
    return set(marks)


def from_alerts(series: list[Labelled]) -> dict[str, float]:
    """F1, recall and false alarms per week of the alerts as sent; on series without events apart."""
    true = false = found = events = clean_false = 0
    clean_weeks = 0.0
    for s in series:
        spans = s.scored_events()
        hit: set[int] = set()
        mine = 0
        for at, end in s.alerts:
            if len(s.seconds) and at < s.seconds[min(s.first, len(s.seconds) - 1)]:
                continue
            marks = hits(s, spans, at, end)
            true += bool(marks - hit)
            mine += not marks
            hit |= marks
        found, events, false = found + len(hit), events + len(spans), false + mine
        if not s.events:
            clean_false, clean_weeks = clean_false + mine, clean_weeks + s.weeks
    out = {
        "F1": f1(true, false, found, events),
        "recall": found / max(events, 1),
        "false_per_week": false / max(sum(s.weeks for s in series), 1e-9),
    }
    if clean_weeks:
        out["clean_false_per_week"] = clean_false / clean_weeks
    return {k: round(v, 4) for k, v in out.items()}
