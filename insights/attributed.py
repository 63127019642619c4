"""An explanation whose drivers are somebody else's contributions: told by the dimension in which they are the most uneven."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.timeseries import FloatArray
from insights.explaining import MAX_TOLD_DRIVERS, TELLING_SHARE
from insights.types import Fact, Score

if TYPE_CHECKING:
    from insights.study import Explained, Study

MAX_FACTS = 6  # of one dimension; smaller contributions are in the table of segments
_REPLACED = ("driver", "counter_driver", "remainder", "no_driver")


@dataclass(frozen=True, slots=True)
class SegmentSums:
    """A dimension's segments, which add up to the whole. before, after: (segments,)."""

    dimension: str
    segments: tuple[str, ...]
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True, slots=True)
class Attribution:
    """contributions: (segments,) in the metric's unit, which add up to the change of the whole; beyond: what of each its size does not say."""

    of: SegmentSums
    contributions: FloatArray
    beyond: FloatArray

    @property
    def unevenness(self) -> float:
        """0 when each segment contributes what its size says; many small segments are uneven by chance, which takes a little off."""
        moved = float(np.abs(self.contributions).sum())
        return float(np.abs(self.beyond).sum()) / moved / (1 + math.log(len(self.of.segments)) / 10) if moved else 0.0


def sums_of(study: Study) -> list[SegmentSums]:
    """Each dimension's segments; empty where they do not add up to the whole or nothing was asked by segments."""
    cube = study.cube
    if cube is None or study.kind != "amount" or cube.leaves.count == 0:
        return []
    found = []
    for cuboid in cube.leaves.cuboids(1):
        place = cuboid.dimensions[0]
        before, after = (
            np.bincount(cuboid.key, weights=column, minlength=cuboid.size).astype(np.float64) for column in (cube.before, cube.after)
        )
        found.append(SegmentSums(cube.leaves.dimensions[place], tuple(cube.leaves.labels[place]), before, after))
    return found


def attributed(study: Study, explained: Explained, parts: Sequence[Attribution]) -> Explained:
    """The same explanation with drivers by `parts` (at least one) in the place of those found by the search."""
    best = max(parts, key=lambda part: (part.unevenness, part.of.dimension))
    drivers = _facts(study, best)
    towards = [fact for fact in drivers if fact.kind == "driver"][:MAX_TOLD_DRIVERS]
    against = [fact for fact in drivers if fact.kind == "counter_driver"][:1]
    return replace(explained, facts=_with(explained.facts, drivers), told=_with(explained.told, [*towards, *against])[:7])


def explained_with(
    study: Study, explained: Explained, label: str, ask: Callable[[Sequence[SegmentSums]], tuple[Sequence[Attribution], str]]
) -> tuple[Explained, str, list[str]]:
    """By the model `label` where it can: the explanation, the model that spoke (empty: none did), and a note that says so.

    ask: gives the contributions, or why there are none.
    """
    sums = sums_of(study)
    if not sums or study.difference == 0:
        why = "it splits changes of amounts by segments, and there are none here."
    else:
        parts, why = ask(sums)
        if parts:
            return attributed(study, explained, parts), label, [f"What the segments contribute is said by model {label}."]
    return explained, "", [f"Model {label} did not explain this change: {why} Querent's own search did."]


def _facts(study: Study, part: Attribution) -> list[Fact]:
    """Those that contribute a tenth of the change or more beyond their size or against it, what stands out most first."""
    whole = study.difference
    order = np.argsort(-np.abs(part.beyond), kind="stable")
    found = []
    for row in order[:MAX_FACTS]:
        share = float(part.contributions[row]) / whole
        if abs(share) < TELLING_SHARE or abs(float(part.beyond[row])) < TELLING_SHARE * abs(whole):
            continue
        values = {
            "before": float(part.of.before[row]),
            "after": float(part.of.after[row]),
            "difference": float(part.contributions[row]),
            "share": share,
            "whole": whole,
            "unexpected": float(part.beyond[row]),
        }
        found.append(
            Fact(
                "driver" if share > 0 else "counter_driver",
                study.quantity,
                study.period,
                study.baseline,
                ((part.of.dimension, part.of.segments[row]),),
                values,
                impact=values["difference"],
                score=Score(min(1.0, abs(share)), 1.0),
                receipts=study.receipt("cube"),
            )
        )
    return found


def _with(facts: Sequence[Fact], drivers: Sequence[Fact]) -> tuple[Fact, ...]:
    """Drivers where the first of the search's stood, else after the change itself."""
    place = next((i for i, fact in enumerate(facts) if fact.kind in _REPLACED), 1)
    kept = [fact for fact in facts[place:] if fact.kind not in _REPLACED]
    return (*facts[:place], *drivers, *kept)
