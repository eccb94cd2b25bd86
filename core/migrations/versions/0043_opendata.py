"""Releases of public data and the decisions on them; both are only appended to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_release",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_open_release"),
        sa.UniqueConstraint("month", "version", name="uq_open_release_month_version"),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name="fk_open_release_made_by_user_account"
        ),
        sa.CheckConstraint("version > 0", name="ck_open_release_version"),
        sa.CheckConstraint("extract(day from month) = 1", name="ck_open_release_month"),
    )
    op.create_table(
        "open_decision",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("release_id", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_open_decision"),
        sa.UniqueConstraint("release_id", name="uq_open_decision_release_id"),
        sa.ForeignKeyConstraint(
            ["release_id"], ["open_release.id"], name="fk_open_decision_release_id_open_release"
        ),
        sa.ForeignKeyConstraint(["by"], ["user_account.id"], name="fk_open_decision_by_user_account"),
        sa.CheckConstraint("decision IN ('published', 'refused')", name="ck_open_decision_decision"),
    )
    for table in ("open_release", "open_decision"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("open_decision")
    op.drop_table("open_release")
