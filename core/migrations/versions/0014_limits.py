"""The calendar and the policy packs as versions a city edits, previews of them, recomputations."""

from datetime import date, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

APPENDED = ("calendar_version", "calendar_day", "pack_version", "pack_publication")
TABLES = (
    *("recomputation", "calendar_preview", "pack_publication", "pack_version"),
    *("calendar_day", "calendar_version"),
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _word(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day(name: str, *, nullable: bool = False) -> sa.Column[date]:
    return sa.Column(name, sa.Date, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _one_of(table: str, column: str, *words: str) -> sa.CheckConstraint:
    known = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({known})", name=f"ck_{table}_{column}")


def upgrade() -> None:
    _calendar()
    _packs()
    _preview()
    _recomputation()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _calendar() -> None:
    op.create_table(
        "calendar_version",
        _id(),
        _int("number"),
        _word("kind", 10),
        _word("note", 500),
        _json("known"),
        _big("author_id", nullable=True),
        _time("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_version"),
        sa.UniqueConstraint("number", name="uq_calendar_version_number"),
        _ref("calendar_version", "author_id", "user_account"),
        _one_of("calendar_version", "kind", "seed", "import", "edit", "confirm"),
    )
    op.create_table(
        "calendar_day",
        _big("version_id"),
        _day("day"),
        _word("kind", 10),
        _word("hours", 200),
        _word("reason", 100),
        _big("author_id", nullable=True),
        _time("at"),
        sa.PrimaryKeyConstraint("version_id", "day", name="pk_calendar_day"),
        _ref("calendar_day", "version_id", "calendar_version"),
        _ref("calendar_day", "author_id", "user_account"),
        _one_of("calendar_day", "kind", "rest", "work"),
    )


def _packs() -> None:
    op.create_table(
        "pack_version",
        _id(),
        _int("number"),
        _word("name", 80),
        sa.Column("content", sa.Text, nullable=False),
        _word("note", 500),
        _big("base_id", nullable=True),
        _big("author_id", nullable=True),
        _time("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_pack_version"),
        sa.UniqueConstraint("number", name="uq_pack_version_number"),
        _ref("pack_version", "base_id", "pack_version"),
        _ref("pack_version", "author_id", "user_account"),
    )
    op.create_table(
        "pack_publication",
        _id(),
        _big("version_id"),
        _day("effective"),
        _word("note", 500),
        _big("published_by", nullable=True),
        _time("published_at"),
        sa.PrimaryKeyConstraint("id", name="pk_pack_publication"),
        _ref("pack_publication", "version_id", "pack_version"),
        _ref("pack_publication", "published_by", "user_account"),
    )


def _preview() -> None:
    op.create_table(
        "calendar_preview",
        _id(),
        _int("base"),
        _json("payload"),
        _word("state", 10),
        _int("total"),
        _int("done"),
        _json("result", nullable=True),
        _big("author_id"),
        _time("made_at"),
        _time("touched_at"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_preview"),
        _ref("calendar_preview", "author_id", "user_account"),
        _one_of("calendar_preview", "state", "waiting", "done", "saved"),
    )
    op.create_index("ix_calendar_preview_made_at", "calendar_preview", ["made_at"])


def _recomputation() -> None:
    op.create_table(
        "recomputation",
        _id(),
        _big("calendar_version_id"),
        _word("print", 64),
        _json("calendar"),
        _day("first_day", nullable=True),
        _day("last_day", nullable=True),
        _word("reason", 500),
        _word("state", 10),
        _int("total"),
        _int("seen"),
        _int("moved"),
        _int("tickets"),
        _int("kept"),
        _big("after_id"),
        _time("made_at"),
        _time("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recomputation"),
        _ref("recomputation", "calendar_version_id", "calendar_version"),
        _one_of("recomputation", "state", "running", "done"),
    )
    running = sa.text("state = 'running'")
    op.create_index("ix_recomputation_running", "recomputation", ["id"], postgresql_where=running)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
