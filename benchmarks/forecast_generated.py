"""Writes suites of generated series to choose constants on: `python -m benchmarks.forecast_generated --out FOLDER`.

Nothing here is fitted to a benchmark: each process is one that a textbook names, with parameters drawn at random. The suites have the form
that `benchmarks.forecast` reads, truth included.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.timeseries import FloatArray

Rng = np.random.Generator
Process = Callable[[Rng, int], FloatArray]


def autoregressive(rng: Rng, n: int, phi: float, spread: float) -> FloatArray:
    """(n,) first-order autoregression, from its stationary distribution, of standard deviation `spread`."""
    shocks = rng.standard_normal(n) * spread * np.sqrt(1 - phi**2)
    shocks[0] = rng.standard_normal() * spread
    out = np.empty(n)
    last = 0.0
    for t in range(n):
        last = phi * last + shocks[t]
        out[t] = last
    return out


def waves(rng: Rng, n: int, season: float, terms: int) -> FloatArray:
    """(n,) a periodic pattern of a few harmonics with standard deviation 1."""
    at = np.arange(n)
    total = np.zeros(n)
    for k in range(1, terms + 1):
        total += rng.standard_normal() / k * np.sin(2 * np.pi * k * at / season + rng.uniform(0, 2 * np.pi))
    return np.asarray(total / max(float(total.std()), 1e-9))


def changing_waves(rng: Rng, n: int, season: int, change: float) -> FloatArray:
    """(n,) a pattern that drifts into another over the history."""
    share = np.clip(np.linspace(0, change, n), 0, 1)
    return np.asarray((1 - share) * waves(rng, n, season, 4) + share * waves(rng, n, season, 4))


def growth(rng: Rng, n: int) -> FloatArray:
    """Steady growth with a multiplicative season that changes slowly."""
    at = np.arange(n)
    rate = rng.uniform(0.001, 0.012)
    noise = autoregressive(rng, n, rng.uniform(0.3, 0.95), rng.uniform(0.005, 0.06))
    return np.asarray(np.exp(5 + rate * at + rng.uniform(0.03, 0.3) * changing_waves(rng, n, 12, rng.uniform(0, 1)) + noise))


def fading_trend(rng: Rng, n: int) -> FloatArray:
    """A trend whose slope wanders and fades: local linear, damped."""
    slope, level = rng.normal(0, 0.01), 8.0
    phi, shock, noise = rng.uniform(0.85, 0.99), rng.uniform(0.001, 0.006), rng.uniform(0.005, 0.04)
    out = np.empty(n)
    for t in range(n):
        slope = phi * slope + rng.normal(0, shock)
        level += slope + rng.normal(0, noise / 2)
        out[t] = level
    season = rng.choice([0.0, 0.03, 0.1]) * waves(rng, n, 12, 3)
    return np.asarray(np.exp(out + season + rng.normal(0, noise, n)))


def random_walk(rng: Rng, n: int) -> FloatArray:
    """Prices and rates: changes are news, with now and then a large one."""
    steps = rng.standard_t(4, n) * rng.uniform(0.005, 0.05)
    return np.asarray(1000 * np.exp(np.cumsum(steps)))


def broken_level(rng: Rng, n: int) -> FloatArray:
    """A season around a level that jumps a few times."""
    level = np.full(n, 10.0)
    for at in rng.integers(n // 5, n, rng.integers(1, 4)):
        level[at:] *= np.exp(rng.normal(0, 0.25))
    return np.asarray(level * (1 + 0.15 * waves(rng, n, 12, 3)) * np.exp(autoregressive(rng, n, 0.4, 0.06)) * 100)


def business_cycle(rng: Rng, n: int) -> FloatArray:
    """Retail-like: growth, a strong December, and recessions in which growth turns for a year or two."""
    rate = np.full(n, rng.uniform(0.002, 0.006))
    for at in range(int(rng.integers(20, 80)), n, int(rng.integers(70, 130))):
        rate[at : at + int(rng.integers(6, 18))] -= rng.uniform(0.004, 0.02)
    season = 0.06 * waves(rng, n, 12, 4)
    season[np.arange(n) % 12 == 11] += rng.uniform(0.05, 0.4)
    return np.asarray(np.exp(11 + np.cumsum(rate) + season + autoregressive(rng, n, 0.6, rng.uniform(0.006, 0.02))))


def noisy_demand(rng: Rng, n: int) -> FloatArray:
    """Counts with a season and much noise."""
    mean = rng.uniform(3, 80) * np.exp(0.3 * waves(rng, n, 12, 2) + autoregressive(rng, n, 0.9, 0.2))
    return rng.negative_binomial(5, 5 / (5 + mean)).astype(np.float64)


def slow_cycle(rng: Rng, n: int) -> FloatArray:
    """Macro-like: stationary around a mean with cycles of years and no season, also below zero."""
    first, second = autoregressive(rng, n, 0.97, 1.0), autoregressive(rng, n, 0.9, 0.3)
    return np.asarray(rng.uniform(-1, 6) + first + second + rng.normal(0, 0.08, n))


MONTHLY: tuple[Process, ...] = (growth, fading_trend, random_walk, broken_level, business_cycle, noisy_demand, slow_cycle)


def weather(steps_per_day: int, days: int) -> Process:
    """Temperatures: the day's curve with an amplitude of its own each day, on air masses that come and go within days."""

    def make(rng: Rng, n: int) -> FloatArray:
        at = np.arange(n) / steps_per_day
        air = autoregressive(rng, n, np.exp(-1 / (steps_per_day * rng.uniform(1.5, 6))), rng.uniform(2, 6))
        swing = 1 + 0.35 * autoregressive(rng, days + 2, 0.5, 1.0)
        amplitude = rng.uniform(2, 8) * np.interp(at, np.arange(days + 2), np.clip(swing, 0.1, 2.5))
        sharp = rng.uniform(0.1, 0.4)
        curve = np.sin(2 * np.pi * at) + sharp * np.sin(4 * np.pi * at + 1)
        noise = autoregressive(rng, n, 0.8, rng.uniform(0.05, 0.5))
        season = rng.uniform(0.02, 0.2) * at * rng.choice([-1, 1])
        return np.asarray(np.round(rng.uniform(-5, 25) + air + season + amplitude * curve + noise, 1))

    return make


def load(steps_per_day: int) -> Process:
    """Traffic: day and week together, growth, noise in proportion."""

    def make(rng: Rng, n: int) -> FloatArray:
        day, week = waves(rng, n, steps_per_day, 3), waves(rng, n, 7 * steps_per_day, 7)
        slow = autoregressive(rng, n, np.exp(-1 / (steps_per_day * 5)), 0.15)
        return np.asarray(np.exp(5 + 0.5 * day + 0.15 * week + slow + autoregressive(rng, n, 0.6, rng.uniform(0.02, 0.15))))

    return make


def page_views(rng: Rng, n: int) -> FloatArray:
    """Days of attention: week, year, a slow level, bursts that decay."""
    at = np.arange(n)
    level = autoregressive(rng, n, 0.995, 0.4) + 0.05 * rng.standard_normal() * at / 365
    bursts = np.zeros(n)
    for start in rng.integers(0, n, max(1, n // 150)):
        bursts[start:] += rng.exponential(0.8) * np.exp(-np.arange(n - start) / rng.uniform(1, 8))
    season = 0.15 * waves(rng, n, 7, 3) + rng.uniform(0, 0.3) * waves(rng, n, 365.25, 3)
    return np.asarray(np.exp(7 + level + season + bursts + rng.normal(0, rng.uniform(0.03, 0.15), n)))


def sales(rng: Rng, n: int) -> FloatArray:
    """Days of a shop: closed or weak weekends, a year's season, growth, noise."""
    at = np.arange(n)
    week = np.exp(0.4 * waves(rng, n, 7, 3))
    if rng.random() < 0.3:
        week = week * (at % 7 != 6)
    year = 1 + rng.uniform(0, 0.3) * waves(rng, n, 365.25, 3)
    noise = np.exp(autoregressive(rng, n, 0.5, rng.uniform(0.03, 0.2)))
    return np.asarray(500 * week * np.maximum(year, 0.2) * noise * np.exp(rng.uniform(-0.0003, 0.0006) * at))


def monthly(rng: Rng, count: int) -> list[FloatArray]:
    """Series of 4 to 25 years."""
    return [MONTHLY[k % len(MONTHLY)](rng, int(rng.integers(50, 300))) for k in range(count)]


def of(processes: Sequence[Process], rng: Rng, count: int, shortest: int, longest: int) -> list[FloatArray]:
    """`count` series, the processes in turn."""
    return [processes[k % len(processes)](rng, int(rng.integers(shortest, longest + 1))) for k in range(count)]


def write(folder: Path, series: Sequence[FloatArray], freq: str, season: int, horizon: int) -> None:
    """One suite; the last `horizon` points of each series are its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    for k, y in enumerate(series):
        frame = pd.DataFrame({"unique_id": f"s{k}", "ds": pd.date_range("2001-01-01", periods=y.shape[0], freq=freq), "y": y})
        frames.append(frame)
    pd.concat([f[:-horizon] for f in frames]).to_parquet(folder / "train.parquet")
    future = pd.concat([f[-horizon:] for f in frames])
    future.to_parquet(folder / "future.parquet")
    future[["unique_id", "ds"]].to_parquet(folder / "known_future.parquet")
    meta = {
        "name": folder.name,
        "source": "generated",
        "licence": "-",
        "freq": freq,
        "season_length": season,
        "horizon": horizon,
        "notes": "",
    }
    (folder / "suite.json").write_text(json.dumps(meta), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.forecast_generated", description="Writes generated suites to choose constants on.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(options.seed)
    write(options.out / "g_monthly", monthly(rng, 140), "MS", 12, 12)
    write(options.out / "g_5min", of([weather(288, 50)], rng, 24, 288 * 30, 288 * 48), "5min", 288, 288)
    write(options.out / "g_hourly", of([weather(24, 60), load(24)], rng, 40, 24 * 25, 24 * 55), "h", 24, 48)
    write(options.out / "g_daily", of([page_views, sales], rng, 60, 500, 1500), "D", 7, 60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
