"""Digests with their readers and issues, what readers said of facts, and the registered versions of what is behind the words."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

digests = Table(
    "digests",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(200), nullable=False),
    Column("owner", String(ID_LENGTH), nullable=False),
    Column("team", String(100)),
    Column("definition", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("lease_owner", String(200)),
    Column("last_error", Text),
    instant("next_at", nullable=True),
    instant("lease_until", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_digests_enabled_next_at", "enabled", "next_at"),
    Index("ix_digests_tenant_id_owner", "tenant_id", "owner"),
)

digest_readers = Table(
    "digest_readers",
    metadata,
    id_column(),
    tenant_column(),
    Column("digest_id", String(ID_LENGTH), ForeignKey("digests.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("subscribed", Boolean, nullable=False),
    instant("changed_at"),
    UniqueConstraint("digest_id", "user_id"),
)

digest_issues = Table(
    "digest_issues",
    metadata,
    id_column(),
    tenant_column(),
    Column("digest_id", String(ID_LENGTH), ForeignKey("digests.id", ondelete="CASCADE"), nullable=False),
    Column("reader", String(ID_LENGTH), nullable=False),
    Column("slot", String(40), nullable=False),
    Column("status", String(16), nullable=False),
    Column("title", String(300), nullable=False),
    Column("body", Json, nullable=False),
    Column("job_id", String(ID_LENGTH)),
    instant("created_at"),
    UniqueConstraint("digest_id", "reader", "slot"),
    Index("ix_digest_issues_tenant_id_reader", "tenant_id", "reader", "created_at"),
)

digest_deliveries = Table(
    "digest_deliveries",
    metadata,
    Column("delivery_id", String(ID_LENGTH), ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    tenant_column(),
    Column("issue_id", String(ID_LENGTH), ForeignKey("digest_issues.id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", String(ID_LENGTH), nullable=False),
    UniqueConstraint("issue_id", "channel_id"),
)

fact_votes = Table(
    "fact_votes",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("topic", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("insight_id", String(ID_LENGTH), nullable=False),
    Column("about", Text, nullable=False),
    instant("at"),
    UniqueConstraint("tenant_id", "user_id", "topic"),
)

word_versions = Table(
    "word_versions",
    metadata,
    id_column(),
    tenant_column(),
    Column("fingerprint", String(64), nullable=False),
    Column("version", String(300), nullable=False),
    instant("created_at"),
    UniqueConstraint("tenant_id", "fingerprint"),
)
