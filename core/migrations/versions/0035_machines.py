"""Machine clients: systems that call this hotline with a token of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None

NAME = "machine_client"


def _ref(name: str, target: str, *, nullable: bool = False) -> "sa.Column[int]":
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{NAME}_{name}_{target}")
    return sa.Column(name, sa.BigInteger, key, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        NAME,
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("scopes", JSONB, nullable=False),
        _ref("unit_id", "unit", nullable=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        _ref("created_by", "user_account"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        _ref("revoked_by", "user_account", nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{NAME}"),
        sa.UniqueConstraint("code", name=f"uq_{NAME}_code"),
        sa.UniqueConstraint("token_hash", name=f"uq_{NAME}_token_hash"),
    )


def downgrade() -> None:
    op.drop_table(NAME)
