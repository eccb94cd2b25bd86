"""Proposals of supervision that a person declined, with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "supervision_decline",
        sa.Column("ticket_id", sa.BigInteger, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("ground", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declined_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("ticket_id", "round", "ground", name="pk_supervision_decline"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_supervision_decline_ticket_id_ticket"),
        sa.ForeignKeyConstraint(
            ["declined_by"], ["user_account.id"], name="fk_supervision_decline_declined_by_user_account"
        ),
    )
    op.execute(
        "CREATE TRIGGER supervision_decline_append_only BEFORE UPDATE OR DELETE ON supervision_decline "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("supervision_decline")
