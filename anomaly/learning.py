"""Taking a value in once it was judged: usual errors, noise by time of season, levels, seasonal memory, mean and range."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import (
    DAY_BASE_1,
    DAY_BASE_2,
    DEV_ALL,
    DEV_ROWS,
    HIGHEST,
    LAGS,
    LOCAL_ROWS,
    LONG_MEMORY_ROWS,
    LOWEST,
    MEAN,
    MEAN_ROWS,
    PREDICTORS,
    RECENT_ROWS,
    ROWS,
    SIZE,
    STRANGE_RUN,
    TINY,
    VARIANCE,
    WARMUP_ROWS,
    Memory,
)
from core.timeseries import FloatArray

HALF_LIFE_ROWS = 500.0  # of the usual errors; 250 to 1500 measure alike
ERROR_CUT = 8.0  # one miss counts at most as so many usual ones: outliers do not blind the detector, bursts still do
STRANGE = 5.0  # usual errors from which a value is not kept as it stands in the seasonal memory
STRANGE_ROWS = 8  # after so many in a row it is: the season itself has changed
SLOT_RATE = 0.15
SLOT_CUT = 10.0


@compiled
def follow(ratio: FloatArray, at: int, value: float, base: float) -> None:
    """Slow means of the values and of their seasonal bases."""
    rate = 1.0 if ratio[at + 1] == 0.0 else 0.04
    ratio[at] += rate * (value - ratio[at])
    ratio[at + 1] += rate * (base - ratio[at + 1])


@compiled
def learn(m: Memory, cell: int, y: float, p: FloatArray, best: float, best_error: float, base_day: float, base_week: float) -> None:
    """Take the value in: usual errors, noise by time of season, levels, seasonal memory, mean and range."""
    f = m.scalars
    rows = f[ROWS]
    size = m.cells.shape[0]
    rate = 1.0 - 0.5 ** (1.0 / HALF_LIFE_ROWS)
    known = not np.isnan(best)
    strange = known and rows > WARMUP_ROWS and abs(y - best) > STRANGE * 1.25 * best_error
    f[STRANGE_RUN] = f[STRANGE_RUN] + 1.0 if strange else 0.0
    kept = y
    few_seasons = m.error_rows[4] < 2 * m.slot_dev.shape[0]  # later the median over seasons does it, and a daily spike must be learned
    alike = np.isnan(base_day) or abs(y - base_day) <= STRANGE * 1.25 * best_error
    if strange and few_seasons and not alike and f[STRANGE_RUN] < STRANGE_ROWS:
        kept = best + np.sign(y - best) * 0.5 * STRANGE * 1.25 * best_error
    for k in range(PREDICTORS):
        if not np.isnan(p[k]):
            m.error_rows[k] += 1.0
            e = abs(y - p[k])
            if rows > WARMUP_ROWS and m.error_rows[k] > WARMUP_ROWS:
                e = min(e, ERROR_CUT * 1.25 * m.error[k] + TINY)
            m.error[k] += max(rate, 1.0 / m.error_rows[k]) * (e - m.error[k])
    if known and rows > 9:
        dev = abs(y - best)
        if f[DEV_ROWS] > WARMUP_ROWS:
            dev = min(dev, SLOT_CUT * f[DEV_ALL])
        f[DEV_ROWS] += 1.0
        f[DEV_ALL] += max(rate, 1.0 / f[DEV_ROWS]) * (dev - f[DEV_ALL])
        j = cell % m.slot_dev.shape[0]
        m.slot_rows[j] += 1.0
        m.slot_dev[j] += max(SLOT_RATE, 1.0 / m.slot_rows[j]) * (dev - m.slot_dev[j])
    cut = 6.0 * 1.25 * best_error if known else np.inf
    if not np.isnan(base_day):
        m.offset[0] += 0.3 * min(cut, max(-cut, y - base_day - m.offset[0]))
        m.offset[1] += 0.04 * min(cut, max(-cut, y - base_day - m.offset[1]))
    if not np.isnan(base_week):
        m.offset[2] += 0.3 * min(cut, max(-cut, y - base_week - m.offset[2]))
        m.offset[3] += 0.04 * min(cut, max(-cut, y - base_week - m.offset[3]))
    if known:
        if not np.isnan(base_day):
            follow(m.ratio, 0, p[5] + min(cut, max(-cut, y - p[5])), base_day)
        if not np.isnan(base_week):
            follow(m.ratio, 2, p[7] + min(cut, max(-cut, y - p[7])), base_week)
    f[DAY_BASE_2] = f[DAY_BASE_1]
    f[DAY_BASE_1] = base_day
    if rows >= LAGS - 1:  # the oldest of the last twelve rows joins the long-run mean when the next row comes
        oldest = m.lags[0, (int(rows) + 1) % LAGS]
        f[MEAN_ROWS] += 1.0
        a = max(1.0 / f[MEAN_ROWS], 1.0 / LONG_MEMORY_ROWS)
        gap = oldest - f[MEAN]
        f[MEAN] += a * gap
        f[VARIANCE] = (1.0 - a) * (f[VARIANCE] + a * gap * gap)
    f[LOWEST] = min(f[LOWEST], y)
    f[HIGHEST] = max(f[HIGHEST], y)
    f[SIZE] += max(1.0 / (rows + 1.0), 1.0 / LONG_MEMORY_ROWS) * (abs(y) - f[SIZE])
    m.recent[int(rows) % RECENT_ROWS] = y
    m.cells[cell % size] = kept
    f[LOCAL_ROWS] += 1.0
    f[ROWS] = rows + 1.0


@compiled
def noise_of_slot(m: Memory, cell: int, smooth: int) -> float:
    """How noisy this time of the season is, relative to the whole; 1 while that is not known. smooth: neighbours each side."""
    f = m.scalars
    slots = m.slot_dev.shape[0]
    if not (slots > 1 and f[DEV_ROWS] > 2 * slots and f[DEV_ALL] > 0):
        return 1.0
    total, weight = 6.0 * f[DEV_ALL], 6.0
    for d in range(-smooth, smooth + 1):
        j = (cell + d) % slots
        w = min(m.slot_rows[j], 8.0)
        total += w * m.slot_dev[j]
        weight += w
    return float(total / weight / f[DEV_ALL])
