"""Tables of citizen records. Numbers, names and notes are references to `personal_value`.

A merged record points at the one that leads (`merged_into_id`), never at one that was merged itself.
Notes and the history are appended, never edited (trigger); a withdrawal is a note of its own.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


def _text(length: int, *, nullable: bool = False) -> Any:
    return Column(String(length), nullable=nullable)


class Citizen(Table, table=True):
    """One person or enterprise as the hotline knows them."""

    __tablename__: ClassVar[str] = "citizen"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("merged_into_id <> id", name="other"),
        Index("ix_citizen_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        Index("ix_citizen_uscc", "uscc", postgresql_where=text("uscc IS NOT NULL")),
        Index("ix_citizen_company", "company", postgresql_where=text("company <> ''")),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    merged_into_id: int | None = Field(default=None, sa_column=ref_column("citizen.id", nullable=True))
    business: bool = False
    company: str = Field(default="", sa_column=_text(100))
    uscc: str | None = Field(default=None, sa_column=_text(18, nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())
    forgotten_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class CitizenPhone(Table, table=True):
    """Whose number this is; `names_up_to` is the last ticket whose name was looked at."""

    __tablename__: ClassVar[str] = "citizen_phone"
    phone_ref: int = Field(
        sa_column=Column(BigInteger, ForeignKey("personal_value.id"), primary_key=True, autoincrement=False)
    )
    citizen_id: int = Field(sa_column=ref_column("citizen.id", index=True))
    added_at: datetime = Field(sa_column=time_column())
    added_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    names_up_to: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class CitizenName(Table, table=True):
    """A name a citizen gave, once per record; `blind` finds it without being read."""

    __tablename__: ClassVar[str] = "citizen_name"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_citizen_name_once",
            "citizen_id",
            "blind",
            unique=True,
            postgresql_where=text("blind IS NOT NULL"),
        ),
        Index("ix_citizen_name_blind", "blind", postgresql_where=text("blind IS NOT NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    citizen_id: int = Field(sa_column=ref_column("citizen.id"))
    name_ref: int = Field(sa_column=ref_column("personal_value.id"))
    blind: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    # The number whose ticket said the name; null when a person entered it.
    phone_ref: int | None = Field(default=None, sa_column=ref_column("personal_value.id", nullable=True))
    added_at: datetime = Field(sa_column=time_column())
    added_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class CitizenProgress(Table, table=True):
    """How far the search by name has followed the tickets."""

    __tablename__: ClassVar[str] = "citizen_progress"
    step: str = Field(sa_column=Column(String(20), primary_key=True))
    ticket_id: int = Field(sa_column=Column(BigInteger, nullable=False))


class CitizenNote(Table, table=True):
    """What a colleague noted about a citizen, sealed; with `withdraws_id` it takes another note back."""

    __tablename__: ClassVar[str] = "citizen_note"
    __table_args__: ClassVar[Any] = (Index("ix_citizen_note_citizen", "citizen_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    citizen_id: int = Field(sa_column=ref_column("citizen.id"))
    at: datetime = Field(sa_column=time_column())
    author_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    author_name: str = Field(sa_column=_text(60))
    author_role: str = Field(sa_column=_text(30))
    body_ref: int = Field(sa_column=ref_column("personal_value.id"))
    withdraws_id: int | None = Field(
        default=None, sa_column=ref_column("citizen_note.id", nullable=True, unique=True)
    )


class CitizenFlag(Table, table=True):
    """A mark everybody who answers should see, with who set it and why; cleared, never deleted."""

    __tablename__: ClassVar[str] = "citizen_flag"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_citizen_flag_set",
            "citizen_id",
            "kind",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    citizen_id: int = Field(sa_column=ref_column("citizen.id"))
    kind: str = Field(sa_column=_text(20))
    reason: str = Field(sa_column=_text(200))
    set_at: datetime = Field(sa_column=time_column())
    set_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    cleared_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    cleared_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    cleared_reason: str = Field(default="", sa_column=_text(200))


class CitizenHistory(Table, table=True):
    """What was done to a record; `changes` holds ids and codes; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "citizen_history"
    __table_args__: ClassVar[Any] = (Index("ix_citizen_history_citizen", "citizen_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    citizen_id: int = Field(sa_column=ref_column("citizen.id"))
    at: datetime = Field(sa_column=time_column())
    actor_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    actor_name: str = Field(sa_column=_text(60))
    role: str = Field(sa_column=_text(30))
    action: str = Field(sa_column=_text(20))
    reason: str = Field(default="", sa_column=_text(200))
    version: int
    changes: dict[str, Any] = Field(sa_column=json_column())
