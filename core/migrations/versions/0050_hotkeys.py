"""A person's own keys of the console, kept with the account; when the words of a conversation went."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("hotkeys", JSONB(), nullable=False, server_default="{}"))
    op.add_column("chat_session", sa.Column("words_gone_at", sa.DateTime(timezone=True), nullable=True))
    there = sa.text("ended_at IS NOT NULL AND words_gone_at IS NULL")
    op.create_index("ix_chat_session_words", "chat_session", ["ended_at"], postgresql_where=there)
    op.create_index("ix_chat_session_phone_ref", "chat_session", ["phone_ref"])


def downgrade() -> None:
    op.drop_index("ix_chat_session_phone_ref", "chat_session")
    op.drop_index("ix_chat_session_words", "chat_session")
    op.drop_column("chat_session", "words_gone_at")
    op.drop_column("user_account", "hotkeys")
