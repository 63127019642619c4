"""Exactly zero in a series that hardly ever was: nothing comes any more, however far its values swing."""

from __future__ import annotations

from anomaly.compiled import compiled
from anomaly.memory import LOWEST, ROWS, SIZE, TINY, ZERO_BELOW, ZERO_LONGEST, ZERO_ROWS, ZERO_RUN, Memory

KNOWN_ROWS = 48  # before a zero can be called unusual
RARE = 0.02  # of the rows are zero: what closes, or counts little, is so more often
SILENT_ROWS = 3.0
LONGER = 3.0  # than the longest run that was no silence
FAR_FROM_ZERO = 0.25  # of the mean size: what never came nearer to zero is silent at its first zero
SILENT_SCORE = 4.0
FIRST_ZERO_SCORE = 5.0


@compiled
def silence(m: Memory, y: float) -> float:
    """The least score of this row because of its silence; negative when it is not silent. Counts rows and runs of zero."""
    f = m.scalars
    run = f[ZERO_RUN]
    if y != 0.0:
        if run > 0.0:
            f[ZERO_ROWS] += run
            if run < max(SILENT_ROWS, LONGER * f[ZERO_LONGEST] + 1.0):
                f[ZERO_LONGEST] = max(f[ZERO_LONGEST], run)
            f[ZERO_RUN] = 0.0
        return -1.0
    if run == 0.0:
        f[ZERO_BELOW] = f[LOWEST] / (f[SIZE] + TINY)
    known = f[ROWS] - run
    f[ZERO_RUN] = run + 1.0
    if known < KNOWN_ROWS or f[ZERO_BELOW] < 0.0 or f[ZERO_ROWS] >= RARE * known:
        return -1.0
    if f[ZERO_BELOW] >= FAR_FROM_ZERO:
        return FIRST_ZERO_SCORE
    return SILENT_SCORE if f[ZERO_RUN] >= max(SILENT_ROWS, LONGER * f[ZERO_LONGEST] + 1.0) else -1.0
