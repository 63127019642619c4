"""What a series is like by itself: its noise, its calm, how often it is strange, and what it is in the habit of."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import (
    CENTRE,
    DEV_ROWS,
    HABIT,
    LONG_LAGS,
    MEAN,
    MEAN_ROWS,
    RECENT_ROWS,
    ROWS,
    SIZE,
    SPREAD_OUT,
    STEP_SIZE,
    TINY,
    UNPREDICTED,
    VARIANCE,
    Memory,
)
from core.timeseries import FloatArray

SCORED = 4  # of the ranked: lasting surprise, level, going beyond the range, size of the miss
MOST_STEP = 20.0
NOISE_ROWS = 12
CALM_ROWS = 36
STRANGE_ROW = 3.0
HABIT_FROM = 0.5
HABIT_WEIGHT = 0.8
CENTRE_CUT = 2.0
CHARACTER_ROWS = 2900.0  # half-life of 2000 rows


@compiled
def character(m: Memory, y: float, strange: float, ranked: FloatArray) -> None:
    """Fill ranked[SCORED:BARE]: noise of two hours of rows, calm, share of strange rows, level of a longer time; then learn the steps."""
    f = m.scalars
    rows = int(f[ROWS])
    last = m.recent[(rows - 1) % RECENT_ROWS] if rows > 0 else y
    step_now = abs(y - last)
    usual = f[STEP_SIZE] + 1e-9 * f[SIZE] + TINY
    at = rows % LONG_LAGS
    m.long_lags[0, at] = y
    m.long_lags[1, at] = step_now / usual if rows >= 10 else 1.0
    m.long_lags[2, at] = 1.0 if strange > STRANGE_ROW else 0.0
    noise, calm = 0.0, 0.0
    for j in range(CALM_ROWS):
        s = m.long_lags[1, (rows - j) % LONG_LAGS]
        calm += s
        if j < NOISE_ROWS:
            noise += min(s, MOST_STEP)
    ranked[4] = noise / NOISE_ROWS
    ranked[5] = 1.0 / (calm / CALM_ROWS + 0.02)
    ranked[6] = m.long_lags[2].mean()
    ranked[7] = 0.0
    if f[MEAN_ROWS] >= 50:
        ranked[7] = abs(m.long_lags[0].mean() - f[MEAN]) / (np.sqrt(f[VARIANCE]) + 1e-9 * f[SIZE] + TINY)
    f[STEP_SIZE] += (step_now - f[STEP_SIZE]) / max(1.0, rows + 0.0)


@compiled
def habit_cost(m: Memory) -> float:
    """What a lively series that nothing predicts needs more: by its habit, times the square of what stays unpredicted."""
    f = m.scalars
    if not f[HABIT] > HABIT_FROM:
        return 0.0
    unpredictable = min(1.0, f[UNPREDICTED] / (f[SPREAD_OUT] + TINY))
    return float(HABIT_WEIGHT * unpredictable * unpredictable * (f[HABIT] - HABIT_FROM))


@compiled
def learn_habit(m: Memory, y: float, best: float) -> None:
    """How far the series is from its best prediction, and from its own centre."""
    f = m.scalars
    rate = max(1.0 / (f[DEV_ROWS] + 1.0), 1.0 / CHARACTER_ROWS)
    f[UNPREDICTED] += rate * (abs(y - best) - f[UNPREDICTED])
    if f[SPREAD_OUT] == 0.0:
        f[CENTRE] = best
    off = y - f[CENTRE]
    f[SPREAD_OUT] += rate * (abs(off) - f[SPREAD_OUT])
    f[CENTRE] += rate * max(-CENTRE_CUT * f[SPREAD_OUT], min(CENTRE_CUT * f[SPREAD_OUT], off))
