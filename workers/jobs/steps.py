"""The periods that a scan looks at: regular steps that end with the asked one, like compared with like."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from core.errors import Invalid
from core.timeseries import Grain
from insights.periods import grain_of, period_of
from insights.types import Period
from semantic.catalog.model import CatalogCalendar
from semantic.query import TimeWindow
from semantic.windows import add_units, floor_to, local_now, resolve_window

COUNT = {Grain.HOUR: 24 * 21, Grain.DAY: 480, Grain.WEEK: 130, Grain.MONTH: 48, Grain.QUARTER: 24, Grain.YEAR: 15, Grain.MINUTE: 600}
MAX_DAYS = 1500  # of a past that has to be read by day
SEGMENT_STEPS = {Grain.DAY: 150, Grain.HOUR: 24 * 21}


@dataclass(frozen=True, slots=True)
class Steps:
    """bounds: (start, end) of each, naive wall clock, ascending. how: `grain`, one row per step can be asked for; `day`, days are added up.

    note: what a reader must know of the comparison.
    """

    grain: Grain
    bounds: tuple[tuple[dt.datetime, dt.datetime], ...]
    how: Literal["grain", "day"]
    note: str = ""

    @property
    def periods(self) -> tuple[Period, ...]:
        return tuple(period_of(start, end, "") for start, end in self.bounds)

    @property
    def start(self) -> dt.datetime:
        return self.bounds[0][0]

    @property
    def end(self) -> dt.datetime:
        return self.bounds[-1][1]

    def tail(self, count: int) -> Steps:
        return Steps(self.grain, self.bounds[-count:], self.how, self.note)


def complete_steps(grain: Grain, last: dt.datetime) -> Steps:
    """Calendar steps up to the one that starts at `last`."""
    starts = [add_units(last, grain, -k) for k in range(COUNT[grain] - 1, -1, -1)]
    return Steps(grain, tuple((start, add_units(start, grain, 1)) for start in starts), "grain")


def asked_steps(window: TimeWindow, calendar: CatalogCalendar, as_of: dt.datetime) -> Steps:
    """Steps that end with an asked period: of its calendar unit; cut to the same days where it still runs; else blocks of its length.

    Raises: Invalid for a window without a start, or one that has not begun.
    """
    bounds = resolve_window(window.window, calendar, as_of, window.label)
    now = local_now(calendar, as_of)
    today = floor_to(now, Grain.DAY, calendar)
    if bounds.start is None:
        raise Invalid("Name a period with a start, such as last month.", code="open_window", path="/period")
    start, end = bounds.start.replace(tzinfo=None), (bounds.end or today).replace(tzinfo=None)  # "since last week": until now
    grain = grain_of(period_of(start, end, ""))
    if end <= now and grain is not None:
        return complete_steps(grain, start)
    known_until = min(end, today)
    days = (known_until.date() - start.date()).days
    if days < 1:
        raise Invalid("This period has no complete day yet; ask for an earlier one.", code="not_begun", path="/period")
    if grain in (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
        count = min(COUNT[grain], max(MAX_DAYS // ((end - start).days), 3))
        starts = [add_units(start, grain, -k) for k in range(count - 1, -1, -1)]
        cut = tuple((s, min(s + dt.timedelta(days=days), add_units(s, grain, 1))) for s in starts)
        note = f"The {grain.value} is still running: its complete days are compared with as many days of the others."
        return Steps(grain, cut, "day", note)
    count = max(min(MAX_DAYS // days, COUNT[Grain.WEEK]), 3)
    first = known_until - dt.timedelta(days=days * count)
    blocks = tuple((first + dt.timedelta(days=days * k), first + dt.timedelta(days=days * (k + 1))) for k in range(count))
    return Steps(Grain.DAY if days == 1 else Grain.MONTH if days >= 28 else Grain.WEEK, blocks, "day")
