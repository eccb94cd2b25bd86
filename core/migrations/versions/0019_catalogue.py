"""Routing: the responsibility catalogue, rules and their trials, the gazetteer, advice and choices."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    _catalogue()
    _rules()
    _places()
    _advice()


def _catalogue() -> None:
    op.create_table(
        "responsibility",
        _id(),
        _int("version"),
        _words("category", 20),
        _words("area", 40),
        _words("subject", 60),
        _words("lead", 40),
        sa.Column("co", JSONB, nullable=False),
        _words("basis", 300),
        _words("clock", 60),
        _words("script", 500),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=True),
        _time("changed_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_responsibility"),
        sa.CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="ck_responsibility_days"),
    )
    op.create_index("ix_responsibility_category", "responsibility", ["category", "area"])
    op.create_index("ix_responsibility_lead", "responsibility", ["lead"])
    op.create_table(
        "responsibility_change",
        _id(),
        _big("responsibility_id", nullable=False),
        _int("version"),
        sa.Column("said", JSONB, nullable=False),
        _words("note", 200),
        _big("changed_by"),
        _time("changed_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_responsibility_change"),
        _ref("responsibility_change", "responsibility_id", "responsibility"),
        _ref("responsibility_change", "changed_by", "user_account"),
    )
    op.create_index("ix_responsibility_change_row", "responsibility_change", ["responsibility_id", "version"])
    op.execute(
        "CREATE TRIGGER responsibility_change_append_only BEFORE UPDATE OR DELETE ON responsibility_change "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _rules() -> None:
    op.create_table(
        "rule_set",
        _id(),
        _int("number"),
        _words("state", 10),
        _int("edits"),
        sa.Column("rules", JSONB, nullable=False),
        _words("note", 200),
        _big("made_by"),
        _time("made_at", nullable=False),
        _big("published_by"),
        _time("published_at"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_set"),
        sa.UniqueConstraint("number", name="uq_rule_set_number"),
        sa.CheckConstraint("state IN ('draft', 'live', 'past', 'dropped')", name="ck_rule_set_state"),
        _ref("rule_set", "made_by", "user_account"),
        _ref("rule_set", "published_by", "user_account"),
    )
    for state in ("live", "draft"):
        op.create_index(
            f"uq_rule_set_{state}",
            "rule_set",
            ["state"],
            unique=True,
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "rule_trial",
        _id(),
        _big("rule_set_id", nullable=False),
        _int("edits"),
        _words("state", 10),
        _time("first_at", nullable=False),
        _time("last_at", nullable=False),
        _time("cursor_at", nullable=False),
        _big("cursor_id", nullable=False),
        _int("total"),
        _int("seen"),
        sa.Column("result", JSONB, nullable=False),
        _big("asked_by"),
        _time("asked_at", nullable=False),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_trial"),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name="ck_rule_trial_state"),
        _ref("rule_trial", "rule_set_id", "rule_set"),
        _ref("rule_trial", "asked_by", "user_account"),
    )
    op.create_index("ix_rule_trial_set", "rule_trial", ["rule_set_id", "id"])
    op.create_index(
        "ix_rule_trial_running", "rule_trial", ["id"], postgresql_where=sa.text("state = 'running'")
    )


def _places() -> None:
    op.create_table(
        "gazetteer_place",
        _id(),
        _words("name", 60),
        _words("kind", 10),
        _words("unit", 40),
        _words("community", 60),
        sa.PrimaryKeyConstraint("id", name="pk_gazetteer_place"),
        sa.UniqueConstraint("name", "unit", name="uq_gazetteer_place_name_unit"),
    )


def _advice() -> None:
    op.create_table(
        "dispatch_advice",
        _id(),
        _big("ticket_id", nullable=False),
        _int("ticket_version"),
        sa.Column("suggested", JSONB, nullable=False),
        _big("first_unit_id"),
        _words("source", 10),
        _words("rule", 40, nullable=True),
        _int("rule_number", nullable=True),
        _int("catalogue_version"),
        sa.Column("model", sa.Text, nullable=True),
        sa.Column("probability", sa.Float, nullable=True),
        _time("made_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_advice"),
        sa.UniqueConstraint(
            "ticket_id", "ticket_version", name="uq_dispatch_advice_ticket_id_ticket_version"
        ),
        _ref("dispatch_advice", "ticket_id", "ticket"),
        _ref("dispatch_advice", "first_unit_id", "unit"),
    )
    op.create_table(
        "dispatch_choice",
        _id(),
        _big("ticket_id", nullable=False),
        _int("version"),
        _big("unit_id", nullable=False),
        _big("chosen_by"),
        _time("chosen_at", nullable=False),
        _words("corrected_as", 20, nullable=True),
        _words("corrected_reason", 30, nullable=True),
        _big("corrected_to"),
        _big("corrected_by"),
        _time("corrected_at"),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_choice"),
        _ref("dispatch_choice", "ticket_id", "ticket"),
        *(_ref("dispatch_choice", column, "unit") for column in ("unit_id", "corrected_to")),
        *(_ref("dispatch_choice", column, "user_account") for column in ("chosen_by", "corrected_by")),
    )
    op.create_index("ix_dispatch_choice_at", "dispatch_choice", ["chosen_at", "ticket_id"])
    op.create_index("ix_dispatch_choice_ticket", "dispatch_choice", ["ticket_id", "version"])


def downgrade() -> None:
    for table in (
        *("dispatch_choice", "dispatch_advice", "gazetteer_place", "rule_trial", "rule_set"),
        *("responsibility_change", "responsibility"),
    ):
        op.drop_table(table)
