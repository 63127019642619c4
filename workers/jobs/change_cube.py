"""One query over many dimensions, as leaves with their numbers before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.timeseries import FloatArray
from insights.drivers.leaves import Leaves, coded_leaves
from insights.explaining import Cube
from semantic.catalog.model import Catalog, DatasetKind
from semantic.expr import FieldRef
from semantic.states import ResultTable

NONE = "(none)"
MAX_LEAVES = 200_000
_UNKNOWN_VALUES = 50


def fitting(catalog: Catalog, fields: Sequence[FieldRef]) -> tuple[FieldRef, ...]:
    """The leading fields whose combinations stay in bounds. Fields of one dimension table have at most its rows together."""
    kept: list[FieldRef] = []
    for field in fields:
        if _combinations(catalog, [*kept, field]) <= MAX_LEAVES:
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
