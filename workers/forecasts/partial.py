"""Buckets that are not whole: the running one, one that the data have not reached the end of, one that they begin inside."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from core.timeseries import Grain, TimeSeries
from semantic.catalog.model import CatalogCalendar
from semantic.windows import add_units, floor_to, local_now

_BY_DAYS = (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
_RECENT_DAYS = 365


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which bucket starts are whole: first <= start < end, wall clock for days and longer, else UTC. last_day: the last with data, if known."""

    first: np.datetime64
    end: np.datetime64
    last_day: dt.date | None


@dataclass(frozen=True, slots=True)
class PartialBucket:
    """start: of the bucket. value: so far. until: the last day in it that has data, when known."""

    start: np.datetime64
    value: float
    until: dt.date | None


def needs_days(grain: Grain) -> bool:
    """Whether the days inside the buckets tell how complete they are."""
    return grain in _BY_DAYS


def coverage(times: np.ndarray, grain: Grain, calendar: CatalogCalendar, as_of: dt.datetime, days: TimeSeries | None) -> Coverage:
    """times: sorted bucket starts with data. days: the same measure by day, for grains above a day.

    A bucket is whole when the clock is past its end and the data reach there; days without rows as long as the longest such run of the
    last year (weekends, holidays) do not count against it.
    """
    if grain in (Grain.MINUTE, Grain.HOUR):
        now = as_of.astimezone(dt.UTC).replace(tzinfo=None)
    else:
        now = local_now(calendar, as_of)
    first, end = times[0], np.datetime64(floor_to(now, grain, calendar), "ns")
    if days is None or not needs_days(grain) or not len(days):
        return Coverage(first, end, None)
    seen = np.unique(days.times[np.isfinite(days.values)].astype("datetime64[D]"))
    seen = seen[seen <= np.datetime64(now.date())]
    if not seen.size:
        return Coverage(first, end, None)
    recent = seen[seen > seen[-1] - _RECENT_DAYS]
    usual = int(np.diff(recent).max().astype(int)) if recent.size > 1 else 1
    last, opening = seen[-1].astype(object), seen[0].astype(object)
    running = floor_to(dt.datetime.combine(last, dt.time()), grain, calendar)
    following = add_units(running, grain, 1)
    if (following.date() - last).days > usual:
        end = min(end, np.datetime64(running, "ns"))
    begun = floor_to(dt.datetime.combine(opening, dt.time()), grain, calendar)
    if (opening - begun.date()).days >= max(usual, 2):
        first = np.datetime64(add_units(begun, grain, 1), "ns")
    return Coverage(first, end, last)


def split(series: TimeSeries, covered: Coverage) -> tuple[TimeSeries, PartialBucket | None]:
    """The whole buckets, and the one after them when it has begun. What lies in the future is left out."""
    whole = (series.times >= covered.first) & (series.times < covered.end)
    after = np.flatnonzero(series.times == covered.end)
    partial = None
    if after.size and np.isfinite(series.values[after[0]]):
        partial = PartialBucket(covered.end, float(series.values[after[0]]), covered.last_day)
    return replace(series, times=series.times[whole], values=series.values[whole]), partial


def following_times(last: np.datetime64, grain: Grain, count: int) -> np.ndarray:
    """(count,) datetime64[ns] starts of the buckets after `last`."""
    start = last.astype("datetime64[us]").astype(dt.datetime)
    return np.array([np.datetime64(add_units(start, grain, k), "ns") for k in range(1, count + 1)], dtype="datetime64[ns]")
