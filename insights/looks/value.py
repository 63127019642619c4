"""The last value against its seasonal expectation, as a record, and as the last of a row of moves."""

from __future__ import annotations

import math

import numpy as np

from core.timeseries import Grain
from insights.looks.made import made
from insights.past import MetricPast, expected_of, judged
from insights.types import Evidence, Fact
from insights.yearly import came_last_year

MIN_RUN = 5
MIN_FOR_RECORD = 12


def look_at_value(past: MetricPast) -> list[Fact]:
    """Unusual value and record. What came at the same time a year before is a season note."""
    expected = expected_of(past, past.values)
    found = judged(past.values, expected)
    if found is None:
        return []
    miss, test = found
    value, expectation = float(past.values[-1]), float(expected[-1])
    values = {"value": value, "expected": expectation}
    if past.grain is Grain.DAY and came_last_year(past.values, len(past.values) - 1):
        return [made(past, "season_note", values, test, miss * 0.3, value - expectation)]
    facts = [made(past, "unusual_value", values, test, miss, value - expectation)]
    known = past.values[np.isfinite(past.values)]
    if len(known) >= MIN_FOR_RECORD and (value > known[:-1].max() or value < known[:-1].min()):
        way = 1.0 if value > known[:-1].max() else -1.0
        # A growing metric sets records all the time; only one beyond its own expectation is news, hence the same test.
        record = {"value": value, "way": way, "periods": float(len(known))}
        facts.append(made(past, "record", record, test, min(1.0, miss) * 0.9, value - expectation))
    return facts


def look_at_streak(past: MetricPast) -> list[Fact]:
    """Moves of one direction in a row: under no trend each direction is a toss, weighted by how often the metric moves that way."""
    moves = np.sign(np.diff(past.values))[::-1]
    same = int(np.argmax(moves != moves[0])) if (moves != moves[0]).any() else len(moves)
    if same < MIN_RUN or not math.isfinite(moves[0]) or moves[0] == 0:
        return []
    share_up = float(np.mean(moves[np.isfinite(moves) & (moves != 0)] > 0))
    usual = share_up if moves[0] > 0 else 1 - share_up
    test = Evidence("run", float(same), min(1.0, 2 * max(usual, 0.5) ** same), len(moves))
    before = float(past.values[-1 - same])
    change = abs(float(past.values[-1] / before - 1.0)) if before else 0.0
    values = {"way": float(moves[0]), "periods": float(same)}
    return [made(past, "streak", values, test, min(1.0, change) * 0.8, float(past.values[-1] - before))]
