"""One query over many dimensions, as leaves with their numbers before and after."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.timeseries import FloatArray
from insights.drivers.leaves import Cuboid, Leaves, coded_leaves
from insights.study import Cube
from semantic.catalog.model import Catalog, DatasetKind
from semantic.expr import FieldRef
from semantic.states import ResultTable

NONE = "(none)"
MAX_LEAVES = 60_000
MOST_LEAVES = 250_000
ROWS_PER_LEAF = 500  # a table with so many rows for each of more leaves bears them
_UNKNOWN_VALUES = 50
SHARED = 0.05  # of the segments, by size
DEFINES = 0.01  # of the rows are neither none nor all: then the dimension is the rate by another name


def fitting(catalog: Catalog, fields: Sequence[FieldRef]) -> tuple[FieldRef, ...]:
    """The leading fields whose combinations stay in bounds. Fields of one dimension table have at most its rows together."""
    rows = max((catalog.dataset(field.dataset).row_count or 0 for field in fields), default=0)
    most = min(max(MAX_LEAVES, rows // ROWS_PER_LEAF), MOST_LEAVES)
    kept: list[FieldRef] = []
    for field in fields:
        if _combinations(catalog, [*kept, field]) <= most:
            kept.append(field)
    return tuple(kept)


def _combinations(catalog: Catalog, fields: Sequence[FieldRef]) -> float:
    by_source: dict[tuple[str, tuple[str, ...]], list[float]] = {}
    for ref in fields:
        field = catalog.field(ref)
        by_source.setdefault((ref.dataset, ref.via), []).append(float(field.cardinality or len(field.values) or _UNKNOWN_VALUES) + 1)
    total = 1.0
    for (name, _), sizes in by_source.items():
        dataset = catalog.dataset(name)
        product = math.prod(sizes)
        if dataset.kind is DatasetKind.DIMENSION:
            # Attributes of one thing mostly form a hierarchy: country says region.
            product = min(product, dataset.row_count or product, 4 * max(sizes))
        total *= product
    return total


def cube_of(result: ResultTable, dimensions: Sequence[str], base_label: str) -> Cube:
    """dimensions: labels, as many as the result has dimension columns. Measures: after and before, then the base's after and before."""
    keys = [i for i, column in enumerate(result.columns) if column.role in ("dimension", "key", "attribute")]
    measures = [i for i, column in enumerate(result.columns) if column.role == "measure"]
    labels: list[tuple[str, ...]] = []
    codes: list[Any] = []
    for place in keys:
        column = pc.fill_null(_text(result.table.column(place)), NONE).combine_chunks().dictionary_encode()
        labels.append(tuple(column.dictionary.to_pylist()))
        codes.append(column.indices.to_numpy(zero_copy_only=False).astype(np.int64))
    if not keys or result.table.num_rows == 0:
        return Cube(Leaves((), (), np.zeros((0, 0), dtype=np.int64)), np.zeros(0), np.zeros(0))
    leaves, row_leaf = coded_leaves(dimensions, labels, np.array(codes))
    columns = [np.bincount(row_leaf, weights=numbers(result.table.column(i)), minlength=leaves.count).astype(np.float64) for i in measures]
    if len(columns) >= 4:
        return Cube(leaves, columns[1], columns[0], columns[3], columns[2], base_label)
    return Cube(leaves, columns[1], columns[0])


def telling(cube: Cube) -> Cube:
    """The cube without dimensions that explain nothing, whatever moved.

    Of a rate, those that define it: of cancelled bookings by "is cancelled" every segment's rate is none or all. And those that share next to
    nothing between the two periods (the year, a day's weather): they only say which of the two it is.
    """
    if cube.leaves.count == 0:
        return cube
    kept = [c.dimensions[0] for c in cube.leaves.cuboids(1) if not _defines(cube, c) and not _only_says_when(cube, c)]
    if len(kept) == len(cube.leaves.dimensions):
        return cube
    if not kept:
        return Cube(Leaves((), (), np.zeros((0, 0), dtype=np.int64)), np.zeros(0), np.zeros(0))
    dimensions = [cube.leaves.dimensions[i] for i in kept]
    leaves, key = coded_leaves(dimensions, [cube.leaves.labels[i] for i in kept], cube.leaves.codes[kept])

    def summed(column: FloatArray) -> FloatArray:
        return np.bincount(key, weights=column, minlength=leaves.count).astype(np.float64)

    if cube.base_before is None or cube.base_after is None:
        return Cube(leaves, summed(cube.before), summed(cube.after))
    return Cube(leaves, summed(cube.before), summed(cube.after), summed(cube.base_before), summed(cube.base_after), cube.base_label)


def _defines(cube: Cube, cuboid: Cuboid) -> bool:
    if cube.base_before is None or cube.base_after is None:
        return False
    top, base = cube.before + cube.after, cube.base_before + cube.base_after
    if (top > base).any() or top.sum() <= 0:
        return False
    tops = np.bincount(cuboid.key, weights=top, minlength=cuboid.size)
    bases = np.bincount(cuboid.key, weights=base, minlength=cuboid.size)
    return bool(np.minimum(tops, bases - tops).sum() <= DEFINES * min(float(top.sum()), float((base - top).sum())))


def _only_says_when(cube: Cube, cuboid: Cuboid) -> bool:
    before, after = (
        (cube.before, cube.after) if cube.base_before is None or cube.base_after is None else (cube.base_before, cube.base_after)
    )
    if (before < 0).any() or (after < 0).any() or before.sum() <= 0 or after.sum() <= 0:
        return False
    shares = [np.bincount(cuboid.key, weights=column, minlength=cuboid.size) / column.sum() for column in (before, after)]
    return bool(np.minimum(*shares).sum() < SHARED)


def with_past(cube: Cube, result: ResultTable, first: dt.datetime, days: int) -> Cube:
    """The cube with its past: `result` has a day column, the same dimensions, and the top (and base) per day from `first` on.

    Days are added up to periods of `days` days; a leaf that is not in the cube is left out.
    """
    time = next(i for i, column in enumerate(result.columns) if column.role == "time")
    keys = [i for i, column in enumerate(result.columns) if column.role in ("dimension", "key", "attribute")]
    measures = [i for i, column in enumerate(result.columns) if column.role == "measure"]
    known = {
        tuple(labels[int(code)] for labels, code in zip(cube.leaves.labels, cube.leaves.codes[:, leaf], strict=True)): leaf
        for leaf in range(cube.leaves.count)
    }
    texts = [pc.fill_null(_text(result.table.column(i)), NONE).to_pylist() for i in keys]
    place = np.array([known.get(values, -1) for values in zip(*texts, strict=True)], dtype=np.int64)
    starts = result.table.column(time).to_pylist()
    step = np.array([(_date(start) - first.date()).days // days if start is not None else -1 for start in starts], dtype=np.int64)
    kept = (place >= 0) & (step >= 0)
    periods = int(step.max()) + 1 if kept.any() else 0
    at = step[kept] * cube.leaves.count + place[kept]
    summed = [
        np.bincount(at, weights=numbers(result.table.column(i))[kept], minlength=periods * cube.leaves.count)
        .reshape(periods, -1)
        .astype(np.float64)
        for i in measures
    ]
    return replace(cube, past=summed[0], base_past=summed[1] if len(summed) > 1 else None)


def _date(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def numbers(column: pa.ChunkedArray) -> FloatArray:
    """As floats; what is missing or not finite is 0, which is what a segment without rows adds."""
    values = pc.fill_null(column.cast(pa.float64(), safe=False), 0.0).to_numpy()
    return np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "true", "false")
    return column.cast(pa.string())
