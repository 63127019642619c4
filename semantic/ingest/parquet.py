"""Parquet, read in pieces that fit into memory whatever a small file unpacks to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.errors import Invalid
from semantic.ingest.sniff import MAX_EXPANDED_BYTES, MAX_EXPANSION

BATCH_ROWS = 50_000
_NESTED_BATCH_ROWS = 1_000  # what lists and structures repeat cannot be looked at before it is unpacked
MAX_BATCH_TEXT_BYTES = 512 * 1024**2


def names(path: Path) -> tuple[str, ...]:
    """Raises: Invalid."""
    return tuple(_open(path).schema_arrow.names)


def batches(path: Path) -> Iterator[tuple[list[pa.Array], float]]:
    """Columns of some rows, and the share of the rows read with them.

    Raises: Invalid for a damaged file, and for one that unpacks to far more than it takes on disk: a text that is kept once and named by
    each of a million rows costs nothing there.
    """
    file = _open(path)
    declared = sum(file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups))
    if declared > min(MAX_EXPANDED_BYTES, max(path.stat().st_size * MAX_EXPANSION, 64 * 1024**2)):
        raise _bomb(path, declared)
    nested = any(pa.types.is_nested(kind) for kind in file.schema_arrow.types)
    total, done = max(file.metadata.num_rows, 1), 0
    try:
        for batch in file.iter_batches(batch_size=_NESTED_BATCH_ROWS if nested else BATCH_ROWS):
            text_bytes = sum(map(_unpacked_bytes, batch.columns))
            if text_bytes > MAX_BATCH_TEXT_BYTES:
                raise _bomb(path, text_bytes)
            done += batch.num_rows
            yield [_plain(column) for column in batch.columns], done / total
    except (pa.ArrowException, OSError) as error:
        raise Invalid(f"{path.name} is damaged after row {done:,}: {str(error)[:160]}.", code="bad_parquet") from error


def _open(path: Path) -> pq.ParquetFile:
    """Texts come as they lie there: each once, and which row has which."""
    try:
        with pq.ParquetFile(path) as found:
            texts = [field.name for field in found.schema_arrow if _is_text(field.type)]
        return pq.ParquetFile(path, read_dictionary=texts)
    except (pa.ArrowException, OSError) as error:
        raise Invalid(f"{path.name} is not a Parquet file that can be read: {str(error)[:160]}.", code="bad_parquet") from error


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _unpacked_bytes(column: pa.Array) -> int:
    """Of a column of texts, what its rows hold together."""
    if not pa.types.is_dictionary(column.type) or not len(column.dictionary):
        return 0
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _bomb(path: Path, size: int) -> Invalid:
    return Invalid(f"{path.name} expands to {size:,} bytes; that looks like a bomb and is refused.", code="too_large")


def _plain(column: pa.Array) -> pa.Array:
    """Dictionaries are unpacked, nested values become JSON text, large strings become strings; all else stays typed."""
    if pa.types.is_dictionary(column.type):
        return _plain(column.dictionary_decode())
    if pa.types.is_nested(column.type):
        return pa.array([None if v is None else json.dumps(v, default=str) for v in column.to_pylist()], pa.string())
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()], pa.string())
    return column
