"""What is wrong without a single strange value: no data, a value that does not move, a level that stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from anomaly.incidents import AWAY_ERRORS, SETTLING_QUIETS, Watched, quiet_seconds, stays_away
from anomaly.prepare import NS_PER_S
from anomaly.thresholds import DAY_S
from anomaly.types import Incident

LONGER = 3.0  # than the longest gap or standstill before
LEAST_ROWS = 100  # before a gap or a standstill can be called unusual
FLAT_ROWS = 12
SURE_QUIETS = 4  # a day of six-hour quiet times
SURE_QUIETS_OF_DAYS = 2  # of six days: twelve days


def missing_data(w: Watched, as_of: datetime | None) -> list[Incident]:
    """A gap longer than the quiet time and three times the longest one before; the last one is open when data have not come by as_of."""
    ns = w.times.astype(np.int64)
    step_ns = w.step_s * NS_PER_S
    quiet_ns = quiet_seconds(w.step_s) * NS_PER_S
    gaps = np.diff(ns)
    found: list[Incident] = []
    longest = np.maximum.accumulate(np.r_[step_ns, gaps])
    for i in np.flatnonzero((gaps > quiet_ns) & (gaps > LONGER * longest[:-1])).tolist():
        if i + 1 >= LEAST_ROWS:
            found.append(notice(w, "missing_data", i, ns[i] + step_ns, ns[i + 1] - step_ns, is_open=False))
    if as_of is not None and len(ns) >= LEAST_ROWS:
        complete_until = int(as_of.timestamp() * NS_PER_S) // step_ns * step_ns
        silence = complete_until - (int(ns[-1]) + step_ns)
        if silence >= quiet_ns and silence > LONGER * int(longest[-1]):
            found.append(notice(w, "missing_data", len(ns) - 1, ns[-1] + step_ns, complete_until - step_ns, is_open=True))
    return found


def flat_line(w: Watched, others: Sequence[Incident]) -> list[Incident]:
    """A standstill: one value for longer than the quiet time and three times the longest standstill before, unless an incident covers it."""
    values, ns = w.values, w.times.astype(np.int64)
    if len(values) < LEAST_ROWS:
        return []
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    longest = np.maximum.accumulate(np.r_[1, lengths])[:-1]
    quiet_rows = max(FLAT_ROWS, quiet_seconds(w.step_s) // w.step_s)
    found: list[Incident] = []
    for start, length, before in zip(starts.tolist(), lengths.tolist(), longest.tolist(), strict=True):
        known_at = start + int(max(quiet_rows, LONGER * before)) - 1
        if start < LEAST_ROWS or start + length <= known_at or np.isnan(values[start]):
            continue
        last = start + length - 1
        if any(i.start <= w.times[last] and i.end >= w.times[max(0, start - quiet_rows)] for i in others):
            continue
        found.append(notice(w, "flat_line", known_at, ns[start], ns[last], is_open=last == len(values) - 1))
    return found


def level_shift(w: Watched, others: Sequence[Incident]) -> list[Incident]:
    """'This is the new normal', once: a day (of days twelve days) after an incident began the values are still far from what was expected before it."""
    ns = w.times.astype(np.int64)
    quiet_ns = quiet_seconds(w.step_s) * NS_PER_S
    sure_quiets = SURE_QUIETS if w.step_s < 86_400 else SURE_QUIETS_OF_DAYS
    found: list[Incident] = []
    silent_until = -(2**62)
    for i in others:
        first = int(np.searchsorted(w.times, i.start))  # type: ignore[call-overload]
        sure_ns = int(ns[first]) + sure_quiets * quiet_ns
        if ns[first] < silent_until or sure_ns > ns[-1]:
            continue
        known_at = int(np.searchsorted(ns, sure_ns))
        start = int(np.searchsorted(ns, int(ns[first]) + quiet_ns))  # a season's calm hours alone would tell too little
        lately = int(np.searchsorted(ns, sure_ns - quiet_ns))
        away = stays_away(ns, w.scored.from_before, start - 1, sure_ns - int(ns[start - 1]), AWAY_ERRORS)
        if away and stays_away(ns, w.scored.from_before, lately - 1, quiet_ns, AWAY_ERRORS / 2):
            made = notice(w, "level_shift", known_at, ns[first], ns[known_at], is_open=False)
            found.append(levels(w, made, start, known_at))
            silent_until = int(ns[first]) + SETTLING_QUIETS * quiet_ns
    return found


def levels(w: Watched, made: Incident, first: int, last: int) -> Incident:
    """The notice with the mean of what was held of before as expected, that of the same rows as actual, and which way it went."""
    rows = slice(first, last + 1)
    known = np.isfinite(w.scored.held[rows]) & np.isfinite(w.values[rows])
    if not known.any():
        return made
    before, after = float(w.scored.held[rows][known].mean()), float(w.values[rows][known].mean())
    return replace(made, direction="up" if after > before else "down", expected=before, actual=after)


def crept_shift(w: Watched, told: Sequence[Incident]) -> list[Incident]:
    """'This is the new normal' of a level too near the old one for `level_shift` (see creeping); for buckets of a day or shorter."""
    if w.step_s > DAY_S:
        return []
    from anomaly.creeping import ALIKE_DAYS, creeping_shifts, daily_means

    ended = w.times < (w.times[-1:] + np.timedelta64(w.step_s, "s")).astype("datetime64[D]")  # a day that goes on has no mean yet
    first_times, days = daily_means(w.times[ended], w.values[ended])
    if not len(days):
        return []
    near = np.timedelta64(ALIKE_DAYS, "D")
    found: list[Incident] = []
    for shift in creeping_shifts(days, int(first_times[0].astype("datetime64[D]").astype(np.int64))):
        began, last = first_times[shift.began], int(np.searchsorted(w.times, first_times[shift.known] + np.timedelta64(1, "D"))) - 1
        if any(i.start - near <= began <= i.end + near and i.detected_at <= w.times[last] for i in told):  # type: ignore[operator]
            continue
        before, after = (float(np.nanmean(days[a:b])) for a, b in ((max(0, shift.began - 28), shift.began), (shift.began, shift.known + 1)))
        made = notice(w, "level_shift", last, int(began.astype(np.int64)), int(w.times[last].astype(np.int64)), is_open=False)
        found.append(replace(made, direction="up" if after > before else "down", expected=before, actual=after))
    return found


def notice(w: Watched, kind: str, known_at: int, start_ns: int, end_ns: int, *, is_open: bool) -> Incident:
    """An incident that is not about one value; known_at: row at which it could be known."""
    expected, actual = float(w.scored.expected[known_at]), float(w.values[known_at])
    return Incident(
        series_id=w.series_id,
        start=np.datetime64(int(start_ns), "ns"),
        end=np.datetime64(int(end_ns), "ns"),
        detected_at=w.times[known_at],
        direction="both",
        kind=kind,  # type: ignore[arg-type]
        severity=30.0,
        impact=0.0,
        expected=expected,
        actual=actual,
        is_open=is_open,
    )
