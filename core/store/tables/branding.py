"""How a company's pages and mails look."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from core.store.tables.meta import instant, metadata

brandings = Table(
    "brandings",
    metadata,
    Column("tenant_id", String(31), ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("product", String(60), nullable=False),
    Column("accent", String(7), nullable=False),
    Column("accent_dark", String(7), nullable=False),
    Column("logo_type", String(20), nullable=False),
    Column("logo", LargeBinary, nullable=True),
    Column("logo_png", LargeBinary, nullable=True),
    Column("version", String(64), nullable=False),
    instant("updated_at"),
)
