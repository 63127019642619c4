"""What the inner loop remembers: plain arrays, so that a state can be saved as numbers and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.timeseries import FloatArray

DAY_S = 86_400
WEEK_S = 604_800
MAX_CELLS = 50_400  # five weeks of minutes

PREDICTORS = 10
RECENT_ROWS = 33
LAGS = 12
BINS = 400
RANKED = 9  # four of the score, four of the character of the series, and the bare score itself
LONG_LAGS = 48
WARMUP_ROWS = 24
LONG_MEMORY_ROWS = 100_000.0
TINY = 1e-12

# scalars
(
    ROWS,  # rows seen
    NEWEST_CELL,  # grid position of the newest row
    LOCAL_ROWS,  # rows since the last gap
    SPACING,  # usual distance of two rows in steps
    SIZE,  # mean |value|
    MISS,  # mean |value - prediction| (mean of best and middle one), no outlier cut
    UNIT,  # MISS when warm-up ended: unit of the ranked misses
    DEV_ALL,  # mean cut deviation from the best prediction, whole series
    DEV_ROWS,
    STRANGE_RUN,
    FRACTIONS_SEEN,  # 1 when a value was not a whole number
    MEAN,
    VARIANCE,
    MEAN_ROWS,
    LOWEST,
    HIGHEST,
    BLOCK_ROWS,  # rows in the block under way
    BLOCKS,  # blocks finished, with forgetting
    HELD_UNTIL,  # cell up to which the expectation from before an incident is held; negative infinity when none is
    HELD_LEVEL,
    HELD_DAY,
    HELD_WEEK,
    HELD_DAY_RATIO,
    HELD_WEEK_RATIO,
    HELD_GOOD,  # rows in a row that match the held expectation
    HELD_FROM,  # cell where the hold began
    HELD_ROWS,  # rows since
    HELD_FAR,  # of them, far from the held expectation
    HELD_SUM,  # of their values
    HELD_EXPECTED,  # of what was held for them
    REBASED_RATIO,  # what the seasonal memory from before was multiplied by when the new level was sure; 1 is not
    REBASED_OFFSET,  # what was added instead
    DAY_BASE_1,  # seasonal base of the last row, and of the one before
    DAY_BASE_2,
    HABIT,  # the bare score that most of the usual blocks stay below; NaN while it is not known
    UNPREDICTED,  # mean |value - best prediction| of the last thousands of rows
    SPREAD_OUT,  # mean |value - centre| over the same
    CENTRE,  # mean value over the same, outliers cut
    STEP_SIZE,  # mean |value - value before|
    ZERO_RUN,  # rows of exactly zero up to now
    ZERO_ROWS,  # such rows before it
    ZERO_LONGEST,  # rows of the longest such run that was no silence
    ZERO_BELOW,  # the lowest value before the run, over the mean size
    SCALARS,
) = range(44)


class Memory(NamedTuple):
    """All state of one series. cells: values by grid position, a ring. survival: (RANKED, BINS) how many past blocks reached a level.
    lags: last values, seasonal misses, slow seasonal misses. long_lags: last values, steps in usual steps, whether the row was strange."""

    scalars: FloatArray
    cells: FloatArray
    recent: FloatArray
    error: FloatArray
    error_rows: FloatArray
    offset: FloatArray
    ratio: FloatArray
    slot_dev: FloatArray
    slot_rows: FloatArray
    survival: FloatArray
    peak: FloatArray
    record: FloatArray
    lags: FloatArray
    long_lags: FloatArray


@dataclass(frozen=True, slots=True)
class Seasons:
    """Periods in steps (0: none), how many earlier seasons are looked at, how many neighbours each side, slots per local day (0: none)."""

    short: int
    short_count: int
    long: int
    long_count: int
    reach: int
    slots_per_day: int
    smooth_slots: int
    block_rows: int
    hold_steps: int
    cells: int


def seasons(step_s: int) -> Seasons:
    """The calendar's seasons for a step: day and week below a day, week for days, year for weeks, months and quarters."""
    hourly = step_s >= 3600
    block_rows = 6 if hourly else max(3, 6 * 3600 // step_s)
    hold = max(48, 3 * DAY_S // step_s)
    if step_s < DAY_S:
        day = DAY_S // step_s if DAY_S % step_s == 0 else 0
        week = 7 * day
        cells = min(MAX_CELLS, max(64, 5 * WEEK_S // step_s))
        return Seasons(
            day if day < MAX_CELLS else 0, 7, week if week < MAX_CELLS else 0, 4, 1, day, max(1, 1800 // step_s), block_rows, hold, cells
        )
    per_year = {7: 52, 30: 12, 91: 4}.get(step_s // DAY_S, 0)
    if step_s == DAY_S:
        return Seasons(7, 8, 0, 0, 0, 1, 0, block_rows, 14, 70)
    return Seasons(per_year, 4, 0, 0, 1 if per_year == 52 else 0, 0, 0, block_rows, 12, 5 * max(per_year, 13))


def empty(season: Seasons) -> Memory:
    """The memory before the first row."""
    scalars = np.zeros(SCALARS)
    scalars[HELD_UNTIL] = -np.inf
    scalars[DAY_BASE_1] = scalars[DAY_BASE_2] = np.nan
    scalars[SPACING] = 1.0
    scalars[HABIT] = np.nan
    scalars[REBASED_RATIO] = 1.0
    slots = max(1, season.short)
    return Memory(
        scalars=scalars,
        cells=np.full(season.cells, np.nan),
        recent=np.zeros(RECENT_ROWS),
        error=np.zeros(PREDICTORS),
        error_rows=np.zeros(PREDICTORS),
        offset=np.zeros(4),
        ratio=np.zeros(4),
        slot_dev=np.zeros(slots),
        slot_rows=np.zeros(slots),
        survival=np.zeros((RANKED, BINS)),
        peak=np.full(RANKED, -1.0),
        record=np.zeros(RANKED),
        lags=np.zeros((3, LAGS)),
        long_lags=np.zeros((3, LONG_LAGS)),
    )
