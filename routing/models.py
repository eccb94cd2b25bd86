"""Tables of the routing room: the responsibility catalogue, rules and trials, places, advice and choices.

Catalogue rows and rules name units by code (or `@district`, `@town`: whoever is in charge of the place),
so that a list can be carried from one city's database to another's. Changes of the catalogue are
appended and never edited (trigger).
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


def _string(length: int, *, nullable: bool = False) -> Any:
    return Column(String(length), nullable=nullable)


def _time() -> Any:
    return time_column(nullable=True)


def _person() -> Any:
    return ref_column("user_account.id", nullable=True)


class Responsibility(Table, table=True):
    """A row of the catalogue (责任清单): who is in charge of a category, in an area, about a subject.

    Empty `area`: everywhere; empty `subject`: whatever it is about. `valid_to` is the last day.
    """

    __tablename__: ClassVar[str] = "responsibility"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="days"),
        Index("ix_responsibility_category", "category", "area"),
        Index("ix_responsibility_lead", "lead"),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    category: str = Field(sa_column=_string(20))
    area: str = Field(default="", sa_column=_string(40))
    subject: str = Field(default="", sa_column=_string(60))
    lead: str = Field(sa_column=_string(40))
    co: list[str] = Field(sa_column=json_column())
    basis: str = Field(default="", sa_column=_string(300))
    clock: str = Field(default="", sa_column=_string(60))
    script: str = Field(default="", sa_column=_string(500))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_to: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    changed_at: datetime = Field(sa_column=time_column())


class ResponsibilityChange(Table, table=True):
    """What a row of the catalogue said from one change to the next; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "responsibility_change"
    __table_args__: ClassVar[Any] = (Index("ix_responsibility_change_row", "responsibility_id", "version"),)
    id: int = Field(default=None, sa_column=id_column())
    responsibility_id: int = Field(sa_column=ref_column("responsibility.id"))
    version: int
    said: dict[str, Any] = Field(sa_column=json_column())
    note: str = Field(default="", sa_column=_string(200))
    changed_by: int | None = Field(default=None, sa_column=_person())
    changed_at: datetime = Field(sa_column=time_column())


class RuleSet(Table, table=True):
    """The ordered rules of dispatch in one version: one is live, at most one a draft, the rest are past."""

    __tablename__: ClassVar[str] = "rule_set"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('draft', 'live', 'past', 'dropped')", name="state"),
        Index("uq_rule_set_live", "state", unique=True, postgresql_where=text("state = 'live'")),
        Index("uq_rule_set_draft", "state", unique=True, postgresql_where=text("state = 'draft'")),
    )
    id: int = Field(default=None, sa_column=id_column())
    number: int = Field(sa_column=Column(Integer, nullable=False, unique=True))
    state: str = Field(sa_column=_string(10))
    edits: int = 0
    rules: list[dict[str, Any]] = Field(sa_column=json_column())
    note: str = Field(default="", sa_column=_string(200))
    made_by: int | None = Field(default=None, sa_column=_person())
    made_at: datetime = Field(sa_column=time_column())
    published_by: int | None = Field(default=None, sa_column=_person())
    published_at: datetime | None = Field(default=None, sa_column=_time())


class RuleTrial(Table, table=True):
    """A rule set tried on the tickets of a month, in batches: how far it is and what came out."""

    __tablename__: ClassVar[str] = "rule_trial"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
        Index("ix_rule_trial_set", "rule_set_id", "id"),
        Index("ix_rule_trial_running", "id", postgresql_where=text("state = 'running'")),
    )
    id: int = Field(default=None, sa_column=id_column())
    rule_set_id: int = Field(sa_column=ref_column("rule_set.id"))
    edits: int
    state: str = Field(sa_column=_string(10))
    first_at: datetime = Field(sa_column=time_column())
    last_at: datetime = Field(sa_column=time_column())
    cursor_at: datetime = Field(sa_column=time_column())
    cursor_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    total: int
    seen: int = 0
    result: dict[str, Any] = Field(sa_column=json_column())
    asked_by: int | None = Field(default=None, sa_column=_person())
    asked_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=_time())


class GazetteerPlace(Table, table=True):
    """A name people give for a place, and the district, street or village it lies in (a unit's code)."""

    __tablename__: ClassVar[str] = "gazetteer_place"
    __table_args__: ClassVar[Any] = (UniqueConstraint("name", "unit"),)
    id: int = Field(default=None, sa_column=id_column())
    name: str = Field(sa_column=_string(60))
    kind: str = Field(sa_column=_string(10))
    unit: str = Field(sa_column=_string(40))
    community: str = Field(default="", sa_column=_string(60))


class DispatchAdvice(Table, table=True):
    """What the desk was shown for a ticket in one version of it, with reasons; kept when it looked."""

    __tablename__: ClassVar[str] = "dispatch_advice"
    __table_args__: ClassVar[Any] = (UniqueConstraint("ticket_id", "ticket_version"),)
    id: int = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    ticket_version: int
    suggested: list[dict[str, Any]] = Field(sa_column=json_column())
    first_unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    source: str = Field(default="", sa_column=_string(10))  # of `suggest.SOURCES`
    rule: str | None = Field(default=None, sa_column=_string(40, nullable=True))
    rule_number: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    catalogue_version: int = 0
    model: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    probability: float | None = None
    made_at: datetime = Field(sa_column=time_column())


class DispatchChoice(Table, table=True):
    """Where a person sent a ticket, and whether it had to go elsewhere later (`corrected_…`)."""

    __tablename__: ClassVar[str] = "dispatch_choice"
    __table_args__: ClassVar[Any] = (
        Index("ix_dispatch_choice_at", "chosen_at", "ticket_id"),
        Index("ix_dispatch_choice_ticket", "ticket_id", "version"),
    )
    id: int = Field(default=None, sa_column=id_column())
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    version: int  # of the ticket, after it was sent
    unit_id: int = Field(sa_column=ref_column("unit.id"))
    chosen_by: int | None = Field(default=None, sa_column=_person())
    chosen_at: datetime = Field(sa_column=time_column())
    corrected_as: str | None = Field(default=None, sa_column=_string(20, nullable=True))
    corrected_reason: str | None = Field(default=None, sa_column=_string(30, nullable=True))
    corrected_to: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    corrected_by: int | None = Field(default=None, sa_column=_person())
    corrected_at: datetime | None = Field(default=None, sa_column=_time())


class SubmissionRow(Table, table=True):
    """One submission that became a ticket; `assumed` names the fields nobody chose, with commas.

    `ticket_id` is null only within the transaction that claims the key: no other ever sees it so.
    """

    __tablename__: ClassVar[str] = "submission"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("channel", "key", name="uq_submission_channel_key"),
        Index("ix_submission_ticket", "ticket_id"),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    channel: str = Field(sa_column=_string(20))
    key: str = Field(sa_column=_string(120))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    assumed: str = Field(default="", sa_column=_string(60))
    created_at: datetime = Field(sa_column=time_column())
