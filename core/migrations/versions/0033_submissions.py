"""What came in by itself, once per key; what citizens do to their tickets, once per key."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=False),
        sa.Column("assumed", sa.String(60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint("channel", "key", name="uq_submission_channel_key"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_submission_ticket_id_ticket"),
    )
    op.create_index("ix_submission_ticket", "submission", ["ticket_id"])
    op.create_table(
        "citizen_act",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("result_id", sa.BigInteger, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_act"),
        sa.UniqueConstraint("ticket_id", "key", name="uq_citizen_act_ticket_id_key"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_citizen_act_ticket_id_ticket"),
        sa.ForeignKeyConstraint(["result_id"], ["ticket.id"], name="fk_citizen_act_result_id_ticket"),
    )


def downgrade() -> None:
    op.drop_table("citizen_act")
    op.drop_table("submission")
