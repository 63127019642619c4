"""What lasts is news, what flickers is noise: below an hour half of a row's score is that of the last few rows."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import FAINTEST, ROWS, Memory

PERSISTENT_ROWS = 5  # 3 and 8 measure alike
SHARE = 0.5  # of the score, that is the mean of the last rows
LOUDEST = 6.0  # a row counts from FAINTEST to this in that mean: one wild row makes no event of its neighbours


@compiled
def forget_scores(m: Memory) -> None:
    """After a gap nothing has lasted yet."""
    m.lags[3, :] = FAINTEST


@compiled
def persistent(m: Memory, score: float) -> float:
    """The score of a row with that of the last five, itself among them; remembers it."""
    m.lags[3, int(m.scalars[ROWS]) % PERSISTENT_ROWS] = min(LOUDEST, max(FAINTEST, score))
    return float((1.0 - SHARE) * score + SHARE * np.mean(m.lags[3, :PERSISTENT_ROWS]))
