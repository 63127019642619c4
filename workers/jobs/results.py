"""Tables in the tenant's own database that jobs write their rows to. Writing a batch twice leaves its rows once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from core.ids import JobId, TenantId, tenant_database
from semantic.warehouse.admin import WarehouseAdmin, quote_name


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """A results table: its columns after job_id and series_id, and what follows these two in the sorting key."""

    table: str
    columns: str
    key: str


FORECASTS = ResultColumns(
    table="querent_forecasts",
    columns=(
        "metric String, segment String, time DateTime64(3, 'UTC'), mean Float64, lower_80 Float64, upper_80 Float64, lower_95 Float64, "
        "upper_95 Float64, model LowCardinality(String), fallback String, mase Float64, naive_mase Float64, notes String, "
        "written_at DateTime64(3, 'UTC')"
    ),
    key="time",
)
DETECTIONS = ResultColumns(
    table="querent_detections",
    columns=(
        "metric String, segment String, time DateTime64(3, 'UTC'), value Float64, expected Float64, lower Float64, upper Float64, "
        "score Float64, notes String, written_at DateTime64(3, 'UTC')"
    ),
    key="time",
)
DETECTED_INCIDENTS = ResultColumns(
    table="querent_detected_incidents",
    columns=(
        "metric String, segment String, started_at DateTime64(3, 'UTC'), ended_at DateTime64(3, 'UTC'), "
        "detected_at DateTime64(3, 'UTC'), direction LowCardinality(String), kind LowCardinality(String), severity Float64, impact Float64, "
        "expected Float64, actual Float64, is_open Bool, written_at DateTime64(3, 'UTC')"
    ),
    key="started_at, kind",
)


class JobRows:
    """One job's rows in one results table."""

    def __init__(self, admin: WarehouseAdmin, tenant: TenantId, job: JobId, layout: ResultColumns) -> None:
        self._admin, self._job, self._layout = admin, job, layout
        self._database = tenant_database(tenant)
        self._name = f"{quote_name(self._database)}.{quote_name(layout.table)}"

    def prepare(self) -> None:
        """Makes database and table when they are missing. Raises: Unavailable."""
        self._admin.execute(f"CREATE DATABASE IF NOT EXISTS {quote_name(self._database)}")
        self._admin.execute(
            f"CREATE TABLE IF NOT EXISTS {self._name} (job_id String, series_id String, {self._layout.columns}) "
            f"ENGINE = ReplacingMergeTree(written_at) ORDER BY (job_id, series_id, {self._layout.key})"
        )

    def written(self) -> frozenset[str]:
        """The series that have rows already. A batch is one insert, which the engine takes whole or not at all."""
        found = self._admin.query_arrow(f"SELECT DISTINCT series_id FROM {self._name} WHERE job_id = {{job:String}}", {"job": self._job})
        return frozenset(found.column(0).to_pylist())

    def replace(self, rows: pa.Table, series: Sequence[str], *, may_exist: bool) -> None:
        """Writes the rows of these series; with `may_exist`, what an earlier attempt wrote of them goes first."""
        if may_exist:
            self._admin.execute(
                f"DELETE FROM {self._name} WHERE job_id = {{job:String}} AND series_id IN {{ids:Array(String)}}",
                {"job": self._job, "ids": list(series)},
            )
        self._admin.insert_arrow(self._database, self._layout.table, rows)

    def read(self, select: str, tail: str = "", **params: object) -> pa.Table:
        """`SELECT {select} FROM the rows of this job {tail}`."""
        sql = f"SELECT {select} FROM {self._name} FINAL WHERE job_id = {{job:String}} {tail}"
        return self._admin.query_arrow(sql, {"job": self._job, **params})


def read_rows(admin: WarehouseAdmin, tenant: TenantId, job: JobId, layout: ResultColumns, series: Sequence[str]) -> pa.Table:
    """All rows of these series of a job, sorted by series_id and time; none when the job wrote none."""
    name = f"{quote_name(tenant_database(tenant))}.{quote_name(layout.table)}"
    sql = f"SELECT * FROM {name} FINAL WHERE job_id = {{job:String}} AND series_id IN {{ids:Array(String)}} ORDER BY series_id, time"
    return admin.query_arrow(sql, {"job": job, "ids": list(series)})


def read_job(admin: WarehouseAdmin, tenant: TenantId, job: JobId, layout: ResultColumns) -> pa.Table:
    """All rows of a job, sorted by series_id and time."""
    name = f"{quote_name(tenant_database(tenant))}.{quote_name(layout.table)}"
    return admin.query_arrow(f"SELECT * FROM {name} FINAL WHERE job_id = {{job:String}} ORDER BY series_id, time", {"job": job})
