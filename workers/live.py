"""How a custom model does live: its forecasts beside those of Querent's own engine, compared when the actual values are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.store.model_runs import ModelRun
from core.timeseries import TimeSeries

MIN_POINTS = 5
BREACH = 1.25
"""A watched champion whose error is a quarter larger than the engine's, over at least MIN_POINTS steps, is rolled back."""


@dataclass(frozen=True, slots=True)
class Score:
    """Mean absolute errors over the steps that are known by now, in units of the series' seasonal change; points: how many."""

    custom: float
    own: float
    points: int

    @property
    def breaches(self) -> bool:
        return self.points >= MIN_POINTS and self.custom > BREACH * max(self.own, 1e-12)

    def as_json(self) -> dict[str, Any]:
        return {"custom": self.custom, "own": self.own, "points": self.points}


def score(points: Mapping[str, Any], actual: TimeSeries) -> Score | None:
    """How both did on the steps whose actual value is known; None when there is none yet."""
    seen = {str(t): float(v) for t, v in zip(actual.times.astype("datetime64[ms]"), actual.values, strict=True) if np.isfinite(v)}
    rows = [(seen[t], c, o) for t, c, o in zip(points["t"], points["custom"], points["own"], strict=True) if t in seen]
    if not rows:
        return None
    table = np.array(rows, dtype=np.float64)
    unit = float(points["scale"]) or 1.0
    custom, own = (float(np.abs(table[:, 0] - table[:, column]).mean()) / unit for column in (1, 2))
    return Score(custom, own, len(rows))


def together(runs: Sequence[ModelRun]) -> Score | None:
    """All scored runs as one, weighted by their steps."""
    scores = [Score(**run.score) for run in runs if run.score]
    points = sum(found.points for found in scores)
    if not points:
        return None
    mean = {side: sum(getattr(found, side) * found.points for found in scores) / points for side in ("custom", "own")}
    return Score(mean["custom"], mean["own"], points)
