"""From scores to what a person would be sent: one incident per event. Uses rows up to each decision only."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anomaly.budget import Budget, unpredictable
from anomaly.state import Scored
from anomaly.thresholds import DAY_S, DEFAULT_SENSITIVITY, HOUR_S
from anomaly.types import Incident
from anomaly.unseen import doubt_after_gaps
from core.timeseries import FloatArray, TimeArray

IndexArray = npt.NDArray[np.int64]

QUIET_S = 6 * 3600
HYSTERESIS = 1.0  # an incident lasts while the score is above the threshold less this
NEW_LEVEL_ERRORS = 4.0
BACK_ROWS = 6
BACK_IN_A_ROW = 6  # rows as they were before end an event
SETTLING = 1.5
SETTLING_QUIETS = 28  # a week of six-hour quiet times
MOST_QUIETS = 4  # a long event flickers longer: half of its own length, up to a day, does not end it
LENGTH_SHARE = 0.5
STORM_BLOCKS = 28  # a week of six-hour blocks
STORM_SHARE = 0.6  # flagged more than this share of the time: not news
# Below an hour one odd row is worth an alert when it is high; else when another comes soon. Waiting for it costs minutes.
LONE_RISE = 1.5
LEAST_LONE_RISE = 0.25  # where everything is predicted
LONE_ROWS = 6
LONE_FROM, LONE_FULL = 0.4, 0.8  # how unpredictable a series is where the rise grows from its least, and where it is whole
# Where nothing is predicted, more of the same so soon after an incident (in quiet times) is that incident again, unless it is much stranger.
AGAIN_QUIETS = 3.0
MUCH_STRANGER = 1.5
OUT_SHARE = 0.1  # of what was due when the event began
AFTERSHOCK_SHARE = 0.5  # of hours: within a day, at most so large and no stranger is what was told of already
AWAY_ERRORS = 3.0  # as in kernel, where a row nearer to what was expected before the event counts as back
FAR_SHARE = 0.5  # of the farthest row: the oddest one of an event is the one to show
DAY_NS = 86_400 * 1_000_000_000
STAYED_DAYS, SOON_DAYS = 3.5, 1.5  # so long after an incident it is asked whether the level ever went back
BEFORE_DAYS, LEAST_DAYS = 7, 4  # of the same time of day before it
CLOSED_SHARE = 0.1  # of a usual row: what comes meanwhile is too little to tell
STAYED_SPREADS, STAYED_SHARE, LATER_SHARE = (
    2.0,
    1 / 3,
    0.8,
)  # of the days before; of the event's own size (of its oddest row), soon and later


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
    """When to tell: the score that opens an incident, how long nothing must happen, false alarms a year that can be borne, whether
    a row that stays alone must be higher, whether more of the same re-opens an incident, and whether less of the same does within a day."""

    threshold: float
    quiet_ns: int
    per_year: float = DEFAULT_SENSITIVITY
    lone_are_higher: bool = False
    may_reopen: bool = False
    knows_days: bool = False
    knows_aftershocks: bool = False

    def alone(self, unpredictable: float) -> float:
        """How much higher a row must be that stays alone, by how unpredictable its series is (0 to 1)."""
        return LEAST_LONE_RISE + (LONE_RISE - LEAST_LONE_RISE) * lively(unpredictable) if self.lone_are_higher else 0.0

    def again_ns(self, unpredictable: float) -> float:
        """For how long after an incident more of the same is that incident again."""
        return self.quiet_ns * (1 + (AGAIN_QUIETS - 1) * lively(unpredictable)) if self.may_reopen else 0.0


def lively(unpredictable: float) -> float:
    """0 to 1: from where expectations tell something to where they tell nothing."""
    return min(1.0, max(0.0, (unpredictable - LONE_FROM) / (LONE_FULL - LONE_FROM)))


class Rows(NamedTuple):
    """All (n,): times, scores, misses of what was expected before the event, 0 to 1 how unpredictable the series is, actual less expected,
    values, how much higher a score must be so soon after a gap."""

    times_ns: IndexArray
    score: FloatArray
    from_before: FloatArray
    cost: FloatArray
    off: FloatArray
    values: FloatArray
    doubt: FloatArray


class Span(NamedTuple):
    """Rows of an event: the first that is odd, the one that made it an alert, the last, the oddest."""

    first: int
    known: int
    last: int
    peak: int


NONE = Span(-1, -1, -1, -1)


@dataclass(slots=True)
class Watch:
    """What the walk over flagged rows knows: the incident under way, the blocks flagged lately, until when a new level settles."""

    quiet_ns: int
    budget: Budget
    now: Span = NONE
    settling_until_ns: int = -(2**62)
    blocks: tuple[int, ...] = ()
    waiting: list[int] = field(default_factory=list)

    def storm(self, block: int) -> bool:
        """Count a flagged block; True when most of the last week's blocks were flagged before it."""
        self.blocks = tuple(b for b in self.blocks if b > block - STORM_BLOCKS and b != block)
        many = len(self.blocks) > STORM_SHARE * STORM_BLOCKS
        self.blocks = (*self.blocks, block)
        return many

    def goes_on(self, times_ns: IndexArray, row: int) -> bool:
        """The row is so close to the incident under way that it belongs to it: in the quiet time, or in half of its own length, up to a day."""
        first, last = self.now.first, self.now.last
        if first < 0:
            return False
        length_ns = int(times_ns[last] - times_ns[first])
        return bool(times_ns[row] - times_ns[last] <= max(self.quiet_ns, min(MOST_QUIETS * self.quiet_ns, LENGTH_SHARE * length_ns)))

    def first_of(self, row: int, *, high: bool) -> int:
        """The first row of the event that this one makes known; -1 while it stays alone and is not high."""
        self.waiting = [other for other in self.waiting if row - other <= LONE_ROWS]
        if not high and not self.waiting:
            self.waiting = [row]
            return -1
        first = self.waiting[0] if self.waiting else row
        self.waiting = []
        return first


def spans(rows: Rows, terms: Terms) -> list[Span]:
    """The rows of each event; an alert takes its cost from the budget.

    Opens at a score at or above the threshold, higher when the series was alerted often lately, and where nothing is predicted only when
    the row is high or does not stay alone; lasts while scores above the threshold less
    HYSTERESIS come within the quiet time. Nothing opens while the series was flagged in most of the last week's blocks;
    after an event that left the series at another level only a score above threshold plus SETTLING does, for a week or until the old level
    is back. What would open soon after an event that it is like goes on with that one.
    """
    found: list[Span] = []
    times_ns, score, from_before, cost, *_, doubt = rows
    threshold, quiet_ns = terms.threshold, terms.quiet_ns
    w = Watch(quiet_ns, Budget(terms.per_year))
    told = np.flatnonzero(~np.isnan(from_before))  # rows for which the expectation from before an event was held
    for i in np.flatnonzero(score >= threshold - HYSTERESIS).tolist():
        now_ns = int(times_ns[i])
        storm = bool(score[i] >= threshold) and w.storm(now_ns // quiet_ns)
        bar = threshold + w.budget.rise(now_ns) + float(doubt[i])
        stopped = bool(score[i] >= bar - HYSTERESIS) and is_outage_inside(rows, w.now, i, quiet_ns)
        if score[i] >= bar - HYSTERESIS and w.goes_on(times_ns, i) and not stopped:
            w.now = w.now._replace(last=i, peak=i if score[i] > score[w.now.peak] else w.now.peak)
        elif score[i] >= bar or stopped:
            if w.now.first >= 0:
                found.append(w.now)
                first, _, last, _ = w.now
                w.now = NONE
                w.budget.spend(int(times_ns[last]), float(cost[last]))
                if stays_away(times_ns, from_before, last, quiet_ns):
                    w.settling_until_ns = int(times_ns[first]) + SETTLING_QUIETS * quiet_ns
            first = w.first_of(i, high=stopped or bool(score[i] >= bar + terms.alone(float(cost[i]))))
            lately = told[max(0, int(np.searchsorted(told, i)) - BACK_ROWS) : int(np.searchsorted(told, i))]
            settling = not stopped and now_ns < w.settling_until_ns and is_away(from_before[lately])
            if first >= 0 and not storm and not (settling and score[i] < threshold + SETTLING):
                w.now = Span(first, i, i, first if score[first] > score[i] else i)
                if found and not stopped and (is_again(rows, found[-1], i, terms) or (terms.knows_days and has_stayed(rows, found[-1], i))):
                    before = found.pop()
                    w.now = before._replace(last=i, peak=max(before.peak, w.now.peak, key=lambda row: float(score[row])))
    if w.now.first >= 0:
        found.append(w.now)
    return found


@np.errstate(over="ignore", invalid="ignore")  # sums of numbers near the largest one
def has_stayed(rows: Rows, before: Span, row: int) -> bool:
    """Since that event the values never went back: they add up to more (or less, if the event was a fall) than at the same time of nearly
    each of the days before it, or next to nothing is due meanwhile, as at night where it is closed. What comes next to the same side, and
    is not much stranger, is the event still: the day goes on at another level."""
    t, first, last = rows.times_ns, before.first, before.last
    passed_ns = t[row] - t[last]
    if passed_ns > STAYED_DAYS * DAY_NS or not is_alike(rows, before, row):
        return False
    quiet = np.arange(last + 1, row)
    days_in = -(-int(t[row] - t[first]) // DAY_NS)
    sums = [np.nan_to_num(rows.values[quiet]).sum()]
    for day in range(days_in, days_in + BEFORE_DAYS):
        at = np.searchsorted(t, t[quiet] - day * DAY_NS)
        if len(at) and t[at[0]] == t[quiet[0]] - day * DAY_NS and (t[at] == t[quiet] - day * DAY_NS).mean() > 0.9:
            sums.append(np.nan_to_num(rows.values[at]).sum())
    sign = 1.0 if rows.off[before.peak] > 0 else -1.0
    now, then = sign * sums[0], sign * np.array(sums[1:])
    if len(then) < LEAST_DAYS:
        return False
    centre = float(np.median(then))
    week = rows.values[np.searchsorted(t, t[first] - BEFORE_DAYS * DAY_NS) : first]
    closed = CLOSED_SHARE * len(quiet) * float(np.nan_to_num(np.abs(week)).mean()) if len(week) else 0.0
    if passed_ns <= SOON_DAYS * DAY_NS and max(abs(centre), abs(now)) < closed:
        return True
    spread = 1.4826 * float(np.median(np.abs(then - centre)))
    expected = float(rows.values[before.peak] - rows.off[before.peak])
    size = abs(float(rows.off[before.peak])) * (abs(centre) / abs(expected) if expected * centre * sign > 0 else len(quiet))
    share = STAYED_SHARE if passed_ns <= SOON_DAYS * DAY_NS else LATER_SHARE
    return bool(now > np.sort(then)[-2] and now - centre > max(STAYED_SPREADS * spread, share * size))


def is_outage_inside(rows: Rows, event: Span, row: int, quiet_ns: int) -> bool:
    """Next to nothing comes since this row and the one before, or a few more, in an event that has been a rise for longer than the quiet time."""
    if event.first < 0 or rows.times_ns[row] - rows.times_ns[event.first] <= quiet_ns:
        return False
    due = float(rows.values[event.first] - rows.off[event.first])  # before the event
    if due <= 0 or not (np.abs(rows.values[row - 1 : row + 1]) <= OUT_SHARE * due).all():  # nearly every row: no look at the whole event
        return False
    little = np.abs(rows.values[event.first : row + 1]) <= OUT_SHARE * due
    before = rows.values[event.first : max(row - 1, event.first + 1)]
    return bool(np.nanmedian(before) > due and not little[:-LONE_ROWS].any())


def is_alike(rows: Rows, before: Span, row: int) -> bool:
    """Off to the same side as that event, and not much stranger than it was."""
    same_side = (rows.off[row] > 0) == (rows.off[before.peak] > 0)
    return bool(same_side and rows.score[row] <= rows.score[before.peak] + MUCH_STRANGER)


def is_again(rows: Rows, before: Span, row: int, terms: Terms) -> bool:
    """The row is soon after that event, off to the same side, and not much stranger than it was: no news to who was told of it."""
    passed_ns, cost = rows.times_ns[row] - rows.times_ns[before.last], float(rows.cost[row])
    if terms.knows_aftershocks and passed_ns <= DAY_NS and lively(cost) > 0 and is_smaller(rows, before, row):
        return True
    return bool(passed_ns <= terms.again_ns(cost) and is_alike(rows, before, row))


def is_smaller(rows: Rows, before: Span, row: int) -> bool:
    """Off to the same side as that event, not half as far and no stranger."""
    now, then = float(rows.off[row]), float(rows.off[before.peak])
    return now * then > 0 and abs(now) <= AFTERSHOCK_SHARE * abs(then) and bool(rows.score[row] <= rows.score[before.peak])


def stays_away(times_ns: IndexArray, from_before: FloatArray, last: int, quiet_ns: int, errors: float = NEW_LEVEL_ERRORS) -> bool:
    """In the quiet time after row `last` the values stay `errors` usual errors or more from what was expected before the event."""
    stop = int(np.searchsorted(times_ns, times_ns[last] + quiet_ns, side="right"))
    after = from_before[last + 1 : stop]
    known = after[~np.isnan(after)]
    return len(known) >= max(3, len(after) // 2) and float(np.median(known)) >= errors


def is_away(lately: FloatArray) -> bool:
    """The last rows of which that can be told are far from what was expected before the event."""
    known = lately[~np.isnan(lately)]
    return len(known) > 0 and float(np.median(known)) >= NEW_LEVEL_ERRORS


def value_incidents(
    w: Watched, threshold: float, per_year: float = DEFAULT_SENSITIVITY, *, lone_are_higher: bool = False
) -> tuple[Incident, ...]:
    """Incidents of kind value, in time order. per_year: false alarms that can be borne. lone_are_higher: see Terms."""
    ns = w.times.astype(np.int64)
    terms = Terms(
        threshold,
        quiet_seconds(w.step_s) * 1_000_000_000,
        per_year,
        lone_are_higher,
        may_reopen=w.step_s < HOUR_S,
        knows_days=w.step_s < DAY_S,
        knows_aftershocks=HOUR_S <= w.step_s < DAY_S,
    )
    rows = Rows(
        ns,
        w.alerting,
        w.scored.from_before,
        unpredictable(w.values, w.scored.expected),
        w.values - w.scored.expected,
        w.values,
        doubt_after_gaps(w.times, w.values, w.step_s),
    )
    told = spans(rows, terms)
    firsts = [*(span.first for span in told), len(ns)]
    from_held = w.values - w.scored.held
    lasting = []
    for span, stop in zip(told, firsts[1:], strict=True):
        same_side = np.sign(from_held) == np.sign(w.values[span.peak] - before_event(w, span.first, span.last)[span.peak - span.first])
        lasting.append(span._replace(last=still_away(np.where(same_side, w.scored.from_before, 0.0), span.last, stop)))
    return tuple(incident(w, span, threshold, is_open=bool(ns[-1] - ns[span.last] <= terms.quiet_ns)) for span in lasting)


def still_away(from_before: FloatArray, last: int, stop: int) -> int:
    """The last row of an event that goes on though it is expected by now: the values are away from what was held of before it, to its side,
    and not back for some rows. stop: where the next begins."""
    back = 0
    for row in range(last + 1, stop):
        if from_before[row] >= AWAY_ERRORS:
            last, back = row, 0
        else:
            back += 1
        if back == BACK_IN_A_ROW:
            break
    return last


def before_event(w: Watched, first: int, last: int) -> FloatArray:
    """(rows,) what is due in the rows of an event as if it had not begun: the row before tells what comes next of an event as well. What
    has been held since an earlier event is brought to what was due in the first row."""
    scored, rows = w.scored, slice(first, last + 1)
    due = scored.held[rows]
    if not np.isnan(scored.from_before[max(0, first - LONE_ROWS) : first + 1]).any():
        due = due + (scored.expected[first] - scored.held[first])
        due = np.maximum(due, min(0.0, float(scored.expected[first]))) if (w.values[rows] >= 0).all() else due
    return np.where(np.isfinite(due), due, scored.expected[rows])


def between(marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n,) the marked rows, and those between two of them that are too few to end an event."""
    at = np.flatnonzero(marked)
    filled = marked.copy()
    for one, other in itertools.pairwise(at.tolist()):
        if other - one <= BACK_IN_A_ROW:
            filled[one:other] = True
    return filled


def incident(w: Watched, span: Span, threshold: float, *, is_open: bool) -> Incident:
    """The incident over the rows of an event; impact sums what the rows that are odd or away from what was expected before it, and
    those between them, are off that. Its actual and expected are of the oddest row, or of the farthest one when that is the way back."""
    first, known, last, peak = span
    rows = np.arange(first, last + 1)
    flagged, away = w.alerting[rows] >= threshold - HYSTERESIS, w.scored.from_before[rows]
    due = before_event(w, first, last)
    off = np.nan_to_num(w.values[rows] - due)
    like_peak = off * np.sign(off[peak - first]) >= FAR_SHARE * abs(off[peak - first])  # however noisy the metric is
    counts = between(np.where(np.isnan(away), flagged, (away >= AWAY_ERRORS) | (flagged & like_peak)))
    counts = counts if counts.any() else flagged
    rows, off = rows[counts], off[counts]
    up, down = float(off[off > 0].sum()), float(-off[off < 0].sum())
    farthest = int(rows[np.argmax(np.abs(off))])
    shown = peak if abs(w.values[peak] - due[peak - first]) >= FAR_SHARE * abs(w.values[farthest] - due[farthest - first]) else farthest
    actual, expected = float(w.values[shown]), float(due[shown - first])
    return Incident(
        series_id=w.series_id,
        start=w.times[first],
        end=w.times[last],
        detected_at=w.times[known],
        direction="up" if up > 4 * down else "down" if down > 4 * up else "both",
        kind="value",
        severity=severity(float(w.scored.score[peak]) - threshold, actual, expected),
        impact=float(off.sum()),
        expected=expected,
        actual=actual,
        is_open=is_open,
    )


def severity(above: float, actual: float, expected: float) -> float:
    """0-100: seven parts how far the score is above the threshold, three parts how large the miss is against the larger of the two values."""
    surprise = 1.0 - np.exp(-(above + 0.5) / 2.5)
    size = min(1.0, abs(actual - expected) / max(abs(actual), abs(expected), 1e-12))
    return float(100.0 * (0.7 * surprise + 0.3 * size))
