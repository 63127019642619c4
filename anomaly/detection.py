"""A whole series in, scores and incidents out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from anomaly.incidents import incidents
from anomaly.prepare import prepare
from anomaly.state import State
from anomaly.thresholds import score_threshold
from anomaly.types import DetectInput, Detection

DEFAULT_SENSITIVITY = 12.0


def detect(item: DetectInput, *, sensitivity: float = DEFAULT_SENSITIVITY) -> Detection:
    """Scores, expectation and incidents of one series.

    sensitivity: expected false alarms per year, > 0.
    Raises: Invalid when the input or the sensitivity makes no sense.
    """
    threshold = score_threshold(sensitivity)
    rows = prepare(item)
    state = State(rows.step_s, item.time_zone, item.country)
    scored = state.advance(rows.times, rows.values)
    if item.warmup_steps:
        scored.score[: item.warmup_steps] = np.nan
    found = incidents(item.series.series_id, rows.times, rows.values, scored, threshold, rows.step_s) if len(rows.times) else ()
    width = threshold * scored.spread
    return Detection(
        item.series.series_id,
        rows.times,
        rows.values,
        scored.score,
        scored.expected,
        scored.expected - width,
        scored.expected + width,
        found,
        rows.dropped,
    )


def detect_many(items: Iterable[DetectInput], *, sensitivity: float = DEFAULT_SENSITIVITY) -> Iterator[Detection]:
    """`detect` for each series, in order, one at a time."""
    for item in items:
        yield detect(item, sensitivity=sensitivity)
