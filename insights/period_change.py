"""A metric's change from one period to another, and the segments that account for it: facts, without words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_DRIVERS = 6
MIN_SHARE = 0.05  # a segment below a twentieth of the change is not worth a line
STANDS_OUT = 0.25  # a dimension whose segments moved alike (less than a quarter of the change is uneven) explains nothing


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """A segment's value before and after; 0 where it had no rows."""

    segment: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Driver:
    """share: of the whole change (may be negative or above 1); unexpected: beyond what moving like the whole would have given."""

    segment: str
    before: float
    after: float
    difference: float
    share: float
    unexpected: float


@dataclass(frozen=True, slots=True)
class DimensionChange:
    """`unevenness`: 0 when all segments moved alike; 1 when everything that moved did so against the common pace.

    drivers: towards the change, the largest first. detractors: against it.
    """

    dimension: str
    unevenness: float
    drivers: tuple[Driver, ...]
    detractors: tuple[Driver, ...]
    segments: int

    @property
    def stands_out(self) -> bool:
        return self.unevenness >= STANDS_OUT and bool(self.drivers)


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """dimensions: the most telling first. A share is NaN when nothing changed."""

    before: float
    after: float
    difference: float
    relative: float
    dimensions: tuple[DimensionChange, ...]


def period_change(before: float, after: float, by_dimension: Mapping[str, Sequence[SegmentChange]]) -> PeriodChange:
    """The change of an additive metric and what accounts for it in each dimension.

    Segments of one dimension add up to the whole. A dimension ranks by how unevenly its segments moved, taken down by a little for each
    segment more, since many small segments are uneven by chance: unevenness / (1 + ln(segments) / 10).
    """
    difference = after - before
    pace = after / before if before else math.nan
    changes = [_dimension(name, segments, difference, pace) for name, segments in by_dimension.items() if len(segments) > 1]
    ranked = sorted(changes, key=lambda change: (-change.unevenness / (1 + math.log(change.segments) / 10), change.dimension))
    return PeriodChange(before, after, difference, difference / abs(before) if before else math.nan, tuple(ranked))


def _dimension(name: str, segments: Sequence[SegmentChange], difference: float, pace: float) -> DimensionChange:
    drivers = [_driver(segment, difference, pace) for segment in segments]
    moved = sum(abs(d.difference) for d in drivers)
    uneven = sum(abs(d.unexpected) for d in drivers)
    towards = [d for d in drivers if math.isfinite(d.share) and d.share >= MIN_SHARE]
    against = [d for d in drivers if math.isfinite(d.share) and d.share <= -MIN_SHARE]
    return DimensionChange(
        dimension=name,
        unevenness=min(uneven / moved, 1.0) if moved else 0.0,
        drivers=tuple(sorted(towards, key=lambda d: (-d.share, d.segment))[:MAX_DRIVERS]),
        detractors=tuple(sorted(against, key=lambda d: (d.share, d.segment))[:MAX_DRIVERS]),
        segments=len(segments),
    )


def _driver(segment: SegmentChange, difference: float, pace: float) -> Driver:
    expected = segment.before * pace if math.isfinite(pace) else 0.0
    return Driver(
        segment=segment.segment,
        before=segment.before,
        after=segment.after,
        difference=segment.difference,
        share=segment.difference / difference if difference else math.nan,
        unexpected=segment.after - expected,
    )
