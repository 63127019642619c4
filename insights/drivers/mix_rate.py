"""A rate's change as an exact sum: segments' own rates moved, and the mix of segments moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray

REVERSED_SHARE = 0.95  # of the denominator: so much moved against the whole before it is called a reversal


@dataclass(frozen=True, slots=True)
class SegmentSplit:
    """rate_effect + mix_effect over all segments is the whole change. share: of the denominator. A rate is NaN without denominator."""

    name: str
    rate_before: float
    rate_after: float
    share_before: float
    share_after: float
    rate_effect: float
    mix_effect: float


@dataclass(frozen=True, slots=True)
class Split:
    """One dimension's split. reversal: nearly every segment's rate moved one way and the whole the other (Simpson)."""

    dimension: str
    before: float
    after: float
    rate_effect: float
    mix_effect: float
    segments: tuple[SegmentSplit, ...]
    reversal: bool

    @property
    def mix_weight(self) -> float:
        """How much of all that moved is mix: 0 only rates, 1 only mix."""
        moved = abs(self.rate_effect) + abs(self.mix_effect)
        return abs(self.mix_effect) / moved if moved else 0.0


def split_rate(
    dimension: str, names: Sequence[str], before: tuple[FloatArray, FloatArray], after: tuple[FloatArray, FloatArray]
) -> Split | None:
    """before, after: (numerators, denominators), each (segments,). None where a whole has no denominator.

    With w the share of the denominator, r the rate, R the whole rate and bars for the mean of before and after:
    R1 - R0 = sum w_bar (r1 - r0) + sum (w1 - w0) (r_bar - R_bar), exactly. A segment that is new or gone has no rate of its own on
    one side and moves the mix alone.
    """
    (top0, base0), (top1, base1) = before, after
    if base0.sum() <= 0 or base1.sum() <= 0:
        return None
    share0, share1 = base0 / base0.sum(), base1 / base1.sum()
    rate0 = np.divide(top0, base0, out=np.full(len(top0), np.nan), where=base0 > 0)
    rate1 = np.divide(top1, base1, out=np.full(len(top1), np.nan), where=base1 > 0)
    known0, known1 = np.where(np.isnan(rate0), rate1, rate0), np.where(np.isnan(rate1), rate0, rate1)
    known0, known1 = np.nan_to_num(known0), np.nan_to_num(known1)
    whole0, whole1 = float(top0.sum() / base0.sum()), float(top1.sum() / base1.sum())
    rate_effects = (share0 + share1) / 2.0 * (known1 - known0)
    mix_effects = (share1 - share0) * ((known0 + known1) / 2.0 - (whole0 + whole1) / 2.0)
    segments = tuple(
        SegmentSplit(name, *(float(column[i]) for column in (rate0, rate1, share0, share1, rate_effects, mix_effects)))
        for i, name in enumerate(names)
    )
    against = np.sign(known1 - known0) == -np.sign(whole1 - whole0)
    reversed_ = whole1 != whole0 and float((share1 * against).sum()) >= REVERSED_SHARE and int((share1 > 0).sum()) > 1
    return Split(dimension, whole0, whole1, float(rate_effects.sum()), float(mix_effects.sum()), segments, bool(reversed_))
