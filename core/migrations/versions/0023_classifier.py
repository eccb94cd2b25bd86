"""Models of the classifier, what each said of a ticket, and where it may act alone."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def _ref(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _model() -> None:
    op.create_table(
        "classifier_model",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("first_day", sa.Date, nullable=True),
        sa.Column("last_day", sa.Date, nullable=True),
        sa.Column("figures", JSONB, nullable=False),
        _time("made_at"),
        sa.Column("made_by", sa.BigInteger, nullable=True),
        _time("activated_at", nullable=True),
        sa.Column("activated_by", sa.BigInteger, nullable=True),
        _time("retired_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_classifier_model"),
        sa.UniqueConstraint("digest", name="uq_classifier_model_digest"),
        sa.CheckConstraint("state IN ('challenger', 'active', 'retired')", name="ck_classifier_model_state"),
        sa.CheckConstraint("source IN ('starter', 'local', 'file')", name="ck_classifier_model_source"),
        _ref("classifier_model", "made_by", "user_account"),
        _ref("classifier_model", "activated_by", "user_account"),
    )
    for state in ("active", "challenger"):
        op.create_index(
            f"uq_classifier_model_{state}",
            "classifier_model",
            ["state"],
            unique=True,
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "classifier_part",
        sa.Column("model_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "name", name="pk_classifier_part"),
        _ref("classifier_part", "model_id", "classifier_model", ondelete="CASCADE"),
    )


def _advice() -> None:
    op.create_table(
        "category_advice",
        sa.Column("ticket_id", sa.BigInteger, nullable=False),
        sa.Column("model_id", sa.BigInteger, nullable=False),
        _time("advised_at"),
        sa.Column("heard", sa.Boolean, nullable=False),
        sa.Column("label", sa.String(20), nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("second", sa.String(20), nullable=False),
        sa.Column("third", sa.String(20), nullable=False),
        sa.Column("gate", sa.String(12), nullable=False),
        sa.Column("words", JSONB, nullable=False),
        sa.Column("likeness", sa.Float, nullable=False),
        sa.Column("chosen_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "model_id", name="pk_category_advice"),
        _ref("category_advice", "ticket_id", "ticket"),
        _ref("category_advice", "model_id", "classifier_model"),
        _ref("category_advice", "chosen_id", "category"),
    )
    op.create_index("ix_category_advice_model", "category_advice", ["model_id", "advised_at"])
    op.create_table(
        "advice_progress",
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("step", name="pk_advice_progress"),
    )
    # What was made before there was a model is not advised on afterwards.
    op.execute("INSERT INTO advice_progress SELECT 'advice', coalesce(max(id), 0) FROM ticket")
    op.create_table(
        "category_switch",
        sa.Column("category_id", sa.BigInteger, nullable=False),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        _time("changed_at"),
        sa.Column("changed_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("category_id", name="pk_category_switch"),
        _ref("category_switch", "category_id", "category"),
        _ref("category_switch", "changed_by", "user_account"),
    )


def upgrade() -> None:
    _model()
    _advice()


def downgrade() -> None:
    for table in (
        "category_switch", "advice_progress", "category_advice", "classifier_part", "classifier_model",
    ):  # fmt: skip
        op.drop_table(table)
