"""From rows as loaded to rows that can be judged: ascending, unique, complete, on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.types import DetectInput
from core.errors import Invalid
from core.timeseries import FloatArray, Grain, TimeArray

IntArray = npt.NDArray[np.int64]

NS_PER_S = 1_000_000_000
GRAIN_SECONDS = {
    Grain.MINUTE: 60,
    Grain.HOUR: 3600,
    Grain.DAY: 86_400,
    Grain.WEEK: 604_800,
    Grain.MONTH: 2_629_800,
    Grain.QUARTER: 7_889_400,
    Grain.YEAR: 31_557_600,
}
STEP_SAMPLE_ROWS = 32  # the step is read from the first rows only, so that cutting or extending a series cannot change it


@dataclass(frozen=True, slots=True)
class Rows:
    """times (n,) ascending and unique, UTC; values (n,) with NaN where nothing is known; dropped: why rows are gone, in words."""

    times: TimeArray
    values: FloatArray
    step_s: int
    dropped: tuple[str, ...]


def prepare(item: DetectInput) -> Rows:
    """The rows of a series in order, each time once (the last loaded row wins), without a bucket that ends after `as_of`.

    Raises: Invalid when a time is NaT, or as_of carries no zone.
    """
    times = item.series.times.astype("datetime64[ns]")
    values = np.where(np.isfinite(item.series.values), item.series.values, np.nan).astype(np.float64)
    if np.isnat(times).any():
        raise Invalid(
            f"Series {item.series.series_id!r}: every row needs a time; found {int(np.isnat(times).sum())} rows without one.",
            code="bad_series",
        )
    notes: list[str] = []
    order = np.argsort(times, kind="stable")
    if not (order == np.arange(len(order))).all():
        notes.append("rows were out of order")
    times, values = times[order], values[order]
    last_of_time = np.r_[times[1:] != times[:-1], True] if len(times) else np.zeros(0, bool)
    if not last_of_time.all():
        notes.append(f"{int((~last_of_time).sum())} repeated rows left out")
        times, values = times[last_of_time], values[last_of_time]
    step_s = step_seconds(times, item.series.grain)
    if item.as_of is not None and len(times):
        if item.as_of.tzinfo is None:
            raise Invalid("as_of must carry a time zone; found a naive time. Use an aware datetime.", code="naive_time")
        read_at = np.datetime64(int(item.as_of.timestamp() * NS_PER_S), "ns")
        complete = bucket_ends(times, item.series.grain, step_s) <= read_at
        if not complete.all():
            notes.append(f"{int((~complete).sum())} incomplete buckets left out")
            times, values = times[complete], values[complete]
    return Rows(times, values, step_s, tuple(notes))


def bucket_ends(times: TimeArray, grain: Grain | None, step_s: int) -> TimeArray:
    """(n,) when the bucket of each row ends; months, quarters and years by the calendar."""
    months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}.get(grain) if grain else None
    if months is None:
        return (times + np.timedelta64(step_s, "s")).astype("datetime64[ns]")
    # a local month may begin a few hours before the UTC one: count from two days later, land on the same offset
    month = (times + np.timedelta64(2, "D")).astype("datetime64[M]")
    ends: TimeArray = (times + ((month + months).astype("datetime64[ns]") - month.astype("datetime64[ns]"))).astype("datetime64[ns]")
    return ends


def step_seconds(times: TimeArray, grain: Grain | None) -> int:
    """Seconds per step: the grain's, or the most frequent distance among the first rows; one hour when there are fewer than two."""
    if grain is not None:
        return GRAIN_SECONDS[grain]
    gaps = np.diff(times[:STEP_SAMPLE_ROWS].astype(np.int64)) // NS_PER_S
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return GRAIN_SECONDS[Grain.HOUR]
    seconds, count = np.unique(gaps, return_counts=True)
    usual = int(seconds[np.argmax(count)])
    for grain, (shortest, longest) in {Grain.MONTH: (28, 31), Grain.QUARTER: (90, 92)}.items():
        if shortest * 86_400 <= usual <= longest * 86_400:
            return GRAIN_SECONDS[grain]
    return usual


def grid_index(times: TimeArray, step_s: int, time_zone: str | None) -> IntArray:
    """(n,) position of each row on the grid of local wall-clock time, so that a season keeps its hour when the clock changes."""
    if time_zone is None or step_s >= GRAIN_SECONDS[Grain.WEEK]:
        local = times.astype(np.int64)
    else:
        import pandas as pd

        try:
            local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(time_zone).tz_localize(None).as_unit("ns").asi8
        except Exception as error:
            raise Invalid(
                f"Unknown time zone {time_zone!r}: expected an IANA name such as 'Europe/Berlin'.", code="bad_time_zone"
            ) from error
    local = np.asarray(local, np.int64)
    months = {GRAIN_SECONDS[Grain.MONTH]: 1, GRAIN_SECONDS[Grain.QUARTER]: 3}.get(step_s)
    if months:
        return np.asarray(local.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64) // months, np.int64)
    step_ns = step_s * NS_PER_S
    monday = 4 * 86_400 * NS_PER_S  # 1970-01-05
    return np.asarray(np.floor_divide(local - monday + step_ns // 2, step_ns), np.int64)
