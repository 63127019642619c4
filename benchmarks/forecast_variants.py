"""Real series to which one thing was done: rows lost or loaded twice, a new level, another clock, closed nights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from core.timeseries import FloatArray

ZONE = "Europe/Berlin"
SPRING, AUTUMN = pd.Timestamp("2023-03-26"), pd.Timestamp("2023-10-29")
"""Days on which clocks changed there."""
OPENS, CLOSES = 7, 21


@dataclass(frozen=True, slots=True)
class Case:
    """One series and what was done to it.

    train, truth: `ds`, `y`; truth has a row for every row asked for. cycle: buckets of a season. as_of, time_zone: what the suite would say.
    factor: errors are divided by it, since the level was multiplied. closed: (h,) rows of the truth when nothing is open; they are no part of errors.
    """

    train: pd.DataFrame
    truth: pd.DataFrame
    cycle: int
    as_of: pd.Timestamp | None = None
    time_zone: str | None = None
    factor: float = 1.0
    closed: np.ndarray | None = None

    @property
    def y(self) -> FloatArray:
        return self.train["y"].to_numpy(np.float64)

    @property
    def within_day(self) -> bool:
        return bool(self._step() < pd.Timedelta(hours=20))

    def _step(self) -> pd.Timedelta:
        return pd.Timedelta(self.train["ds"].diff().median())


Change = Callable[[Case], Case | None]
"""Gives None where it does not apply."""


def with_train(case: Case, keep: np.ndarray) -> Case:
    return replace(case, train=case.train[keep].reset_index(drop=True))


def one_less(case: Case) -> Case:
    return replace(case, train=case.train[:-1])


def partial_last(case: Case, share: float) -> Case:
    """The last bucket has `share` of its value; the data were read while it ran."""
    train = case.train.copy()
    train.loc[train.index[-1], "y"] *= share
    before, last = train["ds"].iloc[-2], train["ds"].iloc[-1]
    return replace(case, train=train, as_of=last + share * (last - before))


def gap(case: Case, length: float, before_end: float) -> Case | None:
    """Rows of `length` cycles are missing, which end `before_end` cycles before the last row."""
    n, last = len(case.train), len(case.train) - max(2, round(before_end * case.cycle))
    first = last - max(2, round(length * case.cycle))
    return None if first < n // 3 else with_train(case, (np.arange(n) < first) | (np.arange(n) >= last))


def gap_in_middle(case: Case, length: float) -> Case | None:
    return gap(case, length, len(case.train) / 2 / case.cycle)


def twice(case: Case, first: float, last: float = 0.0) -> Case:
    """The rows from `first` to `last` cycles before the end are loaded once more, at the end of the file."""
    n = len(case.train)
    again = case.train.iloc[max(0, n - round(first * case.cycle)) : n - round(last * case.cycle)]
    return replace(case, train=pd.concat([case.train, again], ignore_index=True))


def all_twice_in_disorder(case: Case) -> Case:
    return replace(case, train=pd.concat([case.train, case.train]).sample(frac=1, random_state=5))


def new_level(case: Case, factor: float, share: float | None = None, buckets: int = 0) -> Case | None:
    """From `share` of the history, or so many buckets, before the end on values are `factor` times as high, for good."""
    if case.y.min() <= 0:
        return None
    at = len(case.train) - (max(1, round(share * len(case.train))) if share is not None else buckets)
    y = np.where(np.arange(len(case.train)) >= at, case.y * factor, case.y)
    return replace(case, train=case.train.assign(y=y), truth=case.truth.assign(y=case.truth["y"] * factor), factor=factor)


def lifted(case: Case, share: float) -> Case:
    """The same by adding three standard deviations."""
    at = len(case.train) - max(1, round(share * len(case.train)))
    by = 3.0 * float(case.y.std())
    y = case.y + np.where(np.arange(len(case.train)) >= at, by, 0.0)
    return replace(case, train=case.train.assign(y=y), truth=case.truth.assign(y=case.truth["y"] + by))


def _linear(case: Case, factor: float, add: float) -> Case:
    train, truth = (frame.assign(y=frame["y"] * factor + add) for frame in (case.train, case.truth))
    return replace(case, train=train, truth=truth, factor=abs(factor))


def below_zero(case: Case) -> Case:
    return _linear(case, 1.0, -float(np.median(case.y)))


def mirrored(case: Case) -> Case:
    return _linear(case, -1.0, 0.0)


def scaled(case: Case, factor: float) -> Case:
    return _linear(case, factor, 0.0)


def moved(case: Case, days: int) -> Case:
    """Everything a while later; whole days, and buckets of months stay as they are."""
    if case._step() > pd.Timedelta(days=20):
        return replace(case, **_at(case, lambda ds: ds + pd.DateOffset(years=days // 364)))
    return replace(case, **_at(case, lambda ds: ds + pd.Timedelta(days=days)))


def _at(case: Case, clock: Callable[[pd.Series], pd.Series]) -> dict[str, pd.DataFrame]:
    return {name: frame.assign(ds=clock(frame["ds"])) for name, frame in (("train", case.train), ("truth", case.truth))}


def local_midnights(case: Case, zone: str) -> Case | None:
    """Days and longer that begin at midnight of a place, in UTC."""
    if case.within_day:
        return None
    return replace(case, **_at(case, lambda ds: _in_utc(ds.dt.normalize(), zone)), time_zone=zone)


def _in_utc(ds: pd.Series, zone: str, first_pass: bool = True) -> pd.Series:
    local = ds.dt.tz_localize(zone, ambiguous=np.full(len(ds), first_pass), nonexistent="NaT")
    return local.dt.tz_convert("UTC").dt.tz_localize(None)


def clock_change(case: Case, day: pd.Timestamp, days_before_end: int) -> Case | None:
    """Hours of a place's clock, in UTC. The day of the change is so many days before the last row, or ahead where below zero.

    The hour that spring leaves out is missing; the one that autumn repeats is there twice.
    """
    if not case.within_day:
        return None
    by = day + pd.Timedelta(days=days_before_end) - case.train["ds"].iloc[-1].normalize()
    frames = {}
    for name, frame in (("train", case.train), ("truth", case.truth)):
        wall = frame["ds"] + by
        once = frame.assign(ds=_in_utc(wall, ZONE))
        again = frame.assign(ds=_in_utc(wall, ZONE, first_pass=False))
        again = again[again["ds"] != once["ds"]]
        frames[name] = (
            pd.concat([once, again] if name == "train" else [once]).dropna(subset=["ds"]).sort_values("ds").reset_index(drop=True)
        )
    return replace(case, **frames, time_zone=ZONE)


def _closed(ds: pd.Series, when: str) -> np.ndarray:
    if when == "nights":
        return ~ds.dt.hour.between(OPENS, CLOSES - 1).to_numpy()
    return (ds.dt.dayofweek >= 5).to_numpy()


def closed(case: Case, when: str, *, rows: bool) -> Case | None:
    """Zeros at nights or weekends; without `rows` there are no rows then, nor asked for."""
    if case._step() > pd.Timedelta(days=2) or (when == "nights" and not case.within_day) or case.y.min() <= 0:
        return None
    shut = {name: _closed(frame["ds"], when) for name, frame in (("train", case.train), ("truth", case.truth))}
    if rows:
        train, truth = (f.assign(y=np.where(shut[name], 0.0, f["y"])) for name, f in (("train", case.train), ("truth", case.truth)))
        return replace(case, train=train, truth=truth, closed=shut["truth"])
    return replace(case, train=case.train[~shut["train"]], truth=case.truth[~shut["truth"]])


def short(case: Case, length: int) -> Case:
    return replace(case, train=case.train[-length:])


def constant(case: Case, value: float) -> Case:
    return replace(case, **{name: f.assign(y=value) for name, f in (("train", case.train), ("truth", case.truth))})


def spike(case: Case, before_end: int, factor: float) -> Case | None:
    """One value `factor` times as high, so many buckets before the last."""
    y = case.y.copy()
    y[-1 - before_end] *= factor
    return None if case.y.min() <= 0 or before_end > len(y) // 2 else replace(case, train=case.train.assign(y=y))


def outage(case: Case, before_end: float) -> Case | None:
    """Zeros for half a cycle, at least three buckets, that ended so many cycles before the end."""
    last = len(case.train) - round(before_end * case.cycle)
    first = last - max(3, case.cycle // 2)
    at = np.arange(len(case.train))
    y = np.where((at >= first) & (at < last), 0.0, case.y)
    return None if case.y.min() <= 0 or first < len(y) // 2 else replace(case, train=case.train.assign(y=y))


@dataclass(frozen=True, slots=True)
class Kind:
    """A change, the kind whose figures it is compared with, and whether the forecast must be that of the other."""

    change: Change
    beside: str = "untouched"
    same: bool = False


def _level(factor: float, **at: float) -> Kind:
    return Kind(partial(new_level, factor=factor, **at))


KINDS: dict[str, Kind] = {
    "untouched": Kind(lambda case: case),
    "one_less": Kind(one_less, beside="one_less"),
    **{f"partial_{share:.0%}": Kind(partial(partial_last, share=share), beside="one_less", same=True) for share in (0.1, 0.3, 0.6)},
    "gap_middle": Kind(partial(gap_in_middle, length=1)),
    "gap_two_middle": Kind(partial(gap_in_middle, length=2)),
    "gap_near_end": Kind(partial(gap, length=1, before_end=1)),
    "gap_two_near_end": Kind(partial(gap, length=2, before_end=1)),
    "gap_at_end": Kind(partial(gap, length=1, before_end=0)),
    "twice_last_cycle": Kind(partial(twice, first=1), same=True),
    "twice_a_cycle": Kind(partial(twice, first=3, last=2), same=True),
    "twice_all_disorder": Kind(all_twice_in_disorder, same=True),
    "level_0.4_10%": _level(0.4, share=0.1),
    "level_0.7_3%": _level(0.7, share=0.03),
    "level_0.7_10%": _level(0.7, share=0.1),
    "level_0.7_30%": _level(0.7, share=0.3),
    "level_1.3_3%": _level(1.3, share=0.03),
    "level_1.3_10%": _level(1.3, share=0.1),
    "level_1.6_10%": _level(1.6, share=0.1),
    "level_2_2_buckets": _level(2.0, buckets=2),
    "level_2_4_buckets": _level(2.0, buckets=4),
    "level_2_8_buckets": _level(2.0, buckets=8),
    "level_2_3%": _level(2.0, share=0.03),
    "level_2_10%": _level(2.0, share=0.1),
    "level_2_30%": _level(2.0, share=0.3),
    "lifted_10%": Kind(partial(lifted, share=0.1)),
    "below_zero": Kind(below_zero),
    "mirrored": Kind(mirrored),
    "millionth": Kind(partial(scaled, factor=1e-6)),
    "million_fold": Kind(partial(scaled, factor=1e6)),
    "years_later": Kind(partial(moved, days=364 * 8)),
    "midnights_berlin": Kind(partial(local_midnights, zone=ZONE)),
    "midnights_new_york": Kind(partial(local_midnights, zone="America/New_York")),
    "spring_3_days_ago": Kind(partial(clock_change, day=SPRING, days_before_end=3)),
    "spring_ahead": Kind(partial(clock_change, day=SPRING, days_before_end=-1)),
    "autumn_3_days_ago": Kind(partial(clock_change, day=AUTUMN, days_before_end=3)),
    "autumn_ahead": Kind(partial(clock_change, day=AUTUMN, days_before_end=-1)),
    "closed_nights": Kind(partial(closed, when="nights", rows=True)),
    "closed_weekends": Kind(partial(closed, when="weekends", rows=True)),
    "no_rows_nights": Kind(partial(closed, when="nights", rows=False)),
    "no_rows_weekends": Kind(partial(closed, when="weekends", rows=False)),
    "12_points": Kind(partial(short, length=12)),
    "2_points": Kind(partial(short, length=2)),
    "constant": Kind(partial(constant, value=7.1)),
    "only_zeros": Kind(partial(constant, value=0.0)),
    "spike_10_ago": Kind(partial(spike, before_end=10, factor=3.0)),
    "spike_10_fold": Kind(partial(spike, before_end=10, factor=10.0)),
    "spike_1_ago": Kind(partial(spike, before_end=1, factor=3.0)),
    "spike_2_ago": Kind(partial(spike, before_end=2, factor=3.0)),
    "wild_last": Kind(partial(spike, before_end=0, factor=3.0)),
    "outage_near_end": Kind(partial(outage, before_end=1)),
}
