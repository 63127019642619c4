"""What the queries of an explanation say: the values of both periods, the windows that were used, the same period a year before."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.timeseries import Grain
from insights.periods import grain_of, period_of
from insights.types import Period
from semantic.states import WindowUsed
from semantic.windows import add_units
from workers.jobs.change_history import HISTORY_STEPS
from workers.jobs.querying import Ran

_STEPS_A_YEAR = {Grain.MONTH: 12, Grain.QUARTER: 4, Grain.YEAR: 1}


def pairs_of(ran: Ran) -> list[tuple[float | None, float | None]]:
    """(after, before) of each measure of the whole."""
    rows = ran.result.rows()
    places: dict[int, list[int]] = {}
    for index, column in enumerate(ran.result.columns):
        if column.role == "measure":
            places.setdefault(column.measure_index or 0, []).append(index)
    return [(_number(rows[0][pair[0]]), _number(rows[0][pair[1]])) if rows else (None, None) for _, pair in sorted(places.items())]


def windows_of(windows: Sequence[WindowUsed]) -> tuple[WindowUsed, WindowUsed]:
    """The main window and the compared one; a measure of several datasets names each once per time field."""
    first = windows[0]
    other = next((window for window in windows[1:] if (window.start, window.end) != (first.start, first.end)), windows[-1])
    return first, other


def period_used(used: WindowUsed) -> Period:
    return period_of(used.start, used.end, used.label.partition(": ")[2] or used.label)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def known_year_ago(period: Period, history: Mapping[dt.datetime, float], receipts: dict[str, int]) -> tuple[Period, float] | None:
    """The same period a year before, where the history holds it already."""
    grain = grain_of(period)
    if grain not in _STEPS_A_YEAR or period.start is None:
        return None
    start = add_units(period.start.replace(tzinfo=None), grain, -_STEPS_A_YEAR[grain])
    if start not in history or not history[start]:
        return None
    receipts["year_ago"] = receipts["history"]
    zone = period.start.tzinfo
    return period_of(start.replace(tzinfo=zone), add_units(start, grain, 1).replace(tzinfo=zone), ""), history[start]


def history_values(history: Mapping[dt.datetime, float], period: Period) -> tuple[float, ...]:
    """Oldest first. The first may be a part of a period, where the data begin."""
    known = [history[start] for start in sorted(history)]
    first_is_whole = len(known) >= HISTORY_STEPS or grain_of(period) is Grain.DAY
    return tuple(known if first_is_whole else known[1:])
