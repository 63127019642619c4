"""The tables of a load in ClickHouse: staging, the swap, append, and the rows set aside."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from core.errors import Invalid
from core.ids import new_id
from semantic.ingest.types import Admin, Rejected

REJECTED_SUFFIX = "__rejected"
STAGING_MARK = "__load_"
_DECIMAL = re.compile(r"Decimal\((\d+), (\d+)\)")


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
        self._decimals: list[tuple[str, int, int]] = []  # columns that are not yet what the table has: name, precision, scale
        admin.execute(f"CREATE DATABASE IF NOT EXISTS {quoted(database)}")
        exists = self._exists(table)
        if append and exists:
            self._check_columns_fit()
            admin.execute(f"CREATE TABLE {self._name(self._staging)} AS {self._name(table)}")  # parts move between equal tables only
        else:
            columns_sql = ", ".join(f"{quoted(c.name)} {c.type}" for c in self._columns)
            admin.execute(f"CREATE TABLE {self._name(self._staging)} ({columns_sql}) ENGINE = MergeTree ORDER BY {order_by}")
        self._exists_already = exists

    @property
    def staging(self) -> str:
        """The table, in the same database, that is filled before anybody sees it."""
        return self._staging

    def insert(self, data: pa.Table) -> None:
        """Raises: Invalid for numbers that are too large for the table that is appended to."""
        for name, precision, scale in self._decimals:
            place = data.column_names.index(name)
            try:  # the engine itself would let them overflow
                values = data.column(place).cast(pa.decimal128(38, scale)).cast(pa.decimal128(precision, scale))
            except pa.ArrowInvalid as error:
                said = (
                    f"A value of {name} is too large for the table's Decimal({precision}, {scale}); replace the table instead of appending."
                )
                raise Invalid(said, code="schema_mismatch") from error
            data = data.set_column(place, name, values)
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

    def _check_columns_fit(self) -> None:
        known = column_types(self._admin, self._database, self._table)
        wanted = {c.name: c.type for c in self._columns}
        missing, extra = sorted(known.keys() - wanted.keys()), sorted(wanted.keys() - known.keys())
        other = [f"{n} is {wanted[n]}, the table has {known[n]}" for n in wanted if n in known and not fits(wanted[n], known[n])]
        for column in self._columns:
            place = _DECIMAL.fullmatch(_without_null(known.get(column.name, "")))
            if place and _without_null(column.type) != place[0]:
                self._decimals.append((column.name, int(place[1]), int(place[2])))
        if missing or extra or other:
            raise Invalid(
                f"The file does not fit the table {self._table!r}: missing {missing or 'nothing'}, extra {extra or 'nothing'}, other types: "
                f"{'; '.join(other) or 'none'}. Correct the file, or replace the table instead of appending.",
                code="schema_mismatch",
            )

    def _name(self, table: str) -> str:
        return f"{quoted(self._database)}.{quoted(table)}"


def fits(found: str, column: str) -> bool:
    """Whether every value of one ClickHouse type has its place in a column of another: none missing is fine where some may be, whole numbers
    are numbers.

    >>> fits("Int64", "Nullable(Int64)"), fits("Nullable(Int64)", "Int64"), fits("Int64", "Nullable(Float64)"), fits("Int64", "String")
    (True, False, True, False)
    >>> fits("Decimal(18, 1)", "Decimal(18, 2)"), fits("Decimal(18, 2)", "Decimal(18, 1)"), fits("Int64", "Decimal(18, 2)")
    (True, False, True)
    """
    value, place = _DECIMAL.fullmatch(_without_null(found)), _DECIMAL.fullmatch(_without_null(column))
    if _is_nullable(found) and not _is_nullable(column):
        return False
    if value and place:
        return int(value[2]) <= int(place[2])  # no digit is lost; whether there is room is seen when it is inserted
    same = _without_null(found) == _without_null(column)
    return same or (_without_null(found) == "Int64" and (place is not None or _without_null(column) == "Float64"))


def _is_nullable(name: str) -> bool:
    return name.startswith("Nullable(")


def _without_null(name: str) -> str:
    return name.removeprefix("Nullable(").removesuffix(")") if _is_nullable(name) else name


def column_types(admin: Admin, database: str, table: str) -> dict[str, str]:
    """ClickHouse's types by name, in order; empty for a table that is not there."""
    found = admin.query_arrow(
        "SELECT name, type FROM system.columns WHERE database = {d:String} AND table = {t:String} ORDER BY position",
        {"d": database, "t": table},
    )
    return dict(zip(found.column("name").to_pylist(), found.column("type").to_pylist(), strict=True))


def quoted(name: str) -> str:
    """A name in backticks. Raises: Invalid for quotes and control characters."""
    if not name or not name.isprintable() or any(c in "`\\'\"" for c in name):
        raise Invalid(f"{name[:60]!r} cannot name a table or column.", code="bad_name")
    return f"`{name}`"


def original_row(headers: Sequence[str], values: Sequence[object]) -> str:
    return json.dumps(dict(zip(headers, values, strict=True)), ensure_ascii=False, default=str)[:4_000]
