"""Calls we made by when they began: the phone reports count them, and they are one in five of all calls."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_call_session_outbound",
        "call_session",
        ["started_at"],
        postgresql_where=sa.text("direction = 'outbound'"),
    )


def downgrade() -> None:
    op.drop_index("ix_call_session_outbound", "call_session")
