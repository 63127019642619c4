"""Made-up series to try models on: a season, a trend, noise, always the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from core.timeseries import FloatArray, TimeArray
from models.sdk.schemas import FUTURE, HISTORY

SEASON_STEPS: Mapping[str, int] = {"minute": 60, "hour": 24, "day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_STEP_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
START = np.datetime64("2022-01-03", "ms")  # a Monday


def times(grain: str, n: int, *, start: np.datetime64 = START) -> TimeArray:
    """(n,) bucket starts, datetime64[ms], UTC."""
    if grain in _MONTHS:
        months = start.astype("datetime64[M]") + np.arange(n) * _MONTHS[grain]
        return np.asarray(months.astype("datetime64[ms]"))
    return np.asarray(start.astype("datetime64[ms]") + np.arange(n) * np.timedelta64(_STEP_MS[grain], "ms"))


def values(n: int, season: int, *, seed: int = 0, level: float = 100.0) -> FloatArray:
    """(n,) around `level`, swinging by a fifth over the season, growing by a tenth over 400 steps, with noise of 3 %."""
    rng = np.random.default_rng(seed)
    at = np.arange(n)
    swing = 0.2 * np.sin(2 * np.pi * at / max(season, 2))
    return np.asarray(level * (1 + swing + 0.1 * at / 400 + 0.03 * rng.standard_normal(n)))


def gappy(numbers: FloatArray) -> FloatArray:
    """The same with one row in seven missing, and ten in a row in the middle."""
    found = numbers.copy()
    found[np.random.default_rng(2).random(len(found)) < 0.15] = np.nan
    found[len(found) // 2 : len(found) // 2 + 10] = np.nan
    return found


def history(series: Mapping[str, tuple[TimeArray, FloatArray]]) -> pa.Table:
    """HISTORY of series by name; NaN becomes null."""
    ids = [name for name, (when, _) in series.items() for _ in range(len(when))]
    when = np.concatenate([item[0] for item in series.values()]).astype("datetime64[ms]")
    numbers = np.concatenate([item[1] for item in series.values()])
    return _table(HISTORY, ids, when, pa.array(numbers, pa.float64(), mask=~np.isfinite(numbers)))


def future(ends: Mapping[str, TimeArray]) -> pa.Table:
    """FUTURE of series by name: the buckets to forecast."""
    ids = [name for name, when in ends.items() for _ in range(len(when))]
    return _table(FUTURE, ids, np.concatenate(list(ends.values())).astype("datetime64[ms]"))


def _table(schema: pa.Schema, ids: list[str], when: TimeArray, *more: pa.Array) -> pa.Table:
    stamps = pa.array(when).cast(pa.timestamp("ms", tz="UTC"))
    return pa.Table.from_arrays([pa.array(ids, pa.string()), stamps, *more], schema=schema)
