"""Where a matter is, as a point on the map; which machine client sent a file."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "ticket_point"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=False),
        sa.Column("latitude", sa.Double, nullable=False),
        sa.Column("longitude", sa.Double, nullable=False),
        sa.Column("datum", sa.String(5), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="ck_ticket_point_latitude"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="ck_ticket_point_longitude"),
        sa.CheckConstraint("datum IN ('wgs84', 'gcj02')", name="ck_ticket_point_datum"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_point_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_point"),
    )
    op.create_index("ix_ticket_point_ticket", table, ["ticket_id", "id"])
    op.add_column("ticket_attachment", sa.Column("client_id", sa.BigInteger, nullable=True))
    op.create_foreign_key(
        "fk_ticket_attachment_client_id_machine_client",
        "ticket_attachment",
        "machine_client",
        ["client_id"],
        ["id"],
    )
    _once("ticket_id", "source_sha256", "audience", "client_id")
    op.create_index("ix_webhook_delivery_delivered", "webhook_delivery", ["endpoint_id", "delivered_at"])


def _once(*columns: str) -> None:
    """The same file is one attachment of a ticket; since this revision, one of each system that sends it."""
    op.drop_index("uq_ticket_attachment_once", "ticket_attachment")
    op.create_index(
        "uq_ticket_attachment_once",
        "ticket_attachment",
        [*columns],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_delivery_delivered", "webhook_delivery")
    _once("ticket_id", "source_sha256", "audience")
    op.drop_column("ticket_attachment", "client_id")
    op.drop_table("ticket_point")
