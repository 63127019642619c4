"""What may be asked next about a reading: each question tried once for all readings that differ only in their dates and words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from core.lru import Lru
from nlq.types import DialogueState, Reading, Understanding
from semantic.expr import Absolute
from semantic.query import TimeWindow

TRIED_AT = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_SOME_YEAR = Absolute(start=dt.date(2023, 1, 1), end=dt.date(2024, 1, 1))
_MOST = 6
_KEPT = 512


class FollowUps:
    """Thread-safe, bounded. suggested: questions to try about a reading; understood: what one of them comes to after it."""

    def __init__(self, suggested: Callable[[Reading], list[str]], understood: Callable[[str, DialogueState], Understanding]) -> None:
        self._suggested, self._understood = suggested, understood
        self._kept: Lru[str, tuple[str, ...]] = Lru(_KEPT)

    def of(self, reading: Reading) -> list[str]:
        """At most six, each answered when it is asked of such a reading."""
        plain = _without_dates(reading)
        # The text tells types apart, which equality does not: a year and its words, True and 1.
        return list(self._kept.get_or_make(repr(plain), lambda: self._tried(plain)))

    def _tried(self, reading: Reading) -> tuple[str, ...]:
        state, found = DialogueState((reading,), ("",)), list[str]()
        for question in self._suggested(reading):
            if self._understood(question, state).outcome == "answer":
                found.append(question)
            if len(found) == _MOST:
                break
        return tuple(found)


def _without_dates(reading: Reading) -> Reading:
    """Some year instead of other days between two dates, and nothing of how the reading was said or how sure it is."""
    query, time = reading.query, reading.query.time
    if time is not None and isinstance(time.window, Absolute) and _is_days(time.window):
        query = query.model_copy(update={"time": TimeWindow(window=_SOME_YEAR, field=time.field)})
    return replace(reading, query=query, chips=(), paraphrase="", confidence=1.0, unexplained=())


def _is_days(window: Absolute) -> bool:
    return all(isinstance(end, dt.date) and not isinstance(end, dt.datetime) for end in (window.start, window.end))
