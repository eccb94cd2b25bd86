"""Citizen records with their numbers, names, notes, flags; saved views; reply templates."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPENDED = ("citizen_note", "citizen_history")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    _records()
    _remarks()
    _views()
    _templates()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _records() -> None:
    op.create_table(
        "citizen",
        _id(),
        sa.Column("version", sa.Integer, nullable=False),
        _big("merged_into_id", nullable=True),
        sa.Column("business", sa.Boolean, nullable=False),
        _text("company", 100),
        _text("uscc", 18, nullable=True),
        _time("created_at"),
        _time("updated_at"),
        _time("forgotten_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_citizen"),
        _ref("citizen", "merged_into_id", "citizen"),
        sa.CheckConstraint("merged_into_id <> id", name="ck_citizen_other"),
    )
    op.create_index(
        "ix_citizen_merged",
        "citizen",
        ["merged_into_id"],
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index("ix_citizen_uscc", "citizen", ["uscc"], postgresql_where=sa.text("uscc IS NOT NULL"))
    op.create_index("ix_citizen_company", "citizen", ["company"], postgresql_where=sa.text("company <> ''"))
    op.create_table(
        "citizen_phone",
        _big("phone_ref"),
        _big("citizen_id"),
        _time("added_at"),
        _big("added_by", nullable=True),
        _big("names_up_to"),
        sa.PrimaryKeyConstraint("phone_ref", name="pk_citizen_phone"),
        _ref("citizen_phone", "phone_ref", "personal_value"),
        _ref("citizen_phone", "citizen_id", "citizen"),
        _ref("citizen_phone", "added_by", "user_account"),
    )
    op.create_index("ix_citizen_phone_citizen_id", "citizen_phone", ["citizen_id"])
    op.create_table(
        "citizen_name",
        _id(),
        _big("citizen_id"),
        _big("name_ref"),
        sa.Column("blind", sa.LargeBinary, nullable=True),
        _big("phone_ref", nullable=True),
        _time("added_at"),
        _big("added_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_name"),
        _ref("citizen_name", "citizen_id", "citizen"),
        _ref("citizen_name", "name_ref", "personal_value"),
        _ref("citizen_name", "phone_ref", "personal_value"),
        _ref("citizen_name", "added_by", "user_account"),
    )
    op.create_index(
        "uq_citizen_name_once",
        "citizen_name",
        ["citizen_id", "blind"],
        unique=True,
        postgresql_where=sa.text("blind IS NOT NULL"),
    )
    op.create_index(
        "ix_citizen_name_blind", "citizen_name", ["blind"], postgresql_where=sa.text("blind IS NOT NULL")
    )
    op.create_table(
        "citizen_progress",
        _text("step", 20),
        _big("ticket_id"),
        sa.PrimaryKeyConstraint("step", name="pk_citizen_progress"),
    )
    op.execute("INSERT INTO citizen_progress (step, ticket_id) VALUES ('names', 0)")


def _remarks() -> None:
    op.create_table(
        "citizen_note",
        _id(),
        _big("citizen_id"),
        _time("at"),
        _big("author_id", nullable=True),
        _text("author_name", 60),
        _text("author_role", 30),
        _big("body_ref"),
        _big("withdraws_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_note"),
        _ref("citizen_note", "citizen_id", "citizen"),
        _ref("citizen_note", "author_id", "user_account"),
        _ref("citizen_note", "body_ref", "personal_value"),
        _ref("citizen_note", "withdraws_id", "citizen_note"),
        sa.UniqueConstraint("withdraws_id", name="uq_citizen_note_withdraws_id"),
    )
    op.create_index("ix_citizen_note_citizen", "citizen_note", ["citizen_id", "id"])
    op.create_table(
        "citizen_flag",
        _id(),
        _big("citizen_id"),
        _text("kind", 20),
        _text("reason", 200),
        _time("set_at"),
        _big("set_by", nullable=True),
        _time("cleared_at", nullable=True),
        _big("cleared_by", nullable=True),
        _text("cleared_reason", 200),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_flag"),
        _ref("citizen_flag", "citizen_id", "citizen"),
        _ref("citizen_flag", "set_by", "user_account"),
        _ref("citizen_flag", "cleared_by", "user_account"),
    )
    op.create_index(
        "uq_citizen_flag_set",
        "citizen_flag",
        ["citizen_id", "kind"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "citizen_history",
        _id(),
        _big("citizen_id"),
        _time("at"),
        _big("actor_id", nullable=True),
        _text("actor_name", 60),
        _text("role", 30),
        _text("action", 20),
        _text("reason", 200),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changes", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_citizen_history"),
        _ref("citizen_history", "citizen_id", "citizen"),
        _ref("citizen_history", "actor_id", "user_account"),
    )
    op.create_index("ix_citizen_history_citizen", "citizen_history", ["citizen_id", "id"])


def _views() -> None:
    op.create_table(
        "saved_view",
        _id(),
        _big("user_id"),
        _text("surface", 20),
        _text("name", 40),
        sa.Column("query", JSONB, nullable=False),
        sa.Column("columns", JSONB, nullable=False),
        sa.Column("shared_with_unit", sa.Boolean, nullable=False),
        _big("unit_id", nullable=True),
        sa.Column("position", sa.Integer, nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        _ref("saved_view", "user_id", "user_account"),
        _ref("saved_view", "unit_id", "unit"),
        sa.UniqueConstraint("user_id", "surface", "name", name="uq_saved_view_user_id_surface_name"),
    )
    op.create_index(
        "ix_saved_view_shared",
        "saved_view",
        ["unit_id", "surface"],
        postgresql_where=sa.text("shared_with_unit"),
    )


def _templates() -> None:
    op.create_table(
        "reply_template",
        _id(),
        _big("unit_id", nullable=True),
        _big("category_id", nullable=True),
        _text("title", 60),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _big("created_by", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_reply_template"),
        _ref("reply_template", "unit_id", "unit"),
        _ref("reply_template", "category_id", "category"),
        _ref("reply_template", "created_by", "user_account"),
    )
    op.create_index("ix_reply_template_unit_id", "reply_template", ["unit_id"])


def downgrade() -> None:
    for table in (
        "reply_template",
        "saved_view",
        "citizen_history",
        "citizen_flag",
        "citizen_note",
        "citizen_progress",
        "citizen_name",
        "citizen_phone",
        "citizen",
    ):
        op.drop_table(table)
