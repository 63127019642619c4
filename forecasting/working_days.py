"""What makes one month unlike the same month of other years: the weekdays that it has five times."""

from __future__ import annotations

import numpy as np

from core.timeseries import FloatArray, TimeArray
from forecasting.grid import Step

WORKING_DAYS, SATURDAYS = "working days", "Saturdays"
NAMES = frozenset({WORKING_DAYS, SATURDAYS})
LEAST_MONTHS = 36
"""With less history a month's length and its season cannot be told apart."""
WEEKDAYS_PER_WEEKEND_DAY = 2.5


def working_day_counts(starts: TimeArray, step: Step, known: int) -> dict[str, FloatArray]:
    """Name -> (k,) for each calendar month: weekdays beside weekend days, zero in whole weeks, and Saturdays beside Sundays; empty for other steps.

    starts: (k,) wall-clock times within the months, of which the first `known` are history.
    Source: the trading-day regressors of X-13ARIMA-SEATS (Findley et al. 1998).
    """
    if step.months != 1 or known < LEAST_MONTHS:
        return {}
    months = starts.astype("datetime64[M]")
    first, last = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")

    def days(mask: str) -> FloatArray:
        return np.busday_count(first, last, weekmask=mask).astype(np.float64)

    return {
        WORKING_DAYS: days("1111100") - WEEKDAYS_PER_WEEKEND_DAY * days("0000011"),
        SATURDAYS: days("0000010") - days("0000001"),
    }
