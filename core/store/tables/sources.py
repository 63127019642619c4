"""Sources that are brought into a tenant's database, and their runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

sources = Table(
    "sources",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("connection", Json, nullable=False),
    Column("plan", Json, nullable=False),
    Column("sealed", Text),
    Column("table_name", String(128), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("next_run_at", nullable=True),
    instant("refreshed_at", nullable=True),
    Column("failures", Integer, nullable=False),
    Column("last_error", Text),
    Column("lease_owner", String(ID_LENGTH)),
    instant("lease_until", nullable=True),
    UniqueConstraint("tenant_id", "name"),
    UniqueConstraint("tenant_id", "table_name", name="uq_sources_table_name"),
    Index("ix_sources_enabled_next_run_at", "enabled", "next_run_at"),
)

source_runs = Table(
    "source_runs",
    metadata,
    id_column(),
    tenant_column(),
    Column("source_id", String(ID_LENGTH), ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("job_id", String(ID_LENGTH), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("rows_written", BigInteger, nullable=False),
    Column("report", Json, nullable=False),
    instant("started_at"),
    instant("ended_at"),
    UniqueConstraint("source_id", "job_id"),
    Index("ix_source_runs_tenant_id_source_id", "tenant_id", "source_id", "id"),
)
