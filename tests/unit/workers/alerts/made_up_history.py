"""Histories without a warehouse: a total and segments, daily or hourly, with what a test plants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from core.timeseries import FloatArray, Grain, TimeSeries
from semantic.states import OutputColumn
from workers.alerts.history import History, RowCounts
from workers.jobs.querying import Receipt
from workers.jobs.series import TOTAL, Segment

NOW = datetime(2026, 5, 21, 1, 0, tzinfo=UTC)
RECEIPT = Receipt(("SELECT 1",), "hash", 1, "v1", 10)


def usual(days: int, *, seed: int = 3, level: float = 1000.0) -> FloatArray:
    """A weekly season and 3 % noise, the last value is yesterday's."""
    rng = np.random.default_rng(seed)
    today = NOW.date()
    weekday = np.array([(today - timedelta(days=days - n)).weekday() for n in range(days)])
    return np.asarray(level * (1 + 0.3 * (weekday < 5)) * (1 + rng.normal(0, 0.03, days)), np.float64)


def history(
    values: FloatArray, *, segments: Mapping[str, FloatArray] | None = None, rows: FloatArray | None = None, grain: Grain = Grain.DAY
) -> History:
    step = {Grain.DAY: timedelta(days=1), Grain.HOUR: timedelta(hours=1)}[grain]
    end = NOW.replace(hour=0, minute=0) if grain is Grain.DAY else NOW.replace(minute=0)
    starts = [end - step * (len(values) - n) for n in range(len(values))]
    times = np.array([at.replace(tzinfo=None) for at in starts], "datetime64[ns]")
    made = [TimeSeries(TOTAL, times, values, grain)]
    named = {TOTAL: Segment(TOTAL, "Total", {})}
    for name, part in (segments or {}).items():
        made.append(TimeSeries(name, times, part, grain))
        named[name] = Segment(name, name, {"region": name})
    keep = ~np.isnan(values)
    made[0] = TimeSeries(TOTAL, times[keep], values[keep], grain)
    return History(
        series=tuple(made),
        segments=named,
        measure=OutputColumn("revenue", "revenue", "measure", unit="EUR"),
        rows=(RowCounts(times, rows),) if rows is not None else (),
        grain=grain,
        zone="UTC",
        country=None,
        receipt=RECEIPT,
        left_out=0,
    )
