"""An outage or a flood of wrong values that came and went: what a forecast should neither learn from nor be judged by.

A backtest over such weeks says nothing of the next ones, and its errors would widen every interval (on generated days five times). What happens again and again is how a
series is, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray
from forecasting import working_days
from forecasting.adjust import FAST_DECAY, adjust

MIN_POINTS = 60
LONGEST_SHARE, LONGEST = 1 / 12, 60
"""An episode lasts at most this share of the history, and so many buckets."""
MIN_SPREADS = 8.0
"""Of all departures from the level around; for three values or more in a row."""
SHORTEST = 3
MOST = 2
PAUSE = 3
"""Wild values with fewer usual ones than this between them are one episode."""
CAUSE_SPREADS = 4.0
NEAR_SHARE_OF_YEAR = 1 / 26

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def find_episodes(y: FloatArray, seasons: tuple[int, ...], year: int, horizon: int, explained: BoolArray | None = None) -> BoolArray:
    """(n,) True within the one or two stretches of wild values with a usual level before and after; all False where there are more.

    y: (n,) complete. seasons: they are taken out first. year: its steps. A stretch that came a year later too, or whose day of the year lies
    within the horizon, stays: it may be a season. So does one with a cause at work in it. explained: (n,) where one is.
    """
    from scipy.ndimage import median_filter

    n = y.shape[0]
    found = np.zeros(n, dtype=np.bool_)
    if n < MIN_POINTS:
        return found
    longest = min(int(n * LONGEST_SHARE), LONGEST)
    rest = adjust(y, seasons, 0, decay=FAST_DECAY).rest
    departure = np.abs(rest - median_filter(rest, size=4 * longest + 1, mode="nearest"))
    spread = 1.4826 * float(np.median(departure))
    wild = np.flatnonzero(departure > MIN_SPREADS * spread)
    if spread <= 0 or not wild.size:
        return found
    runs = np.split(wild, np.flatnonzero(np.diff(wild) > PAUSE) + 1)
    if len(runs) > MOST or any(run[-1] - run[0] >= longest for run in runs):
        return found
    for run in runs:
        usual_around = run[0] >= longest and run[-1] < n - max(run.shape[0], PAUSE)
        of_a_cause = explained is not None and bool(explained[run[0] : run[-1] + 1].any())
        if run.shape[0] >= SHORTEST and usual_around and not of_a_cause and not _may_come_again(run, runs, year, n, horizon):
            found[run[0] : run[-1] + 1] = True
    return found


def at_work(causes: Mapping[str, FloatArray], n: int) -> BoolArray:
    """(n,) where a known cause is far from its usual: a holiday's day, a driver's peak. causes: name -> (n or more,) values."""
    found = np.zeros(n, dtype=np.bool_)
    for values in (values for name, values in causes.items() if name not in working_days.NAMES):
        departure = np.abs(values[:n] - np.median(values[:n]))
        found |= departure > CAUSE_SPREADS * 1.4826 * float(np.median(departure))
    return found


def without(raw: FloatArray, episodes: BoolArray) -> FloatArray:
    """(n,) raw with NaN in the episodes."""
    return np.where(episodes, np.nan, raw) if episodes.any() else raw


def _may_come_again(run: IntArray, runs: list[IntArray], year: int, n: int, horizon: int) -> bool:
    """Is there another one about a year apart, or is a year after it ahead?"""
    near = year * NEAR_SHARE_OF_YEAR
    again = any(abs(abs(int(other[0]) - int(run[0])) - k * year) <= near for other in runs if other is not run for k in (1, 2, 3))
    return again or any(run[-1] + k * year >= n - near and run[0] + k * year < n + horizon + near for k in (1, 2, 3))
