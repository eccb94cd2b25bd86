"""Figures: what writers put down, the facts that hold, their sums; since when a ticket's stage runs."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _counted_by() -> list[sa.Column]:  # type: ignore[type-arg]  # columns of several types
    return [
        sa.Column("unit_id", sa.BigInteger, nullable=False),
        sa.Column("category_id", sa.BigInteger, nullable=False),
        sa.Column("district_id", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("left_out", sa.Boolean, nullable=False),
    ]


def upgrade() -> None:
    op.add_column("ticket", sa.Column("stage_since", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        UPDATE ticket SET stage_since = s.started_at
        FROM (SELECT ticket_id, stage, max(started_at) AS started_at FROM ticket_stage
              WHERE ended_at IS NULL GROUP BY ticket_id, stage) AS s
        WHERE s.ticket_id = ticket.id AND s.stage = ticket.stage
        """
    )
    op.create_table(
        "measure_delta",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.Boolean, nullable=False),
        sa.Column("ref_id", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("n", sa.SmallInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=True),
        *_counted_by(),
        sa.PrimaryKeyConstraint("id", name="pk_measure_delta"),
    )
    op.create_table(
        "measure_fact",
        sa.Column("ref_id", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("record", sa.Boolean, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        *_counted_by(),
        sa.PrimaryKeyConstraint("ref_id", "code", "seq", "record", name="pk_measure_fact"),
    )
    newest = [sa.text("day DESC"), sa.text("ref_id DESC"), sa.text("seq DESC")]
    op.create_index("ix_measure_fact_list", "measure_fact", ["code", *newest])
    op.create_index(
        "ix_measure_fact_unit",
        "measure_fact",
        ["unit_id", "code", *newest],
        postgresql_where=sa.text("unit_id <> 0"),
    )
    op.create_table(
        "measure_sum",
        sa.Column("scope", sa.String(10), nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("grain", sa.String(1), nullable=False),
        sa.Column("start", sa.Date, nullable=False),
        sa.Column("key", sa.String(20), nullable=False),
        sa.Column("left_out", sa.Boolean, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", "code", "grain", "start", "key", "left_out", name="pk_measure_sum"),
    )
    op.create_index("ix_measure_sum_empty", "measure_sum", ["code"], postgresql_where=sa.text("n = 0"))
    op.create_table(
        "measure_count",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=True),
        sa.Column("records_upto", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_measure_count"),
    )
    # What there is already is counted from its history by the leader, in steps.
    op.execute("INSERT INTO measure_count (id, upto, records_upto) VALUES (1, 0, 0)")


def downgrade() -> None:
    for table in ("measure_count", "measure_sum", "measure_fact", "measure_delta"):
        op.drop_table(table)
    op.drop_column("ticket", "stage_since")
