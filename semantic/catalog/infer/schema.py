"""What a database declares about itself: tables, columns, types, comments, keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.errors import Invalid
from semantic.catalog.infer.types import ParsedType, parse_type

Execute = Callable[[str], pa.Table]


@dataclass(frozen=True, slots=True)
class PhysicalColumn:
    """`type` is the ClickHouse type as text. `sorting` says the column is in the table's sorting key (not unique in ClickHouse)."""

    name: str
    type: str
    comment: str = ""
    sorting: bool = False

    @property
    def parsed(self) -> ParsedType:
        return parse_type(self.type)


@dataclass(frozen=True, slots=True)
class TableForeignKey:
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhysicalTable:
    name: str
    columns: tuple[PhysicalColumn, ...]
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[TableForeignKey, ...] = ()
    row_count: int | None = None
    engine: str = ""

    def has_column(self, name: str) -> bool:
        return any(c.name == name for c in self.columns)


@dataclass(frozen=True, slots=True)
class PhysicalSchema:
    """The tables of one ClickHouse database. Declared keys are those of the source; ClickHouse itself has none."""

    database: str
    tables: tuple[PhysicalTable, ...]


def schema_from_json(source: Path | str | Mapping[str, Any], database: str) -> PhysicalSchema:
    """The schema in a `schema.json`: {"tables": [{name, columns: [{name, type, comment}], primary_key, foreign_keys, comment}]}.

    `source` is a path, the JSON text, or the parsed object. Raises: Invalid, naming the place that is wrong.
    """
    raw: Any = source
    where = "schema"
    try:
        if isinstance(raw, Path):
            where, raw = str(raw), json.loads(raw.read_text(encoding="utf-8"))
        elif isinstance(raw, str):
            raw = json.loads(raw)
    except ValueError as error:
        raise Invalid(f"{where}: expected JSON; {error}.", code="bad_schema") from error
    try:
        return PhysicalSchema(database, tuple(_table(t, i) for i, t in enumerate(raw["tables"])))
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            f"{where}: expected an object with `tables`, each with `name` and `columns` of `name` and `type`; problem at {error}.",
            code="bad_schema",
        ) from error


def _table(raw: Mapping[str, Any], index: int) -> PhysicalTable:
    columns = tuple(PhysicalColumn(str(c["name"]), str(c["type"]), str(c.get("comment") or "")) for c in raw["columns"])
    names = {c.name for c in columns}
    keys = tuple(str(k) for k in raw.get("primary_key") or ())
    foreign = tuple(
        TableForeignKey(tuple(k["columns"]), str(k["ref_table"]), tuple(k["ref_columns"])) for k in raw.get("foreign_keys") or ()
    )
    for column in (*keys, *(c for k in foreign for c in k.columns)):
        if column not in names:
            raise Invalid(
                f"/tables/{index} ({raw['name']}): a key names column {column!r}, which the table does not have.",
                code="bad_schema",
                suggestions=sorted(names)[:10],
            )
    return PhysicalTable(str(raw["name"]), columns, str(raw.get("comment") or ""), keys, foreign, raw.get("row_count"))


def schema_from_clickhouse(execute: Execute, database: str, *, exclude: tuple[str, ...] = ()) -> PhysicalSchema:
    """The schema as ClickHouse's system tables tell it. `execute` is trusted (it reads system tables).

    Views are included; tables whose name starts with `_` or `.`, or is in `exclude`, are not.
    """
    name = _quote(database)
    tables = execute(
        f"SELECT name, comment, engine, total_rows FROM system.tables WHERE database = {name} AND NOT is_temporary ORDER BY name"
    ).to_pylist()
    columns = execute(
        "SELECT table, name, type, comment, is_in_sorting_key AS sorting, default_kind FROM system.columns "
        f"WHERE database = {name} ORDER BY table, position"
    ).to_pylist()
    by_table: dict[str, list[PhysicalColumn]] = {}
    for c in columns:
        if text(c["default_kind"]) in ("EPHEMERAL",):
            continue
        column = PhysicalColumn(text(c["name"]), text(c["type"]), text(c["comment"]), bool(c["sorting"]))
        by_table.setdefault(text(c["table"]), []).append(column)
    return PhysicalSchema(
        database,
        tuple(
            PhysicalTable(
                text(t["name"]),
                tuple(by_table.get(text(t["name"]), ())),
                text(t["comment"]),
                row_count=None if t["total_rows"] is None else int(t["total_rows"]),
                engine=text(t["engine"]),
            )
            for t in tables
            if not text(t["name"]).startswith(("_", ".")) and text(t["name"]) not in exclude and by_table.get(text(t["name"]))
        ),
    )


def text(value: object) -> str:
    """Arrow text as str, whether the client returned strings or bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else "" if value is None else str(value)


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
