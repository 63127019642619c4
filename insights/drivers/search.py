"""The segments that stand out most, by how much better the data are explained when they moved on their own.

A segment S with multiplier r says: every leaf in S is r times what was expected, every leaf outside is as expected. Its gain is the
log-likelihood of that over "all as expected", each leaf negative binomial with mean e and variance e + d e^2. The d e^2 part matters:
without it one huge leaf speaks for its whole parent; with it a parent needs most of its leaves to move, and a child whose siblings
are normal beats its parent. It takes the place of a penalty for longer combinations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from core.timeseries import FloatArray
from insights.drivers.leaves import Cuboid, Leaves, Mask, Segment

MAX_ORDER = 3
_UPWARD = np.exp(np.linspace(np.log(1.1), np.log(200.0), 24))  # finer and wider grids changed no ranking
_RISES = np.concatenate([[1.02, 1.05, 1.1, 1.17, 1.25, 1.37, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0], np.geomspace(6.0, 200.0, 6)])
_BOTH_WAYS = np.concatenate([1.0 / _RISES[::-1], _RISES])


@dataclass(frozen=True, slots=True)
class Moved:
    """(leaves,) each: what was observed, what was expected (> 0 where anything was), and the relative variance beyond chance."""

    observed: FloatArray
    expected: FloatArray
    dispersion: FloatArray


@dataclass(frozen=True, slots=True)
class Material:
    """A segment counts when what it has beyond expectation comes to at least `least`; unit: (leaves,) worth of one observed."""

    unit: FloatArray
    least: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """gain: natural log of the likelihood ratio. multiplier: of the expected, the likeliest on the grid. leaves: how many it covers."""

    segment: Segment
    gain: float
    multiplier: float
    observed: float
    expected: float
    leaves: int


@dataclass(frozen=True, slots=True)
class Found:
    """candidates: best first, at most one per set of leaves. tried: segments that could have counted, for multiplicity."""

    candidates: tuple[Candidate, ...]
    tried: int


def search(
    leaves: Leaves,
    moved: Moved,
    *,
    limit: int = 5,
    upward: bool = False,
    outside: Mask | None = None,
    material: Material | None = None,
) -> Found:
    """The best segments of up to three dimensions.

    upward: only segments above what was expected. outside: leaves that a segment may not touch. material: which segments count at all.
    """
    grid = _UPWARD if upward else _BOTH_WAYS
    gains = leaf_gains(moved, grid)
    best: list[tuple[float, int, tuple[int, ...], int, float]] = []
    tried = 0
    cuboids = list(leaves.cuboids(MAX_ORDER))
    for cuboid in cuboids:
        summed = _summed(cuboid, gains)
        top = summed.max(axis=1)
        present = np.bincount(cuboid.key, minlength=cuboid.size) > 0
        if outside is not None:
            present &= np.bincount(cuboid.key, weights=outside, minlength=cuboid.size) == 0
        if material is not None:
            held, beyond = _worth(cuboid, moved, material)
            present &= held >= material.least
            tried += int(present.sum())
            present &= np.abs(beyond) >= material.least
        else:
            tried += int(present.sum())
        top = np.where(present, top, -np.inf)
        # Equal sets of leaves recur in other cuboids, so a few more than `limit` are kept of each.
        order = np.argsort(-top, kind="stable")[: 2 * limit]
        best += [
            (float(top[s]), len(cuboid.dimensions), cuboid.dimensions, int(s), float(grid[summed[s].argmax()]))
            for s in order
            if top[s] > 0.0
        ]
    by_dimensions = {cuboid.dimensions: cuboid for cuboid in cuboids}
    # Of names for the same leaves the shortest, and of those the most specific: "marketplace" rather than its kind, "partner".
    best.sort(key=lambda item: (-round(item[0], 9), item[1], -by_dimensions[item[2]].size, item[2], item[3]))
    return Found(tuple(_distinct(leaves, moved, best, by_dimensions, limit)), tried)


def leaf_gains(moved: Moved, grid: FloatArray) -> FloatArray:
    """(leaves, grid) log-likelihood of each leaf under each multiplier, over that under 1. Source: negative binomial (NB2)."""
    expected = np.maximum(moved.expected, 1e-9)[:, None]
    spread = np.maximum(moved.dispersion, 1e-9)[:, None]
    observed = moved.observed[:, None]
    ratio = np.log(grid)[None, :]
    grown = np.log1p(spread * expected * grid[None, :]) - np.log1p(spread * expected)
    gains: FloatArray = observed * (ratio - grown) - grown / spread
    return gains


def _summed(cuboid: Cuboid, gains: FloatArray) -> FloatArray:
    """(segments, grid) sums of the leaves' gains, as a product with the matrix that says which leaf is in which segment."""
    count = len(cuboid.key)
    membership = sparse.csc_array((np.ones(count), cuboid.key, np.arange(count + 1)), shape=(cuboid.size, count))
    summed: FloatArray = np.asarray(membership @ gains, dtype=np.float64)
    return summed


def _worth(cuboid: Cuboid, moved: Moved, material: Material) -> tuple[FloatArray, FloatArray]:
    """(segments,) each: the larger of observed and expected, and observed beyond expected, in what they are worth."""
    observed: FloatArray = np.bincount(cuboid.key, weights=moved.observed * material.unit, minlength=cuboid.size).astype(np.float64)
    expected: FloatArray = np.bincount(cuboid.key, weights=moved.expected * material.unit, minlength=cuboid.size).astype(np.float64)
    return np.maximum(observed, expected), observed - expected


def _distinct(
    leaves: Leaves,
    moved: Moved,
    best: Iterable[tuple[float, int, tuple[int, ...], int, float]],
    cuboids: dict[tuple[int, ...], Cuboid],
    limit: int,
) -> Iterable[Candidate]:
    """The best, each set of leaves once: under its shortest name."""
    seen: set[bytes] = set()
    for gain, _, dimensions, place, multiplier in best:
        inside = cuboids[dimensions].key == place
        print_ = np.packbits(inside).tobytes()
        if print_ in seen:
            continue
        seen.add(print_)
        segment = leaves.segment_of(dimensions, int(np.flatnonzero(inside)[0]))
        yield Candidate(
            segment, gain, multiplier, float(moved.observed[inside].sum()), float(moved.expected[inside].sum()), int(inside.sum())
        )
        if len(seen) >= limit:
            return
