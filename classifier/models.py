"""Tables of the classifier: models with their files, what each said of a ticket, where it may act alone."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, LargeBinary, String, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class ClassifierModel(Table, table=True):
    """A trained model. One is active; a challenger answers beside it and is heard by nobody."""

    __tablename__: ClassVar[str] = "classifier_model"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('challenger', 'active', 'retired')", name="state"),
        CheckConstraint("source IN ('starter', 'local', 'file')", name="source"),
        Index("uq_classifier_model_active", "state", unique=True, postgresql_where=text("state = 'active'")),
        Index(
            "uq_classifier_model_challenger",
            "state",
            unique=True,
            postgresql_where=text("state = 'challenger'"),
        ),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    digest: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    state: str = Field(sa_column=Column(String(12), nullable=False))
    source: str = Field(sa_column=Column(String(12), nullable=False))
    rows: int
    first_day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    last_day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    figures: dict[str, Any] = Field(sa_column=json_column())
    made_at: datetime = Field(sa_column=time_column())
    made_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    activated_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    activated_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    retired_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class ClassifierPart(Table, table=True):
    """A file of a model, so that every node has it; its digest is checked before it is used."""

    __tablename__: ClassVar[str] = "classifier_part"
    model_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("classifier_model.id", ondelete="CASCADE"), primary_key=True)
    )
    name: str = Field(sa_column=Column(String(60), primary_key=True))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CategoryAdvice(Table, table=True):
    """What a model said of a ticket's text, kept whatever people decided; `heard`: it was in force then.

    `chosen_id` is the category the ticket was made with. What it has now stands in the ticket, who changed
    it and when in its history.
    """

    __tablename__: ClassVar[str] = "category_advice"
    __table_args__: ClassVar[Any] = (Index("ix_category_advice_model", "model_id", "advised_at"),)
    ticket_id: int = Field(sa_column=Column(BigInteger, ForeignKey("ticket.id"), primary_key=True))
    model_id: int = Field(sa_column=Column(BigInteger, ForeignKey("classifier_model.id"), primary_key=True))
    advised_at: datetime = Field(sa_column=time_column())
    heard: bool
    label: str = Field(sa_column=Column(String(20), nullable=False))
    probability: float
    second: str = Field(default="", sa_column=Column(String(20), nullable=False))
    third: str = Field(default="", sa_column=Column(String(20), nullable=False))
    gate: str = Field(sa_column=Column(String(12), nullable=False))
    words: list[Any] = Field(sa_column=json_column())
    likeness: float
    chosen_id: int = Field(sa_column=ref_column("category.id"))


class AdviceProgress(Table, table=True):
    """Up to which ticket advice was kept; one row."""

    __tablename__: ClassVar[str] = "advice_progress"
    step: str = Field(sa_column=Column(String(20), primary_key=True))
    ticket_id: int = Field(sa_column=Column(BigInteger, nullable=False))


class CategorySwitch(Table, table=True):
    """A category whose tickets may be dispatched without a person, with the evidence it was opened on."""

    __tablename__: ClassVar[str] = "category_switch"
    category_id: int = Field(sa_column=Column(BigInteger, ForeignKey("category.id"), primary_key=True))
    automatic: bool
    evidence: dict[str, Any] = Field(sa_column=json_column())
    changed_at: datetime = Field(sa_column=time_column())
    changed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
