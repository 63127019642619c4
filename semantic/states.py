"""A type per state of a query on its way to the warehouse.

SemanticQuery -> ResolvedQuery (semantic/resolve) -> CompiledQuery (semantic/compile) -> GuardedQuery (guard, print, verify) -> ResultTable.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import pyarrow as pa
from sqlglot import exp

from core.ids import TenantId

ParamValue = str | int | float | bool | dt.date | dt.datetime | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]
_NO_SETTINGS: Mapping[str, str | int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Param:
    """A value bound on the server as `{name:type}`; `type` is a ClickHouse type such as String, Date, Float64, Array(String)."""

    type: str
    value: ParamValue


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """What a result column means. `role`: dimension, time, measure, change (of a measure), key. `source` is the catalog object's name.

    `unit` and `format` come from the catalog: `percent` of a fraction, `percent_points` already times 100, `currency:EUR`, ...
    `additive`: values of groups add up to the whole. `measure_index` points into query.metrics. `transform`: the kind of window that made it,
    such as share. `beside`: with what it compares, or of what it is the value, such as "previous week".
    """

    name: str
    label: str
    role: Literal["dimension", "time", "measure", "change", "key", "attribute"]
    source: str | None = None
    unit: str | None = None
    format: str | None = None
    grain: str | None = None
    measure_index: int | None = None
    good_direction: Literal["up", "down"] | None = None
    additive: bool = False
    transform: str | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class WindowUsed:
    """The time window in force: [start, end) in the calendar's zone, which time field, its label, whether the running period is inside."""

    label: str
    start: dt.datetime | None
    end: dt.datetime | None
    field: str
    includes_current: bool
    current_is_partial: bool = False


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """A sqlglot tree over *physical* table names `database.table`, not yet scoped to a tenant. Never executable."""

    tree: exp.Expression
    params: Mapping[str, Param]
    columns: tuple[OutputColumn, ...]
    windows: tuple[WindowUsed, ...] = ()
    datasets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_SEAL = object()


@dataclass(frozen=True, slots=True)
class GuardedQuery:
    """SQL that may run, for one tenant. Only semantic/verify.py makes one (it holds the seal)."""

    sql: str
    params: Mapping[str, Param]
    tenant: TenantId
    columns: tuple[OutputColumn, ...]
    settings: Mapping[str, str | int] = field(default_factory=lambda: _NO_SETTINGS)
    windows: tuple[WindowUsed, ...] = ()
    datasets: tuple[str, ...] = ()
    max_rows: int = 10_000
    notes: tuple[str, ...] = ()
    _seal: InitVar[object] = None

    def __post_init__(self, _seal: object) -> None:
        # Not kept: a copy with other SQL (dataclasses.replace) would carry the seal along.
        if _seal is not _SEAL:
            raise TypeError("GuardedQuery is made by semantic.verify only")


@dataclass(frozen=True, slots=True)
class QueryStats:
    query_id: str
    duration_s: float
    rows_read: int
    bytes_read: int
    cached: bool = False
    data_version: str = ""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """Rows as Arrow. `truncated` when the row cap cut it (known exactly: cap + 1 rows were asked for)."""

    table: pa.Table
    columns: tuple[OutputColumn, ...]
    stats: QueryStats
    truncated: bool = False

    def rows(self) -> list[list[Any]]:
        """Python rows in column order: Decimal, date, datetime, str, int, float, bool or None."""
        return (
            [list(row.values()) for row in self.table.to_pylist()]
            if len(set(self.table.column_names)) == self.table.num_columns
            else [list(row) for row in zip(*(column.to_pylist() for column in self.table.columns), strict=True)]
        )
