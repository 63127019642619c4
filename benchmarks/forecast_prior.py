"""Series from a broad prior, many at once, for a network to learn from before it sees any real one.

Each is a sum of what textbooks name (levels that wander, slopes that fade, cycles, seasons that drift, breaks, correlated noise, wild values),
each with a size drawn at random, then put together by adding or by multiplying, and sometimes counted or rounded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Array = npt.NDArray[np.float32]


def series_of_prior(rng: Rng, count: int, steps: int, season: int) -> Array:
    """(count, steps) series with a season of so many steps (1: none). All finite."""
    size = _log_uniform(rng, count, 0.004, 0.3)
    z = size * (_wandering(rng, count, steps) + _slopes(rng, count, steps) + _cycles(rng, count, steps) + _breaks(rng, count, steps))
    z = z + size * (_reverting(rng, count, steps) + _noise(rng, count, steps, season))
    if season > 1:
        z = z + size * _seasons(rng, count, steps, season)
    if season == 12:
        z = z + size * (_working_days(rng, count, steps) + _recessions(rng, count, steps))
    return _observed(rng, z.astype(np.float32), size)


def _log_uniform(rng: Rng, count: int, low: float, high: float) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), (count, 1))).astype(np.float32)


def _log_normal(rng: Rng, count: int, middle: float, spread: float, share: float = 1.0) -> Array:
    """Sizes around `middle`; 0 but for `share` of them."""
    size = middle * np.exp(spread * rng.standard_normal((count, 1)))
    return np.where(rng.random((count, 1)) < share, size, 0.0).astype(np.float32)


def _shocks(rng: Rng, count: int, steps: int) -> Array:
    """Normal in most series, with heavy tails in some."""
    shocks = rng.standard_normal((count, steps), dtype=np.float32)
    heavy = rng.random(count) < 0.2
    sizes = rng.standard_normal((int(heavy.sum()), steps, 3), dtype=np.float32)
    shocks[heavy] *= 0.7 / np.sqrt(np.maximum((sizes**2).mean(axis=2), 0.02))
    return shocks


def _autoregressive(shocks: Array, memory: Array) -> Array:
    """Stationary from the first step on; of the shocks' own size at memory 0."""
    out = np.empty_like(shocks)
    last = shocks[:, :1] / np.sqrt(1 - memory**2)
    out[:, :1] = last
    for t in range(1, shocks.shape[1]):
        last = memory * last + shocks[:, t : t + 1]
        out[:, t : t + 1] = last
    return out


def _wandering(rng: Rng, count: int, steps: int) -> Array:
    """A random walk, whose steps resemble their neighbours in half of the series."""
    memory = np.where(rng.random((count, 1)) < 0.5, rng.uniform(-0.4, 0.85, (count, 1)), 0.0).astype(np.float32)
    changes = _autoregressive(_shocks(rng, count, steps), memory) * (1 - np.abs(memory)) ** 0.7
    return np.cumsum(_log_normal(rng, count, 0.35, 1.1, 0.65) * changes, axis=1)


def _slopes(rng: Rng, count: int, steps: int) -> Array:
    """A slope that lasts, fades or wanders; a drift; saturation."""
    fade = np.where(rng.random((count, 1)) < 0.4, 1.0, rng.uniform(0.85, 1.0, (count, 1))).astype(np.float32)
    shocks = _log_normal(rng, count, 0.03, 1.2, 0.45) * _shocks(rng, count, steps)
    drift = _log_normal(rng, count, 0.06, 1.2, 0.6) * rng.choice([-1.0, 1.0, 1.0], (count, 1)).astype(np.float32)
    slope = _log_normal(rng, count, 0.12, 1.2, 0.4) * rng.standard_normal((count, 1), dtype=np.float32)
    out = np.empty((count, steps), dtype=np.float32)
    level = np.zeros((count, 1), dtype=np.float32)
    for t in range(steps):
        slope = fade * slope + shocks[:, t : t + 1]
        level = level + slope + drift
        out[:, t : t + 1] = level
    return out


def _cycles(rng: Rng, count: int, steps: int) -> Array:
    """Second-order autoregressions with a period of 14 to 130 steps."""
    period, damping = _log_uniform(rng, count, 14, 130), rng.uniform(0.9, 0.998, (count, 1)).astype(np.float32)
    first, second = 2 * damping * np.cos(2 * np.pi / period), -(damping**2)
    shocks = _shocks(rng, count, steps + 60)
    a = np.zeros((count, 1), dtype=np.float32)
    b = a
    out = np.empty((count, steps), dtype=np.float32)
    for t in range(steps + 60):
        a, b = first * a + second * b + shocks[:, t : t + 1], a
        if t >= 60:
            out[:, t - 60 : t - 59] = a
    spread = np.maximum(out.std(axis=1, keepdims=True), 1e-6)
    return _log_normal(rng, count, 2.0, 0.9, 0.3) * out / spread


def _breaks(rng: Rng, count: int, steps: int) -> Array:
    """Changes of level and of slope at a few moments, in a third of the series."""
    at = rng.random((count, steps), dtype=np.float32) < rng.uniform(0.3, 3.0, (count, 1)) / steps
    jumps = np.where(at, rng.standard_normal((count, steps), dtype=np.float32), 0.0) * _log_normal(rng, count, 4.0, 0.8, 0.15)
    bent = rng.random((count, steps), dtype=np.float32) < rng.uniform(0.5, 4.0, (count, 1)) / steps
    turns = np.where(bent, rng.standard_normal((count, steps), dtype=np.float32), 0.0) * _log_normal(rng, count, 0.2, 1.0, 0.25)
    return (np.cumsum(jumps, axis=1) + np.cumsum(np.cumsum(turns, axis=1), axis=1)).astype(np.float32)


def _recessions(rng: Rng, count: int, steps: int) -> Array:
    """A fall within months and a recovery within years, in part or in full, once or twice in a quarter of the series; now and then a boom."""
    at = np.arange(steps, dtype=np.float32)
    out = np.zeros((count, steps), dtype=np.float32)
    for share in (0.25, 0.08):
        since = at - rng.uniform(-24, steps, (count, 1)).astype(np.float32)
        fall, recovery = _log_uniform(rng, count, 1.5, 15), _log_uniform(rng, count, 4, 48)
        back = np.where(rng.random((count, 1)) < 0.3, 1.0, rng.uniform(0.0, 1.2, (count, 1))).astype(np.float32)
        path = back * (1 - np.exp(-np.maximum(since - fall, 0) / recovery)) - np.clip(since / fall, 0, 1)
        out += _log_normal(rng, count, 5.0, 0.7, share) * rng.choice([-1.0, 1.0, 1.0, 1.0], (count, 1)).astype(np.float32) * path
    return out


def _working_days(rng: Rng, count: int, steps: int) -> Array:
    """What a month has more because of the weekdays that it has five times, in a quarter of the series."""
    months = np.arange("1950-01", "2030-01", dtype="datetime64[M]")
    days = np.arange("1950-01-01", "2030-01-01", dtype="datetime64[D]")
    table = np.zeros((months.shape[0], 7), dtype=np.float32)
    np.add.at(table, (days.astype("datetime64[M]").astype(np.int64) - months[0].astype(np.int64), (days.astype(np.int64) + 3) % 7), 1)
    usual = np.array([1, 1, 1, 1, 1, -2, -3], dtype=np.float32)
    weights = usual * rng.uniform(-0.2, 1, (count, 1)).astype(np.float32) + 0.5 * rng.standard_normal((count, 7), dtype=np.float32)
    first = rng.integers(0, months.shape[0] - steps, (count, 1))
    more = np.einsum("ktd,kd->kt", table[first + np.arange(steps)], weights - weights.mean(axis=1, keepdims=True))
    more = more - more.mean(axis=1, keepdims=True)
    return (_log_normal(rng, count, 0.5, 0.8, 0.25) * more / np.maximum(more.std(axis=1, keepdims=True), 1e-3)).astype(np.float32)


def _reverting(rng: Rng, count: int, steps: int) -> Array:
    memory = rng.uniform(0.2, 0.98, (count, 1)).astype(np.float32)
    return _log_normal(rng, count, 1.0, 0.9, 0.4) * np.sqrt(1 - memory**2) * _autoregressive(_shocks(rng, count, steps), memory)


def _noise(rng: Rng, count: int, steps: int, season: int) -> Array:
    """What is gone at the next step, larger at some times of the cycle or as time goes on; and now and then a wild value."""
    shocks = _shocks(rng, count, steps + 1)
    mean = np.where(rng.random((count, 1)) < 0.3, rng.uniform(-0.6, 0.6, (count, 1)), 0.0).astype(np.float32)
    noise = shocks[:, 1:] + mean * shocks[:, :-1]
    uneven = np.exp(0.5 * rng.standard_normal((count, max(season, 2)), dtype=np.float32) * (rng.random((count, 1)) < 0.25)).astype(
        np.float32
    )
    noise = noise * uneven[:, np.arange(steps) % max(season, 2)]
    noise = noise * np.exp(np.linspace(-0.5, 0.5, steps, dtype=np.float32) * _log_normal(rng, count, 0.7, 0.5, 0.2))
    wild = rng.random((count, steps), dtype=np.float32) < np.where(rng.random((count, 1)) < 0.15, rng.uniform(0.005, 0.04, (count, 1)), 0.0)
    noise[wild] += 6.0 * rng.standard_normal(int(wild.sum()), dtype=np.float32)
    return _log_normal(rng, count, 0.7, 0.9, 0.92) * noise


def _seasons(rng: Rng, count: int, steps: int, season: int) -> Array:
    """Smooth or ragged patterns, one position that stands out, all of which may drift or grow; none in a quarter of the series."""
    at = np.arange(season)
    smooth = np.zeros((count, season), dtype=np.float32)
    for k in range(1, min(season // 2, 12) + 1):
        swing = rng.standard_normal((count, 2), dtype=np.float32) * np.exp(-rng.uniform(0.1, 1.2, (count, 1)) * (k - 1)).astype(np.float32)
        smooth += swing[:, :1] * np.sin(2 * np.pi * k * at / season).astype(np.float32)
        smooth += swing[:, 1:] * np.cos(2 * np.pi * k * at / season).astype(np.float32)
    ragged = _shocks(rng, count, season)
    kind = rng.random((count, 1))
    one = np.where(at == rng.integers(0, season, (count, 1)), rng.choice([-3.0, 3.0, 4.0], (count, 1)), 0.3 * ragged)
    plain = 0.6 if season <= 24 else 0.8
    profile = np.where(kind < plain, smooth, np.where(kind < 0.9, ragged, one)).astype(np.float32)
    profile = profile - profile.mean(axis=1, keepdims=True)
    profile = profile / np.maximum(profile.std(axis=1, keepdims=True), 1e-3)
    change = np.where(rng.random((count, 1)) < 0.6, _log_uniform(rng, count, 0.01, 0.35), 0.0).astype(np.float32)
    growth = np.exp(
        np.linspace(-1, 1, steps, dtype=np.float32) * _log_normal(rng, count, 0.25, 0.6, 0.3) * rng.choice([-1.0, 1.0], (count, 1))
    )
    cycles = -(-steps // season)
    moved = np.cumsum(change[:, :, None] * rng.standard_normal((count, cycles, season), dtype=np.float32), axis=1)
    pattern = (profile[:, None] + moved - moved.mean(axis=2, keepdims=True)).reshape(count, -1)[:, :steps]
    return (_log_normal(rng, count, 2.2, 1.0, 0.75) * pattern * growth).astype(np.float32)


def _observed(rng: Rng, z: Array, size: Array) -> Array:
    """Multiplied (most), added to a level, below zero, counted, rounded."""
    count = z.shape[0]
    centred = z - z.mean(axis=1, keepdims=True)
    grown = np.exp(np.clip(centred, -8, 8))
    room = np.abs(centred).max(axis=1, keepdims=True)
    added = room * _log_uniform(rng, count, 0.3, 30) + centred
    free = centred + size * 10 * rng.standard_normal((count, 1), dtype=np.float32)
    kind = rng.random((count, 1))
    y = np.where(kind < 0.55, grown, np.where(kind < 0.92, np.where(rng.random((count, 1)) < 0.8, np.maximum(added, 0), added), free))
    mean = np.maximum(np.abs(y).mean(axis=1, keepdims=True), 1e-9)
    y = y / mean
    whole = rng.random((count, 1))
    rate = np.clip(np.maximum(y, 0) * _log_uniform(rng, count, 0.3, 300), 0, 1e5)
    counted = (whole < 0.1)[:, 0]
    y[counted] = rng.poisson(rate[counted])
    grid = _log_uniform(rng, count, 5, 1000)
    rounded = (whole > 0.85)[:, 0]
    y[rounded] = np.round(y[rounded] * grid[rounded])
    return y.astype(np.float32)
