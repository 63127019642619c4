"""Custom models, versions, the promotion log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.store.columns import Json, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_versions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("name", sa.String(length=440), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("card", Json, nullable=False),
        sa.Column("conformance", Json, nullable=True),
        sa.Column("backtest", Json, nullable=True),
        sa.Column("verdict", Json, nullable=True),
        sa.Column("shadow", Json, nullable=True),
        sa.Column("lineage", Json, nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_model_versions_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("tenant_id", "name", "version", name=op.f("uq_model_versions_tenant_id_name_version")),
    )
    op.create_index("ix_model_versions_tenant_id_kind_metric", "model_versions", ["tenant_id", "kind", "metric"], unique=False)
    op.create_table(
        "model_slots",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("champion_id", sa.String(length=64), nullable=True),
        sa.Column("previous_id", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("promoted_by", sa.String(length=64), nullable=False),
        sa.Column("promoted_at", UtcDateTime(), nullable=False),
        sa.Column("watch_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["champion_id"], ["model_versions.id"], name=op.f("fk_model_slots_champion_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["previous_id"], ["model_versions.id"], name=op.f("fk_model_slots_previous_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_model_slots_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_slots")),
        sa.UniqueConstraint("tenant_id", "kind", "metric", name=op.f("uq_model_slots_tenant_id_kind_metric")),
    )
    op.create_table(
        "model_log",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("name", sa.String(length=440), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_model_log_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_log")),
    )
    op.create_index("ix_model_log_tenant_id_name", "model_log", ["tenant_id", "name", "at"], unique=False)
    op.create_table(
        "model_runs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("grain", sa.String(length=16), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("points", Json, nullable=False),
        sa.Column("score", Json, nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("scored_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_model_runs_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version_id"], ["model_versions.id"], name=op.f("fk_model_runs_version_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_runs")),
        sa.UniqueConstraint("version_id", "role", "metric", "job_id", name=op.f("uq_model_runs_version_id_role_metric_job_id")),
    )
    op.create_index("ix_model_runs_tenant_id_version_id", "model_runs", ["tenant_id", "version_id", "made_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_model_runs_tenant_id_version_id", table_name="model_runs")
    op.drop_table("model_runs")
    op.drop_index("ix_model_log_tenant_id_name", table_name="model_log")
    op.drop_table("model_log")
    op.drop_table("model_slots")
    op.drop_index("ix_model_versions_tenant_id_kind_metric", table_name="model_versions")
    op.drop_table("model_versions")
