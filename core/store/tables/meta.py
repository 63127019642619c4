"""The metadata that all tables share, and columns that many of them repeat."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKey, MetaData, String

from core.store.columns import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID_LENGTH = 64


def id_column() -> Column[Any]:
    return Column("id", String(ID_LENGTH), primary_key=True)


def tenant_column() -> Column[Any]:
    return Column("tenant_id", String(31), ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False)


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcDateTime(), nullable=nullable)
