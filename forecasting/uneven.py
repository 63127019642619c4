"""Where in its horizon a series errs more: at the busy hours, in the volatile months, and where more is expected.

On 850 generated and public series, forecast alone and together, the interval score at 95 % was 3 % lower with it, at 80 % 1.5 %.
"""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray

POWER = 0.5
"""Of both: errors grow with the changes from season to season, and with what is expected, but by less. 1 was as good for the season, not for the level."""
MIN_CYCLES, MAX_CYCLES = 5, 60
PRIOR_CYCLES = 10.0
"""So many cycles of even errors are added to those seen."""
LEAST_SHARE = 0.05
"""Of the mean change; where nothing ever changed something may."""
MOST_TIMES_LEVEL = 10.0


def unevenness(y: FloatArray, seasons: tuple[int, ...], point: FloatArray, *, relative: bool) -> FloatArray:
    """(h,) how large errors are expected at each step beside the others, about 1 on average.

    y: (n,) history, complete. seasons: candidates, ascending; the shortest one seen five times counts. point: (h,) what is expected next.
    relative: errors also grow with what is expected, as in series well above zero.
    """
    h = point.shape[0]
    season = next((s for s in seasons if MIN_CYCLES * s <= y.shape[0]), 1)
    size = np.ones(h) if season < 4 else season_changes(y, season)[np.arange(h) % season]
    if not relative or not np.isfinite(point).all():
        return size
    level = float(np.median(np.abs(point)))
    if level <= 0:
        return size
    return np.asarray(size * np.clip(np.abs(point) / level, 1 / MOST_TIMES_LEVEL, MOST_TIMES_LEVEL) ** POWER)


def season_changes(y: FloatArray, season: int) -> FloatArray:
    """(season,) how much values change from one cycle to the next at each position counted from the end of y, beside the others; mean 1."""
    cycles = min(y.shape[0] // season - 1, MAX_CYCLES)
    recent = y[y.shape[0] - (cycles + 1) * season :]
    changes = np.abs(recent[season:] - recent[:-season]).reshape(cycles, season).mean(axis=0)
    overall = float(changes.mean())
    if overall <= 0:
        return np.ones(season)
    smooth = _over_neighbours(changes, max(1, season // 16) if season > 7 else 0)
    known = cycles / (cycles + PRIOR_CYCLES)
    size = ((smooth + LEAST_SHARE * overall) / ((1 + LEAST_SHARE) * overall)) ** (POWER * known)
    return np.asarray(size / size.mean())


def _over_neighbours(values: FloatArray, half: int) -> FloatArray:
    """(k,) each averaged with `half` neighbours on both sides, the end joined to the beginning."""
    return np.asarray(np.mean([np.roll(values, shift) for shift in range(-half, half + 1)], axis=0))
