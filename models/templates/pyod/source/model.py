"""A PyOD detector that learns from earlier rows only: refitted every four weeks of steps, it judges each row by its own past."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyod.models.knn import KNN

from models.sdk import Context, Detector
from models.sdk.tables import score_table

WARM_UP, REFIT = 40, 28


class Windowed(Detector):
    def score(self, history: pa.Table, context: Context) -> pa.Table:
        return score_table(history, lambda name, times, values: self._one(values, max(1, context.season_steps)))

    def _one(self, values: np.ndarray, season: int) -> dict[str, np.ndarray]:
        """Scores in robust standard deviations above the usual score of the rows before."""
        n = len(values)
        expected = np.full(n, np.nan)
        for at in range(season, n):
            before = values[max(0, at - 4 * season) : at][::-1][season - 1 :: season]
            known = before[np.isfinite(before)]
            expected[at] = np.median(known) if len(known) else np.nan
        off = values - expected
        score = np.full(n, np.nan)
        for start in range(WARM_UP, n, REFIT):
            past = off[:start][np.isfinite(off[:start])]
            here = slice(start, min(n, start + REFIT))
            known = np.isfinite(off[here])
            if len(past) < 10 or not known.any():
                continue
            if np.ptp(past) == 0:
                score[here] = np.where(np.isfinite(off[here]), np.where(off[here] == past[0], 0.0, 10.0), np.nan)
                continue
            detector = KNN(n_neighbors=5).fit(past[:, None])
            usual = detector.decision_scores_
            middle, spread = np.median(usual), max(float(np.median(np.abs(usual - np.median(usual)))) * 1.4826, 1e-9)
            score[np.arange(n)[here][known]] = (detector.decision_function(off[here][known][:, None]) - middle) / spread
        return {"score": score, "expected": expected}
