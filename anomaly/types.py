"""What goes into and comes out of detection. Pure numbers, no I/O, strictly causal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.timeseries import FloatArray, TimeArray, TimeSeries


@dataclass(frozen=True, slots=True)
class DetectInput:
    """One series to watch. as_of (aware): a bucket ending later is incomplete and not judged. warmup_steps: rows at the start not judged."""

    series: TimeSeries
    as_of: datetime | None = None
    time_zone: str | None = None
    country: str | None = None
    warmup_steps: int | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One event. start, end, detected_at: datetime64[ns] UTC bucket starts, end inclusive; severity 0-100; impact in the metric's unit (signed sum)."""

    series_id: str
    start: object
    end: object
    detected_at: object
    direction: Literal["up", "down", "both"]
    kind: Literal["value", "level_shift", "missing_data", "flat_line"]
    severity: float
    impact: float
    expected: float
    actual: float
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """times (n,) as in the input after sorting and de-duplicating; score (n,) higher is stranger, NaN in warm-up or where nothing is judged;
    expected, lower, upper (n,) what was expected at that time from earlier rows only."""

    series_id: str
    times: TimeArray
    values: FloatArray
    score: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    incidents: tuple[Incident, ...]
    notes: tuple[str, ...] = ()
