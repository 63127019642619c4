"""The days of the demo's history."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

HISTORY_DAYS = 4 * 365 + 1


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a load: [start, end], and the anchor that the planted events are counted from."""

    start: dt.date
    end: dt.date
    anchor: dt.date

    @classmethod
    def ending(cls, end: dt.date, anchor: dt.date | None = None) -> Span:
        anchor = anchor or end
        return cls(anchor - dt.timedelta(days=HISTORY_DAYS - 1), end, anchor)

    def days(self) -> list[dt.date]:
        return [self.start + dt.timedelta(days=n) for n in range((self.end - self.start).days + 1)]
