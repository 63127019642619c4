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
# Below an hour a row that stays alone must be higher (incidents.LONE_RISE), so that the others need less for fewer false alarms: with the
# table's 24 a year 31 by the median of 27 such kinds, with the same score and without that rule 34.
HOUR_S = 3600
BELOW_AN_HOUR = -0.25
# The same for buckets of a day or longer, of which a year has few: median over five kinds, 40 series each. Whoever can bear more gets this many.
DAY_S = 86_400
DAY_SCORES = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0)
DAY_PER_YEAR = (3.7, 2.6, 1.5, 0.9, 0.3, 0.07)


def score_threshold(sensitivity: float, step_s: int = 3600) -> float:
    """The score that a series without events reaches about `sensitivity` times a year. step_s: seconds per bucket.

    Raises: Invalid unless sensitivity is a positive finite number.
    """
    if not (math.isfinite(sensitivity) and sensitivity > 0):
        raise Invalid(
            f"sensitivity is the number of false alarms a year you can bear: expected more than 0; found {sensitivity}.",
            code="bad_sensitivity",
        )
    if step_s >= DAY_S:
        return on_table(min(sensitivity, DAY_PER_YEAR[0]), DAY_SCORES, DAY_PER_YEAR)
    return on_table(sensitivity, SCORES, PER_YEAR) + (BELOW_AN_HOUR if step_s < HOUR_S else 0.0)


def shared(sensitivity: float, step_s: int, series: int) -> float:
    """What each of `series` watched together may cost a year, so that many segments do not cry as many times: the rate over the root of
    their number, as segments of one thing are half of one mind."""
    most = DAY_PER_YEAR[0] if step_s >= DAY_S else PER_YEAR[0]
    return min(sensitivity, most) / math.sqrt(max(1, series))


def on_table(per_year: float, scores: tuple[float, ...], rates: tuple[float, ...]) -> float:
    """The score of a rate, by its logarithm; beyond the table along its outer slope."""
    x, known = math.log(per_year), np.log(rates)
    for end, inner in ((0, 1), (-1, -2)):
        if (x - known[end]) * (known[end] - known[inner]) > 0:
            slope = (scores[end] - scores[inner]) / (known[end] - known[inner])
            return float(scores[end] + slope * (x - known[end]))
    return float(np.interp(-x, -known, scores))
