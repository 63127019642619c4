"""The Arrow tables of the contract. Names, types and order are fixed; times are bucket starts in UTC."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

CONTRACT = 1
_TIME = pa.field("time", pa.timestamp("ms", tz="UTC"), nullable=False)
_SERIES = pa.field("series_id", pa.string(), nullable=False)
_BOUNDS = ("lower_80", "upper_80", "lower_95", "upper_95")

HISTORY = pa.schema([_SERIES, _TIME, pa.field("value", pa.float64())])
"""Rows of one series follow each other in time, on a regular grid; a missing value is null."""

FUTURE = pa.schema([_SERIES, _TIME])
"""The buckets to forecast: those that follow the history of each series."""

FORECAST = pa.schema([_SERIES, _TIME, *(pa.field(name, pa.float64(), nullable=False) for name in ("mean", *_BOUNDS))])
"""One row per row of FUTURE, in the same order, all finite, lower_95 <= lower_80 <= mean <= upper_80 <= upper_95."""

SCORES = pa.schema([_SERIES, _TIME, *(pa.field(name, pa.float64()) for name in ("score", "expected", "lower", "upper"))])
"""One row per row of HISTORY, in the same order. score: higher is stranger, null while warming up; the rest may be null with it."""

PARTS = pa.schema([pa.field("part", pa.string(), nullable=False), pa.field("before", pa.float64()), pa.field("after", pa.float64())])
"""What a measure was made of in two periods; parts add up to the whole."""

CONTRIBUTIONS = pa.schema([pa.field("part", pa.string(), nullable=False), pa.field("contribution", pa.float64(), nullable=False)])
"""One row per row of PARTS, in the same order; the contributions add up to the change of the whole."""

INPUTS: Mapping[str, Mapping[str, pa.Schema]] = {
    "forecaster": {"history": HISTORY, "future": FUTURE},
    "detector": {"history": HISTORY},
    "explainer": {"parts": PARTS},
}
OUTPUTS: Mapping[str, pa.Schema] = {"forecaster": FORECAST, "detector": SCORES, "explainer": CONTRIBUTIONS}


def signature_of(kind: str) -> dict[str, object]:
    """What a card's `signature` must say for this kind: {"contract": 1, "inputs": {table: [columns]}, "output": [columns]}."""
    inputs = {name: list(schema.names) for name, schema in INPUTS[kind].items()}
    return {"contract": CONTRACT, "inputs": inputs, "output": list(OUTPUTS[kind].names)}


def check_schema(table: object, schema: pa.Schema, what: str) -> pa.Table:
    """The table, when it has exactly the columns of `schema`. Raises: ValueError that says what was expected and what was found."""
    if not isinstance(table, pa.Table):
        raise ValueError(f"{what}: a pyarrow.Table was expected; found {type(table).__name__}.")
    expected = [(field.name, str(field.type)) for field in schema]
    found = [(field.name, str(field.type)) for field in table.schema]
    if expected != found:
        raise ValueError(f"{what}: the columns {_shown(expected)} were expected; found {_shown(found)}.")
    for field in schema:
        if not field.nullable and table.column(field.name).null_count:
            raise ValueError(f"{what}: column {field.name!r} must not hold nulls; found {table.column(field.name).null_count}.")
    return table


def _shown(columns: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns[:20]) or "none"
