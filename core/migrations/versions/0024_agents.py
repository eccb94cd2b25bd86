"""Agents' states: sessions, intervals, work after calls; reasons, codes and queues they are chosen from."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STATES = (
    "signed_out", "ready", "not_ready", "ringing", "talking", "hold", "wrap_up", "call_back", "unreachable",
)  # fmt: skip
REASONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "not_ready": (
        ("break", "小休", ""),
        ("meal", "用餐", ""),
        ("training", "培训", ""),
        ("meeting", "会议", ""),
        ("coaching", "辅导谈话", ""),
        ("paperwork", "处理工单", ""),
        ("device", "设备故障", "请同时告知班长"),
    ),
    "wrap_up": (
        ("registered", "已登记工单", ""),
        ("answered", "直接答复", ""),
        ("urged", "催办或补充", ""),
        ("transferred", "已转接", ""),
        ("cut_off", "通话中断", ""),
        ("silent", "无声电话", ""),
        ("nuisance", "骚扰或无效来电", ""),
        ("other", "其他", ""),
    ),
}
QUEUES = (
    ("business", "涉企专席", 30),
    ("dialect", "方言专席", 40),
    ("callback", "回访", 50),
)
ONLY_THE_END = """
CREATE FUNCTION agent_interval_only_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR (to_jsonb(NEW) - 'ended_at') <> (to_jsonb(OLD) - 'ended_at') THEN
        RAISE EXCEPTION 'agent_interval is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _word(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _one_open(name: str, table: str, column: str, end: str) -> None:
    op.create_index(name, table, [column], unique=True, postgresql_where=sa.text(f"{end} IS NULL"))


def _sessions() -> None:
    op.create_table(
        "agent_session",
        _id(),
        _big("user_id"),
        _word("extension", 20),
        _word("pbx", 40),
        sa.Column("queues", JSONB, nullable=False),
        _time("signed_in_at"),
        _time("signed_out_at", nullable=True),
        _word("ended_by", 12, nullable=True),
        _word("wish", 10),
        _word("wish_reason", 30, nullable=True),
        _big("wish_by", nullable=True),
        _word("leaving", 12, nullable=True),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("reachable", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        _word("pause_reason", 30),
        sa.Column("calls", JSONB, nullable=False),
        _time("changed_at"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agent_session"),
        _ref("agent_session", "user_id", "user_account"),
        _ref("agent_session", "wish_by", "user_account"),
        sa.CheckConstraint("wish IN ('ready', 'not_ready')", name="ck_agent_session_wish"),
        sa.CheckConstraint("signed_out_at >= signed_in_at", name="ck_agent_session_span"),
    )
    _one_open("uq_agent_session_user", "agent_session", "user_id", "signed_out_at")
    _one_open("uq_agent_session_extension", "agent_session", "extension", "signed_out_at")
    op.create_index("ix_agent_session_signed_in_at", "agent_session", ["signed_in_at"])
    op.create_index("ix_agent_session_user_id_signed_in_at", "agent_session", ["user_id", "signed_in_at"])
    op.create_index("ix_agent_session_extension_pbx", "agent_session", ["extension", "pbx"])


def _intervals() -> None:
    states = ", ".join(f"'{name}'" for name in STATES)
    op.create_table(
        "agent_interval",
        _id(),
        _big("agent_session_id"),
        _big("user_id"),
        _word("extension", 20),
        _word("state", 12),
        _word("reason", 30, nullable=True),
        _big("call_session_id", nullable=True),
        _word("queue", 40, nullable=True),
        _big("set_by", nullable=True),
        _time("started_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_agent_interval"),
        _ref("agent_interval", "agent_session_id", "agent_session"),
        _ref("agent_interval", "user_id", "user_account"),
        _ref("agent_interval", "call_session_id", "call_session"),
        _ref("agent_interval", "set_by", "user_account"),
        sa.CheckConstraint(f"state IN ({states})", name="ck_agent_interval_state"),
        sa.CheckConstraint("ended_at >= started_at", name="ck_agent_interval_span"),
    )
    _one_open("uq_agent_interval_open", "agent_interval", "agent_session_id", "ended_at")
    op.create_index("ix_agent_interval_user_id_started_at", "agent_interval", ["user_id", "started_at"])
    op.create_index("ix_agent_interval_started_at", "agent_interval", ["started_at"])
    op.create_index("ix_agent_interval_call_session_id", "agent_interval", ["call_session_id"])
    # None overlaps another of its session, whoever writes; ranges need no extension of PostgreSQL.
    op.execute(
        "ALTER TABLE agent_interval ADD CONSTRAINT ex_agent_interval_overlap EXCLUDE USING gist "
        "(int8range(agent_session_id, agent_session_id, '[]') WITH &&, "
        "tstzrange(started_at, ended_at) WITH &&)"
    )
    op.execute(ONLY_THE_END)
    op.execute(
        "CREATE TRIGGER agent_interval_update BEFORE UPDATE ON agent_interval "
        "FOR EACH ROW EXECUTE FUNCTION agent_interval_only_end()"
    )
    op.execute(
        "CREATE TRIGGER agent_interval_delete BEFORE DELETE ON agent_interval "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER agent_interval_no_truncate BEFORE TRUNCATE ON agent_interval "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _wrap_ups() -> None:
    op.create_table(
        "wrap_up",
        _id(),
        _big("agent_session_id"),
        _big("user_id"),
        _word("extension", 20),
        _big("call_session_id", nullable=True),
        _word("code", 30, nullable=True),
        _word("note", 200),
        _time("started_at"),
        _time("ends_at"),
        _time("ended_at", nullable=True),
        _word("ended_by", 12, nullable=True),
        sa.Column("extended", sa.Integer, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wrap_up"),
        _ref("wrap_up", "agent_session_id", "agent_session"),
        _ref("wrap_up", "user_id", "user_account"),
        _ref("wrap_up", "call_session_id", "call_session"),
        sa.CheckConstraint("ended_at >= started_at", name="ck_wrap_up_span"),
    )
    _one_open("uq_wrap_up_open", "wrap_up", "user_id", "ended_at")
    op.create_index("ix_wrap_up_due", "wrap_up", ["ends_at"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_index(
        "ix_wrap_up_to_log", "wrap_up", ["id"], postgresql_where=sa.text("code IS NOT NULL AND NOT logged")
    )
    op.create_index("ix_wrap_up_user_id_started_at", "wrap_up", ["user_id", "started_at"])
    op.create_index("ix_wrap_up_agent_session_id", "wrap_up", ["agent_session_id"])
    op.create_index("ix_wrap_up_call_session_id", "wrap_up", ["call_session_id"])


def _seed() -> None:
    for kind, rows in REASONS.items():
        for place, (code, label, hint) in enumerate(rows, 1):
            op.execute(
                sa.text(
                    "INSERT INTO reason_code (kind, code, label, hint, active, sort) "
                    "VALUES (:kind, :code, :label, :hint, true, :sort) ON CONFLICT DO NOTHING"
                ).bindparams(kind=kind, code=code, label=label, hint=hint, sort=place * 10)
            )
    op.execute("UPDATE catalog_version SET version = version + 1 WHERE name = 'reasons'")
    for name, label, sort in QUEUES:
        op.execute(
            sa.text(
                "INSERT INTO call_queue (name, label, kind, active, sort) "
                "VALUES (:name, :label, 'queue', true, :sort) ON CONFLICT DO NOTHING"
            ).bindparams(name=name, label=label, sort=sort)
        )


def upgrade() -> None:
    _sessions()
    _intervals()
    _wrap_ups()
    _seed()


def downgrade() -> None:
    for table in ("wrap_up", "agent_interval", "agent_session"):
        op.drop_table(table)
    op.execute("DROP FUNCTION agent_interval_only_end()")
    op.execute("DELETE FROM reason_code WHERE kind IN ('not_ready', 'wrap_up')")
