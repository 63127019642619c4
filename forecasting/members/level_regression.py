"""What the level did after moments like now: a ridge regression for every step ahead at once, on the seasonally adjusted series.

A moment is described by how far its last value lies from the means of the last 2, 3, 5, ... steps: trend and reversion at all speeds. Unlike
an autoregression its errors do not add up over the horizon, and it works on histories half as long.
"""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.members.logarithm import in_logarithms
from forecasting.members.smoothing import adjusted
from forecasting.prepare import Prepared

WIDTHS = (2, 3, 5, 8, 13, 26, 52)
MAX_EXAMPLES = 600
MIN_EXAMPLES = 20
RIDGE = 0.05
"""As a share of the examples' weight. .02 was as good on hours, .2 on months and weeks."""
MAX_DEPARTURE = 4.0


def level_regression(series: Prepared) -> FloatArray:
    """(horizon,) forecasts. Raises: ValueError when fewer than 20 past moments have a whole horizon after them."""
    h = series.horizon
    parts = adjusted(series)
    z, back = in_logarithms(parts.rest)
    rest = z[-(MAX_EXAMPLES + WIDTHS[-1] + h) :]
    n = rest.shape[0]
    widths = [width for width in WIDTHS if width <= n // 4]
    if not widths or n - h + 1 - widths[-1] < MIN_EXAMPLES:
        raise ValueError(f"expected {MIN_EXAMPLES} examples or more; found {n} points")
    ends = np.arange(widths[-1], n - h + 1)
    total = np.r_[0.0, np.cumsum(rest)]
    seen = _departures(rest, total, ends, widths)
    ahead = rest[ends[:, None] + np.arange(h)] - rest[ends - 1][:, None]
    unit = np.sqrt((seen**2).mean(axis=0)) + 1e-12
    limit = MAX_DEPARTURE * np.median(np.abs(ahead), axis=0) + 1e-12
    x = seen / unit
    slopes = np.linalg.solve(x.T @ x + RIDGE * x.shape[0] * np.eye(len(widths)), x.T @ np.clip(ahead, -limit, limit))
    now = np.clip(_departures(rest, total, np.array([n]), widths) / unit, -MAX_DEPARTURE, MAX_DEPARTURE)
    return parts.restore(back(rest[-1] + (now @ slopes)[0]))


def _departures(rest: FloatArray, total: FloatArray, ends: np.ndarray, widths: list[int]) -> FloatArray:
    """(k, widths) the last value at each moment less the mean of the last `width` values."""
    return np.column_stack([rest[ends - 1] - (total[ends] - total[ends - width]) / width for width in widths])
