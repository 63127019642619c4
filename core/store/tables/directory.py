"""A tenant's own roles, and groups that its directory keeps here."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

roles = Table(
    "roles",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(41), nullable=False),
    Column("description", String(500), nullable=False),
    Column("rights", Json, nullable=False),
    Column("inherits", Json, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "name"),
)

directory_groups = Table(
    "directory_groups",
    metadata,
    id_column(),
    tenant_column(),
    Column("display_name", String(300), nullable=False),
    Column("external_id", String(255)),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "display_name"),
)

directory_members = Table(
    "directory_members",
    metadata,
    Column("group_id", String(ID_LENGTH), ForeignKey("directory_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    tenant_column(),
    Index("ix_directory_members_tenant_id_user_id", "tenant_id", "user_id"),
)
