"""The tables of a load in ClickHouse: staging, the swap, append, and the rows set aside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from core.errors import Invalid
from core.ids import new_id
from semantic.ingest.types import Admin, Rejected

REJECTED_SUFFIX = "__rejected"
STAGING_MARK = "__load_"


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    name: str
    type: str


class Target:
    """One table being loaded. `finish` makes it visible at once; `abandon` leaves no trace."""

    def __init__(self, admin: Admin, database: str, table: str, columns: Sequence[ColumnPlan], order_by: str, *, append: bool) -> None:
        self._admin, self._database, self._table = admin, database, table
        self._columns, self._append = tuple(columns), append
        self._staging = f"{table}{STAGING_MARK}{new_id('t')[-10:]}"
        self._rejects: list[Rejected] = []
        admin.execute(f"CREATE DATABASE IF NOT EXISTS {quoted(database)}")
        exists = self._exists(table)
        if append and exists:
            self._check_same_columns()
        columns_sql = ", ".join(f"{quoted(c.name)} {c.type}" for c in self._columns)
        admin.execute(f"CREATE TABLE {self._name(self._staging)} ({columns_sql}) ENGINE = MergeTree ORDER BY {order_by}")
        self._exists_already = exists

    @property
    def staging(self) -> str:
        """The table, in the same database, that is filled before anybody sees it."""
        return self._staging

    def insert(self, data: pa.Table) -> None:
        if data.num_rows:
            self._admin.insert_arrow(self._database, self._staging, data)

    def set_aside(self, rejected: Sequence[Rejected]) -> None:
        self._rejects.extend(rejected)

    def finish(self) -> str | None:
        """Swaps or appends; the name of the table of rejected rows, or None."""
        if not self._exists_already:
            self._admin.execute(f"RENAME TABLE {self._name(self._staging)} TO {self._name(self._table)}")
        elif self._append:
            # Moving whole parts is atomic per partition, and these tables have one.
            self._admin.execute(f"ALTER TABLE {self._name(self._table)} ATTACH PARTITION tuple() FROM {self._name(self._staging)}")
            self._admin.execute(f"DROP TABLE {self._name(self._staging)}")
        else:
            self._admin.execute(f"EXCHANGE TABLES {self._name(self._staging)} AND {self._name(self._table)}")
            self._admin.execute(f"DROP TABLE {self._name(self._staging)}")
        return self._write_rejects()

    def abandon(self) -> None:
        self._admin.execute(f"DROP TABLE IF EXISTS {self._name(self._staging)}")

    def _write_rejects(self) -> str | None:
        name = self._table + REJECTED_SUFFIX
        if not self._append:
            self._admin.execute(f"DROP TABLE IF EXISTS {self._name(name)}")
        if not self._rejects:
            return None
        self._admin.execute(
            f"CREATE TABLE IF NOT EXISTS {self._name(name)} (line UInt64, column_name Nullable(String), reason String, original String) "
            "ENGINE = MergeTree ORDER BY line"
        )
        data = pa.table({
            "line": pa.array([r.line for r in self._rejects], pa.uint64()),
            "column_name": pa.array([r.column for r in self._rejects], pa.string()),
            "reason": pa.array([r.reason for r in self._rejects], pa.string()),
            "original": pa.array([r.row for r in self._rejects], pa.string()),
        })  # fmt: skip
        self._admin.insert_arrow(self._database, name, data)
        return name

    def _exists(self, table: str) -> bool:
        found = self._admin.query_arrow(
            "SELECT count() AS n FROM system.tables WHERE database = {d:String} AND name = {t:String}", {"d": self._database, "t": table}
        )
        return bool(found.column("n")[0].as_py())

    def _check_same_columns(self) -> None:
        found = self._admin.query_arrow(
            "SELECT name, type FROM system.columns WHERE database = {d:String} AND table = {t:String} ORDER BY position",
            {"d": self._database, "t": self._table},
        )
        known = dict(zip(found.column("name").to_pylist(), found.column("type").to_pylist(), strict=True))
        wanted = {c.name: c.type for c in self._columns}
        if known != wanted:
            missing, extra = sorted(known.keys() - wanted.keys()), sorted(wanted.keys() - known.keys())
            other = [f"{n} is {wanted[n]}, the table has {known[n]}" for n in wanted if n in known and wanted[n] != known[n]]
            raise Invalid(
                f"The file does not fit the table {self._table!r}: missing {missing or 'nothing'}, extra {extra or 'nothing'}, other types: "
                f"{'; '.join(other) or 'none'}. Correct the file, or replace the table instead of appending.",
                code="schema_mismatch",
            )

    def _name(self, table: str) -> str:
        return f"{quoted(self._database)}.{quoted(table)}"


def quoted(name: str) -> str:
    """A name in backticks. Raises: Invalid for quotes and control characters."""
    if not name or not name.isprintable() or any(c in "`\\'\"" for c in name):
        raise Invalid(f"{name[:60]!r} cannot name a table or column.", code="bad_name")
    return f"`{name}`"


def original_row(headers: Sequence[str], values: Sequence[object]) -> str:
    return json.dumps(dict(zip(headers, values, strict=True)), ensure_ascii=False, default=str)[:4_000]
