"""Tables of the catalogue. All of it is data a city changes; nothing of it is a constant in code."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column


def _string(length: int) -> Any:
    return Column(String(length), nullable=False)


class CatalogVersion(Table, table=True):
    """Counts the changes of one part of the catalogue, so that every node knows when to read it again."""

    __tablename__: ClassVar[str] = "catalog_version"
    name: str = Field(sa_column=Column(String(20), primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))


class ReasonCode(Table, table=True):
    """One reason a person may choose for one kind of act; closed ones stay for what was decided by them."""

    __tablename__: ClassVar[str] = "reason_code"
    __table_args__: ClassVar[Any] = (UniqueConstraint("kind", "code"),)
    id: int = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=_string(20))
    code: str = Field(sa_column=_string(30))
    label: str = Field(sa_column=_string(60))
    hint: str = Field(default="", sa_column=_string(200))
    active: bool = True
    sort: int = 0


class SensitiveWord(Table, table=True):
    """A word that makes a new ticket stand out."""

    __tablename__: ClassVar[str] = "sensitive_word"
    id: int = Field(default=None, sa_column=id_column())
    word: str = Field(sa_column=Column(String(40), nullable=False, unique=True))
    kind: str = Field(sa_column=_string(20))
    active: bool = True


class CallQueue(Table, table=True):
    """A queue of the telephone system, by its name there, or a skill group of ours."""

    __tablename__: ClassVar[str] = "call_queue"
    __table_args__: ClassVar[Any] = (CheckConstraint("kind IN ('queue', 'skill')", name="kind"),)
    id: int = Field(default=None, sa_column=id_column())
    name: str = Field(sa_column=Column(String(40), nullable=False, unique=True))
    label: str = Field(sa_column=_string(40))
    kind: str = Field(sa_column=_string(10))
    active: bool = True
    sort: int = 0


class CallQueueMember(Table, table=True):
    """Who is to answer a queue; a lower penalty is called first."""

    __tablename__: ClassVar[str] = "call_queue_member"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("queue_id", "user_id"),)
    queue_id: int = Field(sa_column=Column(BigInteger, ForeignKey("call_queue.id"), nullable=False))
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), nullable=False))
    penalty: int = 0


class Notice(Table, table=True):
    """A notice on the board; no posts and no units: for everybody. With an urgency: called over the floor."""

    __tablename__: ClassVar[str] = "notice"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("urgency IN ('usual', 'urgent')", name="urgency"),
    )
    id: int = Field(default=None, sa_column=id_column())
    title: str = Field(sa_column=_string(80))
    body: str = Field(sa_type=Text)
    starts_at: datetime = Field(sa_column=time_column())
    ends_at: datetime = Field(sa_column=time_column(index=True))
    must_read: bool = False
    posts: list[str] = Field(sa_column=json_column())
    unit_ids: list[int] = Field(sa_column=json_column())
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    version: int = 1
    withdrawn_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    urgency: str | None = Field(default=None, sa_column=Column(String(8), nullable=True))


class NoticeRead(Table, table=True):
    """Who said when that a notice was read; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "notice_read"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("notice_id", "user_id"),)
    notice_id: int = Field(sa_column=Column(BigInteger, ForeignKey("notice.id"), nullable=False))
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), nullable=False))
    at: datetime = Field(sa_column=time_column())


class RetentionSweep(Table, table=True):
    """When a step of the retention last ran, and how many rows went."""

    __tablename__: ClassVar[str] = "retention_sweep"
    step: str = Field(sa_column=Column(String(40), primary_key=True))
    at: datetime = Field(sa_column=time_column())
    gone: int = Field(sa_column=Column(BigInteger, nullable=False))


class LegalHold(Table, table=True):
    """A citizen's record or a ticket that must be kept whole for a proceeding; it refuses deletion."""

    __tablename__: ClassVar[str] = "legal_hold"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("subject IN ('citizen', 'ticket')", name="subject"),
        Index(
            "uq_legal_hold_present",
            "subject",
            "subject_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    subject: str = Field(sa_column=_string(10))
    subject_id: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_column=_string(200))
    placed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    placed_at: datetime = Field(sa_column=time_column())
    lifted_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    lifted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
