"""The regular grid under a series: how long one step is, and which step a time belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.timeseries import Grain, TimeArray

NS_PER_SECOND = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_SECOND

_FIXED_NS = {Grain.MINUTE: 60 * NS_PER_SECOND, Grain.HOUR: 3_600 * NS_PER_SECOND, Grain.DAY: NS_PER_DAY, Grain.WEEK: 7 * NS_PER_DAY}
_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Step:
    """Length of one bucket: either `ns` nanoseconds (months = 0) or `months` calendar months (ns = 0)."""

    ns: int = 0
    months: int = 0

    @property
    def approximate_seconds(self) -> float:
        return self.months * 30.4375 * 86_400 if self.months else self.ns / NS_PER_SECOND

    @property
    def steps_per_day(self) -> float:
        return 86_400 / self.approximate_seconds

    @property
    def plural(self) -> str:
        """What people call several of them: days, months; "steps" where there is no word."""
        named = {_MONTHS[g]: g for g in _MONTHS} if self.months else {_FIXED_NS[g]: g for g in _FIXED_NS}
        grain = named.get(self.months or self.ns)
        return "steps" if grain is None else f"{grain.value}s"


def infer_step(times: TimeArray, grain: Grain | None = None) -> Step:
    """The step of sorted times without repeats: from the grain when given, else the most frequent distance.

    Distances that are all near whole months become calendar months. One point alone is taken as daily.
    """
    if grain is not None:
        return Step(ns=_FIXED_NS[grain]) if grain in _FIXED_NS else Step(months=_MONTHS[grain])
    if times.shape[0] < 2:
        return Step(ns=NS_PER_DAY)
    distances = np.diff(times.astype("datetime64[ns]").astype(np.int64))
    values, counts = np.unique(distances, return_counts=True)
    common = int(values[np.argmax(counts)])
    if common >= 27 * NS_PER_DAY:
        months = round(common / (30.4375 * NS_PER_DAY))
        exact = common % (7 * NS_PER_DAY) == 0 and np.unique(distances).shape[0] == 1 and times.shape[0] > 3
        if months >= 1 and not (exact and months == 1):
            return Step(months=months)
    return Step(ns=common)


def index_of(times: TimeArray, start: np.datetime64, step: Step) -> npt.NDArray[np.int64]:
    """(n,) int64 bucket numbers of times, counted from the bucket of `start`. Times inside a bucket belong to it."""
    if step.months:
        months = times.astype("datetime64[M]").astype(np.int64) - start.astype("datetime64[M]").astype(np.int64)
        return np.asarray(months // step.months)
    offset = times.astype("datetime64[ns]").astype(np.int64) - start.astype("datetime64[ns]").astype(np.int64)
    return np.asarray(offset // step.ns)


def time_at(index: npt.NDArray[np.int64], start: np.datetime64, step: Step) -> TimeArray:
    """datetime64[ns] starts of the buckets `index`. Month steps keep the day and hour of `start`; month ends stay month ends."""
    origin = start.astype("datetime64[ns]")
    if not step.months:
        return np.asarray(origin + (index * step.ns).astype("timedelta64[ns]"))
    month = start.astype("datetime64[M]") + (index * step.months).astype("timedelta64[M]")
    day, clock_ns = divmod(int((origin - start.astype("datetime64[M]").astype("datetime64[ns]")).astype(np.int64)), NS_PER_DAY)
    last_day = _days_in(month) - 1
    days = last_day if day == int(_days_in(start.astype("datetime64[M]"))) - 1 and day > 0 else np.minimum(day, last_day)
    return np.asarray(month.astype("datetime64[ns]") + (days * NS_PER_DAY + clock_ns).astype("timedelta64[ns]"))


def _days_in(month: np.ndarray) -> np.ndarray:
    """Days of each datetime64[M]."""
    days: npt.NDArray[np.int64] = ((month + np.timedelta64(1, "M")).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(
        np.int64
    )
    return days
