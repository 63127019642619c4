"""Series of our own making: hourly web traffic, minute gauges, counts. Seeds are fixed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from anomaly import DetectInput, Detection, detect
from core.timeseries import FloatArray, TimeArray, TimeSeries

START = "2023-01-02"


def hours(days: int, start: str = START) -> TimeArray:
    return pd.date_range(start, periods=24 * days, freq="h").to_numpy("datetime64[ns]")


def minutes(days: int, start: str = START) -> TimeArray:
    return pd.date_range(start, periods=1440 * days, freq="min").to_numpy("datetime64[ns]")


def traffic(times: TimeArray, seed: int = 1, noise: float = 0.04, zone: str | None = None) -> FloatArray:
    """Visits: a day shape, calm weekends, multiplicative noise."""
    local = pd.DatetimeIndex(times, tz="UTC").tz_convert(zone) if zone else pd.DatetimeIndex(times)
    hour = local.hour.to_numpy() + local.minute.to_numpy() / 60
    weekend = local.dayofweek.to_numpy() >= 5
    shape = np.exp(0.9 * np.sin((hour - 8) / 24 * 2 * np.pi)) * np.where(weekend, 0.7, 1.0)
    return np.asarray(1000 * shape * np.exp(np.random.default_rng(seed).normal(0, noise, len(times))), np.float64)


def gauge(times: TimeArray, seed: int = 1, noise: float = 2.0) -> FloatArray:
    """A load around 50 without season."""
    return np.asarray(50 + np.random.default_rng(seed).normal(0, noise, len(times)), np.float64)


def found(times: TimeArray, values: FloatArray, **options: object) -> Detection:
    """The detection of one series; options of DetectInput."""
    return detect(DetectInput(TimeSeries("s", times, values), **options))  # type: ignore[arg-type]


def alerts(detection: Detection, kind: str = "value", after: object = None) -> list[object]:
    """detected_at of the incidents of a kind, from a time on."""
    return [i.detected_at for i in detection.incidents if i.kind == kind and (after is None or i.detected_at >= after)]  # type: ignore[operator]
