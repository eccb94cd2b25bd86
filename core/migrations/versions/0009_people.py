"""Tables: delegation, second factor, proposals of the three administrators, lists of people to import."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    _proposals()
    _delegations()
    _second_factors()
    _imports()


def _proposals() -> None:
    op.create_table(
        "admin_proposal",
        _id(),
        _text("act"),
        sa.Column("payload", JSONB, nullable=False),
        _text("subject_type"),
        _big("subject_id", nullable=True),
        _text("state"),
        _text("note"),
        _big("proposed_by"),
        _time("proposed_at"),
        _big("decided_by", nullable=True),
        _time("decided_at", nullable=True),
        _text("decision_note"),
        sa.PrimaryKeyConstraint("id", name="pk_admin_proposal"),
        _ref("admin_proposal", "proposed_by", "user_account"),
        _ref("admin_proposal", "decided_by", "user_account"),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'refused', 'withdrawn')", name="ck_admin_proposal_state"
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name="ck_admin_proposal_decided_once"
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR decided_by <> proposed_by", name="ck_admin_proposal_two_people"
        ),
    )
    op.create_index(
        "ix_admin_proposal_waiting", "admin_proposal", ["id"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index("ix_admin_proposal_subject", "admin_proposal", ["subject_type", "subject_id"])


def _delegations() -> None:
    op.create_table(
        "delegation",
        _id(),
        _big("principal_id"),
        _big("deputy_id"),
        _big("unit_id"),
        _text("post"),
        _text("scope"),
        _text("reason"),
        _time("starts_at"),
        _time("ends_at"),
        _time("created_at"),
        _time("ended_at", nullable=True),
        _big("ended_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
        _ref("delegation", "principal_id", "user_account"),
        _ref("delegation", "deputy_id", "user_account"),
        _ref("delegation", "unit_id", "unit"),
        _ref("delegation", "ended_by", "user_account"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_delegation_span"),
        sa.CheckConstraint("deputy_id <> principal_id", name="ck_delegation_two_people"),
    )
    op.create_index(
        "ix_delegation_deputy", "delegation", ["deputy_id"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_delegation_principal", "delegation", ["principal_id", "starts_at"])


def _second_factors() -> None:
    op.create_table(
        "user_totp",
        _big("user_id"),
        _bytes("secret_sealed"),
        _big("last_step"),
        _time("created_at"),
        _time("confirmed_at", nullable=True),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_totp"),
        _ref("user_totp", "user_id", "user_account"),
    )
    op.create_table(
        "recovery_code",
        _id(),
        _big("user_id"),
        _bytes("code_hash"),
        _time("created_at"),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
        _ref("recovery_code", "user_id", "user_account"),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    op.create_table(
        "second_step",
        _id(),
        _bytes("token_hash"),
        _big("user_id"),
        _time("created_at"),
        _time("expires_at"),
        sa.Column("tries", sa.Integer, nullable=False),
        _time("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_second_step"),
        _ref("second_step", "user_id", "user_account"),
        sa.UniqueConstraint("token_hash", name="uq_second_step_token_hash"),
    )
    op.create_index("ix_second_step_user_id", "second_step", ["user_id"])


def _imports() -> None:
    op.create_table(
        "user_import",
        _id(),
        _big("created_by"),
        _time("created_at"),
        _text("file_name"),
        sa.Column("rows", JSONB, nullable=False),
        _text("state"),
        sa.Column("done", sa.Integer, nullable=False),
        _bytes("passwords_sealed", nullable=True),
        _big("proposal_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_user_import"),
        _ref("user_import", "created_by", "user_account"),
        _ref("user_import", "proposal_id", "admin_proposal"),
        sa.CheckConstraint("state IN ('checked', 'running', 'done')", name="ck_user_import_state"),
    )


def downgrade() -> None:
    for table in (
        "user_import",
        "second_step",
        "recovery_code",
        "user_totp",
        "delegation",
        "admin_proposal",
    ):
        op.drop_table(table)
