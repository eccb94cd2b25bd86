"""Papers of matters, consents to certificate checks, their results, the embedded registry."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0040"
down_revision = "0038"
branch_labels = None
depends_on = None

APPENDED = ("paper_list", "certificate_consent", "certificate_withdrawal", "certificate_check")


def upgrade() -> None:
    op.create_table(
        "paper_list",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("category_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("papers", JSONB, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_by", sa.BigInteger, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_paper_list"),
        sa.UniqueConstraint("category_id", "version", name="uq_paper_list_category_id_version"),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_paper_list_category_id_category"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name="fk_paper_list_created_by_user_account"
        ),
    )
    _consents()
    _checks()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _consents() -> None:
    op.create_table(
        "certificate_consent",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=True),
        sa.Column("draft_id", sa.BigInteger, nullable=True),
        sa.Column("subject_ref", sa.BigInteger, nullable=False),
        sa.Column("kinds", JSONB, nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_consent"),
        sa.CheckConstraint("(ticket_id IS NULL) <> (draft_id IS NULL)", name="ck_certificate_consent_about"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_certificate_consent_ticket_id_ticket"),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["ticket_draft.id"], name="fk_certificate_consent_draft_id_ticket_draft"
        ),
        sa.ForeignKeyConstraint(
            ["subject_ref"], ["personal_value.id"], name="fk_certificate_consent_subject_ref_personal_value"
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["user_account.id"], name="fk_certificate_consent_recorded_by_user_account"
        ),
    )
    for name in ("ticket", "draft"):
        where = sa.text(f"{name}_id IS NOT NULL")
        op.create_index(
            f"ix_certificate_consent_{name}", "certificate_consent", [f"{name}_id"], postgresql_where=where
        )
    op.create_index("ix_certificate_consent_subject", "certificate_consent", ["subject_ref"])
    op.create_table(
        "certificate_withdrawal",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("consent_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_withdrawal"),
        sa.UniqueConstraint("consent_id", name="uq_certificate_withdrawal_consent_id"),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["certificate_consent.id"],
            name="fk_certificate_withdrawal_consent_id_certificate_consent",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["user_account.id"], name="fk_certificate_withdrawal_recorded_by_user_account"
        ),
    )


def _checks() -> None:
    op.create_table(
        "certificate_check",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("consent_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("result", sa.String(8), nullable=False),
        sa.Column("why", sa.String(12), nullable=False),
        sa.Column("issuer", sa.String(60), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=True),
        sa.Column("valid_to", sa.Date, nullable=True),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_check"),
        sa.CheckConstraint("result IN ('valid', 'invalid', 'unknown')", name="ck_certificate_check_result"),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["certificate_consent.id"],
            name="fk_certificate_check_consent_id_certificate_consent",
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user_account.id"], name="fk_certificate_check_asked_by_user_account"
        ),
    )
    op.create_index("ix_certificate_check_consent", "certificate_check", ["consent_id", "kind", "id"])
    op.create_index(
        "ix_certificate_check_valid",
        "certificate_check",
        ["at"],
        postgresql_where=sa.text("result = 'valid'"),
    )
    op.create_table(
        "certificate_record",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("holder", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("issuer", sa.String(60), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=True),
        sa.Column("valid_to", sa.Date, nullable=True),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_record"),
        sa.UniqueConstraint("holder", "kind", name="uq_certificate_record_holder_kind"),
    )


def downgrade() -> None:
    for table in (
        "certificate_record",
        "certificate_check",
        "certificate_withdrawal",
        "certificate_consent",
        "paper_list",
    ):
        op.drop_table(table)
