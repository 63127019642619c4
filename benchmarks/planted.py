"""`python -m benchmarks.planted --out DIR [--seed N] [--clean] [--copies K]`: a suite of made-up metrics with planted events.

Used to choose and to calibrate (which real suites must not be): 28 kinds of metric at four grains, a quarter of them without events;
--clean plants none anywhere, which gives the table of false alarms per year in anomaly/thresholds.py. All of them have what real metrics
have and nobody wants to hear of: days that are not alike, levels that wander, noise that comes in waves, and
odd rows of a few usual deviations.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from core.timeseries import FloatArray

STEP_S = {"min": 60, "5min": 300, "h": 3600, "d": 86_400}
DAYS = {"min": (14, 21), "5min": (21, 35), "h": (30, 60, 120), "d": (180, 400, 700)}
KINDS = {
    "min": ("traffic", "gauge", "heavy", "count", "noisy"),
    "5min": ("traffic", "gauge", "heavy", "walk", "noisy", "net", "bursty"),
    "h": ("traffic", "rate", "count", "heavy", "walk", "closed", "bursty", "rate", "count", "net", "gauge"),
    "d": ("traffic", "rate", "count", "closed", "gauge"),
}
EVENTS_PER_WEEK = {"min": 3.0, "5min": 2.5, "h": 1.5, "d": 0.12}
EVENTS = {"spike": 0.3, "dip": 0.18, "bump": 0.22, "outage": 0.1, "shift": 0.07, "ramp": 0.08, "variance": 0.05}
LENGTHS = {"spike": (1, 4), "dip": (1, 6), "bump": (3, 20), "outage": (3, 20), "ramp": (8, 40), "variance": (15, 60)}


def autoregressive(rng: np.random.Generator, n: int, phi: float, sd: float) -> FloatArray:
    """(n,) noise with memory phi and standard deviation sd."""
    return np.asarray(lfilter([1], [1, -phi], rng.normal(0, sd * np.sqrt(1 - phi**2), n)), np.float64)


def base(rng: np.random.Generator, grain: str, kind: str) -> tuple[pd.DatetimeIndex, FloatArray]:
    """A metric without events."""
    step_s = STEP_S[grain]
    n = int(rng.choice(DAYS[grain])) * 86_400 // step_s
    start = pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(rng.integers(0, 700)))
    t = start + pd.to_timedelta(np.arange(n) * step_s, unit="s")
    second = t.as_unit("s").asi8
    day, weekday = (second % 86_400) / 86_400, ((second // 86_400) + 3) % 7
    weekend = np.where(weekday >= 5, rng.uniform(0.5, 1.0), 1.0) if rng.random() < 0.6 else np.ones(n)
    if grain == "d":
        season = np.exp(rng.uniform(0, 0.5) * rng.normal(size=7))[weekday]
    else:
        waves = [rng.uniform(0.2, 1) / j * np.cos(2 * np.pi * (j * day - rng.uniform())) for j in range(1, int(rng.integers(2, 5)))]
        shape = np.sum(waves, axis=0)
        season = np.exp(rng.uniform(0.2, 1.0) * shape / np.abs(shape).max()) * weekend
    level, log_season, noise = 10 ** rng.uniform(-1, 5), np.log(season), rng.normal(size=n)
    if kind == "traffic":
        y = (
            level
            * season
            * np.exp(autoregressive(rng, n, rng.uniform(0.3, 0.95), rng.uniform(0.03, 0.12)) + rng.uniform(0.01, 0.06) * noise)
        )
    elif kind == "gauge":
        y = level * (
            1 + rng.uniform(0, 0.3) * log_season + autoregressive(rng, n, rng.uniform(0.5, 0.99), 0.05) + rng.uniform(0.01, 0.05) * noise
        )
    elif kind == "rate":
        y = level * season**0.5 * np.exp(autoregressive(rng, n, rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.5)) + 0.25 * noise)
    elif kind == "count":
        y = rng.poisson(rng.choice([0.1, 0.5, 2, 8, 30]) * season * np.exp(autoregressive(rng, n, 0.8, 0.15))).astype(np.float64)
    elif kind == "heavy":
        y = level * (1 + 0.2 * log_season + 0.03 * rng.standard_t(3, n) + autoregressive(rng, n, 0.7, 0.04))
    elif kind == "walk":
        y = level * np.exp(np.cumsum(0.02 * noise) * (0.2 if n > 10_000 else 1) + rng.normal(0, 0.03, n))
    elif kind == "bursty":
        y = level * (0.02 * rng.random(n) + (rng.random(n) < 0.03) * rng.lognormal(0, 0.4, n))
    elif kind == "closed":
        is_open = weekday < 5 if grain == "d" else (day > 0.33) & (day < 0.85)
        y = np.where(is_open, level * season * np.exp(0.1 * noise), 0.0)
    elif kind == "noisy":
        y = level * (1 + 0.15 * log_season + rng.uniform(0.05, 0.2) * noise)
    else:  # net: around zero
        y = level * (log_season + autoregressive(rng, n, 0.6, 0.3) + 0.2 * noise)
    return t, np.asarray(y, np.float64)


def roughen(rng: np.random.Generator, y: FloatArray, step_s: int) -> FloatArray:
    """The metric with days of unequal height, a level that wanders over weeks, waves of noise, and small odd rows that are no events: about
    one a week below a day, one a month of days."""
    n, whole, never_negative = len(y), bool((y == np.round(y)).all()), bool((y >= 0).all())
    if step_s < 86_400:
        days = n * step_s // 86_400 + 2
        height = rng.uniform(0.02, 0.2) * rng.normal(size=days) + np.cumsum(rng.uniform(0, 0.06) * rng.normal(size=days))
        noon = np.arange(days) * 86_400 // step_s
        y = y * np.exp(np.interp(np.arange(n), noon, height - height.mean()))
    usual = 1.05 * float(np.median(np.abs(np.diff(y)))) + 1e-9 * float(np.abs(y).max())
    waves = np.exp(autoregressive(rng, n, 1 - 1 / max(24, 6 * 3600 // step_s), rng.uniform(0.1, 0.5)))
    out = y + rng.uniform(0, 0.6) * usual * waves * rng.standard_t(rng.uniform(3, 8), n)
    per_week = rng.uniform(0, 2.0) if step_s < 86_400 else 0.25
    for at in rng.integers(0, n, int(rng.poisson(per_week * n * step_s / 604_800))).tolist():
        rows = int(rng.choice([1, 1, 1, 2, 3]))
        out[at : at + rows] += rng.choice([-1, 1]) * usual * rng.uniform(3, 8)
    out = np.where(y == 0, 0.0, np.maximum(out, 0)) if never_negative else out
    return np.round(out) if whole else np.asarray(out, np.float64)


def plant(rng: np.random.Generator, t: pd.DatetimeIndex, y: FloatArray, grain: str, kind: str) -> tuple[FloatArray, list[list[str]]]:
    """The metric with events well apart, and their labels (of a permanent shift the first hours)."""
    n, step_s = len(y), STEP_S[grain]
    y, labels, busy = y.copy(), [], np.zeros(n, bool)
    level, whole, never_negative = float(np.abs(y).mean()), bool((y == np.round(y)).all()), bool((y >= 0).all())
    noise = 1.05 * float(np.median(np.abs(np.diff(y)))) + 1e-9 * float(np.abs(y).max())
    wide = 1.48 * float(np.median(np.abs(y - np.median(y))))
    apart = max(12, 8 * 3600 // step_s)
    for _ in range(int(rng.poisson(EVENTS_PER_WEEK[grain] * n * step_s / 604_800))):
        at = int(rng.integers(int(0.17 * n), n - 30))
        event = str(rng.choice(list(EVENTS), p=list(EVENTS.values())))
        length = min(int(rng.integers(*LENGTHS[event])) if event in LENGTHS else n, n - at - 2)
        shown = min(length, max(6, 3 * 3600 // step_s))
        if busy[max(0, at - apart) : at + min(length, 200) + apart].any():
            continue
        size = rng.lognormal(np.log(11), 0.7) * max(noise, 0.3 * wide * rng.uniform(0.3, 1))
        size = max(size, level * rng.uniform(0.05, 0.6), 3.0 if whole else 0.0)
        rows = slice(at, at + length)
        if event == "outage" and (y[rows].mean() < 0.3 * level or kind in ("bursty", "count", "net")):
            continue
        k = np.arange(length)
        change = {
            "spike": size * rng.uniform(0.7, 1.3, length),
            "dip": -size * rng.uniform(0.7, 1.2, length),
            "bump": rng.choice([-1, 1]) * size * np.minimum(1, (1 + k) / rng.integers(1, 4)),
            "outage": -y[rows],
            "shift": rng.choice([-0.4, 0.8]) * (min(size, level) * y[rows] / level if never_negative else np.full(length, size)),
            "ramp": size * np.sin(np.pi * (1 + k) / (length + 1)),
            "variance": rng.normal(0, 0.6 * size, length),
        }[event]
        y[rows] += change
        if never_negative:
            y[rows] = np.maximum(y[rows], 0)
        busy[max(0, at - 2) : at + shown + 2] = True
        labels.append([str(t[at]), str(t[at + shown - 1])])
    return np.round(y) if whole else y, sorted(labels)


def write_suite(folder: Path, seed: int, copies: int, clean: bool) -> int:
    """Write suite.json, series.parquet and labels.json; the number of series."""
    rng = np.random.default_rng(seed)
    rows: list[pd.DataFrame] = []
    labels: dict[str, list[list[str]]] = {}
    for grain, kinds in KINDS.items():
        for kind in kinds:
            for _ in range(copies):
                name = f"{grain}-{kind}-{len(labels)}"
                t, y = base(rng, grain, kind)
                y = roughen(rng, y, STEP_S[grain])
                events: list[list[str]] = []
                if not clean and rng.random() < 0.75:
                    y, events = plant(rng, t, y, grain, kind)
                labels[name] = events
                rows.append(pd.DataFrame({"unique_id": name, "ds": t, "value": y}))
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(rows).to_parquet(folder / "series.parquet", index=False)
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / "suite.json").write_text(
        json.dumps({"name": folder.name, "source": "made up", "freq": "mixed", "probation": {"share": 0.15}})
    )
    return len(labels)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--clean", action="store_true")
    args = parser.parse_args(argv)
    print(json.dumps({"series": write_suite(args.out, args.seed, args.copies, args.clean)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
