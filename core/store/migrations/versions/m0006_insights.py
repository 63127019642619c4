"""Digests, feedback on facts, versions of what is behind the words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.store.columns import Json, UtcDateTime

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def _tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("definition", Json, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("lease_owner", sa.String(length=200), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _tenant("digests"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
    )
    op.create_index("ix_digests_enabled_next_at", "digests", ["enabled", "next_at"], unique=False)
    op.create_index("ix_digests_tenant_id_owner", "digests", ["tenant_id", "owner"], unique=False)
    op.create_table(
        "digest_readers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("digest_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_digest_readers_digest_id"), ondelete="CASCADE"),
        _tenant("digest_readers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_readers")),
        sa.UniqueConstraint("digest_id", "user_id", name=op.f("uq_digest_readers_digest_id_user_id")),
    )
    op.create_table(
        "digest_issues",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("digest_id", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_digest_issues_digest_id"), ondelete="CASCADE"),
        _tenant("digest_issues"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_issues")),
        sa.UniqueConstraint("digest_id", "reader", "slot", name=op.f("uq_digest_issues_digest_id_reader_slot")),
    )
    op.create_index("ix_digest_issues_tenant_id_reader", "digest_issues", ["tenant_id", "reader", "created_at"], unique=False)
    op.create_table(
        "digest_deliveries",
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("issue_id", sa.String(length=64), nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_digest_deliveries_delivery_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["issue_id"], ["digest_issues.id"], name=op.f("fk_digest_deliveries_issue_id"), ondelete="CASCADE"),
        _tenant("digest_deliveries"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_digest_deliveries")),
        sa.UniqueConstraint("issue_id", "channel_id", name=op.f("uq_digest_deliveries_issue_id_channel_id")),
    )
    op.create_table(
        "fact_votes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("insight_id", sa.String(length=64), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        _tenant("fact_votes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_votes")),
        sa.UniqueConstraint("tenant_id", "user_id", "topic", name=op.f("uq_fact_votes_tenant_id_user_id_topic")),
    )
    op.create_table(
        "word_versions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        _tenant("word_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_versions")),
        sa.UniqueConstraint("tenant_id", "fingerprint", name=op.f("uq_word_versions_tenant_id_fingerprint")),
    )
    op.add_column("insights", sa.Column("words", sa.String(length=300), nullable=True))
    op.add_column("insights", sa.Column("fingerprint", sa.String(length=64), nullable=True))
    op.create_index("ix_insights_tenant_id_fingerprint", "insights", ["tenant_id", "fingerprint"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_insights_tenant_id_fingerprint", "insights")
    op.drop_column("insights", "fingerprint")
    op.drop_column("insights", "words")
    for table in ("word_versions", "fact_votes", "digest_deliveries", "digest_issues", "digest_readers", "digests"):
        op.drop_table(table)
