"""Points on the map that were taken back: beside the points, which stay as they were given."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "point_withdrawal"
    op.create_table(
        table,
        sa.Column("point_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.BigInteger, nullable=True),
        sa.Column("client_id", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.CheckConstraint("(withdrawn_by IS NULL) <> (client_id IS NULL)", name=f"ck_{table}_who"),
        # A node of before, which forgets a citizen, knows nothing of this table.
        sa.ForeignKeyConstraint(
            ["point_id"], ["ticket_point.id"], name=f"fk_{table}_point_id_ticket_point", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["user_account.id"], name=f"fk_{table}_withdrawn_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["machine_client.id"], name=f"fk_{table}_client_id_machine_client"
        ),
        sa.PrimaryKeyConstraint("point_id", name=f"pk_{table}"),
    )


def downgrade() -> None:
    op.drop_table("point_withdrawal")
