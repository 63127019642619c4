"""How rarely a series went as high before: ranks among the maxima of past blocks, with a Pareto tail beyond the record."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import BINS, BLOCK_ROWS, BLOCKS, HABIT, RANKED, Memory
from core.timeseries import FloatArray

MIN_BLOCKS = 10
FORGET_BLOCKS = 1460.0  # half-life of rarity: a year of six-hour blocks
RECORD_POWER = 4.0  # Pareto tail beyond the record
MOST_RECORD = 1.5
BARE = 8  # of the ranked: e to the power of the bare score
HABIT_SHARE = 0.8
HABIT_BLOCKS = 6.0
BIN_OFFSET = 8.0
BINS_PER_E = 20.0


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
