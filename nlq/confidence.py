"""A transparent score of a reading, from features that can be read off: link scores, guesses, what was left over.

It starts at 0.98 and each doubt takes its share. `nlq.calibration` turns it, with other evidence, into a probability of being right.
"""

from __future__ import annotations

from dataclasses import dataclass

from nlq.assign import Assignment
from nlq.composing.draft import Composed
from nlq.frame import Frame

# Readings this close in score are offered as choices when the best one's transparent score is not clear; closer than TIED always.
CLOSE = 0.03
CLEAR = 0.9
# A reading that rests on guesses of this cost is asked about: the made-up questions that confidence is learned from hold too few of them.
GUESSED = 0.4
TIED = 0.002
_START = 0.98


@dataclass(frozen=True, slots=True)
class Features:
    """What the score is made of."""

    guesses: float
    inexact: float
    unexplained: int
    unsure_values: float
    loose_verbs: int
    measures: int


def features(frame: Frame, assignment: Assignment, composed: Composed) -> Features:
    inexact = 0.0
    for mention in frame.mentions:
        target = assignment.target(mention)
        link = next((k for k in mention.links if k.target == target), None)
        if link is not None and mention.role not in ("context",):
            inexact += max(0.0, 0.95 - link.score)
    values = sum(max(0.0, 0.95 - v.score) for v in assignment.values.values())
    return Features(composed.penalty, inexact, len(composed.unexplained), values, frame.loose_verbs, len(composed.query.metrics))


def transparent_score(f: Features) -> float:
    """0.05 .. 0.98."""
    score = _START - f.guesses - 0.35 * min(f.inexact, 1.2) - 0.6 * min(f.unsure_values, 0.6) - 0.3 * f.unexplained
    score -= 0.02 * min(f.loose_verbs, 3) + (0.05 if f.measures > 5 else 0.0)
    return round(max(0.05, min(0.98, score)), 4)
