"""A made-up business in a real engine: tables created, rows inserted, the catalog inferred as a customer's would be."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.ids import TenantId, UserId, tenant_database
from core.principal import Principal, Role
from nlq.calibration.worlds import Column, Table, World
from semantic.catalog.infer import SqlProbe, infer_catalog
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalSchema, PhysicalTable, schema_from_clickhouse
from semantic.catalog.model import Catalog
from semantic.limits import MEANING_SETTINGS
from semantic.states import GuardedQuery
from semantic.values.build import build_value_index
from semantic.values.index import ValueIndex
from semantic.warehouse.engine import Engine
from semantic.warehouse.parameters import render

_TYPES = {
    "money": "Nullable(Float64)", "rate": "Nullable(Float64)", "number": "Nullable(Int32)", "category": "Nullable(String)", "flag": "Bool",
    "date": "Date", "name": "String",
}  # fmt: skip
_SETTINGS = ", ".join(
    f"{k} = {v}"
    for k, v in {
        **MEANING_SETTINGS,
        "output_format_json_quote_64bit_integers": 0,
        "output_format_json_quote_decimals": 0,
        "output_format_json_quote_denormals": 1,
        "max_threads": 1,
    }.items()
)


@dataclass(frozen=True, slots=True)
class Inferred:
    """Tables in the engine with the catalog that was inferred from them."""

    tenant: TenantId
    principal: Principal
    catalog: Catalog
    values: ValueIndex


@dataclass(frozen=True, slots=True)
class Loaded:
    world: World
    tenant: TenantId
    principal: Principal
    catalog: Catalog
    values: ValueIndex


class Workshop:
    """One engine in this process and what is loaded in it. Close it when done: a process may have one at a time."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="calibration-", ignore_cleanup_errors=True)
        self._engine = Engine(Path(self._folder.name) / "engine")
        self._session = self._engine.session()
        self._count = 0

    def load(self, world: World) -> Loaded:
        self._count += 1
        tenant = TenantId(f"w{self._count}")
        database = tenant_database(tenant)
        self._session.query(f"CREATE DATABASE `{database}`")
        tables = tuple(self._create(world, table, database) for table in world.tables)
        found = self._inferred(tenant, PhysicalSchema(database, tables))
        return Loaded(world, tenant, found.principal, found.catalog, found.values)

    def made(self, tenant: TenantId, tables: Sequence[str]) -> Inferred:
        """The tables that CREATE TABLE statements make, in a database of their own that is then the current one."""
        database = tenant_database(tenant)
        for statement in (f"CREATE DATABASE `{database}`", f"USE `{database}`", *tables):
            self._session.query(statement)
        return self._inferred(tenant, schema_from_clickhouse(self.arrow, database))

    def _inferred(self, tenant: TenantId, schema: PhysicalSchema) -> Inferred:
        catalog = infer_catalog(schema, SqlProbe(self.arrow, schema.database)).catalog
        principal = Principal(tenant, UserId("calibration"), frozenset({Role.DATA_SCIENTIST}))
        return Inferred(tenant, principal, catalog, build_value_index(catalog, self.arrow, tenant))

    def forget(self, loaded: Loaded | Inferred) -> None:
        self._session.query(f"DROP DATABASE `{tenant_database(loaded.tenant)}`")

    def arrow(self, sql: str) -> pa.Table:
        data = self._session.query(sql, "ArrowStream").body
        return pa.ipc.open_stream(data).read_all() if data else pa.table({})

    def rows(self, sql: str, params: Mapping[str, str] | None = None) -> list[list[Any]]:
        """Rows as JSON values. Raises: EngineError."""
        body = self._session.query(f"{sql} SETTINGS {_SETTINGS}", "JSONCompactEachRow", params).body
        return [json.loads(line) for line in body.decode("utf-8", "replace").splitlines() if line]

    def guarded(self, query: GuardedQuery) -> list[list[Any]]:
        return self.rows(query.sql, {name: _bound(value) for name, value in render(query.params).items()})

    def close(self) -> None:
        self._session.close()
        self._engine.close()
        self._folder.cleanup()

    def _create(self, world: World, table: Table, database: str) -> PhysicalTable:
        columns = [PhysicalColumn(table.key, "Int64"), *(PhysicalColumn(key, "Int64") for _, key in table.refs)]
        columns += [PhysicalColumn(c.physical, _TYPES[c.kind], _comment(world, c)) for c in table.columns]
        spelled = ", ".join(f"`{c.name}` {c.type}" for c in columns)
        name = f"`{database}`.`{table.physical}`"
        self._session.query(f"CREATE TABLE {name} ({spelled}) ENGINE = MergeTree ORDER BY tuple()")
        lines = ", ".join("(" + ", ".join(_literal(row[c.name]) for c in columns) + ")" for row in table.rows)
        self._session.query(f"INSERT INTO {name} VALUES {lines}")
        return PhysicalTable(table.physical, tuple(columns), row_count=len(table.rows))


def _comment(world: World, column: Column) -> str:
    return column.label if world.comments else ""


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _bound(value: str | list[str | int | float]) -> str:
    """A parameter as the engine parses it: text as it is, a list as an array literal."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    items = [str(v) if not isinstance(v, str) else "'" + v.replace("\\", "\\\\").replace("'", "\\'") + "'" for v in value]
    return "[" + ", ".join(items) + "]"
