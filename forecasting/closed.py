"""Positions of the day or week at which the business is closed: always exactly zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray

MIN_CYCLES = 4
"""A position must have been zero in each of at least its last four cycles; three empty Sundays may be chance."""
LAST_CYCLES = 8
MAX_ZEROS_WHEN_OPEN = 0.2


def closed_positions(raw: FloatArray, seasons: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(season,) True where every one of the last 8 observed values at that position of the season is 0; (0,) where no season shows this.

    raw: (n,) NaN in gaps. The longest season seen at least four times is used, so a week wins over a day.
    Zeros elsewhere must be rare: a product that sells once a week is not closed on the other days.
    """
    n = raw.shape[0]
    nothing = np.zeros(0, dtype=np.bool_)
    finite = raw[np.isfinite(raw)]
    if not (finite == 0).any() or not (finite != 0).any():
        return nothing
    for season in sorted((s for s in seasons if s * MIN_CYCLES <= n and s <= 2016), reverse=True):
        closed = _always_zero(raw, season)
        if not closed.any() or closed.all():
            continue
        elsewhere = raw[~closed[np.arange(n) % season]]
        elsewhere = elsewhere[np.isfinite(elsewhere)][-LAST_CYCLES * season :]
        if elsewhere.size and float((elsewhere == 0).mean()) <= MAX_ZEROS_WHEN_OPEN:
            return closed
    return nothing


def _always_zero(raw: FloatArray, season: int) -> npt.NDArray[np.bool_]:
    """(season,) whether the last 8 observed values at that position are 0, at least MIN_CYCLES being observed."""
    table = np.full(-(-raw.shape[0] // season) * season, np.nan)
    table[: raw.shape[0]] = raw
    table = table.reshape(-1, season)[::-1]
    seen = np.isfinite(table)
    other = (seen & (table != 0) & (np.cumsum(seen, axis=0) <= LAST_CYCLES)).any(axis=0)
    return np.asarray(~other & (seen.sum(axis=0) >= MIN_CYCLES))
