"""After rows that are missing the expectation is old: what differs from it is no news so soon, the less so the longer nothing was seen."""

from __future__ import annotations

import numpy as np

from anomaly.thresholds import DAY_S
from core.timeseries import FloatArray, TimeArray

DOUBT = 1.0  # of the bar, each time a gap is e times as long
WEEK_ROWS = 7
FEW_ROWS = 4
NS_PER_S = 1_000_000_000


def doubt_after_gaps(times: TimeArray, values: FloatArray, step_s: int) -> FloatArray:
    """(n,) how much higher a score must be to begin an alert: the logarithm of one and the gap in seasons (a day; a week of days), for a
    season after a gap that is longer than any before. What closes every night or weekend has no such gaps."""
    season_ns = (DAY_S if step_s < DAY_S else (WEEK_ROWS if step_s == DAY_S else FEW_ROWS) * step_s) * NS_PER_S
    doubt = np.zeros(len(times))
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return doubt
    ns = times.astype(np.int64)
    missing = np.diff(ns[known]) - step_s * NS_PER_S
    longest = np.maximum.accumulate(np.r_[0, missing])[:-1]
    for k in np.flatnonzero(missing > longest).tolist():
        first = known[k + 1]
        last = int(np.searchsorted(ns, ns[first] + season_ns))
        doubt[first:last] = np.maximum(doubt[first:last], DOUBT * np.log1p(missing[k] / season_ns))
    return doubt
