"""A fact of a scan with its score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from insights.past import MetricPast
from insights.types import Evidence, Fact, FactKind, Period, Score

PART_OF_WHOLE = 0.7  # the whole before its parts: a part is only news beside a whole that is as usual
_QUALITY = ("late_data", "missing_data", "doubled_data")


def made(
    past: MetricPast, kind: FactKind, values: Mapping[str, float], test: Evidence | None, size: float, impact: float, *,
    scope: tuple[tuple[str, str], ...] = (), names: tuple[str, ...] = (), period: Period | None = None, baseline: Period | None = None,
    receipts: tuple[int, ...] = (),
) -> Fact:  # fmt: skip
    """size: 0 to 1, how much of the metric it is about. What is expected of a count is whole, as counts are: 278 orders, not 278.3."""
    score = Score(
        min(1.0, float(size)),
        1.0 - (test.p if test else 0.0),
        novelty=PART_OF_WHOLE if scope and kind not in _QUALITY else 1.0,
        actionability=1.0 if past.quantity.good_direction else 0.9,
    )
    before = baseline or (past.periods[-2] if len(past.periods) > 1 else None)
    return Fact(
        kind,
        past.quantity,
        period or past.periods[-1],
        before,
        scope,
        _counted(past, values),
        names,
        test,
        impact,
        score,
        receipts or past.receipts,
    )


def _counted(past: MetricPast, values: Mapping[str, float]) -> Mapping[str, float]:
    expected = values.get("expected")
    known = past.values[np.isfinite(past.values)]
    if expected is None or abs(expected) < 1 or not (known == np.round(known)).all():
        return values
    return {**values, "expected": float(round(expected))}
