"""A level that changed a moment ago may change back: an action, an outage, a campaign. The interval says so."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.level_shift import LevelShift

USUAL_STAY = 7.0
"""Buckets (a day or week where that is longer) that a passing change of level usually lasts; half of all changes are taken to pass."""


def chance_of_return(lasted: int, horizon: int, usual_stay: float) -> FloatArray:
    """(horizon,) how likely the level of before is back at each step, after a change that lasted so many buckets.

    Stays of passing changes are exponential. 4 days after a change 18 % on the fifth day, a month after it 1 % at most.
    """
    passing = float(np.exp(-lasted / usual_stay))
    return np.asarray(passing / (1 + passing) * -np.expm1(-np.arange(1, horizon + 1) / usual_stay))


def reach_back(
    low: FloatArray, high: FloatArray, mean: FloatArray, shift: LevelShift, chance: FloatArray, tail: float
) -> tuple[FloatArray, FloatArray]:
    """(h,) both bounds, reaching the level of before where that is likelier than the share `tail` of values beyond each bound."""
    return _reach(low, high, mean / shift.size if shift.is_factor else mean - shift.size, np.clip(chance / tail - 0.5, 0.0, 1.0))


def reach_on(
    low: FloatArray, high: FloatArray, mean: FloatArray, doubt: LevelShift, chance: float, tail: float
) -> tuple[FloatArray, FloatArray]:
    """(h,) both bounds, reaching the level of the last values in case it stays, which is as likely as `chance`."""
    stays = mean * doubt.size if doubt.is_factor else mean + doubt.size
    return _reach(low, high, stays, np.clip(np.array([chance / tail - 0.5]), 0.0, 1.0))


def _reach(low: FloatArray, high: FloatArray, level: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(h,) both bounds, so far moved towards a level beyond them."""
    return np.minimum(low, low + share * (level - low)), np.maximum(high, high + share * (level - high))
