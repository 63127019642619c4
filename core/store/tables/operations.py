"""The audit chain, and secrets made once."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, instant, metadata

audit_log = Table(
    "audit_log",
    metadata,
    Column("tenant_id", String(31), ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("actor", String(ID_LENGTH), nullable=False),
    Column("action", String(100), nullable=False),
    Column("target", String(300), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("details", Json, nullable=False),
    Column("request_id", String(ID_LENGTH)),
    instant("at"),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_log_tenant_id_at", "tenant_id", "at"),
)
secrets = Table(
    "secrets",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
    instant("created_at"),
)
