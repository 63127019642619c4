"""Two ends of a change: "compare from October to March", "the change from 2023 to 2025" hold the second against the first."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import replace

from nlq.frame import Frame
from nlq.timing.arithmetic import day_of, shift
from nlq.timing.phrases import TimePhrase
from semantic.expr import Absolute, Unit

_MONTH = "|".join(f"{m}|{m[:3]}|{m[:4]}" for m in (n.lower() for n in calendar.month_name[1:]))
_END = rf"(?:(?P<month{{0}}>{_MONTH})\.?(?:\s+\d{{{{4}}}})?|(?P<quarter{{0}}>q[1-4])(?:\s+\d{{{{4}}}})?|(?P<year{{0}}>\d{{{{4}}}}))"
_FROM_TO = re.compile(
    rf"^(?:(?:from|between)\s+)?(?P<first>{_END.format('a')})\s+(?:to|and|through|until)\s+(?P<last>{_END.format('b')})$", re.IGNORECASE
)
_STATES_YEAR = re.compile(r"\d{4}")


def settle_ends(frame: Frame, as_of: dt.datetime, *, stepped: bool) -> None:
    """Holds the second period that is named against the first. stepped: nothing asks how it changed from one to the other."""
    if frame.compare == "vs" and len(frame.times) == 2 and not frame.compare_values:
        _in_their_order(frame, as_of)
        return
    changed = not stepped and frame.compare is None
    if (changed or _compares_it(frame)) and frame.grain is None and not frame.cycle and len(frame.times) == 1:
        ends = _ends_of(frame.times[0])
        if ends is not None:
            frame.compare, frame.versus, frame.times = "vs", ends[0], [ends[1], ends[0]]


def _compares_it(frame: Frame) -> bool:
    """ "compare revenue Q1 2025 to Q1 2026": nothing but the two ends of its period can be held against each other."""
    return frame.compare == "vs" and not frame.compare_values and not frame.groups and len(frame.measures) + len(frame.outputs) < 2


def _in_their_order(frame: Frame, as_of: dt.datetime) -> None:
    first, second = sorted(frame.times, key=lambda t: t.start)
    a, b = first.window, second.window
    if not isinstance(a, Absolute) or not isinstance(b, Absolute) or a.start is None or b.start is None:
        return
    runs = first.label.lower().startswith("from ")
    later = day_of(a.start) > (day_of(b.start) if runs else as_of.date())
    if later and not _STATES_YEAR.search(first.label) and day_of(a.start) > day_of(b.start):
        start, end = (None if at is None else shift(day_of(at), Unit.YEAR, -1) for at in (a.start, a.end))
        moved = replace(first, window=a.model_copy(update={"start": start, "end": end}))
        frame.times = [moved if t is first else t for t in frame.times]
        frame.versus = moved if frame.versus is first else frame.versus
        first = moved
    if "comparing" in frame.notes and not runs:  # "compare Q3 with Q2": what became of Q2
        frame.versus, frame.times = (second, [first, second]) if _starts_later(first, second) else (first, [second, first])
    elif runs:
        frame.versus, frame.times = first, [second, first]


def _starts_later(a: TimePhrase, b: TimePhrase) -> bool:
    starts = [p.window.start for p in (a, b) if isinstance(p.window, Absolute) and p.window.start is not None]
    return len(starts) == 2 and day_of(starts[0]) > day_of(starts[1])


def _ends_of(phrase: TimePhrase) -> tuple[TimePhrase, TimePhrase] | None:
    """The first and the last month, quarter or year of "from ... to ..."; None where they are of two lengths, or one and the same."""
    said, window = _FROM_TO.match(phrase.label.strip()), phrase.window
    if said is None or not isinstance(window, Absolute) or window.start is None or window.end is None:
        return None
    step = next((u for u in (Unit.MONTH, Unit.QUARTER, Unit.YEAR) if said[f"{u.value}a"] and said[f"{u.value}b"]), None)
    if step is None:
        return None
    start, end = day_of(window.start), day_of(window.end)
    after, last = shift(start, step, 1), shift(end, step, -1)
    if not start < after <= last < end:
        return None
    return (
        replace(phrase, window=Absolute(start=start, end=after), label=said["first"]),
        replace(phrase, window=Absolute(start=last, end=end), label=said["last"]),
    )
