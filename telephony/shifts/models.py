"""Kinds of shift, the rota with its versions, swaps asked for, notes from one shift to the next."""

from datetime import date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, SmallInteger, String, Text, text
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column


def _words(length: int) -> Any:
    return Column(String(length), nullable=False)


def _person() -> Any:
    return ref_column("user_account.id", nullable=True)


def _day(*, nullable: bool = False, key: bool = False) -> Any:
    return Column(Date, nullable=nullable, primary_key=key)


class ShiftKind(Table, table=True):
    """A kind of shift; minutes from 00:00 of its day, an end past 1440 is tomorrow's."""

    __tablename__: ClassVar[str] = "shift_kind"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "starts >= 0 AND starts < 1440 AND ends > starts AND ends <= starts + 960", name="hours"
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    code: str = Field(sa_column=Column(String(4), nullable=False, unique=True))
    name: str = Field(sa_column=_words(20))
    starts: int = Field(sa_column=Column(SmallInteger, nullable=False))
    ends: int = Field(sa_column=Column(SmallInteger, nullable=False))
    breaks: list[list[int]] = Field(sa_column=json_column())
    active: bool = True
    sort: int = 100


class RotaWeek(Table, table=True):
    """A week by its Monday, and how often its rota was changed; the row everybody who changes it locks."""

    __tablename__: ClassVar[str] = "rota_week"
    monday: date = Field(sa_column=_day(key=True))
    version: int = 0
    changed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    changed_by: int | None = Field(default=None, sa_column=_person())


class RotaShift(Table, table=True):
    """A person's shift of a day, with the hours its kind had when it was rostered."""

    __tablename__: ClassVar[str] = "rota_shift"
    __table_args__: ClassVar[Any] = (
        sa.UniqueConstraint("user_id", "day"),
        CheckConstraint("ends_at > starts_at", name="span"),
        Index("ix_rota_shift_day", "day"),
        Index("ix_rota_shift_starts_at", "starts_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    day: date = Field(sa_column=_day())
    kind_id: int = Field(sa_column=ref_column("shift_kind.id"))
    starts: int = Field(sa_column=Column(SmallInteger, nullable=False))
    ends: int = Field(sa_column=Column(SmallInteger, nullable=False))
    breaks: list[list[int]] = Field(sa_column=json_column())
    queues: list[str] = Field(sa_column=json_column())
    starts_at: datetime = Field(sa_column=time_column())
    ends_at: datetime = Field(sa_column=time_column())


class RotaVersion(Table, table=True):
    """The whole rota of a week as a change left it; appended, never edited (trigger).

    `rows`: [user id, day, code of the kind, starts, ends, breaks, queues] each.
    """

    __tablename__: ClassVar[str] = "rota_version"
    monday: date = Field(sa_column=_day(key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=time_column())
    by: int | None = Field(default=None, sa_column=_person())
    cause: str = Field(sa_column=_words(10))
    note: str = Field(default="", sa_column=_words(200))
    rows: list[list[Any]] = Field(sa_column=json_column())


class ShiftSwap(Table, table=True):
    """One asks another to take a shift, in exchange for one of theirs or for none; a leader decides."""

    __tablename__: ClassVar[str] = "shift_swap"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "state IN ('asked', 'agreed', 'approved', 'refused', 'declined', 'withdrawn')", name="state"
        ),
        CheckConstraint("asker_id <> taker_id", name="two_people"),
        Index("ix_shift_swap_open", "id", postgresql_where=text("state IN ('asked', 'agreed')")),
        Index("ix_shift_swap_asker_id", "asker_id", text("id DESC")),
        Index("ix_shift_swap_taker_id", "taker_id", text("id DESC")),
    )
    id: int = Field(default=None, sa_column=id_column())
    asker_id: int = Field(sa_column=ref_column("user_account.id"))
    asker_day: date = Field(sa_column=_day())
    asker_kind_id: int = Field(sa_column=ref_column("shift_kind.id"))
    taker_id: int = Field(sa_column=ref_column("user_account.id"))
    taker_day: date | None = Field(default=None, sa_column=_day(nullable=True))
    taker_kind_id: int | None = Field(default=None, sa_column=ref_column("shift_kind.id", nullable=True))
    reason: str = Field(sa_column=_words(200))
    state: str = Field(sa_column=_words(10))
    asked_at: datetime = Field(sa_column=time_column())
    answered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decided_by: int | None = Field(default=None, sa_column=_person())
    decision_note: str = Field(default="", sa_column=_words(200))


class ShiftNote(Table, table=True):
    """What a shift tells the next; its words are never edited (trigger), only taken over."""

    __tablename__: ClassVar[str] = "shift_note"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("taken_by <> written_by", name="two_people"),
        Index("ix_shift_note_waiting", "id", postgresql_where=text("taken_at IS NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    day: date = Field(sa_column=_day())
    kind_id: int | None = Field(default=None, sa_column=ref_column("shift_kind.id", nullable=True))
    summary: str = Field(sa_column=Column(Text, nullable=False))
    written_at: datetime = Field(sa_column=time_column())
    written_by: int = Field(sa_column=ref_column("user_account.id"))
    taken_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    taken_by: int | None = Field(default=None, sa_column=_person())
    request_key: str = Field(sa_column=Column(String(40), nullable=False, unique=True))


class ShiftNoteItem(Table, table=True):
    """An open matter of a note, with the ticket or the call it is about; it is ticked off once."""

    __tablename__: ClassVar[str] = "shift_note_item"
    __table_args__: ClassVar[Any] = (
        Index("ix_shift_note_item_note_id", "note_id", "id"),
        Index("ix_shift_note_item_open", "id", postgresql_where=text("done_at IS NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    note_id: int = Field(sa_column=ref_column("shift_note.id"))
    matter: str = Field(sa_column=_words(300))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    call_session_id: int | None = Field(default=None, sa_column=ref_column("call_session.id", nullable=True))
    done_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    done_by: int | None = Field(default=None, sa_column=_person())


class ShiftNoteRead(Table, table=True):
    """Who has seen a note."""

    __tablename__: ClassVar[str] = "shift_note_read"
    note_id: int = Field(sa_column=Column(sa.BigInteger, sa.ForeignKey("shift_note.id"), primary_key=True))
    user_id: int = Field(sa_column=Column(sa.BigInteger, sa.ForeignKey("user_account.id"), primary_key=True))
    read_at: datetime = Field(sa_column=time_column())
