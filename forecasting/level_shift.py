"""A lasting change of level from one bucket to the next: found, and history moved to the level of today.

What came before a price change, a merger or a new way of counting still tells the seasons and how much things vary, but not the level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.adjust import adjust

MIN_POINTS = 40
PROFILE_DECAY = 0.9
"""Of the seasons that are taken out first: with .65, as forecasts have it, the last days' new level passed for the shape of the week. Of 72
doublings 1 to 10 days ago of generated hours with a week 45 were found instead of 21, and nothing more on five sets without any."""
SHORTEST, LONGEST = 5, 12
"""Points on each side that are compared: a day or week where there is one and eight fit, else a twentieth of the history within these bounds."""
MIN_SPREADS = 6.0
"""A change is one of level when it is this many robust spreads of all such differences in the history,"""
MIN_RATIO = 1.4
"""and so many times larger than any other: what happens again is how the series is, and a random walk has no largest step by far."""
RECENT = 250
"""Points back: a change further away than this is beyond the memory of most members, and moving it made weeks 1 % worse."""
MAX_SLOPE = 0.35
"""Before it the level moved by less than this share of it, and"""
MIN_KEPT = 0.6
"""afterwards it keeps at least this share of it, to the end."""
MAX_FACTOR = 50.0
ABRUPT = 0.4
"""Share of the change that comes from one bucket to the next."""


@dataclass(frozen=True, slots=True)
class LevelShift:
    """From bucket `at` on, values are `size` higher, or `size` times as high where is_factor."""

    at: int
    size: float
    is_factor: bool

    def to_present(self, values: FloatArray, last: int | None = None) -> FloatArray:
        """(k,) values of the first k buckets at today's level; with `last`, all of them as if they had come at that bucket."""
        before = np.arange(values.shape[0]) < self.at if last is None else np.full(values.shape[-1], last < self.at)
        return np.asarray(np.where(before, values * self.size if self.is_factor else values + self.size, values))

    def to_past(self, values: FloatArray) -> FloatArray:
        """The inverse of `to_present`."""
        return LevelShift(self.at, 1.0 / self.size if self.is_factor else -self.size, self.is_factor).to_present(values)


@dataclass(frozen=True, slots=True)
class Levels:
    """(n,) what is left of a series without its seasons, in logarithms where positive: the series is well above zero."""

    z: FloatArray
    positive: bool


def levels_of(y: FloatArray, seasons: tuple[int, ...]) -> Levels:
    """y: (n,) complete. seasons: those to take out."""
    positive = bool(y.min() > 0.02 * y.mean() > 0)
    rest = adjust(y, seasons, 0, multiplicative=positive, decay=PROFILE_DECAY).rest
    return Levels(np.log(rest) if positive else rest, positive)


def find_level_shift(y: FloatArray, seasons: tuple[int, ...], cycle: int = 1, levels: Levels | None = None) -> LevelShift | None:
    """The one change of level that stands out, or None.

    y: (n,) complete. seasons: they are taken out first. cycle: steps of a day or week, 1 without: means over whole cycles are compared.
    levels: `levels_of` both where that is known.
    """
    n = y.shape[0]
    if n < MIN_POINTS:
        return None
    width = cycle * -(-SHORTEST // cycle) if 1 < cycle <= n // 8 else int(np.clip(n // 20, SHORTEST, LONGEST))
    levels = levels or levels_of(y, seasons)
    z, positive = levels.z, levels.positive
    at = _largest(z, width)
    if at is None or at < n - RECENT or not _lasts(z, at, width):
        return None
    if cycle > LONGEST and n - at < cycle:  # part of a day of hours unlike any other is as often a holiday as a new level
        return None
    return _measured(y, z, at, positive, max((s for s in seasons if 2 * s <= n), default=1))


def _largest(z: FloatArray, width: int) -> int | None:
    """Where the medians of `width` points before and after differ most, if that stands out among all such differences."""
    levels = np.median(np.lib.stride_tricks.sliding_window_view(z, width), axis=1) if width <= LONGEST else _means(z, width)
    change = levels[width:] - levels[:-width]
    size = np.abs(change)
    best = int(np.argmax(size))
    elsewhere = np.abs(np.arange(size.shape[0]) - best) > 2 * width
    spread = 1.4826 * float(np.median(size))
    if not elsewhere.any() or size[best] < MIN_SPREADS * spread or size[best] < MIN_RATIO * float(size[elsewhere].max()) or size[best] <= 0:
        return None
    reach = width // 2 if width <= LONGEST else width // 4
    near = np.arange(max(1, best + width - reach), min(z.shape[0] - 1, best + width + reach) + 1)
    steps = (z[near] - z[near - 1]) * np.sign(change[best])
    at = int(near[np.argmax(steps)])
    return at if float(steps.max()) >= ABRUPT * size[best] else None


def _means(z: FloatArray, width: int) -> FloatArray:
    total = np.r_[0.0, np.cumsum(z)]
    return np.asarray((total[width:] - total[:-width]) / width)


def _lasts(z: FloatArray, at: int, width: int) -> bool:
    """Was the level steady before, and does the change stay until the end?"""
    before = float(np.median(z[max(0, at - width) : at]))
    change = float(np.median(z[at : at + width])) - before
    earlier = z[max(0, at - 4 * width) : max(0, at - 2 * width)]
    if earlier.shape[0] < width or abs(float(np.median(earlier)) - before) > MAX_SLOPE * abs(change):
        return False
    after = [float(np.median(part)) for part in np.array_split(z[at:], max(1, min(4, (z.shape[0] - at) // width)))]
    return min((level - before) / change for level in after) >= MIN_KEPT


def _measured(y: FloatArray, z: FloatArray, at: int, positive: bool, season: int) -> LevelShift | None:
    """Its size over up to a season on both sides; a factor where that makes the seasons before and after alike."""
    span = max(3 * SHORTEST, season)
    before, after = slice(max(0, at - span), at), slice(at, at + span)
    size = float(np.median(z[after]) - np.median(z[before]))
    if not positive and y.min() >= 0:  # zeros stay zeros
        factor = float(y[after].mean() / max(float(y[before].mean()), 1e-300))
        return LevelShift(at, factor, True) if 1 / MAX_FACTOR < factor < MAX_FACTOR else None
    if not positive:
        return LevelShift(at, size, False)
    factor = float(np.exp(size))
    added = float(np.median(y[before]) * (factor - 1.0))
    count = min(span, y.shape[0] - at, at)
    spread_before, spread_after = float(np.std(y[at - count : at])), float(np.std(y[at : at + count]))
    grows_along = abs(np.log((spread_after + 1e-12) / (spread_before * factor + 1e-12)))
    stays = abs(np.log((spread_after + 1e-12) / (spread_before + 1e-12)))
    return LevelShift(at, added, False) if stays < grows_along and y[:at].min() + added > 0 else LevelShift(at, factor, True)
