"""Alert rules and incidents."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

alert_rules = Table(
    "alert_rules",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(200), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("definition", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("last_run_at", nullable=True),
    instant("next_run_at", nullable=True),
    Column("lease_owner", String(200)),
    instant("lease_until", nullable=True),
    Column("last_error", Text),
    instant("muted_until", nullable=True),
    UniqueConstraint("tenant_id", "name"),
    Index("ix_alert_rules_enabled_next_run_at", "enabled", "next_run_at"),
)

incidents = Table(
    "incidents",
    metadata,
    id_column(),
    tenant_column(),
    Column("rule_id", String(ID_LENGTH), ForeignKey("alert_rules.id", ondelete="SET NULL")),
    Column("job_id", String(ID_LENGTH)),
    Column("dedupe_key", String(300), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("series_id", String(300), nullable=False),
    Column("status", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("severity", Float, nullable=False),
    Column("impact", Float, nullable=False),
    Column("details", Json, nullable=False),
    Column("assignee", String(ID_LENGTH)),
    Column("comment", Text, nullable=False),
    instant("started_at"),
    instant("ended_at", nullable=True),
    instant("detected_at"),
    instant("snoozed_until", nullable=True),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "dedupe_key"),
    Index("ix_incidents_tenant_id_status", "tenant_id", "status", "started_at"),
)
