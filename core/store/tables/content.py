"""Catalog versions, conversations, questions, uploads."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

catalogs = Table(
    "catalogs",
    metadata,
    id_column(),
    tenant_column(),
    Column("version", Integer, nullable=False),
    Column("document", Json, nullable=False),
    Column("author", String(ID_LENGTH), nullable=False),
    Column("note", Text, nullable=False),
    Column("restored_from", Integer),
    instant("created_at"),
    UniqueConstraint("tenant_id", "version"),
)

conversations = Table(
    "conversations",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("title", String(300), nullable=False),
    Column("state", Json, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("deleted_at", nullable=True),
    Index("ix_conversations_tenant_id_user_id", "tenant_id", "user_id", "updated_at"),
)

turns = Table(
    "turns",
    metadata,
    id_column(),
    tenant_column(),
    Column("conversation_id", String(ID_LENGTH), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("question_id", String(ID_LENGTH), nullable=False),
    Column("state", Json, nullable=False),
    instant("created_at"),
    UniqueConstraint("conversation_id", "number"),
)

questions = Table(
    "questions",
    metadata,
    id_column(),
    tenant_column(),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("conversation_id", String(ID_LENGTH)),
    Column("text", Text, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("reading", Json),
    Column("sql", Text),
    Column("answer", Json),
    Column("error", Json),
    Column("ms", Float, nullable=False),
    Column("rows_read", BigInteger),
    Column("catalog_version", Integer),
    Column("request_id", String(ID_LENGTH)),
    instant("created_at"),
    Index("ix_questions_tenant_id_created_at", "tenant_id", "created_at"),
    Index("ix_questions_tenant_id_user_id", "tenant_id", "user_id", "created_at"),
)

feedback = Table(
    "feedback",
    metadata,
    id_column(),
    tenant_column(),
    Column("question_id", String(ID_LENGTH), ForeignKey("questions.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", String(ID_LENGTH), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("comment", Text, nullable=False),
    Column("correction", Json),
    instant("created_at"),
    UniqueConstraint("question_id", "user_id"),
)

datasets = Table(
    "datasets",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(128), nullable=False),
    Column("table_name", String(200), nullable=False),
    Column("source", String(400), nullable=False),
    Column("status", String(16), nullable=False),
    Column("rows_loaded", BigInteger, nullable=False),
    Column("rows_rejected", BigInteger, nullable=False),
    Column("report", Json, nullable=False),
    Column("job_id", String(ID_LENGTH)),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "name"),
)
