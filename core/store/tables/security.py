"""Sign-in failures, second factors, identities of other providers, what everybody used, answers kept for repeated requests."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    instant("last_at"),
    instant("locked_until", nullable=True),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    tenant_column(),
    Column("sealed", Text, nullable=False),
    Column("recovery", Json, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    instant("confirmed_at", nullable=True),
    instant("created_at"),
)

external_identities = Table(
    "external_identities",
    metadata,
    id_column(),
    tenant_column(),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("user_id", String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    instant("created_at"),
    UniqueConstraint("tenant_id", "issuer", "subject"),
    Index("ix_external_identities_user_id", "user_id"),
)

usage = Table(
    "usage",
    metadata,
    Column("tenant_id", String(31), ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(ID_LENGTH), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("used", BigInteger, nullable=False),
    Index("ix_usage_tenant_id_day", "tenant_id", "day"),
)

idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer),
    Column("content_type", String(100), nullable=False),
    Column("location", String(500), nullable=False),
    Column("body", LargeBinary),
    instant("created_at"),
    Index("ix_idempotent_answers_created_at", "created_at"),
)
