"""Positions of the day or week at which the business is closed: always exactly zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray

MIN_CYCLES = 4
"""A position must have been zero in each of at least its last four cycles; three empty Sundays may be chance."""
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
        closed = np.zeros(season, dtype=np.bool_)
        for position in range(season):
            seen = raw[position::season]
            seen = seen[np.isfinite(seen)][-8:]
            closed[position] = seen.size >= MIN_CYCLES and bool((seen == 0).all())
        if not closed.any() or closed.all():
            continue
        elsewhere = raw[~closed[np.arange(n) % season]]
        elsewhere = elsewhere[np.isfinite(elsewhere)][-8 * season :]
        if elsewhere.size and float((elsewhere == 0).mean()) <= MAX_ZEROS_WHEN_OPEN:
            return closed
    return nothing
