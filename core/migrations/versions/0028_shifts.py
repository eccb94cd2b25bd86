"""Shifts: kinds with their hours, the rota and its versions, swaps, notes from one shift to the next."""

from datetime import date, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KINDS = (
    ("A", "早班", 480, 960, [[720, 750]]),
    ("C", "中班", 840, 1320, [[1080, 1110]]),
    ("D", "日班", 540, 1080, [[720, 780]]),
    ("N", "夜班", 1320, 1920, [[1560, 1590], [1740, 1755]]),
)
SWAP_STATES = "state IN ('asked', 'agreed', 'approved', 'refused', 'declined', 'withdrawn')"
TABLES = (
    "shift_note_read", "shift_note_item", "shift_note", "shift_swap", "rota_version", "rota_shift",
    "rota_week", "shift_kind",
)  # fmt: skip
ONLY_THE_TAKING = """
CREATE FUNCTION shift_note_only_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.taken_at IS NOT NULL
        OR (to_jsonb(NEW) - 'taken_at' - 'taken_by') <> (to_jsonb(OLD) - 'taken_at' - 'taken_by') THEN
        RAISE EXCEPTION 'shift_note is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def _word(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day(name: str, *, nullable: bool = False) -> sa.Column[date]:
    return sa.Column(name, sa.Date, nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False)


def _ref(table: str, column: str, target: str = "user_account") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _partial(name: str, table: str, where: str) -> None:
    op.create_index(name, table, ["id"], postgresql_where=sa.text(where))


def upgrade() -> None:
    _kinds()
    _rota()
    _swaps()
    _notes()
    op.execute(
        "CREATE TRIGGER rota_version_append_only BEFORE UPDATE OR DELETE ON rota_version "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(ONLY_THE_TAKING)
    op.execute(
        "CREATE TRIGGER shift_note_only_taken BEFORE UPDATE ON shift_note "
        "FOR EACH ROW EXECUTE FUNCTION shift_note_only_taken()"
    )
    op.execute(
        "CREATE TRIGGER shift_note_stays BEFORE DELETE ON shift_note "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _kinds() -> None:
    hours = "starts >= 0 AND starts < 1440 AND ends > starts AND ends <= starts + 960"
    op.create_table(
        "shift_kind",
        _id(),
        _word("code", 4),
        _word("name", 20),
        _small("starts"),
        _small("ends"),
        _json("breaks"),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("sort", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shift_kind"),
        sa.UniqueConstraint("code", name="uq_shift_kind_code"),
        sa.CheckConstraint(hours, name="ck_shift_kind_hours"),
    )
    kinds = sa.table(
        "shift_kind",
        *(sa.column(name) for name in ("code", "name", "starts", "ends")),
        sa.column("breaks", JSONB),
        *(sa.column(name) for name in ("active", "sort")),
    )
    names = ("code", "name", "starts", "ends", "breaks")
    op.bulk_insert(
        kinds,
        [
            {**dict(zip(names, kind, strict=True)), "active": True, "sort": 10 * place}
            for place, kind in enumerate(KINDS, 1)
        ],
    )


def _rota() -> None:
    op.create_table(
        "rota_week",
        _day("monday"),
        sa.Column("version", sa.Integer, nullable=False),
        _time("changed_at", nullable=True),
        _big("changed_by", nullable=True),
        sa.PrimaryKeyConstraint("monday", name="pk_rota_week"),
        _ref("rota_week", "changed_by"),
    )
    op.create_table(
        "rota_shift",
        _id(),
        _big("user_id"),
        _day("day"),
        _big("kind_id"),
        _small("starts"),
        _small("ends"),
        _json("breaks"),
        _json("queues"),
        _time("starts_at"),
        _time("ends_at"),
        sa.PrimaryKeyConstraint("id", name="pk_rota_shift"),
        sa.UniqueConstraint("user_id", "day", name="uq_rota_shift_user_id_day"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_rota_shift_span"),
        _ref("rota_shift", "user_id"),
        _ref("rota_shift", "kind_id", "shift_kind"),
    )
    op.create_index("ix_rota_shift_day", "rota_shift", ["day"])
    op.create_index("ix_rota_shift_starts_at", "rota_shift", ["starts_at"])
    op.create_table(
        "rota_version",
        _day("monday"),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        _time("at"),
        _big("by", nullable=True),
        _word("cause", 10),
        _word("note", 200),
        _json("rows"),
        sa.PrimaryKeyConstraint("monday", "version", name="pk_rota_version"),
        _ref("rota_version", "by"),
    )


def _swaps() -> None:
    op.create_table(
        "shift_swap",
        _id(),
        _big("asker_id"),
        _day("asker_day"),
        _big("asker_kind_id"),
        _big("taker_id"),
        _day("taker_day", nullable=True),
        _big("taker_kind_id", nullable=True),
        _word("reason", 200),
        _word("state", 10),
        _time("asked_at"),
        _time("answered_at", nullable=True),
        _time("decided_at", nullable=True),
        _big("decided_by", nullable=True),
        _word("decision_note", 200),
        sa.PrimaryKeyConstraint("id", name="pk_shift_swap"),
        sa.CheckConstraint(SWAP_STATES, name="ck_shift_swap_state"),
        sa.CheckConstraint("asker_id <> taker_id", name="ck_shift_swap_two_people"),
        *(_ref("shift_swap", column) for column in ("asker_id", "taker_id", "decided_by")),
        *(_ref("shift_swap", column, "shift_kind") for column in ("asker_kind_id", "taker_kind_id")),
    )
    _partial("ix_shift_swap_open", "shift_swap", "state IN ('asked', 'agreed')")
    for column in ("asker_id", "taker_id"):
        op.create_index(f"ix_shift_swap_{column}", "shift_swap", [column, sa.text("id DESC")])


def _notes() -> None:
    op.create_table(
        "shift_note",
        _id(),
        _day("day"),
        _big("kind_id", nullable=True),
        sa.Column("summary", sa.Text, nullable=False),
        _time("written_at"),
        _big("written_by"),
        _time("taken_at", nullable=True),
        _big("taken_by", nullable=True),
        _word("request_key", 40),
        sa.PrimaryKeyConstraint("id", name="pk_shift_note"),
        sa.UniqueConstraint("request_key", name="uq_shift_note_request_key"),
        sa.CheckConstraint("taken_by <> written_by", name="ck_shift_note_two_people"),
        _ref("shift_note", "kind_id", "shift_kind"),
        _ref("shift_note", "written_by"),
        _ref("shift_note", "taken_by"),
    )
    _partial("ix_shift_note_waiting", "shift_note", "taken_at IS NULL")
    op.create_table(
        "shift_note_item",
        _id(),
        _big("note_id"),
        _word("matter", 300),
        _big("ticket_id", nullable=True),
        _big("call_session_id", nullable=True),
        _time("done_at", nullable=True),
        _big("done_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shift_note_item"),
        _ref("shift_note_item", "note_id", "shift_note"),
        _ref("shift_note_item", "ticket_id", "ticket"),
        _ref("shift_note_item", "call_session_id", "call_session"),
        _ref("shift_note_item", "done_by"),
    )
    op.create_index("ix_shift_note_item_note_id", "shift_note_item", ["note_id", "id"])
    _partial("ix_shift_note_item_open", "shift_note_item", "done_at IS NULL")
    op.create_table(
        "shift_note_read",
        _big("note_id"),
        _big("user_id"),
        _time("read_at"),
        sa.PrimaryKeyConstraint("note_id", "user_id", name="pk_shift_note_read"),
        _ref("shift_note_read", "note_id", "shift_note"),
        _ref("shift_note_read", "user_id"),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION shift_note_only_taken()")
