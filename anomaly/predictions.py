"""Ten simple predictions of the next value, from the last rows and from the same time of earlier days and weeks."""

from __future__ import annotations

import numpy as np

from anomaly.compiled import compiled
from anomaly.memory import DAY_BASE_2, LOCAL_ROWS, LOWEST, RECENT_ROWS, ROWS, Memory
from core.timeseries import FloatArray

MOST_RATIO = 10.0


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
