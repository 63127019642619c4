"""From signals to events: what happened once is told once, however many segments show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.timeseries import Grain
from workers.alerts.rule import AnyRule
from workers.alerts.signals import Signal
from workers.alerts.timing import BUCKET, cooldown, in_maintenance
from workers.jobs.series import TOTAL

LATE_BUCKETS = 7  # so long after a segment the whole may show the same
Family = Literal["value", "missing_data"]


@dataclass(frozen=True, slots=True)
class Event:
    """One happening. `main` speaks for it: the whole when it shows it, else the segment with the largest impact.

    signals: all that belong to it, `main` first. new_normal_at: when it was clear that the level stays, None while it is not.
    """

    main: Signal
    signals: tuple[Signal, ...]
    start: dt.datetime
    end: dt.datetime
    known_at: dt.datetime
    is_open: bool
    new_normal_at: dt.datetime | None = None

    @property
    def direction(self) -> Literal["up", "down", "both"]:
        return self.main.direction

    @property
    def severity(self) -> float:
        return max(signal.severity for signal in self.signals)


def events(rule: AnyRule, found: Sequence[Signal]) -> list[Event]:
    """Events in time order.

    Signals of one series belong to one event when their stretches overlap or are at most `cooldown_buckets` apart, or half as long as it
    has lasted; what is above the upper line right after an outage is of it as well. Those of several
    segments when they begin so close together (the whole may show it a week of buckets later): what begins weeks into a long event is news.
    They must not say up and down at once. A level shift belongs to the event it began as, and ends it: what comes after the new normal is
    another event. What begins in a planned window is left out.
    """
    bucket = BUCKET[Grain(rule.grain)]
    slack = cooldown(rule)
    kept = [signal for signal in found if not in_maintenance(rule, signal.start, signal.start + bucket)]
    shifts = [signal for signal in kept if signal.kind == "level_shift"]
    groups: list[list[Signal]] = []
    for signal in sorted(
        (_until_normal(s, shifts, bucket) for s in kept if s.kind != "level_shift"), key=lambda s: (s.start, s.series_id != TOTAL, s.end)
    ):
        home = next((group for group in reversed(groups) if _belongs(rule, signal, group, bucket)), None)
        if home is None:
            groups.append([signal])
        else:
            home.append(signal)
    made = [_event(group) for group in groups]
    return sorted(_with_shifts(made, shifts, slack), key=lambda event: (event.start, event.main.series_id))


def _until_normal(signal: Signal, shifts: Sequence[Signal], bucket: dt.timedelta) -> Signal:
    """The signal up to where its series was told to have a new normal level; what is odd for months is so by then."""
    known = [
        s.known_at
        for s in shifts
        if s.series_id == signal.series_id and signal.start <= s.start <= signal.end and s.known_at > signal.start
    ]
    end = max(min(known) - bucket, signal.start) if known else signal.end
    return replace(signal, end=end, is_open=False) if end < signal.end else signal


def _belongs(rule: AnyRule, signal: Signal, group: Sequence[Signal], bucket: dt.timedelta) -> bool:
    if _family(signal) != _family(group[0]):
        return False
    slack = cooldown(rule)
    late = slack + LATE_BUCKETS * bucket
    own = [other for other in group if other.series_id == signal.series_id]
    if any(_is_rebound(signal, other, slack) for other in own):
        return True
    lasted = max((other.end for other in own), default=signal.start) - min((other.start for other in own), default=signal.start)
    near = (
        _overlap(signal, other, cooldown(rule, lasted))
        if signal.series_id == other.series_id
        else abs(signal.start - other.start) <= slack
        or (TOTAL in (signal.series_id, other.series_id) and _overlap(signal, other, slack) and abs(signal.start - other.start) <= late)
        for other in group
    )
    return any(near) and any(_agree(signal, other) for other in group)


def _is_rebound(signal: Signal, other: Signal, slack: dt.timedelta) -> bool:
    """Above the upper line right after it was below the lower one: what was held up comes through."""
    crosses = signal.kind in ("threshold", "forecast") and signal.kind == other.kind and signal.series_id == other.series_id
    return crosses and (other.direction, signal.direction) == ("down", "up") and other.end < signal.start <= other.end + slack


def _overlap(one: Signal, other: Signal, slack: dt.timedelta) -> bool:
    return other.start <= one.end + slack and one.start <= other.end + slack


def _agree(one: Signal, other: Signal) -> bool:
    """The same direction, or one that says both; a segment against the whole's direction is the whole's event only when it overlaps."""
    return one.direction == other.direction or "both" in (one.direction, other.direction)


def _family(signal: Signal) -> Family:
    """A flat line is missing data that came as numbers; values are values."""
    return "missing_data" if signal.kind in ("missing_data", "flat_line") else "value"


def _event(group: Sequence[Signal]) -> Event:
    began = [s for s in group if not any(_is_rebound(s, other, s.start - other.end) for other in group)]
    main = max(began, key=lambda s: (s.series_id == TOTAL, abs(s.impact), s.severity, s.series_id))
    others = sorted((s for s in group if s is not main), key=lambda s: (-abs(s.impact), s.series_id))
    return Event(
        main=main,
        signals=(main, *others),
        start=min(s.start for s in group),
        end=max(s.end for s in group),
        known_at=min(s.known_at for s in group),
        is_open=any(s.is_open for s in group),
    )


def _with_shifts(made: Sequence[Event], shifts: Sequence[Signal], slack: dt.timedelta) -> list[Event]:
    """Each level shift marks the event it began as; one that began as none is an event by itself, shifts of several segments one."""
    result = list(made)
    for shift in sorted(shifts, key=lambda s: (s.start, s.series_id != TOTAL)):
        for position, event in enumerate(result):
            if shift.start <= event.end + slack and shift.end >= event.start - slack:
                at = min(event.new_normal_at or shift.known_at, shift.known_at)
                result[position] = replace(event, signals=(*event.signals, shift), new_normal_at=at, is_open=False)
                break
        else:
            alone = _event([shift])
            result.append(replace(alone, new_normal_at=shift.known_at, is_open=False))
    return result
