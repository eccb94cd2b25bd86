"""Tables: attachments of tickets, exports of lists."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    _attachments()
    _exports()


def _attachments() -> None:
    table = "ticket_attachment"
    op.create_table(
        table,
        _id(),
        _big("ticket_id"),
        _text("key", 40),
        _text("name", 120),
        _text("kind", 8),
        _big("size"),
        _text("sha256", 64),
        _text("source_sha256", 64),
        _text("audience", 8),
        _flag("identifies"),
        _big("redacted_of_id", nullable=True),
        _flag("scanned"),
        _big("uploaded_by", nullable=True),
        _time("uploaded_at"),
        _big("unit_id", nullable=True),
        _time("withdrawn_at", nullable=True),
        _big("withdrawn_by", nullable=True),
        _text("withdrawn_reason", 200, nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("key", name=f"uq_{table}_key"),
        _ref(table, "ticket_id", "ticket"),
        _ref(table, "redacted_of_id", table),
        _ref(table, "uploaded_by", "user_account"),
        _ref(table, "unit_id", "unit"),
        _ref(table, "withdrawn_by", "user_account"),
        sa.CheckConstraint("audience IN ('hotline', 'handling', 'public')", name=f"ck_{table}_audience"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name=f"ck_{table}_withdrawn"
        ),
        sa.CheckConstraint("size > 0", name=f"ck_{table}_size"),
    )
    op.create_index(f"ix_{table}_ticket", table, ["ticket_id", "id"])
    op.create_index(
        f"uq_{table}_once",
        table,
        ["ticket_id", "source_sha256", "audience"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    # A file that was once part of a matter is withdrawn, never silently gone.
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _exports() -> None:
    table = "ticket_export"
    op.create_table(
        table,
        _id(),
        _big("owner_id"),
        _text("key", 40),
        _text("format", 8),
        _text("source", 20),
        _text("state", 8),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        _flag("cut"),
        _big("size"),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("key", name=f"uq_{table}_key"),
        _ref(table, "owner_id", "user_account"),
        sa.CheckConstraint("state IN ('running', 'ready', 'failed', 'gone')", name=f"ck_{table}_state"),
        sa.CheckConstraint("format IN ('xlsx', 'csv')", name=f"ck_{table}_format"),
    )
    op.create_index(f"ix_{table}_owner", table, ["owner_id", "id"])
    op.create_index(
        f"uq_{table}_running",
        table,
        ["owner_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        f"ix_{table}_kept", table, ["state", "updated_at"], postgresql_where=sa.text("state <> 'gone'")
    )


def downgrade() -> None:
    op.drop_table("ticket_export")
    op.drop_table("ticket_attachment")
