"""What loading takes and says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import pyarrow as pa

Progress = Callable[[str, float], None]


class Admin(Protocol):
    """The part of the warehouse's admin client that loading needs."""

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> None: ...

    def query_arrow(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table: ...

    def insert_arrow(self, database: str, table: str, data: pa.Table) -> int: ...


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """mode: replace swaps the whole table at the end, append adds to it. max_rejected_share: above it the load fails and changes nothing.

    names: file -> table name; without one the name comes from the file.
    """

    mode: Literal["replace", "append"] = "replace"
    max_rejected_share: float = 0.2
    names: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that was set aside. `line` is the line of the file (1 is the first), or the row for formats without lines."""

    line: int
    column: str | None
    reason: str
    row: str


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """How a column was read: `source` is its name in the file, `type` its ClickHouse type, `note` what was decided and why."""

    name: str
    source: str
    type: str
    nulls: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class TableReport:
    """`rejected` holds the first hundred; all of them are in the table `rejected_table` (None when there are none)."""

    source: str
    database: str
    table: str
    rows_loaded: int
    rows_rejected: int
    columns: tuple[ColumnReport, ...]
    rejected: tuple[Rejected, ...]
    rejected_table: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadReport:
    tables: tuple[TableReport, ...]

    @property
    def rows_loaded(self) -> int:
        return sum(t.rows_loaded for t in self.tables)

    @property
    def rows_rejected(self) -> int:
        return sum(t.rows_rejected for t in self.tables)
