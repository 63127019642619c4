"""What every member of the pool is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.timeseries import FloatArray
from forecasting.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Member:
    """A way to forecast. `fit(series)` gives (series.horizon,) point forecasts; `applies` says whether the series is long enough for it.

    It may raise or give non-finite values: such a member is left out for that series.
    """

    name: str
    fit: Callable[[Prepared], FloatArray]
    applies: Callable[[Prepared], bool]
