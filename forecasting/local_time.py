"""Between UTC and the wall clock of a business, so that a season keeps its local hour across clock changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.errors import Invalid
from core.timeseries import TimeArray


def to_wall_clock(times: TimeArray, time_zone: str | None) -> TimeArray:
    """datetime64[ns] wall-clock times of UTC times; unchanged without a zone. The repeated hour of autumn appears twice.

    Raises: Invalid for a zone name that is not known.
    """
    if time_zone is None:
        return times.astype("datetime64[ns]")
    try:
        local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(time_zone)
    except Exception as error:
        raise Invalid(f"Expected an IANA time zone such as 'Europe/Berlin'; found {time_zone!r}.", code="bad_time_zone") from error
    return local.tz_localize(None).to_numpy().astype("datetime64[ns]")


def to_utc(times: TimeArray, time_zone: str | None) -> TimeArray:
    """UTC times of wall-clock times; a time that does not exist moves forward, the repeated hour is taken as its first pass."""
    if time_zone is None:
        return times.astype("datetime64[ns]")
    local = pd.DatetimeIndex(times).tz_localize(time_zone, ambiguous=np.ones(times.shape[0], dtype=np.bool_), nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")
