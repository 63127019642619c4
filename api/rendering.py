"""Values of the inner rooms as JSON for the edge."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from api import schemas
from nlq.chips import as_choice, paraphrase
from nlq.types import Chip, Reading, UnknownWord
from semantic.states import GuardedQuery, OutputColumn, Param, ResultTable, WindowUsed

_SAFE_INTEGER = 2**53


def cell(value: Any) -> schemas.Cell:
    """A JSON value without loss that matters: whole numbers past 2^53 and long decimals as text, NaN as null, dates as ISO text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value) if len(value.as_tuple().digits) <= 15 else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def rows(result: Sequence[Sequence[Any]]) -> list[list[schemas.Cell]]:
    return [[cell(value) for value in row] for row in result]


def column(source: OutputColumn) -> schemas.Column:
    return schemas.Column(
        name=source.name,
        label=source.label,
        role=source.role,
        unit=source.unit,
        format=source.format,
        grain=source.grain,
        source=source.source,
        good_direction=source.good_direction,
    )


def columns_of(result: ResultTable) -> list[schemas.Column]:
    """The result's columns; for SQL that a person wrote, which has no catalog meaning, by name and type alone."""
    if result.columns:
        return [column(c) for c in result.columns]
    return [
        schemas.Column(name=field.name, label=field.name, role="measure" if _is_numeric(field.type) else "attribute")
        for field in result.table.schema
    ]


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def chip(source: Chip) -> schemas.Chip:
    return schemas.Chip(
        kind=source.kind,
        label=source.label,
        path=source.path,
        start=source.span.start if source.span else None,
        end=source.span.end if source.span else None,
        source=source.source,
        alternatives=list(source.alternatives),
    )


def unknown(source: UnknownWord) -> schemas.Unknown:
    return schemas.Unknown(text=source.text, start=source.span.start, end=source.span.end, nearest=list(source.nearest))


def choice(index: int, reading: Reading) -> schemas.Choice:
    return schemas.Choice(
        index=index,
        label=reading.paraphrase if reading.paraphrase != paraphrase(reading.chips) else as_choice(reading.chips),
        chips=[chip(c) for c in reading.chips],
        confidence=round(reading.confidence, 3),
        query=reading.query.model_dump(mode="json", exclude_defaults=False),
    )


def window(source: WindowUsed) -> schemas.Window:
    return schemas.Window(
        label=source.label,
        start=source.start,
        end=source.end,
        field=source.field,
        includes_current=source.includes_current,
        current_is_partial=source.current_is_partial,
    )


def parameters(params: Mapping[str, Param], hidden: frozenset[str] = frozenset({"tenant"})) -> dict[str, Any]:
    return {name: _plain(param.value) for name, param in params.items() if name not in hidden}


def receipt(query: GuardedQuery, result: ResultTable, definitions: Sequence[schemas.Definition], catalog_version: int) -> schemas.Receipt:
    return schemas.Receipt(
        sql=query.sql,
        parameters=parameters(query.params),
        definitions=list(definitions),
        windows=[window(w) for w in query.windows],
        datasets=list(query.datasets),
        catalog_version=catalog_version,
        data_version=result.stats.data_version,
        query_id=result.stats.query_id,
        duration_ms=round(result.stats.duration_s * 1000, 2),
        rows_read=result.stats.rows_read,
        bytes_read=result.stats.bytes_read,
        cached=result.stats.cached,
        notes=list(query.notes),
    )


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else cell(value)
