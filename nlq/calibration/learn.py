"""Examples -> the model of confidence: boosted trees, their probabilities made honest by isotonic regression, and where to draw the lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from threadpoolctl import threadpool_limits

from nlq.calibration.collect import Example
from nlq.calibration.evidence import NAMES
from nlq.calibration.model import Calibrated, Node
from nlq.confidence import CLEAR, TIED

FOLDS = 5
BINS = 10
ASKING_COST = 0.2  # of a question asked back, in right answers: somebody has to read the choices
_MAX_KNOTS = 40
_PRIOR = 2.0  # imagined examples at the mean level in each step of the curve, so that a short step never says 0 or 1


@dataclass(frozen=True, slots=True)
class Quality:
    """ece: mean distance of confidence from the share right, in ten bins of equal width, weighted by size. bins: (confidence, share right, count)."""

    count: int
    right: float
    ece: float
    brier: float
    auc: float
    bins: tuple[tuple[float, float, int], ...]


def learn(examples: Sequence[Example], seed: int) -> Calibrated:
    """Trees on all examples; the curve and the thresholds on predictions for domains that were left out, fold by fold."""
    values, right, domain = _arrays(examples)
    known = sorted(set(domain))
    fold_of = {name: number % FOLDS for number, name in enumerate(known)}
    folds = np.array([fold_of[d] for d in domain])
    raw = np.zeros(len(right))
    for fold in range(FOLDS):
        inside = folds == fold
        model = _trees(values[~inside], right[~inside], seed)
        raw[inside] = model.predict_proba(values[inside])[:, 1]
    knots, levels = _curve(raw, right)
    fitted = _trees(values, right, seed)
    draft = Calibrated(_baseline(fitted), _exported(fitted), knots, levels, answer=0.5, ask=0.2)
    honest = np.interp(raw, knots, levels)
    left = np.array([not _asked_anyway(e.values) for e in examples])
    return replace(draft, answer=_answer_line(honest[left], right[left]), ask=_ask_line(honest, right))


def quality(model: Calibrated, examples: Sequence[Example]) -> Quality:
    return quality_of([model.probability(e.values) for e in examples], [e.right for e in examples])


def quality_of(confidence: Sequence[float], right: Sequence[bool]) -> Quality:
    p, y = np.asarray(confidence, float), np.asarray(right, float)
    at = np.minimum((p * BINS).astype(int), BINS - 1)
    bins = tuple((float(p[at == b].mean()), float(y[at == b].mean()), int((at == b).sum())) for b in range(BINS) if (at == b).any())
    ece = sum(abs(c - share) * n for c, share, n in bins) / max(1, len(p))
    return Quality(len(p), float(y.mean()), float(ece), float(((p - y) ** 2).mean()), _auc(p, y), bins)


def _trees(values: np.ndarray[Any, Any], right: np.ndarray[Any, Any], seed: int) -> Any:
    model = HistGradientBoostingClassifier(
        learning_rate=0.06, max_iter=90, max_leaf_nodes=8, min_samples_leaf=30, l2_regularization=2.0,
        monotonic_cst=list(NAMES.values()), random_state=seed, early_stopping=False,
    )  # fmt: skip
    with threadpool_limits(limits=1):  # sums in one order: the same file on every machine
        return model.fit(values, right)


def _curve(raw: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Isotonic steps, each drawn a little towards the mean by its size, as knots of a line without jumps."""
    steps = IsotonicRegression(out_of_bounds="clip").fit_transform(raw, right)
    mean = float(right.mean())
    xs, ys = [], []
    for level in np.unique(steps):
        inside = steps == level
        xs.append(float(raw[inside].mean()))
        ys.append(float((right[inside].sum() + _PRIOR * mean) / (inside.sum() + _PRIOR)))
    ys = list(np.maximum.accumulate(ys))
    keep = np.unique(np.linspace(0, len(xs) - 1, min(len(xs), _MAX_KNOTS)).round().astype(int))
    return tuple(round(xs[i], 6) for i in keep), tuple(round(float(ys[i]), 6) for i in keep)


def _asked_anyway(values: Sequence[float]) -> bool:
    """Whether a close rival has the question asked back, wherever the line is."""
    found = dict(zip(NAMES, values, strict=True))
    return found["rivals"] > 0 and (found["score"] < CLEAR or abs(found["margin"]) < TIED)


def _answer_line(p: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """The lowest line where right answers (+1), wrong ones (-1) and questions asked back (-ASKING_COST) add up to most, but for one answer.

    Without that slack the line jumps between 0.2 and 0.5 with the code: the sums there differ by 0.4 in 2,724.
    """
    lines = np.arange(0.2, 0.9, 0.01)
    gains = np.array([float((2 * right[p >= line] - 1).sum() - ASKING_COST * (p < line).sum()) for line in lines])
    return round(float(lines[int(np.argmax(gains >= gains.max() - 1.0))]), 2)


def _ask_line(p: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """Below it a proposed reading is right less than one time in six, which is not worth asking back for."""
    for line in np.arange(0.4, 0.02, -0.01):
        below = p < line
        if below.any() and right[below].mean() < 1 / 6:
            return round(float(line), 2)
    return 0.02


def _exported(model: Any) -> tuple[tuple[Node, ...], ...]:
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        trees.append(
            tuple(
                (-1, round(float(n["value"]), 6), 0, 0)
                if n["is_leaf"]
                else (int(n["feature_idx"]), float(n["num_threshold"]), int(n["left"]), int(n["right"]))
                for n in nodes
            )
        )
    return tuple(trees)


def _baseline(model: Any) -> float:
    return float(np.ravel(model._baseline_prediction)[0])


def _arrays(examples: Sequence[Example]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[str]]:
    values = np.array([e.values for e in examples], dtype=float)
    return values, np.array([e.right for e in examples], dtype=float), [e.domain for e in examples]


def _auc(p: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, p)) if 0 < y.sum() < len(y) else float("nan")
