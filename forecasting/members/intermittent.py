"""Demand that comes now and then: how often it comes, times how much it is."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.prepare import Prepared

MIN_ZERO_SHARE = 0.3


def is_intermittent(series: Prepared) -> bool:
    """Is it never negative, a third or more zeros, and not simply closed at set times?"""
    y = series.raw[np.isfinite(series.raw)]
    return series.floor == 0.0 and y.shape[0] >= 12 and not series.closed.size and bool(MIN_ZERO_SHARE <= (y == 0).mean() < 1.0)


def teunter_syntetos_babai(series: Prepared) -> FloatArray:
    """(horizon,) the smoothed chance of demand times its smoothed size; it falls when demand stops. Source: Teunter, Syntetos and Babai (2011)."""
    from statsforecast.models import TSB

    return np.asarray(TSB(alpha_d=0.2, alpha_p=0.1).forecast(series.y[-500:], series.horizon)["mean"], dtype=np.float64)


def croston(series: Prepared) -> FloatArray:
    """(horizon,) Syntetos and Boylan's corrected Croston method. Source: Syntetos and Boylan (2005)."""
    from statsforecast.models import CrostonSBA

    return np.asarray(CrostonSBA().forecast(series.y[-500:], series.horizon)["mean"], dtype=np.float64)
