"""Which API key made another, so that revoking the first revokes both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("made_by_key", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "made_by_key")
