"""`python -m benchmarks.planted_windows --out DIR [--seed N] [--copies K]`: made-up infrastructure and behaviour metrics with few, far apart events.

The other half of the development data (`benchmarks.planted` has the dense incidents): servers, queues, temperatures, road sensors, mentions,
prices. Most of them are odd by nature: bursts, heavy tails, plateaus, drifts that nobody wants to hear of. Each holds up to four events and is
labelled by windows that share a tenth of its length, as published collections of this kind do. Used to choose constants; real suites are not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from core.timeseries import FloatArray

Rng = np.random.Generator
WINDOW_SHARE = 0.1  # of the rows, all windows of a series together


def ar(rng: Rng, n: int, phi: float, sd: float) -> FloatArray:
    """(n,) noise with memory phi and standard deviation sd."""
    return np.asarray(lfilter([1], [1, -phi], rng.normal(0, sd * np.sqrt(1 - phi**2), n)), np.float64)


def daily(rng: Rng, n: int, step_s: int, depth: float) -> FloatArray:
    """(n,) a day shape times a weekend shape, geometric mean about 1."""
    k = np.arange(n) * step_s + int(rng.integers(0, 7)) * 86_400
    day, weekday = k % 86_400 / 86_400, k // 86_400 % 7
    waves = [rng.uniform(0.3, 1) / j * np.cos(2 * np.pi * (j * day - rng.uniform())) for j in range(1, int(rng.integers(2, 5)))]
    shape = np.sum(waves, axis=0)
    weekend = np.where(weekday >= 5, rng.uniform(0.6, 1.0), 1.0)
    return np.asarray(np.exp(depth * shape / np.abs(shape).max()) * weekend, np.float64)


def bursts(rng: Rng, n: int, share: float, tail: float, most_rows: int) -> FloatArray:
    """(n,) bursts of Pareto height that begin at `share` of the rows and last up to most_rows."""
    out = np.zeros(n)
    for at in np.flatnonzero(rng.random(n) < share).tolist():
        rows = int(rng.integers(1, most_rows + 1))
        out[at : at + rows] += (1 + rng.pareto(tail)) * rng.uniform(0.7, 1.0, len(out[at : at + rows]))
    return out


def telegraph(rng: Rng, n: int, mean_rows: float) -> FloatArray:
    """(n,) 0 or 1, in stretches of mean_rows on average, never much longer."""
    lengths = np.maximum(2, rng.gamma(4, mean_rows / 4, int(3 * n / mean_rows) + 4)).astype(int)
    return np.repeat(np.arange(len(lengths)) % 2, lengths)[:n].astype(np.float64)


def idle_cpu(rng: Rng, n: int, step_s: int) -> FloatArray:
    base = rng.uniform(0.05, 4)
    y = base * (1 + rng.uniform(0.02, 0.1) * rng.normal(size=n)) + base * rng.uniform(0.3, 2) * bursts(
        rng, n, rng.uniform(0.001, 0.01), 4, 2
    )
    return np.asarray(np.round(np.clip(y, 0, 100), 3), np.float64)


def busy_cpu(rng: Rng, n: int, step_s: int) -> FloatArray:
    y = rng.uniform(30, 80) + ar(rng, n, 0.995, rng.uniform(1, 6)) + rng.uniform(1, 5) * rng.normal(size=n)
    return np.asarray(np.round(np.clip(y, 0, 100), 2), np.float64)


def plateaus(rng: Rng, n: int, step_s: int) -> FloatArray:
    low = rng.uniform(1, 30)
    return np.asarray(low * (1 + rng.uniform(0.5, 3) * telegraph(rng, n, rng.uniform(15, 150)) + 0.04 * rng.normal(size=n)), np.float64)


def network(rng: Rng, n: int, step_s: int) -> FloatArray:
    base = 10 ** rng.uniform(4, 7)
    quiet = base * np.exp(rng.uniform(0.05, 0.3) * rng.normal(size=n) + ar(rng, n, 0.9, 0.1))
    return np.asarray(np.round(quiet * (1 + rng.uniform(1, 4) * bursts(rng, n, rng.uniform(0.002, 0.03), 2.5, 4))), np.float64)


def disk(rng: Rng, n: int, step_s: int) -> FloatArray:
    y = 10 ** rng.uniform(5, 7) * bursts(rng, n, rng.uniform(0.01, 0.06), 2.2, 3)
    every = int(rng.choice([0, 12, 72, 288]))
    if every:
        y[int(rng.integers(every)) :: every] += 10**7 * rng.uniform(0.5, 1)
    return np.asarray(np.round(y), np.float64)


def requests(rng: Rng, n: int, step_s: int) -> FloatArray:
    mean = 10 ** rng.uniform(0.7, 3) * daily(rng, n, step_s, rng.uniform(0.2, 0.8))
    gamma = rng.gamma(rng.uniform(3, 30), 1, n)
    return np.asarray(rng.poisson(mean * gamma / gamma.mean() * (1 + bursts(rng, n, 0.004, 3, 2))), np.float64)


def latency(rng: Rng, n: int, step_s: int) -> FloatArray:
    y = 10 ** rng.uniform(0, 3) * (1 + 0.1 * np.log(daily(rng, n, step_s, 0.5))) * np.exp(rng.uniform(0.05, 0.25) * rng.normal(size=n))
    return np.asarray(y * (1 + rng.uniform(0.3, 1.5) * bursts(rng, n, rng.uniform(0.002, 0.02), 3, 2)), np.float64)


def temperature(rng: Rng, n: int, step_s: int) -> FloatArray:
    slow = ar(rng, n, 1 - 1 / (rng.uniform(2, 8) * 86_400 / step_s), rng.uniform(2, 6))
    return np.asarray(
        70 + slow + rng.uniform(0.5, 4) * np.log(daily(rng, n, step_s, 1.0)) + rng.uniform(0.1, 1) * rng.normal(size=n), np.float64
    )


def demand(rng: Rng, n: int, step_s: int) -> FloatArray:
    return np.asarray(
        np.round(10 ** rng.uniform(2, 5) * daily(rng, n, step_s, 1.0) * np.exp(ar(rng, n, 0.8, rng.uniform(0.03, 0.1)))), np.float64
    )


def price(rng: Rng, n: int, step_s: int) -> FloatArray:
    y = 10 ** rng.uniform(-1, 0.5) * np.exp(rng.uniform(0.1, 0.35) * rng.normal(size=n) + ar(rng, n, 0.98, 0.15))
    return np.asarray(y * (1 + bursts(rng, n, rng.uniform(0.002, 0.01), 3, 1)), np.float64)


def mentions(rng: Rng, n: int, step_s: int) -> FloatArray:
    mean = 10 ** rng.uniform(0.5, 2) * daily(rng, n, step_s, rng.uniform(0.3, 0.9)) * np.exp(ar(rng, n, 0.95, rng.uniform(0.1, 0.4)))
    lively = mean * (1 + bursts(rng, n, rng.uniform(0.002, 0.01), 1.7, 3))
    return np.asarray(rng.poisson(lively * rng.gamma(5, 0.2, n)), np.float64)


def road(rng: Rng, n: int, step_s: int) -> FloatArray:
    free, jam = rng.uniform(60, 80), bursts(rng, n, rng.uniform(0.005, 0.02), 2.5, 8)
    return np.asarray(np.round(np.maximum(5, free + rng.uniform(1, 5) * rng.normal(size=n) - 8 * np.minimum(jam, 6))), np.float64)


def occupancy(rng: Rng, n: int, step_s: int) -> FloatArray:
    y = rng.gamma(2, 2, n) * daily(rng, n, step_s, rng.uniform(0.5, 1.2)) + 2 * bursts(rng, n, 0.01, 2.5, 3)
    return np.asarray(np.round(y, 2), np.float64)


def exact(rng: Rng, n: int, step_s: int) -> FloatArray:
    k = np.arange(n) * step_s % 86_400 / 86_400
    square = np.where((k > rng.uniform(0.2, 0.4)) & (k < rng.uniform(0.6, 0.8)), rng.uniform(60, 90), 20.0)
    return np.asarray(square + rng.choice([0.0, 2.0, 8.0]) * rng.random(n), np.float64)


Maker = Callable[[Rng, int, int], FloatArray]
KINDS: dict[str, tuple[Maker, tuple[int, ...], tuple[int, ...]]] = {  # maker, seconds per row, rows
    "idle_cpu": (idle_cpu, (300,), (4032,)),
    "busy_cpu": (busy_cpu, (300,), (4032, 18_000)),
    "plateaus": (plateaus, (300,), (4032,)),
    "network": (network, (300,), (4032, 4730, 1240)),
    "disk": (disk, (300,), (4032, 4730)),
    "requests": (requests, (300,), (4032,)),
    "latency": (latency, (300,), (4032,)),
    "temperature": (temperature, (3600, 300), (7200, 20_000)),
    "demand": (demand, (1800,), (10_320,)),
    "price": (price, (3600,), (1600,)),
    "mentions": (mentions, (300,), (15_850,)),
    "road": (road, (600, 300), (2500, 1130)),
    "occupancy": (occupancy, (600, 300), (2500,)),
    "exact": (exact, (300,), (4032,)),
}
EVENTS = ("spike", "burst", "drop", "level", "calm", "noise", "dense", "ramp", "missing_day", "stuck")


def plant(rng: Rng, y: FloatArray, at: int, event: str, step_s: int) -> FloatArray:
    """The series with one event that begins at row `at`."""
    y, n = y.copy(), len(y)
    past = y[:at]
    low, high = float(past.min()), float(past.max())
    usual = float(np.median(past))
    local = 1.5 * float(np.median(np.abs(np.diff(past)))) + 0.5 * float(np.median(np.abs(past - usual))) + 0.01 * (high - low) + 1e-9
    length = int(np.exp(rng.uniform(np.log(6), np.log(max(12, n / 30)))))
    rows = slice(at, min(n, at + length))
    k = np.arange(rows.stop - rows.start)
    sign = -1.0 if low < 0.6 * usual and rng.random() < 0.2 else 1.0
    if event == "spike":
        y[at : at + int(rng.integers(1, 4))] = high + rng.uniform(0.15, 2.0) * (high - usual + 3 * local)
    elif event == "burst":  # not beyond what was, but for long
        y[rows] = usual + (high - usual) * rng.uniform(0.6, 1.2) * rng.uniform(0.85, 1.0, len(k))
    elif event == "drop":
        y[rows] = (0.0 if low >= 0 else low - rng.uniform(1, 3) * local) + 0.05 * local * rng.random(len(k))
    elif event == "level":
        y[at : at + int(rng.choice([length, n]))] += sign * rng.uniform(4, 12) * local
    elif event == "calm":
        y[rows] = np.median(y[rows]) + 0.1 * (y[rows] - np.median(y[rows]))
    elif event == "noise":
        y[rows] += rng.normal(0, rng.uniform(2, 6) * local, len(k))
    elif event == "dense":  # spikes of the usual size, many more than usual
        hit = rows.start + np.flatnonzero(rng.random(len(k)) < 0.3)
        y[hit] = usual + (high - usual) * rng.uniform(0.5, 1.0, len(hit))
    elif event == "ramp":
        y[rows] += sign * rng.uniform(5, 14) * local * (1 + k) / len(k)
    elif event == "missing_day":
        day = 86_400 // step_s
        y[at : at + day] = np.quantile(past, 0.1) + local * 0.3 * rng.random(len(y[at : at + day]))
    else:
        y[rows] = y[at]
    if low >= 0:
        y = np.maximum(y, 0)
    return np.round(y) if bool((past == np.round(past)).all()) else y


def series(rng: Rng, kind: str, clean: bool = False) -> tuple[pd.DatetimeIndex, FloatArray, list[list[str]]]:
    """One series with its windows."""
    maker, steps, lengths = KINDS[kind]
    n, step_s = int(rng.choice(lengths)), int(rng.choice(steps))
    t = pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(rng.integers(0, 700))) + pd.to_timedelta(np.arange(n) * step_s, unit="s")
    y = maker(rng, n, step_s)
    count = 0 if clean else int(rng.choice([0, 1, 2, 3, 4], p=[0.12, 0.33, 0.28, 0.17, 0.1]))
    first, width = max(int(0.16 * n), min(750, int(0.16 * n))), int(WINDOW_SHARE * n / max(count, 1))
    starts: list[int] = []
    for _ in range(60):
        at = int(rng.integers(first + width // 2, n - max(12, width // 3)))
        if len(starts) < count and all(abs(at - other) > 2 * width for other in starts):
            starts.append(at)
    for at in sorted(starts):
        y = plant(rng, y, at, str(rng.choice(EVENTS)), step_s)
    labels = [[str(t[max(0, at - width // 2)]), str(t[min(n - 1, at + width // 2)])] for at in sorted(starts)]
    return t, y, labels


def write_suite(folder: Path, seed: int, copies: int, clean: bool) -> int:
    """Write suite.json, series.parquet and labels.json; the number of series."""
    rng = np.random.default_rng(seed)
    rows: list[pd.DataFrame] = []
    labels: dict[str, list[list[str]]] = {}
    for kind in KINDS:
        for _ in range(copies):
            name = f"{kind}-{len(labels)}"
            t, y, labels[name] = series(rng, kind, clean)
            rows.append(pd.DataFrame({"unique_id": name, "ds": t, "value": y}))
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(rows).to_parquet(folder / "series.parquet", index=False)
    (folder / "labels.json").write_text(json.dumps(labels))
    meta = {"name": folder.name, "source": "made up", "freq": "mixed", "probation": {"share": 0.15, "max_points": 750}, "windows": True}
    (folder / "suite.json").write_text(json.dumps(meta))
    return len(labels)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--clean", action="store_true", help="no events anywhere")
    args = parser.parse_args(argv)
    print(json.dumps({"series": write_suite(args.out, args.seed, args.copies, args.clean)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
