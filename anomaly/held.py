"""What was expected before an incident: the way back from it is no news, and a level that stays is the new normal."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import (
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
    LOWEST,
    REBASED_OFFSET,
    REBASED_RATIO,
    VARIANCE,
    Memory,
)
from anomaly.predictions import MOST_RATIO

HOLD_SCORE = 2.0
GOOD_ROWS = 3.0
HELD_Z = 3.0  # usual errors from which a row is far from the held expectation
LEAST_SEASON_ROWS = 12
RELEARN_ROWS = 120.0  # that the usual errors of before count for at a new level; 48 measures alike
NEW_LEVEL_SHARE = 0.5  # of the rows of a season that are far from it: the level stays


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
    known = max(RELEARN_ROWS, 2.0 * m.slot_dev.shape[0])  # a level at which all is twice as large has twice the usual errors
    for k in range(m.error_rows.shape[0]):
        m.error_rows[k] = min(m.error_rows[k], known)
    m.offset[0] = m.offset[1] = f[HELD_DAY] * ratio
    m.offset[2] = m.offset[3] = f[HELD_WEEK] * ratio
    if f[HELD_DAY_RATIO] > 0.0:
        m.ratio[1] *= ratio
        m.ratio[0] = f[HELD_DAY_RATIO] * m.ratio[1]
    if f[HELD_WEEK_RATIO] > 0.0:
        m.ratio[3] *= ratio
        m.ratio[2] = f[HELD_WEEK_RATIO] * m.ratio[3]


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
def hold_or_return(
    m: Memory, cell: int, newest: int, y: float, score: float, held_z: float, seasonal: float, level: float, hold: int, season: int
) -> None:
    """After a row: begin to hold at a high score, go back to what was held, or count whether the new level stays.

    seasonal: what was held for this row, NaN where nothing is. level: to hold. hold: cells to hold it for. season: cells of a season.
    """
    f = m.scalars
    if score >= HOLD_SCORE and cell > f[HELD_UNTIL]:
        hold_expectation(m, cell, cell + hold, level)
    elif f[HELD_GOOD] == GOOD_ROWS:
        return_to_held(m, newest)
    elif not np.isnan(seasonal):
        f[HELD_ROWS] += 1.0
        f[HELD_FAR] += 1.0 if held_z >= HELD_Z else 0.0
        f[HELD_SUM] += y
        f[HELD_EXPECTED] += seasonal
        if f[HELD_ROWS] == max(season, LEAST_SEASON_ROWS) and f[HELD_FAR] >= NEW_LEVEL_SHARE * f[HELD_ROWS]:
            rebase(m, newest)


@compiled
def holiday_miss(m: Memory, cell: int, newest: int, y: float, back: int, period: int) -> float:
    """Distance to the nearest of the last four Sundays at this time; infinite when none is known. back: cells to the last one."""
    size = m.cells.shape[0]
    nearest_miss = np.inf
    for j in range(4):
        at = cell - back - j * period
        if at > newest - size:
            v = m.cells[at % size]
            if not np.isnan(v):
                nearest_miss = min(nearest_miss, abs(y - v))
    return nearest_miss


@compiled
def weekly_miss(m: Memory, cell: int, newest: int, y: float, period: int) -> float:
    """Distance to the second nearest of the last four same times of the week: what came twice before at this time comes again; infinite
    when fewer are known."""
    size = m.cells.shape[0]
    nearest_miss, second = np.inf, np.inf
    for j in range(1, 5):
        at = cell - j * period
        if at > newest - size and at < cell:
            v = m.cells[at % size]
            if not np.isnan(v):
                miss = abs(y - v)
                if miss < nearest_miss:
                    nearest_miss, second = miss, nearest_miss
                elif miss < second:
                    second = miss
    return second
