"""Loads that went wrong: a period without data, and one that was loaded twice."""

from __future__ import annotations

import numpy as np

from insights.looks.made import made
from insights.looks.segments import is_alike
from insights.past import SHORT_SEASONS, MetricPast, expected_of, is_a_day_of_its_own, judged
from insights.types import Fact

MIN_COMPLETE = 20  # periods in a row with data, for a gap to be news
TWICE = (1.85, 2.15)
EACH_TWICE = (1.6, 2.5)


def look_at_loads(past: MetricPast) -> list[Fact]:
    return [*_missing(past), *_doubled(past)]


def _missing(past: MetricPast) -> list[Fact]:
    known = np.isfinite(past.values)
    run = len(known) if known.all() else int(np.argmax(~known[::-1]))
    if past.missing_since is None or run < MIN_COMPLETE:
        return []
    usual = float(np.median(past.values[-run:]))
    return [
        made(past, "missing_data", {"periods": float(run + 1)}, None, 1.0, -usual, period=past.missing_since, baseline=past.periods[-1])
    ]


def _doubled(past: MetricPast) -> list[Fact]:
    """About twice what was expected, alike in every segment: trade never doubles everywhere by the same."""
    if past.kind != "amount" or past.grain not in SHORT_SEASONS:
        return []
    expected = expected_of(past, past.values)
    found = judged(past.values, expected)
    if found is None:
        return []
    value, ratio = float(past.values[-1]), float(past.values[-1] / expected[-1])
    dimension = is_alike(past, *EACH_TWICE) if TWICE[0] <= ratio <= TWICE[1] else None
    if dimension is None or is_a_day_of_its_own(past):
        return []
    values = {"value": value, "expected": float(expected[-1]), "ratio": ratio}
    return [made(past, "doubled_data", values, found[1], 1.0, value - float(expected[-1]), names=(dimension,))]
