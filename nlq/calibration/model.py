"""Evidence -> probability of being right. The learned model is a small JSON file of trees and a monotone curve; nothing is imported to use it."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import InternalError
from nlq.calibration.evidence import NAMES

SHIPPED = Path(__file__).with_name("confidence.json")
_LEAF = -1

Node = tuple[int, float, int, int]
"""(feature, threshold, left, right): left when the value is at most the threshold. Feature -1 is a leaf whose value is the threshold."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Boosted trees on log-odds, then a piecewise linear curve (knots ascending) to probabilities; `answer` and `ask` are thresholds on those."""

    baseline: float
    trees: tuple[tuple[Node, ...], ...]
    knots: tuple[float, ...]
    levels: tuple[float, ...]
    answer: float
    ask: float

    def raw(self, values: Sequence[float]) -> float:
        """Log-odds before the curve."""
        total = self.baseline
        for tree in self.trees:
            node = tree[0]
            while node[0] != _LEAF:
                node = tree[node[2] if values[node[0]] <= node[1] else node[3]]
            total += node[1]
        return total

    def probability(self, values: Sequence[float]) -> float:
        """0.01 .. 0.99, the share of readings with such evidence that are right. values: in the order of `evidence.NAMES`."""
        x = 1.0 / (1.0 + math.exp(-self.raw(values)))
        at = bisect_right(self.knots, x)
        if at == 0:
            found = self.levels[0]
        elif at == len(self.knots):
            found = self.levels[-1]
        else:
            x0, x1, y0, y1 = self.knots[at - 1], self.knots[at], self.levels[at - 1], self.levels[at]
            found = y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 > x0 else y1
        return round(max(0.01, min(0.99, found)), 4)

    def to_json(self) -> dict[str, Any]:
        return {
            "features": list(NAMES), "baseline": self.baseline, "trees": [[list(n) for n in t] for t in self.trees],
            "knots": list(self.knots), "levels": list(self.levels), "answer": self.answer, "ask": self.ask,
        }  # fmt: skip


def from_json(raw: dict[str, Any]) -> Calibrated:
    """Raises: InternalError for a model of other features than this version reads."""
    if raw.get("features") != list(NAMES):
        raise InternalError("The confidence model was trained on other features; rebuild it with `querent calibrate`.", code="stale_model")
    trees = tuple(tuple((int(f), float(t), int(a), int(b)) for f, t, a, b in tree) for tree in raw["trees"])
    return Calibrated(raw["baseline"], trees, tuple(raw["knots"]), tuple(raw["levels"]), raw["answer"], raw["ask"])


@lru_cache(maxsize=1)
def shipped() -> Calibrated:
    """The model that comes with this version."""
    return from_json(json.loads(SHIPPED.read_text(encoding="utf-8")))
