"""Uploaded data: which file became which table, and the report of its load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.ids import JobId, TenantId, UserId, new_id
from core.store import scope
from core.store.tables import datasets

DatasetStatus = Literal["loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class UploadedDataset:
    """`source` is the file's own name; `report` says what was read, converted and set aside."""

    id: str
    name: str
    table_name: str
    source: str
    status: DatasetStatus
    rows_loaded: int
    rows_rejected: int
    report: Mapping[str, Any]
    job_id: JobId | None
    created_by: UserId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetLoad:
    """The state of a load to be kept; a later one under the same name replaces it."""

    name: str
    table_name: str
    source: str
    status: DatasetStatus
    created_by: UserId
    rows_loaded: int = 0
    rows_rejected: int = 0
    report: Mapping[str, Any] | None = None
    job_id: JobId | None = None


def put(connection: Connection, tenant: TenantId, load: DatasetLoad, *, now: datetime) -> UploadedDataset:
    values: dict[str, Any] = {
        "table_name": load.table_name,
        "source": load.source[:400],
        "status": load.status,
        "rows_loaded": load.rows_loaded,
        "rows_rejected": load.rows_rejected,
        "report": dict(load.report or {}),
        "job_id": load.job_id,
        "created_by": load.created_by,
        "updated_at": now,
    }
    if scope.change(connection, datasets, tenant, values, datasets.c.name == load.name) == 0:
        scope.add(connection, datasets, tenant, values | {"id": new_id("dst"), "name": load.name, "created_at": now})
    return by_name(connection, tenant, load.name)


def by_name(connection: Connection, tenant: TenantId, name: str) -> UploadedDataset:
    """Raises: NotFound."""
    row = scope.find(connection, datasets, tenant, datasets.c.name == name)
    if row is None:
        raise NotFound(f"There is no dataset {name[:60]!r}.", code="unknown_dataset")
    return _dataset(row)


def get(connection: Connection, tenant: TenantId, key: str) -> UploadedDataset:
    """Raises: NotFound."""
    return _dataset(scope.get(connection, datasets, tenant, "dataset", key))


def list_all(connection: Connection, tenant: TenantId, *, after: str = "", limit: int = 100) -> tuple[UploadedDataset, ...]:
    """By name, those after `after`."""
    rows = scope.page(connection, datasets, tenant, datasets.c.name > after, order=[datasets.c.name], limit=limit)
    return tuple(map(_dataset, rows))


def forget_loading(connection: Connection, tenant: TenantId, name: str) -> None:
    """What was noted as on its way and came under other names: a workbook has a table per sheet."""
    row = scope.find(connection, datasets, tenant, datasets.c.name == name)
    if row is not None and row.status == "loading":
        scope.remove(connection, datasets, tenant, "dataset", row.id)


def _dataset(row: scope.Row) -> UploadedDataset:
    return scope.as_value(UploadedDataset, row)
