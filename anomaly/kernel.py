"""The inner loop: one pass over the rows, each judged from earlier rows only, then learned.

For every row: ten simple predictions, the miss of each in units of its own usual error, their geometric mean times the size of the
miss (how surprising), and how rarely the series has been as surprising, as high, as extreme or as far off before (how rare).
score = ln(surprise) + RARITY * sum of four rarities. docs/anomaly.md gives the measurements behind each part.
"""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import (
    BINS,
    BLOCK_ROWS,
    BLOCKS,
    CENTRE,
    DAY_BASE_1,
    DAY_BASE_2,
    DEV_ALL,
    DEV_ROWS,
    FRACTIONS_SEEN,
    HABIT,
    HELD_DAY,
    HELD_DAY_RATIO,
    HELD_EXPECTED,
    HELD_FAR,
    HELD_FROM,
    HELD_GOOD,
    HELD_LEVEL,
    HELD_ROWS,
    HELD_SUM,
    HELD_UNTIL,
    HELD_WEEK,
    HELD_WEEK_RATIO,
    HIGHEST,
    LAGS,
    LOCAL_ROWS,
    LONG_LAGS,
    LOWEST,
    MEAN,
    MEAN_ROWS,
    MISS,
    NEWEST_CELL,
    PREDICTORS,
    RANKED,
    REBASED_OFFSET,
    REBASED_RATIO,
    RECENT_ROWS,
    ROWS,
    SIZE,
    SPACING,
    SPREAD_OUT,
    STEP_SIZE,
    STRANGE_RUN,
    UNIT,
    UNPREDICTED,
    VARIANCE,
    Memory,
)
from anomaly.prepare import IntArray
from core.timeseries import FloatArray

WARMUP_ROWS = 24
HALF_LIFE_ROWS = 500.0  # of the usual errors; 250 to 1500 measure alike
ERROR_CUT = 8.0  # one miss counts at most as so many usual ones: outliers do not blind the detector, bursts still do
STRANGE = 5.0  # usual errors from which a value is not kept as it stands in the seasonal memory
STRANGE_ROWS = 8  # after so many in a row it is: the season itself has changed
SLOT_RATE = 0.15
SLOT_CUT = 10.0
SLOT_POWER = 0.9
MISS_UNITS = 11.0  # a miss below so many mean misses counts less: minimum effect
MISS_POWER = 0.7
SURPRISE_CUT = 8.0
MOST_SURPRISE = 1000.0  # usual errors of one predictor; a predictor that hardly ever misses does not outvote the others
LASTING = 2.5  # six misses of the season in a row weigh as much as one so many times as large (about the root of six)
LEAST_SURPRISE = 3.5  # usual errors; below, rarity alone does not make an alert
LEAST_POWER = 4.0
MIN_BLOCKS = 10
FORGET_BLOCKS = 1460.0  # half-life of rarity: a year of six-hour blocks
LONG_MEMORY_ROWS = 100_000.0
RARITY = 0.6
RECORD_POWER = 4.0  # Pareto tail beyond the record
MOST_RECORD = 1.5
SCORED = 4  # of the ranked: lasting surprise, level, going beyond the range, size of the miss
BARE = 8  # of the ranked: e to the power of the bare score
NOVEL = 1.0  # weight of the rarest of the four that describe character: noise, calm, strange rows, level of a longer time
NOVEL_FROM = 1.2
NOVEL_BLOCKS = 28.0  # a week must be known before its character can be unusual
MOST_STEP = 20.0
NOISE_ROWS = 12
CALM_ROWS = 36
STRANGE_ROW = 3.0
HABIT_SHARE = 0.8
HABIT_FROM = 0.5
HABIT_WEIGHT = 0.8
HABIT_BLOCKS = 6.0
CENTRE_CUT = 2.0
CHARACTER_ROWS = 2900.0  # half-life of 2000 rows
BIN_OFFSET = 8.0
BINS_PER_E = 20.0
MOST_RATIO = 10.0
HOLD_SCORE = 2.0
GOOD_ROWS = 3.0
HELD_Z = 3.0  # usual errors from which a row is far from the held expectation
LEAST_SEASON_ROWS = 12
NEW_LEVEL_SHARE = 0.5  # of the rows of a season that are far from it: the level stays
GAP_SPACINGS = 6.0
TINY = 1e-12


@compiled
def middle(values: FloatArray) -> float:
    """Median of a short array."""
    ordered = np.sort(values)
    n = ordered.shape[0]
    return float(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2]))


@compiled
def season_median(cells: FloatArray, cell: int, newest: int, period: int, count: int, reach: int) -> float:
    """Median at the same place of `count` earlier seasons, `reach` neighbours each side; NaN when nothing is known."""
    size = cells.shape[0]
    found = np.empty(count * (2 * reach + 1))
    n = 0
    for j in range(1, count + 1):
        for d in range(-reach, reach + 1):
            at = cell - j * period + d
            if at < cell and at > newest - size:
                v = cells[at % size]
                if not np.isnan(v):
                    found[n] = v
                    n += 1
    if n == 0:
        return np.nan
    return middle(found[:n])


@compiled
def levelled(base: float, offset: float, value: float, of_base: float, lowest: float) -> float:
    """The season at the present level: times value / of_base for a series that is never negative, else plus offset."""
    if lowest >= 0.0 and of_base > 0.0 and base > 0.0:
        return base * min(MOST_RATIO, value / of_base)
    return base + offset


@compiled
def predict(m: Memory, base_day: float, base_week: float, p: FloatArray) -> None:
    """Fill p (PREDICTORS,): the last value, medians of 3, 9 and 33, day and week season with fast and slow level, trend, seasonal step."""
    rows = int(m.scalars[LOCAL_ROWS])
    last = int(m.scalars[ROWS])
    p[:] = np.nan
    back = np.empty(RECENT_ROWS)
    for k in range(min(rows, RECENT_ROWS)):
        back[k] = m.recent[(last - 1 - k) % RECENT_ROWS]
    if rows >= 1:
        p[0] = back[0]
    if rows >= 3:
        p[1] = middle(back[:3])
    if rows >= 9:
        p[2] = middle(back[:9])
    if rows >= RECENT_ROWS:
        p[3] = middle(back)
    if not np.isnan(base_day):
        p[4] = base_day + m.offset[0]
        p[5] = levelled(base_day, m.offset[1], m.ratio[0], m.ratio[1], m.scalars[LOWEST])
    if not np.isnan(base_week):
        p[6] = base_week + m.offset[2]
        p[7] = levelled(base_week, m.offset[3], m.ratio[2], m.ratio[3], m.scalars[LOWEST])
    if rows >= 6:
        p[8] = p[1] + (p[1] - middle(back[3:6])) * 2.0 / 3.0
        p[9] = p[1] + (base_day - m.scalars[DAY_BASE_2])  # NaN where the season is not known


@compiled
def rarity(survival: FloatArray, record: float, blocks: float, value: float) -> float:
    """-log10 of the share of past blocks that went as high, by rank; beyond the record a Pareto tail."""
    b = min(BINS - 1, max(0, int((np.log(value + 1e-6) + BIN_OFFSET) * BINS_PER_E)))
    above = survival[b + 1] if b + 1 < BINS else 0.0
    reached = above + 0.5 * (survival[b] - above)
    out = -np.log10((reached + 1.0) / (blocks + 1.0))
    if value > record and record > 0.0:
        out += min(MOST_RECORD, RECORD_POWER * np.log10(value / record))
    return float(out)


@compiled
def close_block(m: Memory) -> None:
    """Count the maxima of the finished block."""
    keep = 0.5 ** (1.0 / FORGET_BLOCKS)
    m.scalars[BLOCKS] = m.scalars[BLOCKS] * keep + 1.0
    m.scalars[BLOCK_ROWS] = 0.0
    for k in range(RANKED):
        b = min(BINS - 1, max(0, int((np.log(m.peak[k] + 1e-6) + BIN_OFFSET) * BINS_PER_E)))
        for j in range(BINS):
            m.survival[k, j] *= keep
        for j in range(b + 1):
            m.survival[k, j] += 1.0
        m.record[k] = max(m.record[k], m.peak[k])
        m.peak[k] = -1.0
    if m.scalars[BLOCKS] >= HABIT_BLOCKS:
        j = 0
        while j + 1 < BINS and m.survival[BARE, j + 1] > (1.0 - HABIT_SHARE) * m.scalars[BLOCKS]:
            j += 1
        m.scalars[HABIT] = (j + 0.5) / BINS_PER_E - BIN_OFFSET


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
def nearest(y: float, base: float, offset: float, ratio: float) -> float:
    """Distance to the season at the held level, whether the level adds or multiplies."""
    miss = abs(y - base - offset)
    return min(miss, abs(y - base * ratio)) if ratio > 0.0 else miss


@compiled
def held_miss(m: Memory, cell: int, y: float, base_day: float, base_week: float, floor: float) -> tuple[float, float, float]:
    """Distance to what was expected before the incident under way: (in usual errors, in the unit of the series); infinite when none is
    held. Third: the seasonal expectation that was held, NaN where the season tells less than the level."""
    f = m.scalars
    if cell > f[HELD_UNTIL]:
        return np.inf, np.inf, np.nan
    day = (base_day - f[REBASED_OFFSET]) / f[REBASED_RATIO]
    week = (base_week - f[REBASED_OFFSET]) / f[REBASED_RATIO]
    overall = 0.8 * np.sqrt(f[VARIANCE])
    miss, usual = abs(y - f[HELD_LEVEL]), m.error[3] if m.error_rows[3] > 0 else m.error[2]
    best, seasonal = overall, np.nan
    if not np.isnan(base_day) and m.error_rows[5] > 24 and m.error[5] < best:
        miss, usual, best = nearest(y, day, f[HELD_DAY], f[HELD_DAY_RATIO]), m.error[5], m.error[5]
        seasonal = day * f[HELD_DAY_RATIO] if f[HELD_DAY_RATIO] > 0.0 else day + f[HELD_DAY]
    if not np.isnan(base_week) and m.error_rows[7] > 24 and m.error[7] < best:
        miss, usual = nearest(y, week, f[HELD_WEEK], f[HELD_WEEK_RATIO]), m.error[7]
        seasonal = week * f[HELD_WEEK_RATIO] if f[HELD_WEEK_RATIO] > 0.0 else week + f[HELD_WEEK]
    return miss / (1.25 * usual + floor), miss, seasonal


@compiled
def rescale(m: Memory, before: int, newest: int, ratio: float, offset: float) -> None:
    """The seasonal memory of cells before `before`: times ratio, plus offset."""
    size = m.cells.shape[0]
    for c in range(max(0, newest - size + 1), before):
        m.cells[c % size] = m.cells[c % size] * ratio + offset


@compiled
def rebase(m: Memory, newest: int) -> None:
    """A level that stayed for a season is the new normal: what is remembered from before is brought to it, so that the season goes on at
    the new level at once, and does not jump weeks later, when most of the remembered days are new ones."""
    f = m.scalars
    ratio, offset = 1.0, 0.0
    if f[HELD_DAY_RATIO] > 0.0 and f[HELD_EXPECTED] > 0.0:
        ratio = f[HELD_SUM] / f[HELD_EXPECTED]
        if ratio < 1.0 / MOST_RATIO or ratio > MOST_RATIO:
            return
    else:
        offset = (f[HELD_SUM] - f[HELD_EXPECTED]) / f[HELD_ROWS]
    rescale(m, int(f[HELD_FROM]), newest, ratio, offset)
    f[REBASED_RATIO], f[REBASED_OFFSET] = ratio, offset
    m.offset[0] = m.offset[1] = f[HELD_DAY] * ratio
    m.offset[2] = m.offset[3] = f[HELD_WEEK] * ratio
    if f[HELD_DAY_RATIO] > 0.0:
        m.ratio[1] *= ratio
        m.ratio[0] = f[HELD_DAY_RATIO] * m.ratio[1]
    if f[HELD_WEEK_RATIO] > 0.0:
        m.ratio[3] *= ratio
        m.ratio[2] = f[HELD_WEEK_RATIO] * m.ratio[3]


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
def hold_expectation(m: Memory, cell: int, until: int, level: float) -> None:
    """Remember what was expected before an incident, to know the way back from a new surprise."""
    f = m.scalars
    f[HELD_UNTIL] = until
    f[HELD_LEVEL] = level
    f[HELD_DAY] = m.offset[1]
    f[HELD_WEEK] = m.offset[3]
    f[HELD_DAY_RATIO] = m.ratio[0] / m.ratio[1] if f[LOWEST] >= 0.0 and m.ratio[1] > 0.0 else 0.0
    f[HELD_WEEK_RATIO] = m.ratio[2] / m.ratio[3] if f[LOWEST] >= 0.0 and m.ratio[3] > 0.0 else 0.0
    f[HELD_GOOD] = 0.0
    f[HELD_FROM] = cell
    f[HELD_ROWS] = f[HELD_FAR] = f[HELD_SUM] = f[HELD_EXPECTED] = 0.0
    f[REBASED_RATIO], f[REBASED_OFFSET] = 1.0, 0.0


@compiled
def return_to_held(m: Memory, newest: int) -> None:
    """Back to normal: forget the levels that were learned during the incident."""
    f = m.scalars
    if f[REBASED_RATIO] != 1.0 or f[REBASED_OFFSET] != 0.0:
        rescale(m, int(f[HELD_FROM]), newest, 1.0 / f[REBASED_RATIO], -f[REBASED_OFFSET] / f[REBASED_RATIO])
        m.ratio[1] /= f[REBASED_RATIO]
        m.ratio[3] /= f[REBASED_RATIO]
        f[REBASED_RATIO], f[REBASED_OFFSET] = 1.0, 0.0
    m.offset[0] = m.offset[1] = f[HELD_DAY]
    m.offset[2] = m.offset[3] = f[HELD_WEEK]
    if f[HELD_DAY_RATIO] > 0.0:
        m.ratio[0] = f[HELD_DAY_RATIO] * m.ratio[1]
    if f[HELD_WEEK_RATIO] > 0.0:
        m.ratio[2] = f[HELD_WEEK_RATIO] * m.ratio[3]


@compiled
def step(
    m: Memory,
    cell: int,
    y: float,
    holiday_back: int,
    short: int,
    short_count: int,
    long: int,
    long_count: int,
    reach: int,
    smooth: int,
    block_rows: int,
    hold: int,
    out: FloatArray,
) -> None:
    """Judge one value, then learn it.

    out (4,): score, expected, spread, distance from what was expected before the incident. holiday_back: cells back to the last Sunday
    on a holiday, else 0.
    """
    f = m.scalars
    out[:] = np.nan
    size = m.cells.shape[0]
    first = f[ROWS] == 0
    newest = cell - 1 if first else int(f[NEWEST_CELL])
    gap = cell - newest
    if gap > 0:
        for c in range(max(newest + 1, cell - size + 1), cell + 1):
            m.cells[c % size] = np.nan
        if gap > GAP_SPACINGS * f[SPACING]:
            f[LOCAL_ROWS] = 0.0
        f[SPACING] += 0.05 * (min(float(gap), 10.0 * f[SPACING]) - f[SPACING])
        newest = cell
        f[NEWEST_CELL] = cell
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
    p = np.empty(PREDICTORS)
    predict(m, base_day, base_week, p)

    # how noisy this time of the season is, relative to the whole
    slots = m.slot_dev.shape[0]
    noisy = 1.0
    if slots > 1 and f[DEV_ROWS] > 2 * slots and f[DEV_ALL] > 0:
        total, weight = 6.0 * f[DEV_ALL], 6.0
        for d in range(-smooth, smooth + 1):
            j = (cell + d) % slots
            w = min(m.slot_rows[j], 8.0)
            total += w * m.slot_dev[j]
            weight += w
        noisy = total / weight / f[DEV_ALL]
    floor = 1e-6 * f[SIZE] + TINY
    by_noise = noisy**-SLOT_POWER

    z = np.empty(PREDICTORS)
    best, best_error = np.nan, np.inf
    counts = f[FRACTIONS_SEEN] == 0
    for k in range(PREDICTORS):
        z[k] = np.nan
        if not np.isnan(p[k]) and m.error_rows[k] > 5:
            z[k] = by_noise * abs(y - p[k]) / (1.25 * m.error[k] + floor)
            if counts:  # a count is at least as noisy as Poisson
                z[k] = min(z[k], 2.0 * abs(np.sqrt(abs(y) + 0.375) - np.sqrt(abs(p[k]) + 0.375)))
            if m.error[k] < best_error:
                best_error, best = m.error[k], p[k]
    judged = not np.isnan(best)
    if judged:
        out[1] = best
        out[2] = 1.25 * best_error / by_noise + floor

    middle_p = np.nan
    known = np.empty(4)
    n = 0
    for k in range(2, 6):
        if m.error_rows[k] > 5 and not np.isnan(p[k]):
            known[n] = p[k]
            n += 1
    if n > 0:
        middle_p = middle(known[:n])

    if judged and not np.isnan(middle_p):
        surprise, far, n = 0.0, 0.0, 0
        for k in range(PREDICTORS):
            if k in (0, 2, 3, 4, 5, 7) and not np.isnan(z[k]):
                surprise += np.log(min(z[k], MOST_SURPRISE) + 0.01)
                far += np.log(abs(y - p[k]) + 1e-9 * f[SIZE] + TINY)
                n += 1
        surprise = np.exp(surprise / n) if n > 0 else 0.0
        far = np.exp(far / n) if n > 0 else 0.0
        seasonal, seasonal_error = np.nan, np.inf
        local, local_error = 0.0, np.inf
        for k in range(PREDICTORS):
            if not np.isnan(z[k]):
                if k in (4, 5, 6, 7, 9):
                    if m.error[k] < seasonal_error:
                        seasonal_error, seasonal = m.error[k], z[k]
                elif m.error[k] < local_error:
                    local_error, local = m.error[k], z[k]
        if np.isnan(seasonal):
            seasonal = local
        slow = 0.0
        if not np.isnan(z[5]):
            slow = z[5] if np.isnan(z[7]) else min(z[5], z[7])
        elif not np.isnan(z[7]):
            slow = z[7]
        miss = 0.5 * (abs(y - best) + abs(y - middle_p))

        held_z, held, seasonal_held = held_miss(m, cell, y, base_day, base_week, floor)
        if held_z < np.inf:
            held_z *= by_noise
            out[3] = held_z
        if holiday_back > 0:
            for j in range(4):
                at = cell - holiday_back - j * long if long > 1 else cell - holiday_back - j * short
                if at > newest - size:
                    v = m.cells[at % size]
                    if not np.isnan(v):
                        held_z = min(held_z, abs(y - v) / (1.25 * best_error + floor))
                        held = min(held, abs(y - v))
        if held_z < HELD_Z:
            surprise, seasonal, slow = min(surprise, held_z), min(seasonal, held_z), min(slow, held_z)
            nearer = held <= abs(y - best)  # than to what is expected now; else the new level merely comes near the old one
            miss, far = min(miss, held), min(far, held)
            f[HELD_GOOD] = f[HELD_GOOD] + 1.0 if nearer else 0.0
        else:
            f[HELD_GOOD] = 0.0

        at_5, at_6 = int(rows) % 5, int(rows) % 6
        m.lags[1, at_5] = min(SURPRISE_CUT, seasonal)
        m.lags[2, at_6] = min(10.0, slow)
        lasting = m.lags[1, :5].sum() / min(5.0, max(1.0, f[DEV_ROWS]))
        slow_6 = m.lags[2, :6].mean()
        m.lags[0, int(rows) % LAGS] = y
        level = 0.0
        if f[MEAN_ROWS] >= 50:
            level = abs(m.lags[0].mean() - f[MEAN]) / (np.sqrt(f[VARIANCE]) + 1e-9 + TINY)
        spread = f[HIGHEST] - f[LOWEST]
        beyond = max(0.0, max(y - f[HIGHEST], f[LOWEST] - y) / (spread + 1e-9 * f[SIZE] + TINY) + 1.0)
        if 0.0 <= y < f[LOWEST]:  # a fall towards zero is judged as a ratio: silence where there never was any
            beyond = max(beyond, f[LOWEST] / (y + 0.1 * f[LOWEST]))
        if f[UNIT] == 0.0 and rows >= WARMUP_ROWS:
            f[UNIT] = f[MISS]

        effect = min(1.0, miss / (MISS_UNITS * f[MISS] + floor)) ** MISS_POWER
        surprise = max(surprise, LASTING * slow_6)
        score = np.log(surprise * effect + 1e-3)
        if surprise < LEAST_SURPRISE:
            score -= LEAST_POWER * np.log(LEAST_SURPRISE / (surprise + 1e-3))
        ranked = np.empty(RANKED)
        ranked[0], ranked[1], ranked[2], ranked[3] = lasting, level, beyond, far / (f[UNIT] + TINY)
        character(m, y, abs(y - best) / out[2], ranked)
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
        if f[HABIT] > HABIT_FROM:
            unpredictable = min(1.0, f[UNPREDICTED] / (f[SPREAD_OUT] + TINY))
            score -= HABIT_WEIGHT * unpredictable * unpredictable * (f[HABIT] - HABIT_FROM)
        rate = max(1.0 / (f[DEV_ROWS] + 1.0), 1.0 / CHARACTER_ROWS)
        f[UNPREDICTED] += rate * (abs(y - best) - f[UNPREDICTED])
        if f[SPREAD_OUT] == 0.0:
            f[CENTRE] = best
        off = y - f[CENTRE]
        f[SPREAD_OUT] += rate * (abs(off) - f[SPREAD_OUT])
        f[CENTRE] += rate * max(-CENTRE_CUT * f[SPREAD_OUT], min(CENTRE_CUT * f[SPREAD_OUT], off))
        f[BLOCK_ROWS] += 1.0
        if f[BLOCK_ROWS] >= block_rows:
            close_block(m)
        if rows >= WARMUP_ROWS:
            out[0] = score
            if score >= HOLD_SCORE and cell > f[HELD_UNTIL]:
                hold_expectation(m, cell, cell + hold, p[2] if not np.isnan(p[2]) else middle_p)
            elif f[HELD_GOOD] == GOOD_ROWS:
                return_to_held(m, newest)
            elif not np.isnan(seasonal_held):
                f[HELD_ROWS] += 1.0
                f[HELD_FAR] += 1.0 if held_z >= HELD_Z else 0.0
                f[HELD_SUM] += y
                f[HELD_EXPECTED] += seasonal_held
                if f[HELD_ROWS] == max(short, LEAST_SEASON_ROWS) and f[HELD_FAR] >= NEW_LEVEL_SHARE * f[HELD_ROWS]:
                    rebase(m, newest)
        f[MISS] += max(1.0 / (f[DEV_ROWS] + 1.0), 1.0 / LONG_MEMORY_ROWS) * (0.5 * (abs(y - best) + abs(y - middle_p)) - f[MISS])
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
) -> None:
    """Advance the memory over the rows; fills score, expected, spread, from_before (all (n,)); NaN where nothing can be said."""
    out = np.empty(4)
    for i in range(values.shape[0]):
        step(
            m,
            grid[i],
            values[i],
            holiday_back[i],
            periods[0],
            periods[1],
            periods[2],
            periods[3],
            periods[4],
            periods[5],
            periods[6],
            periods[7],
            out,
        )
        score[i] = out[0]
        expected[i] = out[1]
        spread[i] = out[2]
        from_before[i] = out[3]
