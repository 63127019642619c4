"""How a custom model does live: its forecasts beside those of Querent's own engine, compared when the actual values are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.store.model_runs import ModelRun
from core.timeseries import FloatArray, TimeSeries

MIN_POINTS = 5
DRIFT_BINS, MIN_DRIFT_POINTS = 5, 20
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


def drift(values: FloatArray, is_recent: npt.NDArray[np.bool_], season_steps: int) -> float | None:
    """How much the seasonal changes of the recent values are spread otherwise than those before: the population stability index.

    values (n,), NaN in gaps; is_recent (n,): since the model was compared. Below 0.1 nothing changed, above 0.25 much did; None with fewer
    than MIN_DRIFT_POINTS on either side. Changes are relative to the level, so that growth alone is no drift.
    """
    season = max(1, season_steps)
    if len(values) <= season:
        return None
    level = np.array([np.nanmean(np.abs(values[max(0, at - 4 * season) : at])) if at else np.nan for at in range(len(values))])
    change = (values[season:] - values[:-season]) / np.where(level[season:] > 0, level[season:], np.nan)
    before, since = (change[np.isfinite(change) & side] for side in (~is_recent[season:], is_recent[season:]))
    if min(len(before), len(since)) < MIN_DRIFT_POINTS:
        return None
    edges = np.unique(np.quantile(before, np.linspace(0, 1, DRIFT_BINS + 1)[1:-1]))
    expected, found = (np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (before, since))
    share, other = (np.maximum(counts / counts.sum(), 1e-3) for counts in (expected, found))
    return float(((other - share) * np.log(other / share)).sum())
