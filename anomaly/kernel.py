"""The inner loop: one pass over the rows, each judged from earlier rows only, then learned.

For every row: ten simple predictions, the miss of each in units of its own usual error, their geometric mean times the size of the
miss (how surprising), and how rarely the series has been as surprising, as high, as extreme or as far off before (how rare).
score = ln(surprise) + RARITY * sum of four rarities. docs/anomaly.md gives the measurements behind each part.
"""

from __future__ import annotations

import numpy as np

from anomaly.character import SCORED, character, habit_cost, learn_habit
from anomaly.compiled import compiled
from anomaly.held import HELD_Z, held_miss, hold_or_return, holiday_miss, weekly_miss
from anomaly.learning import learn, noise_of_slot
from anomaly.memory import (
    BLOCK_ROWS,
    BLOCKS,
    DEV_ROWS,
    FRACTIONS_SEEN,
    HELD_GOOD,
    HELD_LEVEL,
    HIGHEST,
    LAGS,
    LOCAL_ROWS,
    LONG_MEMORY_ROWS,
    LOWEST,
    MEAN,
    MEAN_ROWS,
    MISS,
    NEWEST_CELL,
    PREDICTORS,
    RANKED,
    ROWS,
    SIZE,
    SPACING,
    TINY,
    UNIT,
    VARIANCE,
    WARMUP_ROWS,
    Memory,
)
from anomaly.predictions import predict, season_median
from anomaly.prepare import IntArray
from anomaly.rarity import BARE, MIN_BLOCKS, close_block, rarity
from anomaly.silence import silence
from anomaly.surprise import middle_prediction, misses, surprises
from core.timeseries import FloatArray

SLOT_POWER = 0.9
MISS_UNITS = 11.0  # a miss below so many mean misses counts less: minimum effect
MISS_POWER = 0.7
SURPRISE_CUT = 8.0
LASTING = 2.5  # six misses of the season in a row weigh as much as one so many times as large (about the root of six)
LEAST_SURPRISE = 3.5  # usual errors; below, rarity alone does not make an alert
LEAST_POWER = 4.0
RARITY = 0.6
NOVEL = 1.0  # weight of the rarest of the four that describe character: noise, calm, strange rows, level of a longer time
NOVEL_FROM = 1.2
NOVEL_BLOCKS = 28.0  # a week must be known before its character can be unusual
GAP_SPACINGS = 6.0
CLEARLY = 0.5  # of the miss: what was held is at least twice as near


@compiled
def enter(m: Memory, cell: int) -> int:
    """Make room in the seasonal memory up to this cell; the newest cell then. After a long gap local predictions start anew."""
    f = m.scalars
    size = m.cells.shape[0]
    newest = cell - 1 if f[ROWS] == 0 else int(f[NEWEST_CELL])
    gap = cell - newest
    if gap > 0:
        for c in range(max(newest + 1, cell - size + 1), cell + 1):
            m.cells[c % size] = np.nan
        if gap > GAP_SPACINGS * f[SPACING]:
            f[LOCAL_ROWS] = 0.0
        f[SPACING] += 0.05 * (min(float(gap), 10.0 * f[SPACING]) - f[SPACING])
        newest = cell
        f[NEWEST_CELL] = cell
    return newest


@compiled
def rank(m: Memory, y: float, seasonal: float, slow: float, far: float, strange: float, ranked: FloatArray) -> float:
    """Fill ranked[:BARE] of this row and remember it; the mean of the last six slow seasonal misses.

    ranked: lasting surprise, level, going beyond the range, size of the miss, and the four of `character`.
    """
    f = m.scalars
    rows = int(f[ROWS])
    m.lags[1, rows % 5] = min(SURPRISE_CUT, seasonal)
    m.lags[2, rows % 6] = min(10.0, slow)
    lasting = m.lags[1, :5].sum() / min(5.0, max(1.0, f[DEV_ROWS]))
    m.lags[0, rows % LAGS] = y
    level = 0.0
    if f[MEAN_ROWS] >= 50:
        level = abs(m.lags[0].mean() - f[MEAN]) / (np.sqrt(f[VARIANCE]) + 1e-9 + TINY)
    spread = f[HIGHEST] - f[LOWEST]
    beyond = max(0.0, max(y - f[HIGHEST], f[LOWEST] - y) / (spread + 1e-9 * f[SIZE] + TINY) + 1.0)
    if 0.0 <= y < f[LOWEST]:  # a fall towards zero is judged as a ratio: silence where there never was any
        beyond = max(beyond, f[LOWEST] / (y + 0.1 * f[LOWEST]))
    if f[UNIT] == 0.0 and rows >= WARMUP_ROWS:
        f[UNIT] = f[MISS]
    ranked[0], ranked[1], ranked[2], ranked[3] = lasting, level, beyond, far / (f[UNIT] + TINY)
    character(m, y, strange, ranked)
    return float(m.lags[2, :6].mean())


@compiled
def weigh(m: Memory, surprise: float, effect: float, ranked: FloatArray) -> float:
    """The score of a row from its surprise, its effect and how rare each of the ranked is; the maxima of the block are kept."""
    f = m.scalars
    score = np.log(surprise * effect + 1e-3)
    if surprise < LEAST_SURPRISE:
        score -= LEAST_POWER * np.log(LEAST_SURPRISE / (surprise + 1e-3))
    ranked[BARE] = surprise * effect + 1e-3
    novel = 0.0
    for k in range(RANKED):
        if f[BLOCKS] >= MIN_BLOCKS and k < BARE:
            rare = rarity(m.survival[k], m.record[k], f[BLOCKS], ranked[k])
            if k < SCORED:
                score += RARITY * rare
            else:
                novel = max(novel, rare)
        m.peak[k] = max(m.peak[k], ranked[k])
    if f[BLOCKS] >= NOVEL_BLOCKS:
        score += NOVEL * max(0.0, novel - NOVEL_FROM)
    return float(score - habit_cost(m))


@compiled
def step(m: Memory, cell: int, y: float, holiday_back: int, periods: IntArray, out: FloatArray) -> None:
    """Judge one value, then learn it.

    out (5,): score, expected, spread, distance from what was expected before the incident, and that. holiday_back: cells back to the last Sunday
    on a holiday, else 0. periods (8,): as State gives them.
    """
    short, short_count, long, long_count, reach = periods[0], periods[1], periods[2], periods[3], periods[4]
    f = m.scalars
    out[:] = np.nan
    first = f[ROWS] == 0
    newest = enter(m, cell)
    if np.isnan(y):
        return
    rows = f[ROWS]
    if first:
        f[LOWEST] = y
        f[HIGHEST] = y
    if y != np.floor(y):
        f[FRACTIONS_SEEN] = 1.0

    base_day = season_median(m.cells, cell, newest, short, short_count, reach) if short > 1 else np.nan
    base_week = season_median(m.cells, cell, newest, long, long_count, reach) if long > 1 else np.nan
    p, z = np.empty(PREDICTORS), np.empty(PREDICTORS)
    predict(m, base_day, base_week, p)
    floor = 1e-6 * f[SIZE] + TINY
    by_noise = noise_of_slot(m, cell, periods[5]) ** -SLOT_POWER
    best, best_error = misses(m, y, p, by_noise, floor, z)
    judged = not np.isnan(best)
    if judged:
        out[1] = best
        out[2] = 1.25 * best_error / by_noise + floor
    middle_p = middle_prediction(m, p)
    silent = silence(m, y)

    if judged and not np.isnan(middle_p):
        surprise, far, seasonal, slow = surprises(m, y, p, z)
        usual_miss = 0.5 * (abs(y - best) + abs(y - middle_p))
        miss = usual_miss
        held_z, held, seasonal_held = held_miss(m, cell, y, base_day, base_week, floor)
        if held_z < np.inf:
            held_z *= by_noise
            out[3] = held_z
            out[4] = seasonal_held if not np.isnan(seasonal_held) else f[HELD_LEVEL]
        if holiday_back > 0:
            sunday = holiday_miss(m, cell, newest, y, holiday_back, long if long > 1 else short)
            held_z = min(held_z, sunday / (1.25 * best_error + floor))
            held = min(held, sunday)
        if long > 1:
            as_before = weekly_miss(m, cell, newest, y, long) / (1.25 * best_error + floor)
            if as_before < min(HELD_Z, held_z):  # closed as in the weeks before
                surprise, seasonal, slow = min(surprise, as_before), min(seasonal, as_before), min(slow, as_before)
        if held_z < HELD_Z:
            surprise, seasonal, slow = min(surprise, held_z), min(seasonal, held_z), min(slow, held_z)
            # nearer than to what is expected now, or clearly than to the level learned since; else the new level merely comes near the old one
            nearer = held <= abs(y - best) or held < CLEARLY * np.fmin(abs(y - p[5]), abs(y - p[7]))
            miss, far = min(miss, held), min(far, held)
            if held != abs(y - best):  # what fits both, as zeros where it is closed, tells neither
                f[HELD_GOOD] = f[HELD_GOOD] + 1.0 if nearer else 0.0
        else:
            f[HELD_GOOD] = 0.0

        ranked = np.empty(RANKED)
        slow_6 = rank(m, y, seasonal, slow, far, abs(y - best) / out[2], ranked)
        effect = min(1.0, miss / (MISS_UNITS * f[MISS] + floor)) ** MISS_POWER
        score = weigh(m, max(surprise, LASTING * slow_6), effect, ranked)
        learn_habit(m, y, best)
        f[BLOCK_ROWS] += 1.0
        if f[BLOCK_ROWS] >= periods[6]:
            close_block(m)
        if rows >= WARMUP_ROWS:
            out[0] = max(score, silent)
            level = p[2] if not np.isnan(p[2]) else middle_p
            hold_or_return(m, cell, newest, y, score, held_z, seasonal_held, level, periods[7], short)
        f[MISS] += max(1.0 / (f[DEV_ROWS] + 1.0), 1.0 / LONG_MEMORY_ROWS) * (usual_miss - f[MISS])
    else:
        m.lags[0, int(rows) % LAGS] = y
    learn(m, cell, y, p, best, best_error, base_day, base_week)


@compiled
def run(
    m: Memory,
    grid: IntArray,
    values: FloatArray,
    holiday_back: IntArray,
    periods: IntArray,
    score: FloatArray,
    expected: FloatArray,
    spread: FloatArray,
    from_before: FloatArray,
    held: FloatArray,
) -> None:
    """Advance the memory over the rows; fills score, expected, spread, from_before, held (all (n,)); NaN where nothing can be said."""
    out = np.empty(5)
    for i in range(values.shape[0]):
        step(m, grid[i], values[i], holiday_back[i], periods, out)
        score[i], expected[i], spread[i], from_before[i], held[i] = out[0], out[1], out[2], out[3], out[4]
