"""Other metrics beside the one that is watched: what they did at the same time, and whether they moved together as they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from anomaly.prepare import Rows, prepare
from anomaly.pyod_scorer import usual_misses
from anomaly.state import Scored, State
from anomaly.types import DetectInput
from core.timeseries import FloatArray, TimeSeries

LASTING_ROWS = 6


@dataclass(frozen=True, slots=True)
class Company:
    """apart (n,): the score of what the others do not account for. features (n, 3 per other): its miss in usual errors, the mean of six, and
    how far the watched miss is from what goes with the other's."""

    apart: FloatArray
    features: FloatArray


def in_company(item: DetectInput, rows: Rows, scored: Scored, others: Sequence[TimeSeries]) -> Company:
    """How the watched series looks beside the others. By rows up to each time only.

    rows, scored: of the watched series. What is not known of another at a time is 0. The part of the watched miss that goes with the others'
    is taken away, one after the other, and what is left is scored as a series of its own: two metrics of which one rises as the other falls
    are far apart, though each may be within its range.
    """
    left = usual_misses(scored, rows.values)
    columns: list[FloatArray] = []
    for other in others:
        theirs = _misses_at(item, rows, other)
        lasting = np.convolve(theirs, np.ones(LASTING_ROWS) / LASTING_ROWS)[: len(theirs)]
        left = left - _goes_with(left, theirs) * theirs
        columns += [theirs, lasting, left]
    known = np.isfinite(rows.values) & np.isfinite(scored.expected)
    apart = State(rows.step_s, item.time_zone, item.country).advance(rows.times, np.where(known, left, np.nan)).score
    return Company(apart, np.column_stack(columns) if columns else np.zeros((len(rows.times), 0)))


def _misses_at(item: DetectInput, rows: Rows, other: TimeSeries) -> FloatArray:
    """(n,) of the other series at the times of the watched one."""
    theirs = prepare(replace(item, series=other))
    found = usual_misses(State(theirs.step_s, item.time_zone, item.country).advance(theirs.times, theirs.values), theirs.values)
    at = np.searchsorted(theirs.times, rows.times)
    near = np.minimum(at, max(len(theirs.times) - 1, 0))
    if not len(found):
        return np.zeros(len(rows.times))
    return np.where(theirs.times[near] == rows.times, found[near], 0.0)


def _goes_with(own: FloatArray, theirs: FloatArray) -> FloatArray:
    """(n,) slope of the watched misses on the other's, of the rows before each; towards 0 while few are known."""
    products, squares = np.cumsum(own * theirs), np.cumsum(theirs * theirs)
    return np.asarray(np.r_[0.0, products[:-1]] / (np.r_[0.0, squares[:-1]] + 10.0), np.float64)
