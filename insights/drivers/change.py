"""Segments that moved on their own between two periods: of amounts that add up, and of rates.

Both are the same question. Expected is what a segment would have had, had it moved at the common pace: its own value before (amounts), or
its own rate before times its denominator now (rates, which leaves the mix out). How noisy segments are is read from the segments
themselves, since most of them did nothing special.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.errors import Invalid
from core.timeseries import FloatArray
from insights.drivers.incident import corrected_p
from insights.drivers.leaves import Leaves, Mask, Segment
from insights.drivers.search import Candidate, Found, Material, Moved, leaf_gains, search

DISPERSION = 0.05  # a segment drifts by about a fifth between two periods without a story
PRIOR_EVENTS = 2.0  # a segment never seen before is expected to be near nothing, not exactly nothing
CERTAIN_P = 0.01
MATERIAL = 0.01  # of the whole before: less is no story even where nothing else moved
LEAST_EXPECTED = 0.05  # events: a segment is never expected to be exactly nothing
SAME = 0.9  # two segments that share nine tenths of what they hold tell one story
MAX_CAUSES = 4
LOOKED_AT = 8  # candidates at a time, of which the first that is new and matters is told
_CHI2_MEDIAN = 0.4549  # of one degree of freedom


@dataclass(frozen=True, slots=True)
class Cause:
    """before, after: the segment's own (amounts, or numerators of a rate). unexpected: after less what the common pace gives, other causes told.

    base_before, base_after: denominators of a rate, 0 for amounts. p: corrected for all segments tried.
    """

    segment: Segment
    before: float
    after: float
    unexpected: float
    gain: float
    p: float
    base_before: float = 0.0
    base_after: float = 0.0

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Causes:
    """causes: strongest first; empty when nothing stands out. pace: what segments did that did nothing special (1: as before).

    noise: units that one independent event counts for. tried: segments looked at. best_p: of the best segment, told or not.
    """

    causes: tuple[Cause, ...]
    pace: float
    noise: float
    tried: int
    best_p: float


def amount_causes(leaves: Leaves, before: FloatArray, after: FloatArray, spread: FloatArray | None = None) -> Causes:
    """Segments whose amount moved unlike the rest. before, after: (leaves,) not negative, at least one above 0.

    spread: (leaves,) relative variance of a leaf's moves where the past tells it; without, noise is read from the leaves, of which there
    must then be dozens to find anything.

    Raises: Invalid for negative or missing numbers.
    """
    _check(leaves, before, after)
    return _causes(leaves, _Setting(before, before, after, None, None, spread))


def rate_causes(
    leaves: Leaves,
    before: tuple[FloatArray, FloatArray],
    after: tuple[FloatArray, FloatArray],
    spread: FloatArray | None = None,
) -> Causes:
    """Segments whose rate moved unlike the rest. before, after: numerators and denominators, each (leaves,), not negative.

    Raises: Invalid for negative or missing numbers.
    """
    _check(leaves, *before, *after)
    (top0, base0), (top1, base1) = before, after
    whole = top0.sum() / max(base0.sum(), 1e-12)
    typical = np.median(base0[base0 > 0]) if (base0 > 0).any() else 1.0
    rate = (top0 + whole * typical * 0.1) / (base0 + typical * 0.1)
    return _causes(leaves, _Setting(base1 * rate, top0, top1, base0, base1, spread))


@dataclass(frozen=True, slots=True)
class _Setting:
    """likely: what each leaf would have now at a pace of 1."""

    likely: FloatArray
    before: FloatArray
    after: FloatArray
    base_before: FloatArray | None
    base_after: FloatArray | None
    spread: FloatArray | None


def _causes(leaves: Leaves, setting: _Setting) -> Causes:
    if leaves.count == 0 or setting.likely.sum() <= 0:
        return Causes((), 1.0, 1.0, 0, 1.0)
    start = _likeliest(leaves, setting)
    moved, found = start.moved, start.found
    causes: list[Cause] = []
    told: list[Mask] = []
    best_p = corrected_p(found.candidates[0].gain, found.tried) if found.candidates else 1.0
    while len(causes) < MAX_CAUSES:
        chosen = _first_new(leaves, found.candidates, told, setting.after + setting.before)
        if chosen is None or corrected_p(chosen.gain, found.tried) >= CERTAIN_P:
            break
        inside = leaves.mask(chosen.segment)
        causes.append(_cause(setting, (start, moved), chosen, inside, found.tried))
        told.append(inside)
        factor = chosen.observed / max(chosen.expected, 1e-9)
        moved = replace(moved, expected=np.where(inside, np.maximum(moved.expected * factor, LEAST_EXPECTED), moved.expected))
        found = search(leaves, moved, limit=LOOKED_AT, material=start.material)
    return Causes(tuple(causes), start.pace, float(np.median(start.material.unit)), start.found.tried, best_p)


@dataclass(frozen=True, slots=True)
class _Start:
    pace: float
    material: Material
    moved: Moved
    found: Found


def _likeliest(leaves: Leaves, setting: _Setting) -> _Start:
    """The common pace, of the middle of the whole and of none at all, under which one segment on its own explains more."""
    middle = common_pace(leaves, setting.likely, setting.after)
    material = Material(_units(leaves, setting, middle), MATERIAL * max(float(setting.before.sum()), float(setting.likely.sum())))

    def started(pace: float) -> _Start:
        moved = _moved(setting, pace, material.unit)
        return _Start(pace, material, moved, search(leaves, moved, limit=LOOKED_AT, material=material))

    at_middle = started(middle)
    if abs(middle - 1.0) < 0.005:
        return at_middle
    still = started(1.0)
    # Where the middle of the whole fell to nothing, its pace has no logarithm; a thousandth stands for it.
    pace_gain = float(leaf_gains(still.moved, np.array([max(middle, 0.001)])).sum())
    gains = [start.found.candidates[0].gain if start.found.candidates else 0.0 for start in (still, at_middle)]
    return still if gains[0] > gains[1] + pace_gain else at_middle


def _units(leaves: Leaves, setting: _Setting, pace: float) -> FloatArray:
    """(leaves,) the amount that one independent event counts for."""
    if setting.spread is not None:
        # A known spread holds the chance as well: amounts are then counted in units so small that chance adds nothing.
        return np.full(leaves.count, max(float(setting.before.sum()), float(setting.after.sum()), 1e-12) / 1e6)
    return np.full(leaves.count, noise_unit(leaves, setting.likely * pace, setting.after))


def _moved(setting: _Setting, pace: float, unit: FloatArray) -> Moved:
    return Moved(
        observed=setting.after / unit,
        expected=np.maximum(setting.likely * pace / unit, LEAST_EXPECTED),
        dispersion=(DISPERSION if setting.spread is None else setting.spread) + 1.0 / (setting.before / unit + PRIOR_EVENTS),
    )


def _first_new(leaves: Leaves, candidates: tuple[Candidate, ...], told: list[Mask], weight: FloatArray) -> Candidate | None:
    """The best candidate that is not one already told under another name."""
    for candidate in candidates:
        inside = leaves.mask(candidate.segment)
        held = weight[inside].sum()
        if not any(weight[inside & other].sum() >= SAME * max(held, weight[other].sum()) for other in told):
            return candidate
    return None


def _cause(setting: _Setting, seen: tuple[_Start, Moved], chosen: Candidate, inside: Mask, tried: int) -> Cause:
    start, moved = seen
    bases = (setting.base_before, setting.base_after)
    return Cause(
        segment=chosen.segment,
        before=float(setting.before[inside].sum()),
        after=float(setting.after[inside].sum()),
        unexpected=float(((moved.observed - moved.expected) * start.material.unit)[inside].sum()),
        gain=chosen.gain,
        p=corrected_p(chosen.gain, tried),
        base_before=float(bases[0][inside].sum()) if bases[0] is not None else 0.0,
        base_after=float(bases[1][inside].sum()) if bases[1] is not None else 0.0,
    )


def common_pace(leaves: Leaves, likely: FloatArray, after: FloatArray) -> float:
    """The pace of the middle of the whole: per dimension the weighted median of its segments' paces, and of those the median."""
    paces: list[float] = []
    for cuboid in leaves.cuboids(1):
        was: FloatArray = np.bincount(cuboid.key, weights=likely, minlength=cuboid.size).astype(np.float64)
        now: FloatArray = np.bincount(cuboid.key, weights=after, minlength=cuboid.size).astype(np.float64)
        kept = was > 0
        if kept.sum() >= 3:  # of two, the median is only the bigger one
            paces.append(_weighted_median(now[kept] / was[kept], was[kept]))
    return float(np.median(paces)) if paces else float(after.sum() / max(likely.sum(), 1e-12))


def noise_unit(leaves: Leaves, expected: FloatArray, after: FloatArray) -> float:
    """Units per independent event: the median squared deviation of segments of one or two dimensions over what chance gives (variance = unit x mean).

    Both periods are noisy, so that chance gives twice the mean. Segments' own drift counts in, which errs towards finding less.
    """
    found: list[float] = []
    for cuboid in leaves.cuboids(2):
        mean = np.bincount(cuboid.key, weights=expected, minlength=cuboid.size)
        now = np.bincount(cuboid.key, weights=after, minlength=cuboid.size)
        kept = mean > 0
        if kept.sum() >= 6:
            found.append(float(np.median((now[kept] - mean[kept]) ** 2 / mean[kept])) / (2.0 * _CHI2_MEDIAN))
    total = max(float(expected.sum()), float(after.sum()), 1e-12)
    return max(float(np.median(found)) if found else total / 1000.0, total / 1e6, 1e-12)


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2.0)])


def _check(leaves: Leaves, *columns: FloatArray) -> None:
    for column in columns:
        if column.shape != (leaves.count,) or not np.isfinite(column).all() or (column < 0).any():
            raise Invalid(
                f"Each column must hold {leaves.count} finite numbers of at least 0; found shape {column.shape}"
                f"{' with a negative or missing one' if column.size else ''}.",
                code="bad_leaves",
            )
