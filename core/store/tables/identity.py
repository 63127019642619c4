"""Tenants, users, and what they sign in with."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(31), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("settings", Json, nullable=False),
    Column("disabled", Boolean, nullable=False),
    instant("created_at"),
)

users = Table(
    "users",
    metadata,
    id_column(),
    tenant_column(),
    Column("email", String(320), nullable=False),
    Column("display_name", String(200), nullable=False),
    Column("password_hash", String(200)),
    Column("roles", Json, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("disabled", Boolean, nullable=False),
    instant("created_at"),
    instant("last_login_at", nullable=True),
    UniqueConstraint("tenant_id", "email"),
    Index("ix_users_email", "email"),
)

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("prefix", String(16), nullable=False, unique=True),
    Column("secret_hash", String(64), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("made_by_key", String(ID_LENGTH)),
    instant("created_at"),
    instant("expires_at", nullable=True),
    instant("last_used_at", nullable=True),
    instant("revoked_at", nullable=True),
    Index("ix_api_keys_tenant_id_user_id", "tenant_id", "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_agent", String(300), nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", nullable=True),
    Index("ix_sessions_tenant_id_user_id", "tenant_id", "user_id"),
)
