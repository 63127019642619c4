"""How much each leaf moves on its own from one period to the next when nothing special happens, from periods before."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray

MIN_PERIODS = 4
PRIOR_MOVES = 4.0  # a leaf's own spread starts as the leaves' typical one with this weight
LEAST = 5e-4  # relative variance: no leaf is steadier than about two per cent
MOST = 0.5


def leaf_spread(tops: FloatArray, bases: FloatArray | None = None) -> FloatArray | None:
    """(leaves,) relative variance of a leaf's move beside the whole's; None with fewer than four periods.

    tops: (periods, leaves), time ascending, of equal lengths; bases: denominators of a rate. Empty periods of a leaf are passed over.
    """
    values = tops if bases is None else np.divide(tops, bases, out=np.zeros_like(tops), where=bases > 0)
    whole = (
        tops.sum(axis=1)
        if bases is None
        else np.divide(tops.sum(axis=1), bases.sum(axis=1), out=np.zeros(len(tops)), where=bases.sum(axis=1) > 0)
    )
    used = whole > 0
    values, whole = values[used], whole[used]
    if len(values) < MIN_PERIODS:
        return None
    with np.errstate(divide="ignore"):
        relative = np.log(values) - np.log(whole)[:, None]
    moves = np.diff(np.where(np.isfinite(relative), relative, np.nan), axis=0)
    known = np.isfinite(moves).sum(axis=0)
    squares = np.nansum(moves**2, axis=0)
    own = np.divide(squares, known, out=np.full(len(known), np.nan), where=known > 0)
    typical = float(np.nanmedian(own)) if np.isfinite(own).any() else MOST
    # A leaf with gaps is not known to be steady.
    blended = np.where(known > 0, (squares + PRIOR_MOVES * typical) / (known + PRIOR_MOVES), MOST)
    spread: FloatArray = np.clip(blended, LEAST, MOST)
    return spread
