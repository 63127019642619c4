"""What can happen to a metric, one thing at a time: each change makes of an untouched series one to which it was done.

A change knows from when on alerts belong to it and what a good service does: exactly one alert, none, or the same as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from anomaly import DetectInput
from core.timeseries import FloatArray, TimeArray, TimeSeries

NS_PER_S = 1_000_000_000
DAY_S, WEEK_S = 86_400, 604_800
Expects = Literal["one", "none", "same"]


@dataclass(frozen=True, slots=True)
class Untouched:
    """A series with a regular step: times (n,), values (n,), seconds per step, rows of its shortest season."""

    name: str
    times: TimeArray
    values: FloatArray
    step_s: int

    @property
    def season(self) -> int:
        return DAY_S // self.step_s if self.step_s < DAY_S else 7 if self.step_s == DAY_S else 4

    @property
    def two_weeks(self) -> int:
        """Rows of two weeks, or of two seasons where that is longer."""
        return max(2 * WEEK_S // self.step_s, 2 * self.season)

    @property
    def noise(self) -> float:
        """A robust standard deviation of what differs from one season to the next."""
        off = np.abs(self.values[self.season :] - self.values[: -self.season])
        return float(1.4826 * np.nanmedian(off) / np.sqrt(2)) + 1e-9 * float(np.nanmax(np.abs(self.values)))


@dataclass(frozen=True, slots=True)
class Changed:
    """A series after one thing was done. start_s, end_s: the rows it was done to (seconds since 1970, both inclusive)."""

    behaviour: str
    how: str
    item: DetectInput
    start_s: float
    end_s: float
    expects: Expects
    moved_s: float = 0.0  # times of the untouched run are so much earlier
    shut: FloatArray | None = None  # (n,) 1 in the rows it is closed


def item_of(name: str, times: TimeArray, values: FloatArray) -> DetectInput:
    return DetectInput(TimeSeries(name, times, values))


def changes_at(s: Untouched, at: int, rng: np.random.Generator) -> Iterator[Changed]:
    """All that is done at a place of the series. at: row, at least a season from both ends."""
    yield from spikes(s, at)
    yield from outages(s, at)
    yield from shifts(s, at)
    yield from gaps(s, at)
    yield from loads(s, at, rng)


def changes_of_all(s: Untouched) -> Iterator[Changed]:
    """All that is done to a series as a whole."""
    yield from little(s)
    yield from closings(s)
    yield from clock_changes(s)
    yield from the_same(s)


def done(s: Untouched, behaviour: str, how: str, values: FloatArray, span: tuple[int, int], expects: Expects = "one") -> Changed:
    first, last = (float(s.times[k].astype(np.int64)) / NS_PER_S for k in span)
    return Changed(behaviour, how, item_of(s.name, s.times, values), first, last, expects)


def spikes(s: Untouched, at: int) -> Iterator[Changed]:
    """One row: of a multiple of its value, or away by so many standard deviations of the series."""
    std = float(np.nanstd(s.values))
    sizes = {"x3": 2 * abs(s.values[at]), "x6": 5 * abs(s.values[at]), "+4 sd": 4 * std, "-4 sd": -4 * std, "+10 sd": 10 * std}
    for how, size in sizes.items():
        values = s.values.copy()
        values[at] += size
        if values[at] < 0 <= np.nanmin(s.values) or abs(size) < 8 * s.noise:
            continue
        yield done(s, "spike", how, values, (at, at))
        if how == "+10 sd":
            yield done(s, "spike, values below zero", how, values - 2 * np.nanmax(s.values), (at, at))


def outages(s: Untouched, at: int) -> Iterator[Changed]:
    """Nothing but zeros for a while, where zero is far from usual."""
    for how, rows in {"2 rows": 2, "6 rows": 6, "half a season": max(3, s.season // 2), "a season": s.season}.items():
        values = s.values.copy()
        usual = np.nanmean(values[at : at + rows])
        values[at : at + rows] = 0.0
        if np.nanmin(s.values[max(0, at - 7 * s.season) : at]) > 0 and usual > 6 * s.noise:
            yield done(s, "outage", how, values, (at, at + rows - 1))


def shifts(s: Untouched, at: int) -> Iterator[Changed]:
    """Another level for ever."""
    std, last = float(np.nanstd(s.values)), len(s.values) - 1
    for how, factor in {"x2": 2.0, "x1.6": 1.6, "x1.3": 1.3, "x0.7": 0.7, "x0.5": 0.5}.items():
        values = s.values.copy()
        values[at:] *= factor
        if abs(factor - 1) * abs(np.nanmedian(s.values)) > 3 * s.noise:
            yield done(s, "level shift", how, values, (at, last))
    for how, size in {"+3 sd": 3 * std, "-3 sd": -3 * std}.items():
        values = s.values.copy()
        values[at:] += size
        if abs(size) > 3 * s.noise and (np.nanmin(values[at:]) >= 0 or np.nanmin(s.values) < 0):
            yield done(s, "level shift", how, values, (at, last))


def gaps(s: Untouched, at: int) -> Iterator[Changed]:
    """Rows that are not there, or have no value."""
    for how, rows in {
        "3 rows": 3,
        "a season": s.season,
        "two seasons and a half": 5 * s.season // 2,
        "seven seasons": 7 * s.season,
    }.items():
        if at + rows + s.season >= len(s.times):
            continue
        keep = np.r_[0:at, at + rows : len(s.times)]
        made = done(s, "rows missing", how, s.values, (at, at + rows - 1), "none")
        yield replace(made, item=item_of(s.name, s.times[keep], s.values[keep]))
        values = s.values.copy()
        values[at : at + rows] = np.nan
        yield done(s, "values missing", how, values, (at, at + rows - 1), "none")


def loads(s: Untouched, at: int, rng: np.random.Generator) -> Iterator[Changed]:
    """The last bucket as it was read while it went on; rows that came twice."""
    times, values = s.times[: at + 1], s.values[: at + 1]
    start_s = float(times[-1].astype(np.int64)) / NS_PER_S
    for share in (0.02, 0.3, 0.8):
        part = values.copy()
        part[-1] *= share
        item = item_of(s.name, times, part)
        read_at = datetime.fromtimestamp(start_s + share * s.step_s, UTC)
        yield Changed("last bucket incomplete", f"{share:g} of it", replace(item, as_of=read_at), start_s, start_s, "none")
    many = min(len(times), 3 * s.season)
    twice = np.r_[np.arange(len(times)), np.arange(len(times) - many, len(times))]
    yield Changed("rows loaded twice", "at the end", item_of(s.name, times[twice], values[twice]), start_s, start_s, "same")
    twice = rng.permutation(np.repeat(np.arange(len(times)), 2))
    yield Changed("rows loaded twice", "out of order", item_of(s.name, times[twice], values[twice]), start_s, start_s, "same")
    yield Changed("cut short", "at a place", item_of(s.name, times, values), start_s, start_s, "same")


def little(s: Untouched) -> Iterator[Changed]:
    first, last = (float(s.times[k].astype(np.int64)) / NS_PER_S for k in (0, -1))
    yield Changed("twelve points", "the first", item_of(s.name, s.times[:12], s.values[:12]), first, last, "none")
    yield Changed("a constant", "the first value", item_of(s.name, s.times, np.full(len(s.times), s.values[0])), first, last, "none")
    yield Changed("zeros", "all", item_of(s.name, s.times, np.zeros(len(s.times))), first, last, "none")


def closings(s: Untouched) -> Iterator[Changed]:
    """Zeros at night, or at weekends."""
    day, hour = s.times.astype("datetime64[D]").astype(np.int64), s.times.astype("datetime64[h]").astype(np.int64) % 24
    weekend, night = (day + 3) % 7 >= 5, (hour < 7) | (hour >= 21)
    masks = {"at weekends": weekend} if s.step_s <= DAY_S else {}
    if s.step_s <= 6 * 3600:
        masks |= {"at night": night, "at night and at weekends": night | weekend}
    for how, shut in masks.items():
        values = np.where(shut, 0.0, s.values)
        made = done(s, "closed", how, values, (min(len(values) - 1, s.two_weeks), len(values) - 1), "none")
        yield replace(made, shut=shut.astype(np.float64))


def clock_changes(s: Untouched) -> Iterator[Changed]:
    """The series by the local clock of a business, its times in UTC; the clock changes at three quarters of it, back or forth."""
    import pandas as pd

    if s.step_s > 6 * 3600:
        return
    for how, zone, monday_after in (("forth", "Europe/Berlin", "2021-03-29"), ("back", "America/New_York", "2021-11-08")):
        weeks = (pd.Timestamp(monday_after) - pd.Timestamp(s.times[int(0.75 * len(s.times))])) // pd.Timedelta(weeks=1)
        local = pd.DatetimeIndex(s.times) + pd.Timedelta(weeks=weeks)
        utc = local.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").tz_convert("UTC").tz_localize(None)
        known = np.asarray(utc.notna())
        item = replace(item_of(s.name, utc.to_numpy("datetime64[ns]")[known], s.values[known]), time_zone=zone)
        change_s = pd.Timestamp(monday_after).timestamp() - DAY_S
        yield Changed("clock change", how, item, change_s, change_s + DAY_S, "none", weeks * WEEK_S)


def the_same(s: Untouched) -> Iterator[Changed]:
    """Another unit, another time, the sign turned: nothing of it is news."""
    first, last = (float(s.times[k].astype(np.int64)) / NS_PER_S for k in (0, -1))
    for how, factor in {"x1e-6": 1e-6, "x1e9": 1e9}.items():
        if factor < 1 and (s.values == np.floor(s.values)).all():
            continue  # counts are judged as counts
        yield Changed("another unit", how, item_of(s.name, s.times, s.values * factor), first, last, "same")
    weeks = np.timedelta64(5 * 364, "D")
    yield Changed("another year", "five years of weeks", item_of(s.name, s.times + weeks, s.values), first, last, "same")
    if np.nanmin(s.values) < 0:
        yield Changed("upside down", "times -1", item_of(s.name, s.times, -s.values), first, last, "same")
