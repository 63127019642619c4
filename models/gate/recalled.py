"""What was planted and how much of it each found: for models whose truth nobody knows, detectors and explainers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from models.gate.verdict import P_VALUE, Criterion, frugal, paired_p

ROUNDS = 8
MARGIN = 0.02
Fold = tuple[float, float, float]
"""The share found by candidate, champion, naive."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """of: what was planted. by_fold: per round the shares found; recall, champion_recall, naive_recall: their means."""

    of: Literal["events", "drivers"]
    metric: str
    grain: str
    champion: str
    by_fold: tuple[Fold, ...]
    recall: float
    champion_recall: float
    naive_recall: float
    seconds_per_series: float
    peak_bytes: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Words:
    """Of the gate. measure: what is compared; naive: what anybody would do. per: what one run of the model is for."""

    name: str
    measure: str
    naive: str
    per: str


WORDS = {
    "events": Words("Finds more than who serves now", "of the events, at 1% false alarms,", "Finds more than comparing with last season", "series"),
    "drivers": Words(
        "Names more drivers first than who serves now", "of the planted drivers", "Names more first than plain differences", "dimension"
    ),
}  # fmt: skip


def recalled(
    of: Literal["events", "drivers"], about: tuple[str, str, str], by_fold: Sequence[Fold], seconds: float, peak_bytes: int
) -> Recalled:
    """about: metric, grain, who serves now. seconds: of one call for one series or dimension."""
    means = np.mean(np.array(by_fold), axis=0)
    return Recalled(of, *about, tuple(by_fold), float(means[0]), float(means[1]), float(means[2]), seconds, peak_bytes)


def judge(found: Recalled) -> list[Criterion]:
    """The gate for them."""
    words = WORDS[found.of]
    p = paired_p([ours - theirs for ours, theirs, _ in found.by_fold])
    return [
        Criterion(
            words.name,
            found.recall - found.champion_recall >= MARGIN,
            f"at least {MARGIN:.0%} more {words.measure} than {found.champion}",
            f"{found.recall:.0%} against {found.champion_recall:.0%}",
        ),
        Criterion("More by more than chance", p <= P_VALUE, f"p <= {P_VALUE:g} in a paired test over {ROUNDS} rounds", f"p = {p:.3f}"),
        Criterion(words.naive, found.recall > found.naive_recall, f"more than {found.naive_recall:.0%}", f"{found.recall:.0%}"),
        *frugal(found.seconds_per_series, found.peak_bytes, words.per),
    ]
