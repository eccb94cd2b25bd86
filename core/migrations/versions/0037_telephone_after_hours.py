"""The telephone after hours: messages left, answers by keys, tickets asked about by keys."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

COUNTERS = ("surveyed", "scored", "satisfied", "solved_told", "solved")
RECORDED = "ix_call_session_recorded"


def _recorded(where: str) -> None:
    op.drop_index(RECORDED, "call_session")
    op.create_index(RECORDED, "call_session", ["ended_at"], postgresql_where=sa.text(where))


def upgrade() -> None:
    op.add_column("call_session", sa.Column("survey_solved", sa.Boolean, nullable=True))
    op.add_column("call_session", sa.Column("survey_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call_session", sa.Column("voicemail", sa.Text, nullable=True))
    op.add_column("call_session", sa.Column("voicemail_ms", sa.Integer, nullable=True))
    _recorded("(recording IS NOT NULL OR voicemail IS NOT NULL) AND recording_gone_at IS NULL")
    for name in COUNTERS:
        op.add_column("call_interval", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "phone_enquiry",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("session_key", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("ticket_id", sa.BigInteger, nullable=True),
        sa.Column("answer", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_phone_enquiry"),
        sa.UniqueConstraint("pbx", "session_key", "attempt", name="uq_phone_enquiry_pbx_session_key_attempt"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_phone_enquiry_ticket_id_ticket"),
    )
    op.create_index("ix_phone_enquiry_ticket_id", "phone_enquiry", ["ticket_id", "id"])
    op.create_index("ix_phone_enquiry_at", "phone_enquiry", ["at"])


def downgrade() -> None:
    op.drop_table("phone_enquiry")
    for name in COUNTERS:
        op.drop_column("call_interval", name)
    _recorded("recording IS NOT NULL AND recording_gone_at IS NULL")
    for name in ("voicemail_ms", "voicemail", "survey_asked_at", "survey_solved"):
        op.drop_column("call_session", name)
