"""From scores to what a person would be sent: one incident per event. Uses rows up to each decision only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.budget import Budget, unpredictable
from anomaly.state import Scored
from anomaly.thresholds import DEFAULT_SENSITIVITY
from anomaly.types import Incident
from core.timeseries import FloatArray, TimeArray

IndexArray = npt.NDArray[np.int64]

QUIET_S = 6 * 3600
HYSTERESIS = 1.0  # an incident lasts while the score is above the threshold less this
NEW_LEVEL_ERRORS = 4.0
BACK_ROWS = 6
SETTLING = 1.5
SETTLING_QUIETS = 28  # a week of six-hour quiet times
MOST_QUIETS = 4  # a long event flickers longer: half of its own length, up to a day, does not end it
LENGTH_SHARE = 0.5
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


@dataclass(frozen=True, slots=True)
class Terms:
    """When to tell: the score that opens an incident, how long nothing must happen, false alarms a year that can be borne."""

    threshold: float
    quiet_ns: int
    per_year: float = DEFAULT_SENSITIVITY


@dataclass(slots=True)
class Watch:
    """What the walk over flagged rows knows: the incident under way, the blocks flagged lately, until when a new level settles."""

    quiet_ns: int
    budget: Budget
    first: int = -1
    last: int = -1
    peak: int = -1
    settling_until_ns: int = -(2**62)
    blocks: tuple[int, ...] = ()

    def storm(self, block: int) -> bool:
        """Count a flagged block; True when most of the last week's blocks were flagged before it."""
        self.blocks = tuple(b for b in self.blocks if b > block - STORM_BLOCKS and b != block)
        many = len(self.blocks) > STORM_SHARE * STORM_BLOCKS
        self.blocks = (*self.blocks, block)
        return many

    def goes_on(self, times_ns: IndexArray, row: int) -> bool:
        """The row is so close to the incident under way that it belongs to it: in the quiet time, or in half of its own length, up to a day."""
        if self.first < 0:
            return False
        length_ns = int(times_ns[self.last] - times_ns[self.first])
        return bool(times_ns[row] - times_ns[self.last] <= max(self.quiet_ns, min(MOST_QUIETS * self.quiet_ns, LENGTH_SHARE * length_ns)))


def spans(times_ns: IndexArray, score: FloatArray, from_before: FloatArray, cost: FloatArray, terms: Terms) -> list[tuple[int, int, int]]:
    """(first, last, peak) row of each event. cost (n,): what an alert at each row takes from the budget, 0 to 1.

    Opens at a score at or above the threshold, higher when the series was alerted often lately; lasts while scores above that less
    HYSTERESIS come within the quiet time. Nothing opens while the series was flagged in most of the last week's blocks;
    after an event that left the series at another level only a score above threshold plus SETTLING does, for a week or until the old level
    is back.
    """
    found: list[tuple[int, int, int]] = []
    threshold, quiet_ns = terms.threshold, terms.quiet_ns
    w = Watch(quiet_ns, Budget(terms.per_year))
    for i in np.flatnonzero(score >= threshold - HYSTERESIS).tolist():
        now_ns = int(times_ns[i])
        storm = bool(score[i] >= threshold) and w.storm(now_ns // quiet_ns)
        bar = threshold + w.budget.rise(now_ns)
        if score[i] >= bar - HYSTERESIS and w.goes_on(times_ns, i):
            w.last = i
            w.peak = i if score[i] > score[w.peak] else w.peak
        elif score[i] >= bar:
            if w.first >= 0:
                found.append((w.first, w.last, w.peak))
                w.budget.spend(int(times_ns[w.last]), float(cost[w.last]))
                if stays_away(times_ns, from_before, w.last, quiet_ns):
                    w.settling_until_ns = int(times_ns[w.first]) + SETTLING_QUIETS * quiet_ns
            settling = now_ns < w.settling_until_ns and is_away(from_before[max(0, i - BACK_ROWS) : i])
            muted = storm or (settling and score[i] < threshold + SETTLING)
            w.first = w.last = w.peak = -1 if muted else i
    if w.first >= 0:
        found.append((w.first, w.last, w.peak))
    return found


def stays_away(times_ns: IndexArray, from_before: FloatArray, last: int, quiet_ns: int, errors: float = NEW_LEVEL_ERRORS) -> bool:
    """In the quiet time after row `last` the values stay `errors` usual errors or more from what was expected before the event."""
    stop = int(np.searchsorted(times_ns, times_ns[last] + quiet_ns, side="right"))
    after = from_before[last + 1 : stop]
    known = after[~np.isnan(after)]
    return len(known) >= max(3, len(after) // 2) and float(np.median(known)) >= errors


def is_away(lately: FloatArray) -> bool:
    """The last rows are far from what was expected before the event."""
    known = lately[~np.isnan(lately)]
    return len(known) > 0 and float(np.median(known)) >= NEW_LEVEL_ERRORS


def value_incidents(w: Watched, threshold: float, per_year: float = DEFAULT_SENSITIVITY) -> tuple[Incident, ...]:
    """Incidents of kind value, in time order. per_year: false alarms that can be borne."""
    ns = w.times.astype(np.int64)
    terms = Terms(threshold, quiet_seconds(w.step_s) * 1_000_000_000, per_year)
    cost = unpredictable(w.values, w.scored.expected)
    return tuple(
        incident(w, first, last, peak, threshold, is_open=bool(ns[-1] - ns[last] <= terms.quiet_ns))
        for first, last, peak in spans(ns, w.alerting, w.scored.from_before, cost, terms)
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
