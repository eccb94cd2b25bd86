"""Codes by which a kiosk gets its token."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

NAME = "machine_enrolment"


def _ref(name: str, target: str) -> "sa.Column[int]":
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{NAME}_{name}_{target}")
    return sa.Column(name, sa.BigInteger, key, nullable=False)


def upgrade() -> None:
    op.create_table(
        NAME,
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        _ref("client_id", "machine_client"),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        _ref("made_by", "user_account"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{NAME}"),
        sa.UniqueConstraint("code_hash", name=f"uq_{NAME}_code_hash"),
    )
    op.create_index(f"ix_{NAME}_client_id", NAME, ["client_id"])


def downgrade() -> None:
    op.drop_table(NAME)
