"""The value that passes from the warehouse to forecasting, anomaly and insights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.errors import Invalid

FloatArray = npt.NDArray[np.float64]
TimeArray = npt.NDArray[np.datetime64]


class Grain(StrEnum):
    """Length of one step of a series or of a group-by-time. Weeks are ISO weeks (Monday first) unless the calendar says otherwise."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """A metric over time, one value per bucket start.

    times: (n,) datetime64[ns], UTC, as loaded (may have gaps; sorted and unique only after preparation).
    values: (n,) float64 in the metric's unit; NaN is missing.
    """

    series_id: str
    times: TimeArray
    values: FloatArray
    grain: Grain | None = None

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.values.shape:
            raise Invalid(
                f"Series {self.series_id!r}: times and values must be 1-D and of one length; "
                f"found {self.times.shape} and {self.values.shape}.",
                code="bad_series",
            )

    def __len__(self) -> int:
        return int(self.values.shape[0])
