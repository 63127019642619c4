"""Boards with their history, comments and public links; what a person prefers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column


def _board() -> Column[str]:
    return Column("board_id", String(ID_LENGTH), ForeignKey("boards.id", ondelete="CASCADE"), nullable=False)


# version counts changes of the content; changes counts whatever a reader could see, so that one number tells when to look again.
boards = Table(
    "boards",
    metadata,
    id_column(),
    tenant_column(),
    Column("owner", String(ID_LENGTH), nullable=False),
    Column("title", String(200), nullable=False),
    Column("content", Json, nullable=False),
    Column("sharing", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("removed_at", nullable=True),
    Index("ix_boards_tenant_id_updated_at", "tenant_id", "updated_at"),
)

board_versions = Table(
    "board_versions",
    metadata,
    id_column(),
    tenant_column(),
    _board(),
    Column("version", Integer, nullable=False),
    Column("content", Json, nullable=False),
    Column("author", String(ID_LENGTH), nullable=False),
    Column("said", String(300), nullable=False),
    instant("created_at"),
    UniqueConstraint("board_id", "version"),
)

board_comments = Table(
    "board_comments",
    metadata,
    id_column(),
    tenant_column(),
    _board(),
    Column("pin_id", String(ID_LENGTH)),
    Column("point", String(200)),
    Column("text", Text, nullable=False),
    Column("author", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("removed_at", nullable=True),
    Index("ix_board_comments_board_id", "board_id", "created_at"),
)

board_links = Table(
    "board_links",
    metadata,
    id_column(),
    tenant_column(),
    _board(),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", nullable=True),
    Index("ix_board_links_board_id", "board_id"),
)

preferences = Table(
    "preferences",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("name", String(64), nullable=False),
    Column("value", Json, nullable=False),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "user_id", "name"),
)
