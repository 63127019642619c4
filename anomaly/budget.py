"""A bar that the alerts of a series' own past raise: where nothing can be predicted, who is told often is told of more only.

Constants were chosen on made-up series (docs/anomaly.md has the figures). Uses rows and alerts up to each decision only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray

YEAR_NS = 31_557_600 * 1_000_000_000
HALF_LIFE_NS = 28 * 86_400 * 1_000_000_000
REMEMBERED_YEARS = HALF_LIFE_NS / YEAR_NS / math.log(2)  # the alerts remembered at a steady rate are the rate times this
REAL_SHARE = 1.5  # alerts that are fine, over the false ones that can be borne: events are no fault of the rule
FREE_ALERTS = 3.0  # of six weeks, whatever the sensitivity: one real event must not make a rule deaf
RISE = 4.0  # of the bar, each time the alerts remembered are e times as many as are fine; 3 and 6 measure alike
MOST_RISE = 3.0


@dataclass(slots=True)
class Budget:
    """What was spent lately on alerts, each halved every 28 days. per_year: false alarms that can be borne."""

    per_year: float
    spent: float = 0.0
    spent_at_ns: int = 0

    def rise(self, now_ns: int) -> float:
        """How much higher than the threshold a score must be to begin an alert now; 0 while the budget lasts."""
        fine = max(FREE_ALERTS, REAL_SHARE * self.per_year * REMEMBERED_YEARS)
        spent = self.spent * 0.5 ** ((now_ns - self.spent_at_ns) / HALF_LIFE_NS)
        return min(MOST_RISE, RISE * math.log(spent / fine)) if spent > fine else 0.0

    def spend(self, at_ns: int, cost: float) -> None:
        """Take an alert that ended at at_ns into account. cost: 0 to 1, see `unpredictable`."""
        self.spent = self.spent * 0.5 ** ((at_ns - self.spent_at_ns) / HALF_LIFE_NS) + cost
        self.spent_at_ns = at_ns


def unpredictable(values: FloatArray, expected: FloatArray) -> FloatArray:
    """(n,) 0 to 1: mean miss of the expectation over mean distance from the mean, of the rows up to each.

    An alert of a series that is well predicted is nearly always real; of one that nothing predicts it belongs to its nature.
    """
    known = np.isfinite(values) & np.isfinite(expected)
    rows = np.maximum(np.cumsum(known), 1)
    with np.errstate(over="ignore", invalid="ignore"):  # sums of numbers near the largest one
        centre = np.cumsum(np.where(known, values, 0.0)) / rows
        miss = np.cumsum(np.where(known, np.abs(values - expected), 0.0))
        off = np.cumsum(np.where(known, np.abs(values - centre), 0.0))
        share = miss / np.maximum(np.maximum(off, miss), 1e-300)
    return np.asarray(np.nan_to_num(share, nan=1.0), np.float64)
