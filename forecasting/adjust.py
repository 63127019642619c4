"""Seasonal adjustment for one or several seasons, additive or multiplicative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.seasons import season_is_present


@dataclass(frozen=True, slots=True)
class Adjusted:
    """y = rest + season, or rest * season.

    rest: (n,) the series without its seasons. future: (horizon,) seasonal parts ahead. multiplicative: how to put them together.
    profiles: season length -> (season,) pattern by position counted from the first bucket.
    """

    rest: FloatArray
    past: FloatArray
    future: FloatArray
    multiplicative: bool
    profiles: dict[int, FloatArray]

    def restore(self, point: FloatArray) -> FloatArray:
        """(horizon,) forecast of the rest -> forecast of the series."""
        return point * self.future if self.multiplicative else point + self.future


def present_seasons(y: FloatArray, seasons: tuple[int, ...]) -> tuple[int, ...]:
    """The seasons that fit twice in y and show in its autocorrelation."""
    return tuple(s for s in seasons if season_is_present(y, s))


def adjust(y: FloatArray, seasons: tuple[int, ...], horizon: int, *, multiplicative: bool = False, cycles: int | None = None) -> Adjusted:
    """The series without the given seasons, each a fixed profile averaged over the last `cycles` cycles (all when None).

    y: (n,) complete; > 0 when multiplicative, which works on logarithms. Shorter seasons are removed first, and again after the longer ones.
    """
    n = y.shape[0]
    z = np.log(y) if multiplicative else y.astype(np.float64)
    profiles = {season: np.zeros(season) for season in seasons}
    at = np.arange(n)
    for _ in range(2 if len(seasons) > 1 else 1):
        for season in seasons:
            others = sum((profiles[s][at % s] for s in seasons if s != season), np.zeros(n))
            profiles[season] = profile(z - others, season, cycles)
    past = sum((profiles[s][at % s] for s in seasons), np.zeros(n))
    ahead = n + np.arange(horizon)
    future = sum((profiles[s][ahead % s] for s in seasons), np.zeros(horizon))
    if multiplicative:
        return Adjusted(np.exp(z - past), np.exp(past), np.exp(future), True, profiles)
    return Adjusted(z - past, past, future, False, profiles)


def centred_mean(z: FloatArray, season: int) -> FloatArray:
    """(n,) centred moving average over one season; its ends are continued by the line through the last (first) season of averages."""
    n = z.shape[0]
    kernel = np.full(season, 1.0 / season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5] / season
    inner = np.convolve(z, kernel, mode="valid")
    lead = (n - inner.shape[0]) // 2
    tail = n - inner.shape[0] - lead
    return np.asarray(np.r_[_continue(inner[::-1], lead, season)[::-1], inner, _continue(inner, tail, season)])


def _continue(inner: FloatArray, steps: int, season: int) -> FloatArray:
    """(steps,) values after `inner` on the line through its last values, half as steep: a trend seldom lasts."""
    width = min(inner.shape[0], max(season, 2))
    slope = 0.0 if width < 3 else float(np.polyfit(np.arange(width), inner[-width:], 1)[0])
    return np.asarray(inner[-1] + 0.5 * slope * np.arange(1, steps + 1))


def profile(z: FloatArray, season: int, cycles: int | None) -> FloatArray:
    """(season,) mean departure from the centred moving average at each position, the farthest fifth of cycles set aside; sums to 0."""
    n = z.shape[0]
    rest = z - centred_mean(z, season)
    wanted = -(-n // season) if cycles is None else cycles
    first = max(0, n - wanted * season)
    count = -(-(n - first) // season)
    table = np.full(count * season, np.nan)
    table[: n - first] = rest[first:]
    table = np.sort(table.reshape(count, season), axis=0)
    seen = np.isfinite(table).sum(axis=0)
    cut = np.floor(0.1 * seen).astype(int)
    rank = np.arange(count)[:, None]
    inside = (rank >= cut) & (rank < seen - cut)
    mean = np.where(inside, np.nan_to_num(table), 0.0).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
    shifted = np.roll(mean, first % season)
    return np.asarray(shifted - shifted.mean())
