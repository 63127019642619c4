"""Detectors are compared on the tenant's real series with made-up events put in: who finds more of them at the same number of false alarms?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from core.errors import NotEnoughData
from core.timeseries import FloatArray
from models.gate.recalled import ROUNDS, Fold, Recalled, recalled
from models.serving import Ready

EVENTS = 6
MIN_ROWS = 120
SIZES = (4.0, 9.0)
"""Events are so many robust standard deviations of the seasonal change high or deep: below that a person would not call them one."""
FALSE_ALARMS = 0.01
"""Share of ordinary rows that each detector may flag; its threshold is set so."""

Scorer = Callable[[Sequence[Ready]], Sequence[FloatArray]]


def inject(one: Ready, season: int, seed: int) -> tuple[Ready, np.ndarray]:
    """The series with EVENTS single rows moved up or down in its last half, and which rows they are."""
    rng = np.random.default_rng(seed)
    n = len(one.values)
    change = one.values[season:] - one.values[:-season]
    known = change[np.isfinite(change)]
    unit = max(float(np.median(np.abs(known - np.median(known)))) * 1.4826 / np.sqrt(2), 1e-9) if known.size else 1.0
    free = np.flatnonzero(np.isfinite(one.values[n // 2 :])) + n // 2
    rows = np.sort(rng.choice(free[:: max(3, season)], size=min(EVENTS, len(free[:: max(3, season)])), replace=False))
    values = one.values.copy()
    values[rows] += rng.uniform(*SIZES, len(rows)) * unit * rng.choice([-1.0, 1.0], len(rows))
    return replace(one, values=values), rows


def recall(score: FloatArray, rows: np.ndarray) -> float:
    """Share of `rows` whose score is above what ordinary rows of the last half reach in FALSE_ALARMS of cases."""
    n = len(score)
    ordinary = np.ones(n, dtype=np.bool_)
    ordinary[: n // 2] = False
    ordinary[rows] = False
    known = score[ordinary & np.isfinite(score)]
    if not known.size or not len(rows):
        return 0.0
    return float((np.nan_to_num(score[rows], nan=-np.inf) > np.quantile(known, 1 - FALSE_ALARMS)).mean())


def run(
    about: tuple[str, str, str],
    series: Sequence[Ready],
    season: int,
    scorers: tuple[Scorer, Scorer],
    *,
    peak_bytes: Callable[[], int],
    on_progress: Callable[[int, int], None] | None = None,
) -> Recalled:
    """about: metric, grain, who serves now. scorers: candidate, champion. Raises: NotEnoughData below MIN_ROWS; ModelFailed."""
    if len(series[0].values) < MIN_ROWS:
        raise NotEnoughData(f"A fair comparison needs {MIN_ROWS} steps of history; there are {len(series[0].values)}.", code="too_few_rows")
    found: list[Fold] = []
    spent_s = 0.0
    for number in range(ROUNDS):
        pairs = [inject(one, season, seed=1000 * number + row) for row, one in enumerate(series)]
        changed = [pair[0] for pair in pairs]
        began_s = time.perf_counter()
        ours = scorers[0](changed)
        spent_s += time.perf_counter() - began_s
        theirs = scorers[1](changed)
        naive = [np.abs(one.values - np.r_[np.full(season, np.nan), one.values[:-season]]) for one in changed]
        found.append(
            tuple(  # type: ignore[arg-type]
                float(np.mean([recall(score, pair[1]) for score, pair in zip(scores, pairs, strict=True)]))
                for scores in (ours, theirs, naive)
            )
        )
        if on_progress is not None:
            on_progress(number + 1, ROUNDS)
    return recalled("events", about, found, spent_s / (ROUNDS * len(series)), peak_bytes())
