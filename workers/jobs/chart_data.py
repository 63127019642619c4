"""Numbers and times as JSON for charts."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.timeseries import TimeSeries

MAX_HISTORY = 400
MIN_HISTORY = 60


def finite(value: Any) -> Any:
    """The value; None for NaN and infinity, which JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def instant(at: datetime | np.datetime64) -> str:
    """ISO 8601 in UTC with a trailing Z, to the second."""
    moment = at.astype("datetime64[ms]").astype(datetime) if isinstance(at, np.datetime64) else at
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")


def history_points(series: TimeSeries, horizon: int) -> list[dict[str, Any]]:
    """The last points of a series, enough to judge a forecast of `horizon` steps by: five horizons, 60 to 400 points."""
    count = min(max(5 * horizon, MIN_HISTORY), MAX_HISTORY)
    pairs = zip(series.times[-count:], series.values[-count:], strict=True)
    return [{"t": instant(at), "v": finite(float(value))} for at, value in pairs]
