"""Who was served in which queue, and the trace that a job belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.store.columns import UtcDateTime

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_turns",
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=31), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("served_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("queue", "tenant_id", "user_id", name=op.f("pk_job_turns")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_job_turns_tenant_id"), ondelete="CASCADE"),
    )
    op.add_column("jobs", sa.Column("trace", sa.String(length=60), nullable=True))
    op.create_index("ix_jobs_queue_status", "jobs", ["queue", "status", "not_before"])


def downgrade() -> None:
    op.drop_index("ix_jobs_queue_status", table_name="jobs")
    op.drop_column("jobs", "trace")
    op.drop_table("job_turns")
