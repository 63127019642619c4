"""Jobs, whose turn it is, their events, and the indexes of what they made."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

jobs = Table(
    "jobs",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("params", Json, nullable=False),
    Column("status", String(16), nullable=False),
    Column("progress", Float, nullable=False),
    Column("step", String(200), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("checkpoint", Json, nullable=False),
    Column("result", Json),
    Column("error", Json),
    Column("idempotency_key", String(200)),
    Column("cancel_requested", Boolean, nullable=False),
    Column("lease_owner", String(200)),
    instant("lease_until", nullable=True),
    instant("not_before"),
    instant("sent_at", nullable=True),
    Column("sends", Integer, nullable=False),
    Column("last_event", Integer, nullable=False),
    instant("created_at"),
    instant("started_at", nullable=True),
    instant("updated_at"),
    instant("finished_at", nullable=True),
    Column("trace", String(60)),
    UniqueConstraint("tenant_id", "user_id", "idempotency_key"),
    Index("ix_jobs_status_not_before", "status", "not_before"),
    Index("ix_jobs_tenant_id_created_at", "tenant_id", "created_at"),
    Index("ix_jobs_queue_status", "queue", "status", "not_before"),
)

job_turns = Table(
    "job_turns",
    metadata,
    Column("queue", String(32), primary_key=True),
    Column("tenant_id", String(31), ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(ID_LENGTH), primary_key=True),
    instant("served_at"),
)

job_events = Table(
    "job_events",
    metadata,
    Column("job_id", String(ID_LENGTH), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    tenant_column(),
    Column("kind", String(32), nullable=False),
    Column("data", Json, nullable=False),
    instant("at"),
)

forecasts = Table(
    "forecasts",
    metadata,
    id_column(),
    tenant_column(),
    Column("job_id", String(ID_LENGTH), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("grain", String(16), nullable=False),
    Column("horizon_steps", Integer, nullable=False),
    Column("series_count", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("model_version", String(300)),
    Column("catalog_version", Integer, nullable=False),
    Column("summary", Json, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    UniqueConstraint("tenant_id", "job_id"),
    Index("ix_forecasts_tenant_id_metric", "tenant_id", "metric", "created_at"),
)

detections = Table(
    "detections",
    metadata,
    id_column(),
    tenant_column(),
    Column("job_id", String(ID_LENGTH), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("grain", String(16), nullable=False),
    Column("series_count", Integer, nullable=False),
    Column("incident_count", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("model_version", String(300)),
    Column("catalog_version", Integer, nullable=False),
    Column("summary", Json, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    UniqueConstraint("tenant_id", "job_id"),
    Index("ix_detections_tenant_id_metric", "tenant_id", "metric", "created_at"),
)

insights = Table(
    "insights",
    metadata,
    id_column(),
    tenant_column(),
    Column("job_id", String(ID_LENGTH)),
    Column("metric", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("headline", Text, nullable=False),
    Column("facts", Json, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    Column("words", String(300)),
    Column("fingerprint", String(64)),
    UniqueConstraint("tenant_id", "job_id"),
    Index("ix_insights_tenant_id_created_at", "tenant_id", "created_at"),
    Index("ix_insights_tenant_id_fingerprint", "tenant_id", "fingerprint"),
)
