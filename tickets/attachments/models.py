"""The tables of attachments and of exports. The files themselves lie beside the database."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, text
from sqlmodel import Field

from core.db import Table, id_column, ref_column, time_column
from tickets.models import code_column


class Attachment(Table, table=True):
    """A file of a ticket. `key` is its random name on the disk, `name` what people call it.

    `sha256` is of the file as kept, `source_sha256` of the file as sent: pictures are re-made in
    between. `client_id`: the machine client that sent it. A withdrawn attachment stays, with its
    reason; it is only no longer handed out.
    """

    __tablename__: ClassVar[str] = "ticket_attachment"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("audience IN ('hotline', 'handling', 'public')", name="audience"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn"),
        CheckConstraint("size > 0", name="size"),
        Index("ix_ticket_attachment_ticket", "ticket_id", "id"),
        Index(
            "uq_ticket_attachment_once",
            "ticket_id",
            "source_sha256",
            "audience",
            "client_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    key: str = Field(sa_column=Column(String(40), nullable=False, unique=True))
    name: str = Field(sa_column=Column(String(120), nullable=False))
    kind: str = Field(sa_column=code_column(8))
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    source_sha256: str = Field(sa_column=Column(String(64), nullable=False))
    audience: str = Field(sa_column=code_column(8))
    identifies: bool = False
    redacted_of_id: int | None = Field(
        default=None, sa_column=ref_column("ticket_attachment.id", nullable=True)
    )
    scanned: bool = False
    uploaded_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    client_id: int | None = Field(default=None, sa_column=ref_column("machine_client.id", nullable=True))
    uploaded_at: datetime = Field(sa_column=time_column())
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    withdrawn_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    withdrawn_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    withdrawn_reason: str | None = Field(default=None, sa_column=Column(String(200), nullable=True))


class TicketExport(Table, table=True):
    """One list on its way out: who asked for what, how far it is, and how long the file stays."""

    __tablename__: ClassVar[str] = "ticket_export"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('running', 'ready', 'failed', 'gone')", name="state"),
        CheckConstraint("format IN ('xlsx', 'csv')", name="format"),
        Index("ix_ticket_export_owner", "owner_id", "id"),
        Index(
            "uq_ticket_export_running",
            "owner_id",
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
        Index("ix_ticket_export_kept", "state", "updated_at", postgresql_where=text("state <> 'gone'")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    owner_id: int = Field(sa_column=ref_column("user_account.id"))
    key: str = Field(sa_column=Column(String(40), nullable=False, unique=True))
    format: str = Field(sa_column=code_column(8))
    source: str = Field(sa_column=code_column())
    state: str = Field(sa_column=code_column(8))
    rows: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    total: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    cut: bool = False
    size: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())
