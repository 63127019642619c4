"""Seasonal adjustment for one or several seasons, additive or multiplicative, each only as far as the data speaks for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray

SLOW_DECAY, FAST_DECAY = 0.8, 0.65
"""A cycle counts this share of the next younger one. Days and weeks come and change fast, years slowly: on hourly backtests 0.65 beat 0.8 and
even weights by 10 and 21 %, on months and weeks 0.8 beat even weights by 2 to 5 %."""
LEAST_SHRINK = 0.15
"""A season whose profile keeps less than this share after shrinking is noise and left alone."""
MAX_DEPARTURE = 3.5
SMOOTHED_FROM = 200
"""Profiles longer than this, next to a shorter season, are averaged over a 24th of their length: a year of days has one value per day and year."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """y = rest + season, or rest * season.

    rest: (n,) the series without its seasons. past: (n,), future: (horizon,) seasonal parts. multiplicative: how to put them together.
    profiles: season length -> (season,) pattern by position counted from the first bucket, in logarithms when multiplicative.
    """

    rest: FloatArray
    past: FloatArray
    future: FloatArray
    multiplicative: bool
    profiles: dict[int, FloatArray]

    def restore(self, point: FloatArray) -> FloatArray:
        """(horizon,) forecast of the rest -> forecast of the series."""
        return point * self.future if self.multiplicative else point + self.future


def adjust(y: FloatArray, seasons: tuple[int, ...], horizon: int, *, multiplicative: bool = False, decay: float = SLOW_DECAY) -> Adjusted:
    """The series without those of the given seasons that fit twice and show.

    y: (n,) complete; > 0 when multiplicative, which works on logarithms. Shorter seasons are removed first, and again after the longer ones.
    """
    n = y.shape[0]
    z = np.log(y) if multiplicative else y.astype(np.float64)
    fitting = tuple(s for s in seasons if 2 * s <= n and s > 1)
    profiles = {season: np.zeros(season) for season in fitting}
    at = np.arange(n)
    for _ in range(2 if len(fitting) > 1 else 1):
        for season in fitting:
            others = sum((profiles[s][at % s] for s in fitting if s != season), np.zeros(n))
            profiles[season] = shrunk_profile(z - others, season, decay, smooth=season >= SMOOTHED_FROM and season != fitting[0])
    past = sum((profiles[s][at % s] for s in fitting), np.zeros(n))
    ahead = n + np.arange(horizon)
    future = sum((profiles[s][ahead % s] for s in fitting), np.zeros(horizon))
    if multiplicative:
        return Adjusted(np.exp(z - past), np.exp(past), np.exp(future), True, profiles)
    return Adjusted(z - past, past, future, False, profiles)


def centred_mean(z: FloatArray, season: int) -> FloatArray:
    """(n,) centred moving average over one season; its ends are continued by the line through the last (first) season of averages."""
    n = z.shape[0]
    total = np.zeros(n + 1)
    np.cumsum(z, out=total[1:])
    if season % 2:
        inner = (total[season:] - total[:-season]) / season
    else:
        whole = total[season:] - total[:-season]
        inner = (whole[:-1] + whole[1:]) / (2 * season)
    lead = (n - inner.shape[0]) // 2
    tail = n - inner.shape[0] - lead
    return np.concatenate([_continue(inner[::-1], lead, season)[::-1], inner, _continue(inner, tail, season)])


def _continue(inner: FloatArray, steps: int, season: int) -> FloatArray:
    """(steps,) values after `inner` on the line through its last values, half as steep: a trend seldom lasts."""
    width = min(inner.shape[0], max(season, 2))
    if width < 3:
        return np.full(steps, inner[-1])
    at = np.arange(width) - (width - 1) / 2
    slope = float(at @ inner[-width:]) / float(at @ at)
    return np.asarray(inner[-1] + 0.5 * slope * np.arange(1, steps + 1))


def shrunk_profile(z: FloatArray, season: int, decay: float, *, smooth: bool) -> FloatArray:
    """(season,) mean departure from the centred moving average at each position, shrunk towards 0 by what chance alone would give; sums to 0.

    Cycles are weighted by decay ** age. The variance between cycles says how much of the profile's variance is chance.
    Source: the James-Stein shrinkage of seasonal factors, Miller and Williams (2003).
    """
    n = z.shape[0]
    table = _cycles(z - centred_mean(z, season), season)
    if smooth:
        table = _circular_mean(table, max(3, season // 24))
    known = np.isfinite(table)
    table = _pulled_in(table)
    ages = np.arange(table.shape[0])[::-1]
    weight = np.where(known, (decay**ages)[:, None], 0.0)
    total = weight.sum(axis=0)
    filled = np.where(known, table, 0.0)
    mean = (weight * filled).sum(axis=0) / total
    chance = (weight * (filled - mean) ** 2).sum(axis=0) / total
    effective = total**2 / (weight**2).sum(axis=0)
    mean_error = float(np.mean(chance / np.maximum(effective - 1.0, 0.5)))
    variance = float(np.mean(mean**2))
    keep = 0.0 if variance <= 0 else max(0.0, 1.0 - mean_error / variance)
    if keep < LEAST_SHRINK:
        return np.zeros(season)
    shifted = np.roll(mean, n % season)
    return np.asarray(keep * (shifted - shifted.mean()))


def _cycles(rest: FloatArray, season: int) -> FloatArray:
    """(cycles, season) rows that end with the last value; the first row begins with NaN."""
    count = -(-rest.shape[0] // season)
    table = np.full(count * season, np.nan)
    table[count * season - rest.shape[0] :] = rest
    return table.reshape(count, season)


def _pulled_in(table: FloatArray) -> FloatArray:
    """Departures from a position's median over the cycles beyond MAX_DEPARTURE robust deviations are cut to that: one outage or the days
    around a change of level are no season."""
    if table.shape[0] < 3:
        return table
    whole = np.where(np.isfinite(table), table, table[1])
    middle = np.median(whole, axis=0)
    departure = table - middle
    limit = MAX_DEPARTURE * 1.4826 * float(np.median(np.abs(whole - middle)))
    return np.asarray(middle + np.clip(departure, -limit, limit)) if limit > 0 else table


def _circular_mean(table: FloatArray, width: int) -> FloatArray:
    """Each row averaged over `width` neighbours, the year's end joined to its beginning; NaN left out."""
    half = width // 2
    known = np.isfinite(table)
    filled = np.where(known, table, 0.0)
    wide = np.concatenate([filled[:, -half:], filled, filled[:, :half]], axis=1)
    seen = np.concatenate([known[:, -half:], known, known[:, :half]], axis=1).astype(np.float64)
    total = np.cumsum(np.pad(wide, ((0, 0), (1, 0))), axis=1)
    count = np.cumsum(np.pad(seen, ((0, 0), (1, 0))), axis=1)
    span = 2 * half + 1
    mean = (total[:, span:] - total[:, :-span]) / np.maximum(count[:, span:] - count[:, :-span], 1.0)
    return np.where(known, mean, np.nan)
