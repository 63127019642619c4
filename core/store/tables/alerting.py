"""Where alerts go and what was sent: channels, subscriptions, the outbox of deliveries, an incident's history, the in-app inbox."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

channels = Table(
    "channels",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("config", Json, nullable=False),
    Column("sealed", Text),
    Column("enabled", Boolean, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    Column("last_error", Text),
    instant("created_at"),
    instant("updated_at"),
    instant("last_sent_at", nullable=True),
    UniqueConstraint("tenant_id", "name"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    id_column(),
    tenant_column(),
    Column("channel_id", String(ID_LENGTH), ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("team", String(100)),
    Column("rule_id", String(ID_LENGTH), ForeignKey("alert_rules.id", ondelete="CASCADE")),
    Column("metric", String(200)),
    Column("min_severity", Float, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("escalate_after_minutes", Integer),
    instant("muted_until", nullable=True),
    instant("created_at"),
    Index("ix_subscriptions_tenant_id_rule_id", "tenant_id", "rule_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    tenant_column(),
    Column("incident_id", String(ID_LENGTH), ForeignKey("incidents.id", ondelete="CASCADE")),
    Column("channel_id", String(ID_LENGTH), ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", String(200)),
    Column("last_error", Text),
    instant("next_at"),
    instant("lease_until", nullable=True),
    instant("created_at"),
    instant("sent_at", nullable=True),
    UniqueConstraint("incident_id", "channel_id", "kind"),
    Index("ix_deliveries_status_next_at", "status", "next_at"),
)

incident_events = Table(
    "incident_events",
    metadata,
    id_column(),
    tenant_column(),
    Column("incident_id", String(ID_LENGTH), ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("rule_id", String(ID_LENGTH)),
    Column("actor", String(ID_LENGTH), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("data", Json, nullable=False),
    instant("at"),
    Index("ix_incident_events_incident_id", "incident_id"),
    Index("ix_incident_events_rule_id_kind", "rule_id", "kind"),
)

inbox = Table(
    "inbox",
    metadata,
    id_column(),
    tenant_column(),
    Column("delivery_id", String(ID_LENGTH), nullable=False, unique=True),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("incident_id", String(ID_LENGTH)),
    Column("title", String(300), nullable=False),
    Column("body", Json, nullable=False),
    instant("created_at"),
    instant("read_at", nullable=True),
    Index("ix_inbox_tenant_id_user_id", "tenant_id", "user_id", "created_at"),
)
