"""People, personal values, event log, outbox, leases, audit."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    _people()
    _values_and_events()
    _audit()


def _people() -> None:
    op.create_table(
        "unit",
        _id(),
        sa.Column("parent_id", sa.BigInteger, nullable=True),
        _text("kind"),
        _text("name"),
        _text("short_name"),
        _text("code"),
        _text("path"),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("sort", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name="fk_unit_parent_id_unit"),
        sa.UniqueConstraint("code", name="uq_unit_code"),
    )
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"])
    op.create_index("ix_unit_path", "unit", ["path"], postgresql_ops={"path": "text_pattern_ops"})
    op.create_table(
        "user_account",
        _id(),
        _text("login"),
        _text("name"),
        _text("password_hash"),
        sa.Column("unit_id", sa.BigInteger, nullable=False),
        _text("extension", nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        _time("locked_until", nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_user_account_unit_id_unit"),
        sa.UniqueConstraint("login", name="uq_user_account_login"),
        sa.UniqueConstraint("extension", name="uq_user_account_extension"),
    )
    op.create_index("ix_user_account_unit_id", "user_account", ["unit_id"])
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.BigInteger, nullable=False),
        _text("role"),
        sa.PrimaryKeyConstraint("user_id", "role", name="pk_user_role"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_user_role_user_id_user_account"),
    )
    op.create_table(
        "web_session",
        _id(),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        _time("created_at"),
        _time("seen_at"),
        _time("expires_at"),
        _time("ended_at", nullable=True),
        _text("source", nullable=True),
        _text("agent", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_web_session_user_id_user_account"),
        sa.UniqueConstraint("token_hash", name="uq_web_session_token_hash"),
    )
    op.create_index("ix_web_session_user_id", "web_session", ["user_id"])


def _values_and_events() -> None:
    op.create_table(
        "personal_value",
        _id(),
        _text("kind"),
        sa.Column("blind", sa.LargeBinary, nullable=True),
        _text("key_id"),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=True),
        sa.Column("ciphertext", sa.LargeBinary, nullable=True),
        _text("masked"),
        _time("created_at"),
        _time("destroyed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_personal_value"),
    )
    op.create_index(
        "uq_personal_value_kind_blind",
        "personal_value",
        ["kind", "blind"],
        unique=True,
        postgresql_where=sa.text("blind IS NOT NULL"),
    )
    op.create_table(
        "event_log",
        _id(),
        sa.Column("seq", sa.BigInteger, nullable=True),
        _time("at"),
        _text("topic"),
        _text("kind"),
        sa.Column("ref", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_log"),
        sa.UniqueConstraint("seq", name="uq_event_log_seq"),
    )
    op.create_index("ix_event_log_unnumbered", "event_log", ["id"], postgresql_where=sa.text("seq IS NULL"))
    op.create_index("ix_event_log_at", "event_log", ["at"])
    op.create_table(
        "outbox",
        _id(),
        _text("dedup"),
        _text("kind"),
        sa.Column("payload", JSONB, nullable=False),
        _time("created_at"),
        _time("next_at"),
        sa.Column("attempts", sa.Integer, nullable=False),
        _text("last_error", nullable=True),
        _time("done_at", nullable=True),
        _time("dead_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedup", name="uq_outbox_dedup"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["next_at"],
        postgresql_where=sa.text("done_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index("ix_outbox_dead", "outbox", ["dead_at"], postgresql_where=sa.text("dead_at IS NOT NULL"))
    op.create_table(
        "lease",
        _text("role"),
        _text("owner"),
        sa.Column("epoch", sa.Integer, nullable=False),
        _time("until"),
        sa.PrimaryKeyConstraint("role", name="pk_lease"),
    )


APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_only_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.link_no IS NOT NULL
       OR (to_jsonb(NEW) - 'link_no' - 'hash') <> (to_jsonb(OLD) - 'link_no' - 'hash') THEN
        RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_only_link();

CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_log_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def _audit() -> None:
    op.create_table(
        "audit_log",
        _id(),
        _time("at"),
        sa.Column("actor_id", sa.BigInteger, nullable=True),
        _text("actor_login"),
        _text("action"),
        _text("object_type"),
        sa.Column("object_id", sa.BigInteger, nullable=True),
        _text("reason", nullable=True),
        sa.Column("detail", JSONB, nullable=False),
        _text("source", nullable=True),
        _text("request_id", nullable=True),
        sa.Column("link_no", sa.BigInteger, nullable=True),
        sa.Column("hash", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
        sa.UniqueConstraint("link_no", name="uq_audit_log_link_no"),
    )
    op.create_index("ix_audit_log_unlinked", "audit_log", ["id"], postgresql_where=sa.text("link_no IS NULL"))
    op.create_index("ix_audit_log_object", "audit_log", ["object_type", "object_id"])
    op.create_index("ix_audit_log_actor_id_at", "audit_log", ["actor_id", "at"])
    for statement in APPEND_ONLY.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for table in (
        "audit_log",
        "lease",
        "outbox",
        "event_log",
        "personal_value",
        "web_session",
        "user_role",
        "user_account",
        "unit",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION audit_only_link()")
    op.execute("DROP FUNCTION refuse_change()")
