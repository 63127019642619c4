"""Backup and restore of an installation: state store, embedded warehouse, files, models, in one folder that any later version can read.

State rows are JSON lines by table, so a backup of SQLite can be restored into PostgreSQL. A ClickHouse server of one's own has tools for
its size and is left out; so is an MLflow server.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from core.errors import Conflict, Invalid
from core.private import private_folder
from core.store.migrate import current_revision, is_known, migrate
from core.store.tables import metadata
from semantic.warehouse.admin import quote_name
from workers.bootstrap import Services

Say = Callable[[str], None]
_BATCH = 500
_SYSTEM = ("system", "INFORMATION_SCHEMA", "information_schema", "default")
_FOLDERS = ("uploads", "values")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. tables, warehouse: rows by name. files: sha256 by path within the backup."""

    made_at: str
    querent: str
    revision: str
    tables: dict[str, int]
    warehouse: dict[str, int]
    files: dict[str, str]


def backup(services: Services, folder: Path, say: Say) -> Manifest:
    """Writes a backup into `folder`, which must not exist. State rows are of one moment; warehouse tables are read after it, each at one moment.

    Raises: Conflict when the folder exists; Unavailable when a part does not answer.
    """
    if folder.exists():
        raise Conflict(f"{folder} exists already; give the name of a new folder.", code="folder_exists")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    private_folder(partial, new=True)  # password hashes, keys, everybody's questions
    (partial / "state").mkdir()
    say("State store")
    tables = _dump_state(services, partial / "state")
    warehouse: dict[str, int] = {}
    if services.settings.warehouse_embedded:
        (partial / "warehouse").mkdir()
        warehouse = _dump_warehouse(services, partial / "warehouse", say)
    for name in _FOLDERS:
        source = services.settings.home.resolve() / name
        if source.is_dir():
            say(f"Files: {name}")
            shutil.copytree(source, partial / name)
    if not services.settings.mlflow_url and services.settings.mlflow_root.is_dir():
        say("Models")
        shutil.copytree(services.settings.mlflow_root, partial / "mlruns", ignore=shutil.ignore_patterns("*.lock", "mlflow.db*"))
        _copy_sqlite(services.settings.mlflow_root / "mlflow.db", partial / "mlruns" / "mlflow.db")
    made = Manifest(
        dt.datetime.now(dt.UTC).isoformat(),
        version("querent"),
        current_revision(services.store.engine) or "",
        tables,
        warehouse,
        _sums(partial),
    )
    (partial / "manifest.json").write_text(json.dumps(asdict(made), indent=1))
    partial.rename(folder)
    return made


def restore(services: Services, folder: Path, say: Say) -> Manifest:
    """Puts a backup into an empty installation. Nothing is changed unless the backup is whole and the installation empty.

    Raises: Invalid for a folder that is no backup, a damaged one, or one of a newer release; Conflict when there is state already.
    """
    found = read_manifest(folder)
    if not is_known(found.revision):
        raise Invalid(
            f"The backup is of a newer release (schema {found.revision or 'unknown'}, Querent {found.querent}); restore it with that release or a later one.",
            code="newer_backup",
        )
    migrate(services.store.engine)
    with services.store.read() as connection:
        if connection.execute(select(func.count()).select_from(metadata.tables["tenants"])).scalar_one():
            raise Conflict(
                "The installation has tenants already; restore into an empty one (another QUERENT_HOME or database).", code="not_empty"
            )
    for database in sorted({name.partition(".")[0] for name in found.warehouse}):
        if services.admin.query_arrow("SELECT name FROM system.tables WHERE database = {d:String} LIMIT 1", {"d": database}).num_rows:
            raise Conflict(f"The warehouse has tables in {database!r} already; restore into an empty one.", code="not_empty")
    say("Warehouse")
    for name in found.warehouse:
        _load_table(services, folder / "warehouse", name)
        say(f"Warehouse: {name}")
    home = services.settings.home.resolve()
    for source, target in [(folder / n, home / n) for n in _FOLDERS] + [(folder / "mlruns", services.settings.mlflow_root)]:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
    say("State store")
    _load_state(services, folder / "state")
    return found


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a whole backup. Raises: Invalid when it is none, or a file of it is missing or damaged."""
    try:
        found = Manifest(**json.loads((folder / "manifest.json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise Invalid(f"{folder} is no backup: a readable manifest.json was expected.", code="no_backup") from error
    actual = _sums(folder)
    wrong = sorted(name for name in {*found.files, *actual} if found.files.get(name) != actual.get(name))
    if wrong:
        raise Invalid(f"The backup is damaged: {len(wrong)} files differ from its manifest, first {wrong[0]}.", code="damaged_backup")
    return found


def _dump_state(services: Services, folder: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    with services.store.read() as connection:
        for table in metadata.sorted_tables:
            with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as lines:
                rows = connection.execution_options(yield_per=_BATCH).execute(select(table)).mappings()
                counts[table.name] = sum(lines.write(_line(dict(row))) > 0 for row in rows)
    return counts


def _load_state(services: Services, folder: Path) -> None:
    """In one transaction: all of it or nothing."""
    with services.store.write() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())  # what migrations put there, such as nothing
        for table in metadata.sorted_tables:
            file = folder / f"{table.name}.jsonl"
            if file.exists():
                _insert(connection, table, file)


def _insert(connection: Connection, table: Table, file: Path) -> None:
    for batch in _batches(file):
        connection.execute(insert(table), batch)


def _batches(file: Path) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            batch.append({name: _read(value) for name, value in json.loads(line).items()})
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _line(row: dict[str, Any]) -> str:
    return json.dumps({name: _written(value) for name, value in row.items()}, ensure_ascii=False) + "\n"


def _written(value: Any) -> Any:
    """JSON keeps text, numbers and documents; the rest is {"$kind": text}."""
    match value:
        case dt.datetime():
            return {"$instant": value.isoformat()}
        case dt.date():
            return {"$date": value.isoformat()}
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case dict():
            return {"$json": value}
    return value


def _read(value: Any) -> Any:
    match value:
        case {"$instant": str(moment)}:
            return dt.datetime.fromisoformat(moment)
        case {"$date": str(day)}:
            return dt.date.fromisoformat(day)
        case {"$bytes": str(encoded)}:
            return base64.b64decode(encoded)
        case {"$json": document}:
            return document
    return value


def _dump_warehouse(services: Services, folder: Path, say: Say) -> dict[str, int]:
    listed = services.admin.query_arrow(
        "SELECT database, name, engine, create_table_query, ifNull(total_rows, 0) AS row_count FROM system.tables "
        "WHERE database NOT IN {system:Array(String)} AND NOT is_temporary ORDER BY engine LIKE '%View%', database, name",
        {"system": list(_SYSTEM)},
    ).to_pylist()
    rows: dict[str, int] = {}
    for table in listed:
        name = f"{table['database']}.{table['name']}"
        say(f"Warehouse: {name}")
        stem = _stem(name)
        (folder / f"{stem}.sql").write_text(table["create_table_query"])
        if "View" not in table["engine"]:
            with (folder / f"{stem}.native").open("wb") as file:
                services.admin.write_to(f"SELECT * FROM {quote_name(table['database'])}.{quote_name(table['name'])}", file, "Native")
        rows[name] = int(table["row_count"])
    return rows


def _load_table(services: Services, folder: Path, name: str) -> None:
    database, _, table = name.partition(".")
    services.admin.execute(f"CREATE DATABASE IF NOT EXISTS {quote_name(database)}")
    services.admin.execute((folder / f"{_stem(name)}.sql").read_text())
    data = folder / f"{_stem(name)}.native"
    if data.exists() and data.stat().st_size:
        columns = services.admin.query_arrow(
            "SELECT name FROM system.columns WHERE database = {d:String} AND table = {t:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') "
            "ORDER BY position",
            {"d": database, "t": table},
        )
        with data.open("rb") as file:
            services.admin.insert_stream(database, table, columns.column(0).to_pylist(), iter(lambda: file.read(1 << 20), b""), "Native")


def _stem(name: str) -> str:
    """A file name for any table name."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _sums(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _copy_sqlite(source: Path, target: Path) -> None:
    """A whole copy of a database that others may be writing."""
    import sqlite3

    if source.exists():
        with sqlite3.connect(source) as there, sqlite3.connect(target) as here:
            there.backup(here)
