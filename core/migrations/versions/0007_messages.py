"""Tables: messages to citizens, notices to staff, the contact relay, tries at query codes."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPENDED = ("message_template", "relay_message")
# event, must be sent even to who wants no messages, may be sent at night, wording
TEMPLATES = (
    (
        "receipt",
        True,
        True,
        "您反映的事项已登记，编号{number}，查询码{code}，可凭此查询办理进度。",
    ),
    ("code", True, True, "您反映的事项编号{number}，查询码{code}，可凭此查询办理进度。"),
    (
        "supplement",
        False,
        False,
        "您反映的事项（编号{number}）还需补充一些情况：{reply}请致电12345补充，以便尽快办理。",
    ),
    ("promise", False, False, "您反映的事项（编号{number}）已转{unit}办理，预计{due}前答复您。"),
    (
        "redispatch",
        False,
        False,
        "您反映的事项（编号{number}）经核实改由{unit}办理，答复时限不变，预计{due}前答复您。",
    ),
    (
        "extension",
        False,
        False,
        "您反映的事项（编号{number}）情况较复杂，经批准延长办理时间，预计{due}前答复您，敬请谅解。",
    ),
    (
        "merge",
        False,
        False,
        "您反映的事项（编号{number}）与其他市民反映的同一事项合并办理，办结后同样答复您。",
    ),
    ("closing", False, False, "您反映的事项（编号{number}）已办结。答复：{reply}如有疑问请致电12345。"),
    (
        "survey",
        False,
        False,
        "您反映的事项（编号{number}）已办结，请对办理情况作出评价：是否联系您、是否解决、是否满意，致电12345或凭查询码在网上评价。",
    ),
    (
        "relay",
        False,
        False,
        "关于您反映的事项（编号{number}），承办单位想了解：{reply}请致电12345答复，您的号码不会告知对方。",
    ),
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _code(name: str, length: int = 20, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _table(name: str, *columns: sa.Column[Any], key: tuple[str, ...] = ("id",), refs: dict[str, str]) -> None:
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{name}_{column}_{target}")
            for column, target in refs.items()
        ),
    )


def upgrade() -> None:
    _messages()
    _notifications()
    _relay()
    _query_codes()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _messages() -> None:
    _table(
        "message_template",
        _id(),
        _code("event"),
        _int("version"),
        _code("text", 500),
        _flag("mandatory"),
        _flag("at_once"),
        _flag("enabled"),
        _time("at", nullable=False),
        _big("by"),
        refs={"by": "user_account"},
    )
    op.create_unique_constraint("uq_message_template_event_version", "message_template", ["event", "version"])
    insert = sa.text(
        "INSERT INTO message_template (event, version, text, mandatory, at_once, enabled, at) "
        "VALUES (:event, 1, :text, :mandatory, :at_once, true, now())"
    )
    for event, mandatory, at_once, text in TEMPLATES:
        op.execute(insert.bindparams(event=event, mandatory=mandatory, at_once=at_once, text=text))
    _table(
        "citizen_message",
        _id(),
        sa.Column("dedup", sa.Text, nullable=False),
        _big("ticket_id", nullable=False),
        _code("event"),
        _big("template_id"),
        _big("phone_ref"),
        _code("state", 10),
        _code("reason", 30, nullable=True),
        _int("attempts"),
        _int("parts"),
        _time("created_at", nullable=False),
        _time("next_at"),
        _time("sent_at"),
        refs={"ticket_id": "ticket", "template_id": "message_template", "phone_ref": "personal_value"},
    )
    op.create_unique_constraint("uq_citizen_message_dedup", "citizen_message", ["dedup"])
    op.create_check_constraint(
        "ck_citizen_message_state", "citizen_message", "state IN ('waiting', 'sent', 'failed', 'skipped')"
    )
    op.create_index("ix_citizen_message_ticket_id", "citizen_message", ["ticket_id"])
    unsent = sa.text("state IN ('waiting', 'failed')")
    op.create_index("ix_citizen_message_unsent", "citizen_message", ["state", "id"], postgresql_where=unsent)
    _table(
        "message_optout",
        _big("phone_ref", nullable=False),
        _time("at", nullable=False),
        _big("actor_id"),
        key=("phone_ref",),
        refs={"phone_ref": "personal_value", "actor_id": "user_account"},
    )
    _table(
        "console_message",
        _id(),
        sa.Column("message_key", sa.Text, nullable=False),
        _time("at", nullable=False),
        _bytes("sealed"),
        refs={},
    )
    op.create_unique_constraint("uq_console_message_message_key", "console_message", ["message_key"])


def _notifications() -> None:
    _table(
        "notification",
        _id(),
        _big("user_id", nullable=False),
        _code("kind"),
        _big("ticket_id"),
        _time("at", nullable=False),
        _int("times"),
        _time("read_at"),
        refs={"user_id": "user_account", "ticket_id": "ticket"},
    )
    op.create_index(
        "ix_notification_user", "notification", ["user_id", sa.text("at DESC"), sa.text("id DESC")]
    )
    op.create_index(
        "uq_notification_unread",
        "notification",
        ["user_id", "kind", sa.text("coalesce(ticket_id, 0)")],
        unique=True,
        postgresql_where=sa.text("read_at IS NULL"),
    )
    _table(
        "notification_preference",
        _big("user_id", nullable=False),
        _code("kind"),
        _code("channel", 10),
        _flag("wanted"),
        key=("user_id", "kind", "channel"),
        refs={"user_id": "user_account"},
    )
    _table(
        "notification_address",
        _big("user_id", nullable=False),
        _bytes("sealed"),
        _time("at", nullable=False),
        key=("user_id",),
        refs={"user_id": "user_account"},
    )


def _relay() -> None:
    _table(
        "relay_message",
        _id(),
        _big("ticket_id", nullable=False),
        _code("kind", 10),
        _big("history_id"),
        _big("question_id"),
        _big("unit_id"),
        _big("actor_id"),
        _time("at", nullable=False),
        refs={
            "ticket_id": "ticket",
            "history_id": "ticket_history",
            "question_id": "relay_message",
            "unit_id": "unit",
            "actor_id": "user_account",
        },
    )
    op.create_check_constraint(
        "ck_relay_message_kind", "relay_message", "kind IN ('question', 'answer', 'message')"
    )
    op.create_index("ix_relay_message_ticket", "relay_message", ["ticket_id", "id"])
    _table(
        "relay_open",
        _big("ticket_id", nullable=False),
        _big("question_id", nullable=False),
        _time("since", nullable=False),
        key=("ticket_id",),
        refs={"ticket_id": "ticket", "question_id": "relay_message"},
    )
    op.create_index("ix_relay_open_since", "relay_open", ["since"])


def _query_codes() -> None:
    _table(
        "query_try",
        _bytes("subject"),
        _bytes("source"),
        _int("failures"),
        _time("last_at", nullable=False),
        _time("locked_until"),
        key=("subject", "source"),
        refs={},
    )
    op.create_index("ix_query_try_last_at", "query_try", ["last_at"])
    _table(
        "query_lock",
        _bytes("subject"),
        _int("failures"),
        _time("last_at", nullable=False),
        _time("locked_at"),
        key=("subject",),
        refs={},
    )
    op.create_index("ix_query_lock_last_at", "query_lock", ["last_at"])


def downgrade() -> None:
    for table in (
        "query_lock",
        "query_try",
        "relay_open",
        "relay_message",
        "notification_address",
        "notification_preference",
        "notification",
        "console_message",
        "message_optout",
        "citizen_message",
        "message_template",
    ):
        op.drop_table(table)
