"""From what a person can bear to the score above which a row is flagged."""

from __future__ import annotations

import math

import numpy as np

from core.errors import Invalid

DEFAULT_SENSITIVITY = 24.0  # two a month
# False alarms per series and year at each score: median over 40 kinds of made-up series without events (`python -m benchmarks.planted --clean`,
# `python -m benchmarks.planted_windows --clean`). A quarter of the kinds have less than half of it, sparse bursts four to nine times as many.
SCORES = (1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.5)
PER_YEAR = (133.0, 68.0, 38.0, 24.0, 14.0, 10.0, 4.0, 1.0)


def score_threshold(sensitivity: float) -> float:
    """The score that a series without events reaches about `sensitivity` times a year.

    Raises: Invalid unless sensitivity is a positive finite number.
    """
    if not (math.isfinite(sensitivity) and sensitivity > 0):
        raise Invalid(
            f"sensitivity is the number of false alarms a year you can bear: expected more than 0; found {sensitivity}.",
            code="bad_sensitivity",
        )
    x, known = math.log(sensitivity), np.log(PER_YEAR)
    for end, inner in ((0, 1), (-1, -2)):  # beyond the table, along its outer slope
        if (x - known[end]) * (known[end] - known[inner]) > 0:
            slope = (SCORES[end] - SCORES[inner]) / (known[end] - known[inner])
            return float(SCORES[end] + slope * (x - known[end]))
    return float(np.interp(-x, -known, SCORES))
