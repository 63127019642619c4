"""Which seasons a series may have, from the length of its step, and which of them its data shows."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.grid import Step

_DAY_S, _WEEK_S, _YEAR_S = 86_400.0, 7 * 86_400.0, 365.25 * 86_400.0


def calendar_seasons(step: Step) -> tuple[int, ...]:
    """Season lengths in steps that the calendar suggests, ascending: day, week and year where they are 4 steps or more."""
    if step.months:
        return (12 // step.months,) if step.months < 12 and 12 % step.months == 0 else ()
    seconds = step.approximate_seconds
    found = []
    for length_s, exact in ((_DAY_S, True), (_WEEK_S, True), (_YEAR_S, False)):
        steps = length_s / seconds
        if steps >= 3.5 and (not exact or abs(steps - round(steps)) < 1e-9):
            found.append(int(steps) if not exact else round(steps))
    return tuple(found)


def weekly_or_shorter(step: Step, seasons: tuple[int, ...]) -> tuple[int, ...]:
    """The seasons of at most eight days."""
    return tuple(season for season in seasons if season * step.approximate_seconds <= 8 * _DAY_S)


def seasonal_strength(y: FloatArray, season: int) -> float:
    """Autocorrelation at the season's lag of the series less its centred moving average over the season; 0 when too short.

    y: (n,) no NaN. In [-1, 1].
    """
    n = y.shape[0]
    if season < 2 or n < 2 * season + 2:
        return 0.0
    kernel = np.full(season, 1.0 / season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5] / season
    trend = np.convolve(y, kernel, mode="valid")
    lead = (kernel.shape[0] - 1) // 2
    rest = y[lead : lead + trend.shape[0]] - trend
    if rest.shape[0] <= season + 2:
        rest = y - np.polyval(np.polyfit(np.arange(n), y, 1), np.arange(n))
    rest = rest - rest.mean()
    power = float(rest @ rest)
    return 0.0 if power <= 0 else float(rest[season:] @ rest[:-season]) / power


def season_is_present(y: FloatArray, season: int) -> bool:
    """Is the autocorrelation at the season's lag outside its 90 % limit?

    Source: the seasonality test of the M4 competition's guide, on the series less its moving average.
    """
    n = y.shape[0]
    if season < 2 or n < 2 * season + 2:
        return False
    return bool(seasonal_strength(y, season) > 1.645 / np.sqrt(max(n - season, 4)))
