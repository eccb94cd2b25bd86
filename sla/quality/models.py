"""Sheets and plans by version, draws, the calls drawn with their scores, appeals and course, calibrations."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Numeric, String, Text, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

STATES = ("drawn", "scored", "appealed", "final")


def _words(length: int) -> Any:
    return Column(String(length), nullable=False)


def _person() -> Any:
    return ref_column("user_account.id", nullable=True)


def _day() -> Any:
    return Column(Date, nullable=False)


def _total(*, nullable: bool = False) -> Any:
    return Column(Numeric(4, 1), nullable=nullable)


class QualitySheet(Table, table=True):
    """A version of the score sheet; the newest is in force, none is ever changed (trigger)."""

    __tablename__: ClassVar[str] = "quality_sheet"
    id: int = Field(default=None, sa_column=id_column())
    items: list[dict[str, Any]] = Field(sa_column=json_column())
    note: str = Field(default="", sa_column=_words(200))
    made_at: datetime = Field(sa_column=time_column())
    made_by: int | None = Field(default=None, sa_column=_person())


class QualityPlan(Table, table=True):
    """A version of the sampling plan: rule → calls per agent and week; as the sheet."""

    __tablename__: ClassVar[str] = "quality_plan"
    id: int = Field(default=None, sa_column=id_column())
    rules: dict[str, int] = Field(sa_column=json_column())
    made_at: datetime = Field(sa_column=time_column())
    made_by: int | None = Field(default=None, sa_column=_person())


class QualityDraw(Table, table=True):
    """The draw of a week, once; by seed and plan it can be done again."""

    __tablename__: ClassVar[str] = "quality_draw"
    id: int = Field(default=None, sa_column=id_column())
    monday: date = Field(sa_column=Column(Date, nullable=False, unique=True))
    plan_id: int = Field(sa_column=ref_column("quality_plan.id"))
    seed: int = Field(sa_column=Column(Integer, nullable=False))
    candidates: int = Field(sa_column=Column(Integer, nullable=False))
    drawn: int = Field(sa_column=Column(Integer, nullable=False))
    drawn_at: datetime = Field(sa_column=time_column())
    drawn_by: int | None = Field(default=None, sa_column=_person())


class QualityCase(Table, table=True):
    """A call drawn for an agent, where it stands and the score in force; a call is drawn once ever."""

    __tablename__: ClassVar[str] = "quality_case"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('drawn', 'scored', 'appealed', 'final')", name="state"),
        CheckConstraint("(state = 'drawn') = (total IS NULL)", name="scored"),
        Index("ix_quality_case_monday", "monday", "id"),
        Index("ix_quality_case_user_id", "user_id", text("id DESC")),
        Index("ix_quality_case_open", "id", postgresql_where=text("state IN ('drawn', 'appealed')")),
    )
    id: int = Field(default=None, sa_column=id_column())
    draw_id: int = Field(sa_column=ref_column("quality_draw.id"))
    monday: date = Field(sa_column=_day())
    call_session_id: int = Field(sa_column=ref_column("call_session.id", unique=True))
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    rule: str = Field(sa_column=_words(10))
    state: str = Field(sa_column=_words(10))
    version: int = 1
    reviewer_id: int | None = Field(default=None, sa_column=_person())  # who scored it first
    total: Decimal | None = Field(default=None, sa_column=_total(nullable=True))
    fatal: bool = False
    scored_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    appeal_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class QualityCalibration(Table, table=True):
    """A call that several reviewers score without seeing each other, until it is closed."""

    __tablename__: ClassVar[str] = "quality_calibration"
    id: int = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_column=ref_column("quality_case.id", unique=True))
    sheet_id: int = Field(sa_column=ref_column("quality_sheet.id"))
    opened_at: datetime = Field(sa_column=time_column())
    opened_by: int = Field(sa_column=ref_column("user_account.id"))
    closed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    note: str = Field(default="", sa_column=_words(500))


class QualityMember(Table, table=True):
    """A reviewer asked to a calibration."""

    __tablename__: ClassVar[str] = "quality_member"
    calibration_id: int = Field(
        sa_column=Column(sa.BigInteger, sa.ForeignKey("quality_calibration.id"), primary_key=True)
    )
    user_id: int = Field(sa_column=Column(sa.BigInteger, sa.ForeignKey("user_account.id"), primary_key=True))


class QualityScore(Table, table=True):
    """What a reviewer gave a call, by which sheet; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "quality_score"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind IN ('review', 'appeal', 'calibration')", name="kind"),
        CheckConstraint("(kind = 'calibration') = (calibration_id IS NOT NULL)", name="calibrated"),
        CheckConstraint("total BETWEEN 0 AND 100", name="total"),
        Index(
            "uq_quality_score_once", "case_id", "kind", unique=True,
            postgresql_where=text("kind IN ('review', 'appeal')"),
        ),
        Index(
            "uq_quality_score_blind", "calibration_id", "reviewer_id", unique=True,
            postgresql_where=text("calibration_id IS NOT NULL"),
        ),
        Index("ix_quality_score_case_id", "case_id", "id"),
    )  # fmt: skip
    id: int = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_column=ref_column("quality_case.id"))
    kind: str = Field(sa_column=_words(12))
    calibration_id: int | None = Field(
        default=None, sa_column=ref_column("quality_calibration.id", nullable=True)
    )
    reviewer_id: int = Field(sa_column=ref_column("user_account.id"))
    sheet_id: int = Field(sa_column=ref_column("quality_sheet.id"))
    marks: dict[str, int | None] = Field(sa_column=json_column())
    fatal: list[str] = Field(sa_column=json_column())
    total: Decimal = Field(sa_column=_total())
    comment: str = Field(default="", sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=time_column())


class QualityAppeal(Table, table=True):
    """An agent's appeal against a score, and what another reviewer decided."""

    __tablename__: ClassVar[str] = "quality_appeal"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("outcome IN ('upheld', 'changed')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided"),
    )
    case_id: int = Field(
        sa_column=Column(
            sa.BigInteger, sa.ForeignKey("quality_case.id"), primary_key=True, autoincrement=False
        )
    )
    reason: str = Field(sa_column=Column(Text, nullable=False))
    asked_at: datetime = Field(sa_column=time_column())
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decided_by: int | None = Field(default=None, sa_column=_person())
    outcome: str | None = Field(default=None, sa_column=Column(String(10), nullable=True))
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))


class QualityStep(Table, table=True):
    """One thing that happened to a drawn call; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "quality_step"
    __table_args__: ClassVar[Any] = (Index("ix_quality_step_case_id", "case_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_column=ref_column("quality_case.id"))
    at: datetime = Field(sa_column=time_column())
    step: str = Field(sa_column=_words(12))
    actor_id: int | None = Field(default=None, sa_column=_person())
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
