"""A PyOD detector beside our own score: asked for by name, weighed by how rarely it was as sure in the past of this series.

PyOD's scores have no common scale, so they are first made a probability: the share of the series' own past blocks (six rows, or six hours)
in which the detector went as high. What is rarer than one block in sixteen adds to the score; the rest changes nothing.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from anomaly.compiled import compiled
from anomaly.kernel import NOVEL, NOVEL_FROM
from anomaly.memory import BINS, seasons
from anomaly.pyod_scorer import causal_scores, residual_features
from anomaly.rarity import BIN_OFFSET, BINS_PER_E, FORGET_BLOCKS, MIN_BLOCKS, rarity
from anomaly.state import Scored
from core.errors import Invalid
from core.timeseries import FloatArray

SecondOpinion = Literal["ecod", "iforest", "knn", "ensemble"]
MEMBERS = ("ecod", "iforest", "knn")
LEAST = 1e-3


def weighed(scored: Scored, values: FloatArray, step_s: int, name: str, company: FloatArray | None = None) -> FloatArray:
    """(n,) the score with the opinion of `name` added, NaN where the score is; by rows up to each only.

    company: (n, k) features of other metrics that are judged together with this one.
    Raises: Invalid for an unknown name.
    """
    if name not in get_args(SecondOpinion):
        raise Invalid(f"Unknown second opinion {name!r}: expected one of {', '.join(get_args(SecondOpinion))}.", code="bad_detector")
    known = np.isfinite(values)
    out = scored.score.copy()
    if not known.any():
        return out
    part = Scored(*(column[known] for column in (scored.score, scored.expected, scored.spread, scored.from_before, scored.held)))
    features = residual_features(part, values[known])
    if company is not None:
        features = np.column_stack([features, company[known]])
    members = MEMBERS if name == "ensemble" else (name,)
    rare = np.mean([in_the_past(causal_scores(features, member), step_s) for member in members], axis=0)  # type: ignore[arg-type]
    out[known] += NOVEL * np.maximum(0.0, rare - NOVEL_FROM)
    return out


def in_the_past(scores: FloatArray, step_s: int) -> FloatArray:
    """(n,) -log10 of the share of earlier blocks that reached the score; 0 where too little is known."""
    return block_rarity(np.maximum(np.nan_to_num(scores, nan=0.0, posinf=1e6), 0.0) + LEAST, seasons(step_s).block_rows)


@compiled
def block_rarity(scores: FloatArray, block_rows: int) -> FloatArray:
    """The walk over the rows: each ranked among the maxima of the finished blocks, then learned."""
    survival, out = np.zeros(BINS), np.zeros(scores.shape[0])
    keep = 0.5 ** (1.0 / FORGET_BLOCKS)
    blocks, record, peak, rows = 0.0, 0.0, 0.0, 0
    for i in range(scores.shape[0]):
        if blocks >= MIN_BLOCKS:
            out[i] = rarity(survival, record, blocks, scores[i])
        peak = max(peak, scores[i])
        rows += 1
        if rows == block_rows:
            b = min(BINS - 1, max(0, int((np.log(peak) + BIN_OFFSET) * BINS_PER_E)))
            survival *= keep
            survival[: b + 1] += 1.0
            blocks = blocks * keep + 1.0
            record = max(record, peak)
            peak, rows = 0.0, 0
    return out
