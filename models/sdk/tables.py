"""From the contract's tables to arrays per series and back, so that a model need not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from core.timeseries import FloatArray, TimeArray
from models.sdk.schemas import FORECAST, SCORES

Z_80, Z_95 = 1.2816, 1.9600  # of the normal distribution


def per_series(table: pa.Table, *, fill: bool = False) -> Iterator[tuple[str, TimeArray, FloatArray]]:
    """(name, times (n,) datetime64[ms], values (n,) float64) in the table's order; `value` absent gives no values.

    fill: missing values are interpolated, at the ends repeated, 0 when all are missing; otherwise they are NaN.
    """
    names = table.column("series_id").to_pylist()
    times = table.column("time").cast(pa.timestamp("ms")).to_numpy(zero_copy_only=False)
    has_values = "value" in table.column_names
    values = np.asarray(table.column("value").to_numpy(zero_copy_only=False), np.float64) if has_values else np.empty(0)
    start = 0
    for at in range(1, len(names) + 1):
        if at == len(names) or names[at] != names[start]:
            part = values[start:at] if has_values else np.empty(0)
            yield str(names[start]), times[start:at], _filled(part) if fill and has_values else part
            start = at


def forecast_table(future: pa.Table, ahead: Callable[[str, TimeArray], tuple[FloatArray, FloatArray]]) -> pa.Table:
    """FORECAST with normal intervals. ahead(name, times) gives the mean and its standard error for a series, (h,) each."""
    made = [ahead(name, times) for name, times, _ in per_series(future)]
    mean, error = (np.concatenate([np.asarray(pair[part], np.float64) for pair in made]) for part in (0, 1))
    bounds = [mean - Z_80 * error, mean + Z_80 * error, mean - Z_95 * error, mean + Z_95 * error]
    return pa.Table.from_arrays([future.column("series_id"), future.column("time"), *map(pa.array, (mean, *bounds))], schema=FORECAST)


def score_table(history: pa.Table, judge: Callable[[str, TimeArray, FloatArray], Mapping[str, FloatArray]]) -> pa.Table:
    """SCORES. judge(name, times, values) gives `score` and, if it likes, `expected`, `lower`, `upper`, (n,) each with NaN for none."""
    made = [(judge(name, times, values), len(times)) for name, times, values in per_series(history)]
    columns = []
    for name in ("score", "expected", "lower", "upper"):
        numbers = np.concatenate([np.asarray(found.get(name, np.full(n, np.nan)), np.float64) for found, n in made])
        columns.append(pa.array(numbers, pa.float64(), mask=np.isnan(numbers)))
    return pa.Table.from_arrays([history.column("series_id"), history.column("time"), *columns], schema=SCORES)


def _filled(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    if not known.any():
        return np.zeros_like(values)
    return np.asarray(np.interp(np.arange(len(values)), np.flatnonzero(known), values[known]))
