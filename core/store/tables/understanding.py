"""Proposals to the catalog that came of feedback, and evaluations of the verified questions."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

proposals = Table(
    "proposals",
    metadata,
    id_column(),
    tenant_column(),
    Column("kind", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("payload", Json, nullable=False),
    Column("summary", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("voices", Integer, nullable=False),
    Column("question_id", String(ID_LENGTH)),
    Column("proposed_by", String(ID_LENGTH), nullable=False),
    Column("decided_by", String(ID_LENGTH)),
    Column("catalog_version", Integer),
    Column("note", Text, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("decided_at", nullable=True),
    UniqueConstraint("tenant_id", "fingerprint"),
    Index("ix_proposals_tenant_id_status", "tenant_id", "status", "created_at"),
)

evaluations = Table(
    "evaluations",
    metadata,
    id_column(),
    tenant_column(),
    Column("job_id", String(ID_LENGTH)),
    Column("catalog_version", Integer, nullable=False),
    Column("base_version", Integer),
    Column("questions", Integer, nullable=False),
    Column("regressions", Integer, nullable=False),
    Column("report", Json, nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    UniqueConstraint("tenant_id", "job_id"),
    Index("ix_evaluations_tenant_id_created_at", "tenant_id", "created_at"),
)
