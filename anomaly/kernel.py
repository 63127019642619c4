"""The inner loop: one pass over the rows, every step from earlier rows only. Compiled by numba; state lives in plain arrays."""

from __future__ import annotations

import numpy as np
from numba import njit  # type: ignore[import-untyped,unused-ignore]

from anomaly.prepare import IntArray
from core.timeseries import FloatArray

# slots of the scalar state
ROWS, LAST_CELL, SCALE_SEASON, SCALE_LOCAL, ERR_LOCAL, ERR_DAY, ERR_WEEK, OFF_DAY, OFF_WEEK, SIZE, RUN, SCALARS = range(12)
RECENT = 9
WARMUP_ROWS = 24


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def slot_median(cells: FloatArray, cell: np.int64, newest: np.int64, period: int, seasons: int, reach: int) -> float:
    """Median of the cells at the same place of earlier seasons, `reach` neighbours each side; NaN when there are none."""
    size = cells.shape[0]
    found = np.empty(seasons * (2 * reach + 1))
    n = 0
    for j in range(1, seasons + 1):
        for d in range(-reach, reach + 1):
            at = cell - j * period + d
            if at < cell and at > newest - size and at >= 0:
                v = cells[at % size]
                if not np.isnan(v):
                    found[n] = v
                    n += 1
    if n == 0:
        return np.nan
    return np.median(found[:n])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def run(
    f: FloatArray,
    cells: FloatArray,
    recent: FloatArray,
    day: int,
    week: int,
    grid: IntArray,
    values: FloatArray,
    score: FloatArray,
    expected: FloatArray,
    spread: FloatArray,
) -> None:
    """Advance the state over the rows; fills score, expected, spread (all (n,)); NaN where nothing can be said."""
    size = cells.shape[0]
    for i in range(values.shape[0]):
        cell = grid[i]
        newest = np.int64(f[LAST_CELL])
        if f[ROWS] == 0:
            newest = cell - 1
        if cell > newest:
            for c in range(newest + 1, min(cell, newest + size) + 1):
                cells[c % size] = np.nan
            if cell > newest + size:
                cells[:] = np.nan
            newest = cell
            f[LAST_CELL] = cell
        y = values[i]
        score[i] = np.nan
        expected[i] = np.nan
        spread[i] = np.nan
        if np.isnan(y):
            continue
        rows = f[ROWS]
        if rows < RECENT:
            recent[np.int64(rows)] = y
            cells[cell % size] = y
            f[ROWS] = rows + 1
            f[SIZE] = max(f[SIZE], abs(y))
            continue
        local = np.median(recent)
        base_day = slot_median(cells, cell, newest, day, 7, 1) if day > 1 else np.nan
        base_week = slot_median(cells, cell, newest, week, 4, 1) if week > 1 else np.nan
        by_day = base_day + f[OFF_DAY]
        by_week = base_week + f[OFF_WEEK]
        best = local
        err = f[ERR_LOCAL]
        if not np.isnan(by_day) and f[ERR_DAY] < err:
            best = by_day
            err = f[ERR_DAY]
        if not np.isnan(by_week) and f[ERR_WEEK] < err:
            best = by_week
        expected[i] = best
        a = max(1.0 / 300.0, 1.0 / (rows - RECENT + 2.0))
        dev = y - best
        loc = y - local
        floor = 1e-9 * (1.0 + f[SIZE])
        ss = f[SCALE_SEASON] + floor
        sl = f[SCALE_LOCAL] + floor
        zs = abs(dev) / (1.25 * ss)
        zl = abs(loc) / (1.25 * sl)
        effect = min(1.0, abs(dev) / (0.1 * (f[SIZE] + floor)))
        spread[i] = 1.25 * ss
        if rows >= WARMUP_ROWS:
            score[i] = np.sqrt(zs * zl) * effect
        f[SCALE_SEASON] += a * (min(abs(dev), 4.0 * f[SCALE_SEASON] if rows >= WARMUP_ROWS else abs(dev)) - f[SCALE_SEASON])
        f[SCALE_LOCAL] += a * (min(abs(loc), 4.0 * f[SCALE_LOCAL] if rows >= WARMUP_ROWS else abs(loc)) - f[SCALE_LOCAL])
        f[SIZE] += a * (min(abs(y), 4.0 * f[SIZE]) - f[SIZE])
        cap = 4.0 * 1.25 * sl
        f[ERR_LOCAL] += a * (min(abs(loc), cap) - f[ERR_LOCAL])
        if not np.isnan(by_day):
            f[ERR_DAY] += a * (min(abs(y - by_day), cap) - f[ERR_DAY])
            f[OFF_DAY] += 0.15 * (max(-cap, min(cap, y - base_day)) - f[OFF_DAY])
        if not np.isnan(by_week):
            f[ERR_WEEK] += a * (min(abs(y - by_week), cap) - f[ERR_WEEK])
            f[OFF_WEEK] += 0.15 * (max(-cap, min(cap, y - base_week)) - f[OFF_WEEK])
        strange = rows >= WARMUP_ROWS and score[i] > 5.0
        f[RUN] = f[RUN] + 1.0 if strange else 0.0
        cells[cell % size] = best if strange and f[RUN] < 12 else y
        recent[np.int64(rows) % RECENT] = y
        f[ROWS] = rows + 1
