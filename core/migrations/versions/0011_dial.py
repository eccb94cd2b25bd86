"""Calls ordered from a page, carried out once by the node that leads telephony."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dial_order",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("number_ref", sa.BigInteger, nullable=False),
        sa.Column("object", sa.String(20), nullable=False),
        sa.Column("object_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("why", sa.String(40), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dial_order"),
        sa.UniqueConstraint("channel_id", name="uq_dial_order_channel_id"),
        sa.ForeignKeyConstraint(
            ["number_ref"], ["personal_value.id"], name="fk_dial_order_number_ref_personal_value"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_dial_order_user_id_user_account"),
        sa.CheckConstraint(
            "state IN ('waiting', 'taken', 'ringing', 'failed', 'late')", name="ck_dial_order_state"
        ),
    )
    op.create_index(
        "ix_dial_order_waiting", "dial_order", ["id"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index("ix_dial_order_object", "dial_order", ["object", "object_id", "id"])


def downgrade() -> None:
    op.drop_table("dial_order")
