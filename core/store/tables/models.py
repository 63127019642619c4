"""Custom models: their versions, which of them serves what, who promoted it, and how it did live."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

model_versions = Table(
    "model_versions",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(440), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("card", Json, nullable=False),
    Column("conformance", Json),
    Column("backtest", Json),
    Column("verdict", Json),
    Column("shadow", Json),
    Column("lineage", Json),
    Column("run_id", String(64)),
    Column("job_id", String(ID_LENGTH)),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "name", "version"),
    Index("ix_model_versions_tenant_id_kind_metric", "tenant_id", "kind", "metric"),
)

model_slots = Table(
    "model_slots",
    metadata,
    id_column(),
    tenant_column(),
    Column("kind", String(16), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("champion_id", String(ID_LENGTH), ForeignKey("model_versions.id", ondelete="SET NULL")),
    Column("previous_id", String(ID_LENGTH), ForeignKey("model_versions.id", ondelete="SET NULL")),
    Column("revision", Integer, nullable=False),
    Column("promoted_by", String(ID_LENGTH), nullable=False),
    instant("promoted_at"),
    instant("watch_until", nullable=True),
    UniqueConstraint("tenant_id", "kind", "metric"),
)

model_log = Table(
    "model_log",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(440), nullable=False),
    Column("version", Integer, nullable=False),
    Column("actor", String(ID_LENGTH), nullable=False),
    Column("action", String(32), nullable=False),
    Column("evidence", Json, nullable=False),
    instant("at"),
    Index("ix_model_log_tenant_id_name", "tenant_id", "name", "at"),
)

model_runs = Table(
    "model_runs",
    metadata,
    id_column(),
    tenant_column(),
    Column("version_id", String(ID_LENGTH), ForeignKey("model_versions.id", ondelete="CASCADE"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("grain", String(16), nullable=False),
    Column("job_id", String(ID_LENGTH), nullable=False),
    Column("points", Json, nullable=False),
    Column("score", Json),
    instant("made_at"),
    instant("scored_at", nullable=True),
    UniqueConstraint("version_id", "role", "metric", "job_id"),
    Index("ix_model_runs_tenant_id_version_id", "tenant_id", "version_id", "made_at"),
)
