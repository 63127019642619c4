"""The finest segments that were measured, and how they add up to coarser ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from core.errors import Invalid

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Segment:
    """dimension -> value pairs, in the order of the leaves' dimensions."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def order(self) -> int:
        return len(self.pairs)

    @property
    def name(self) -> str:
        return " / ".join(value for _, value in self.pairs)

    def as_dict(self) -> dict[str, str]:
        return dict(self.pairs)


@dataclass(frozen=True, slots=True)
class Cuboid:
    """All segments over one set of dimensions. key: (leaves,) which of `size` segments a leaf is in."""

    dimensions: tuple[int, ...]
    key: Codes
    size: int


@dataclass(frozen=True, slots=True)
class Leaves:
    """dimensions: names. labels: per dimension the value of each code. codes: (dimensions, leaves), each column once."""

    dimensions: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codes: Codes

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or not len(self.dimensions) == len(self.labels) == self.codes.shape[0]:
            raise Invalid(
                f"Leaves need one row of codes and one tuple of labels per dimension; found {len(self.dimensions)} dimensions, "
                f"{len(self.labels)} tuples of labels and codes of shape {self.codes.shape}.",
                code="bad_leaves",
            )

    @property
    def count(self) -> int:
        return int(self.codes.shape[1])

    def cuboids(self, max_order: int) -> Iterator[Cuboid]:
        """Every set of 1 to `max_order` dimensions, small sets first. Dimensions with one value are passed over: they tell nothing."""
        telling = [i for i, labels in enumerate(self.labels) if len(labels) > 1]
        for order in range(1, min(max_order, len(telling)) + 1):
            for dimensions in combinations(telling, order):
                yield self._cuboid(dimensions)

    def segment_of(self, dimensions: tuple[int, ...], leaf: int) -> Segment:
        """The segment over `dimensions` that this leaf is in."""
        return Segment(tuple((self.dimensions[d], self.labels[d][int(self.codes[d, leaf])]) for d in dimensions))

    def mask(self, segment: Segment) -> Mask:
        """(leaves,) which leaves are in the segment."""
        inside = np.ones(self.count, dtype=bool)
        for dimension, value in segment.pairs:
            place = self.dimensions.index(dimension)
            inside &= self.codes[place] == self.labels[place].index(value)
        return inside

    def _cuboid(self, dimensions: tuple[int, ...]) -> Cuboid:
        key = self.codes[dimensions[0]]
        size = len(self.labels[dimensions[0]])
        for place in dimensions[1:]:
            key = key * len(self.labels[place]) + self.codes[place]
            size *= len(self.labels[place])
            if size > 4 * self.count:  # most combinations are empty: number those that occur
                found, key = np.unique(key, return_inverse=True)
                size = len(found)
        return Cuboid(dimensions, key, size)


def leaves_of(dimensions: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[Leaves, Codes]:
    """Leaves from rows (one text column per dimension), and for each row the leaf that it belongs to. Equal rows share a leaf."""
    if not columns or not len(columns[0]):
        return Leaves(tuple(dimensions), tuple(() for _ in dimensions), np.zeros((len(dimensions), 0), dtype=np.int64)), np.zeros(
            0, np.int64
        )
    labels: list[tuple[str, ...]] = []
    coded: list[Codes] = []
    for column in columns:
        known = {value: code for code, value in enumerate(sorted(set(column)))}
        labels.append(tuple(known))
        coded.append(np.fromiter((known[value] for value in column), dtype=np.int64, count=len(column)))
    return coded_leaves(dimensions, labels, np.array(coded))


def coded_leaves(dimensions: Sequence[str], labels: Sequence[Sequence[str]], codes: Codes) -> tuple[Leaves, Codes]:
    """As leaves_of, from codes (dimensions, rows) into `labels`."""
    key = codes[0].astype(np.int64)
    for place in range(1, len(codes)):
        key = key * len(labels[place]) + codes[place]
        if place + 1 < len(codes):
            _, key = np.unique(key, return_inverse=True)
    _, first, row_leaf = np.unique(key, return_index=True, return_inverse=True)
    return Leaves(tuple(dimensions), tuple(map(tuple, labels)), codes[:, first].astype(np.int64)), row_leaf.astype(np.int64)
