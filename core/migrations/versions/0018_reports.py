"""Reports as they were made: kept as data, never changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=True),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled", sa.Boolean, nullable=False),
        sa.Column("made_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
        sa.ForeignKeyConstraint(["subject_id"], ["category.id"], name="fk_report_subject_id_category"),
        sa.ForeignKeyConstraint(["made_by"], ["user_account.id"], name="fk_report_made_by_user_account"),
        sa.CheckConstraint(
            "kind IN ('daily', 'weekly', 'monthly', 'league', 'special')", name="ck_report_kind"
        ),
        sa.CheckConstraint("first <= last", name="ck_report_days"),
    )
    op.create_index("ix_report_newest", "report", [sa.text("made_at DESC"), sa.text("id DESC")])
    op.create_index(
        "uq_report_scheduled",
        "report",
        ["kind", "first"],
        unique=True,
        postgresql_where=sa.text("scheduled"),
    )
    op.execute(
        "CREATE TRIGGER report_append_only BEFORE UPDATE OR DELETE ON report "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("report")
