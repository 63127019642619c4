"""From scores to what a person would be sent: one incident per event. Uses rows up to each decision only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.state import Scored
from anomaly.types import Incident
from core.timeseries import FloatArray, TimeArray

IndexArray = npt.NDArray[np.int64]

QUIET_S = 6 * 3600
HYSTERESIS = 1.0  # an incident lasts while the score is above the threshold less this
STORM_BLOCKS = 28  # a week of six-hour blocks
STORM_SHARE = 0.6  # flagged more than this share of the time: not news


@dataclass(frozen=True, slots=True)
class Watched:
    """One judged series: times (n,), values (n,), scores, seconds per step; alerting (n,): the score where an alert is wanted, else NaN."""

    series_id: str
    times: TimeArray
    values: FloatArray
    scored: Scored
    step_s: int
    alerting: FloatArray


def quiet_seconds(step_s: int) -> int:
    """How long must nothing happen for the next flag to be another event: six steps, six hours when steps are shorter than an hour."""
    return 6 * step_s if step_s >= 3600 else max(3 * step_s, QUIET_S)


def spans(times_ns: IndexArray, score: FloatArray, threshold: float, quiet_ns: int) -> list[tuple[int, int, int]]:
    """(first, last, peak) row of each event. Opens at a score at or above the threshold; lasts while scores above threshold less
    HYSTERESIS come within the quiet time. Nothing opens while the series was flagged in most of the last week's blocks."""
    found: list[tuple[int, int, int]] = []
    flagged_blocks: list[int] = []
    open_first = open_last = open_peak = -1
    for i in np.flatnonzero(score >= threshold - HYSTERESIS).tolist():
        high = bool(score[i] >= threshold)
        within = open_first >= 0 and times_ns[i] - times_ns[open_last] <= quiet_ns
        if high:
            block = int(times_ns[i]) // quiet_ns
            flagged_blocks = [b for b in flagged_blocks if b > block - STORM_BLOCKS and b != block]
            storm = len(flagged_blocks) > STORM_SHARE * STORM_BLOCKS
            flagged_blocks.append(block)
        if within:
            open_last = i
            open_peak = i if score[i] > score[open_peak] else open_peak
        elif high:
            if open_first >= 0:
                found.append((open_first, open_last, open_peak))
            open_first = open_last = open_peak = -1 if storm else i
    if open_first >= 0:
        found.append((open_first, open_last, open_peak))
    return found


def value_incidents(w: Watched, threshold: float) -> tuple[Incident, ...]:
    """Incidents of kind value, in time order."""
    ns = w.times.astype(np.int64)
    quiet_ns = quiet_seconds(w.step_s) * 1_000_000_000
    return tuple(
        incident(w, first, last, peak, threshold, is_open=bool(ns[-1] - ns[last] <= quiet_ns))
        for first, last, peak in spans(ns, w.alerting, threshold, quiet_ns)
    )


def incident(w: Watched, first: int, last: int, peak: int, threshold: float, *, is_open: bool) -> Incident:
    """The incident over rows first..last; impact sums what the flagged rows are off their expectation."""
    rows = np.arange(first, last + 1)
    rows = rows[w.alerting[rows] >= threshold - HYSTERESIS]
    off = w.values[rows] - w.scored.expected[rows]
    up, down = float(off[off > 0].sum()), float(-off[off < 0].sum())
    expected = float(w.scored.expected[peak])
    return Incident(
        series_id=w.series_id,
        start=w.times[first],
        end=w.times[last],
        detected_at=w.times[first],
        direction="up" if up > 4 * down else "down" if down > 4 * up else "both",
        kind="value",
        severity=severity(float(w.scored.score[peak]) - threshold, float(w.values[peak]), expected),
        impact=float(off.sum()),
        expected=expected,
        actual=float(w.values[peak]),
        is_open=is_open,
    )


def severity(above: float, actual: float, expected: float) -> float:
    """0-100: seven parts how far the score is above the threshold, three parts how large the miss is against the larger of the two values."""
    surprise = 1.0 - np.exp(-(above + 0.5) / 2.5)
    size = min(1.0, abs(actual - expected) / max(abs(actual), abs(expected), 1e-12))
    return float(100.0 * (0.7 * surprise + 0.3 * size))
