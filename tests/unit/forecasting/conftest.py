"""Series made for tests: known trend, seasons and noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.timeseries import FloatArray, TimeArray, TimeSeries
from forecasting.types import ForecastInput


def _times(n: int, unit: str = "D", start: str = "2023-01-02") -> TimeArray:
    return (np.datetime64(start, unit) + np.arange(n)).astype("datetime64[ns]")


def _weekly_pattern(n: int, *, level: float = 100.0, swing: float = 20.0, noise: float = 3.0, seed: int = 0) -> FloatArray:
    at = np.arange(n)
    return np.asarray(level + 0.02 * at + swing * np.sin(2 * np.pi * at / 7) + np.random.default_rng(seed).normal(0, noise, n))


def _item(y: FloatArray, horizon: int = 14, *, series_id: str = "s", unit: str = "D", **options: Any) -> ForecastInput:
    return ForecastInput(TimeSeries(series_id, _times(len(y), unit), np.asarray(y, dtype=np.float64)), horizon, **options)


@pytest.fixture
def times() -> Callable[..., TimeArray]:
    return _times


@pytest.fixture
def weekly_pattern() -> Callable[..., FloatArray]:
    """Daily values with a weekly season."""
    return _weekly_pattern


@pytest.fixture
def item() -> Callable[..., ForecastInput]:
    return _item
