"""One benchmark database in an engine of its own process: parquet files in, catalog inferred, guarded SQL run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb
import pyarrow as pa

from core.ids import TenantId, tenant_database, tenant_id
from semantic.catalog.importers import import_catalog_source
from semantic.catalog.infer import GlossaryEntry, SqlProbe, infer_catalog, schema_from_json
from semantic.catalog.infer.schema import PhysicalSchema
from semantic.catalog.model import Catalog
from semantic.limits import MEANING_SETTINGS
from semantic.states import GuardedQuery
from semantic.values.build import build_value_index
from semantic.values.index import ValueIndex
from semantic.warehouse.parameters import render


class Engine:
    """chDB in memory in this process. Not for threads."""

    def __init__(self) -> None:
        self._connection: Any = chdb.connect(":memory:")

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """The result as Arrow. Raises: RuntimeError with ClickHouse's message."""
        reply = self._connection.query(sql, "ArrowStream", **({"params": dict(params)} if params else {}))
        data = reply.bytes()
        return pa.ipc.open_stream(data).read_all() if data else pa.table({})

    def text(self, sql: str, form: str, params: Mapping[str, Any]) -> str:
        """The result in one of ClickHouse's text formats."""
        data: bytes = self._connection.query(sql, form, **({"params": dict(params)} if params else {})).bytes()
        return data.decode("utf-8", "replace")

    def command(self, sql: str) -> None:
        self._connection.query(sql)


@dataclass(frozen=True, slots=True)
class LoadedDatabase:
    name: str
    tenant: TenantId
    catalog: Catalog
    notes: tuple[str, ...]
    values: ValueIndex


def tenant_for(index: int, name: str) -> TenantId:
    """A valid tenant id for the n-th database."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return tenant_id(f"b{index}_{slug}"[:31].rstrip("_"))


def load_database(engine: Engine, folder: Path, tenant: TenantId) -> LoadedDatabase:
    """Create the tenant's database from `folder` (schema.json, *.parquet, optional glossary.json) and infer its catalog."""
    database = tenant_database(tenant)
    schema = schema_from_json(folder / "schema.json", database)
    engine.command(f"DROP DATABASE IF EXISTS `{database}`")
    engine.command(f"CREATE DATABASE `{database}`")
    _load_tables(engine, schema, folder)
    glossary = _glossary(folder / "glossary.json")
    inferred = infer_catalog(schema, SqlProbe(engine.execute, database), glossary=glossary)
    catalog, notes = _with_imported(inferred.catalog, inferred.notes, folder / "catalog_source.json")
    return LoadedDatabase(folder.name, tenant, catalog, notes, build_value_index(catalog, engine.execute, tenant))


def _with_imported(catalog: Catalog, notes: tuple[str, ...], path: Path) -> tuple[Catalog, tuple[str, ...]]:
    """The catalog with a semantic model that somebody else wrote laid over it, when the database comes with one."""
    if not path.exists():
        return catalog, notes
    imported = import_catalog_source(catalog, json.loads(path.read_text(encoding="utf-8")))
    return imported.catalog, (*notes, *imported.not_carried)


def _load_tables(engine: Engine, schema: PhysicalSchema, folder: Path) -> None:
    for table in schema.tables:
        columns = ", ".join(f"`{c.name}` {c.type}" for c in table.columns)
        engine.command(
            f"CREATE TABLE `{schema.database}`.`{table.name}` ({columns}) ENGINE = MergeTree ORDER BY tuple() SETTINGS allow_nullable_key = 1"
        )
        file = folder / f"{table.name}.parquet"
        if file.exists():
            names = ", ".join(f"`{c.name}`" for c in table.columns)
            engine.command(
                f"INSERT INTO `{schema.database}`.`{table.name}` ({names}) SELECT {names} FROM file('{file.resolve()}', Parquet)"
            )


def _glossary(path: Path) -> tuple[GlossaryEntry, ...]:
    if not path.exists():
        return ()
    return tuple(GlossaryEntry(e["term"], e["definition"], e.get("source", "")) for e in json.loads(path.read_text(encoding="utf-8")))


def run_guarded(engine: Engine, query: GuardedQuery) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of verified SQL, run with its bound parameters; dates as ISO text, decimals as numbers."""
    settings = {
        **MEANING_SETTINGS,
        "output_format_json_quote_64bit_integers": 0,
        "output_format_json_quote_decimals": 0,
        "output_format_json_quote_denormals": 1,
    }
    sql = f"{query.sql} SETTINGS " + ", ".join(f"{k} = {v}" for k, v in settings.items())
    lines = engine.text(
        sql, "JSONCompactEachRowWithNames", {name: _bound(value) for name, value in render(query.params).items()}
    ).splitlines()
    names = json.loads(lines[0]) if lines else []
    return names, [[None if v in ("nan", "inf", "-inf") else v for v in json.loads(line)] for line in lines[1:]]


def _bound(value: str | list[str | int | float]) -> str:
    """A parameter as the engine parses it: text as it is, a list as an array literal."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    items = [str(v) if not isinstance(v, str) else "'" + v.replace("\\", "\\\\").replace("'", "\\'") + "'" for v in value]
    return "[" + ", ".join(items) + "]"
