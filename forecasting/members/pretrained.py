"""What networks say that learned from millions of generated series before they saw this one."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray
from forecasting.prepare import Prepared
from forecasting.pretrained.weights import Committee, committee
from forecasting.pretrained.windows import look

LEAST_POINTS = 8


def is_foreseen(series: Prepared) -> bool:
    """Are there networks for this season, and does their horizon reach?"""
    found = _networks(series)
    return found is not None and series.horizon <= found.horizon and series.y.shape[0] >= LEAST_POINTS


def pretrained(series: Prepared) -> FloatArray:
    """(horizon,) forecasts. Raises: ValueError for a series that `is_foreseen` refuses or that is constant."""
    found = _networks(series)
    if found is None:
        raise ValueError("no network was trained for this season")
    window = np.full((1, found.length), np.nan)
    kept = series.y[-found.length :]
    if not kept.max() > kept.min():
        raise ValueError("expected a series that varies")
    window[0, found.length - kept.shape[0] :] = kept
    seen = look(window, trained_season(series))
    return np.asarray(seen.back(found(seen.inputs).astype(np.float64)))[0, : series.horizon]


def trained_season(series: Prepared) -> int:
    """Steps of the season that networks for such a series know; 1 where there are no networks."""
    return 12 // series.step.months if series.step.months in (1, 3) else 1


def _networks(series: Prepared) -> Committee | None:
    return committee(trained_season(series))
