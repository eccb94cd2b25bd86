"""Tables of knowledge. What was said is appended: editions, steps, uses, reports, reads (triggers)."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

LIVE = "live IS NOT NULL"
OPEN = "closed_at IS NULL"


def _ref_key(target: str) -> Any:
    """A reference that is part of the primary key."""
    return Column(BigInteger, ForeignKey(target), nullable=False)


class KnowledgeArticle(Table, table=True):
    """A question with its answer as it stands now: what is in force (`live`) and what is being written.

    The columns from `question` to `valid_to` are those of the edition in force, and before the first one
    is published those of the newest. `live` and `pending` are numbers of editions.
    """

    __tablename__: ClassVar[str] = "knowledge_article"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("audience IN ('internal', 'public')", name="audience"),
        CheckConstraint("stage IN ('writing', 'review', 'release')", name="stage"),
        CheckConstraint("(pending IS NULL) = (stage IS NULL)", name="pending"),
        CheckConstraint("valid_to >= valid_from", name="span"),
        Index("ix_knowledge_article_unit", "unit_id", "stage"),
        Index("ix_knowledge_article_stage", "stage", "id", postgresql_where=text("stage IS NOT NULL")),
        Index(
            "ix_knowledge_article_category",
            "category_id",
            text("uses DESC"),
            "id",
            postgresql_where=text(LIVE),
        ),
        Index("ix_knowledge_article_uses", text("uses DESC"), "id", postgresql_where=text(LIVE)),
        Index("ix_knowledge_article_ends", "valid_to", "id", postgresql_where=text(LIVE)),
        Index(
            "ix_knowledge_article_public",
            "category_id",
            "id",
            postgresql_where=text(LIVE + " AND audience = 'public'"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    unit_id: int = Field(sa_column=ref_column("unit.id"))
    question: str = Field(sa_column=Column(String(200), nullable=False))
    category_id: int | None = Field(default=None, sa_column=ref_column("category.id", nullable=True))
    district_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    audience: str = Field(sa_column=Column(String(10), nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_to: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    live: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    pending: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    stage: str | None = Field(default=None, sa_column=Column(String(10), nullable=True))
    uses: int = 0
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())
    published_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    withdrawn_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class KnowledgeEdition(Table, table=True):
    """One version of an article, as it was written; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "knowledge_edition"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("article_id", "number"),)
    article_id: int = Field(sa_column=_ref_key("knowledge_article.id"))
    number: int = Field(sa_column=Column(Integer, nullable=False, autoincrement=False))
    question: str = Field(sa_column=Column(String(200), nullable=False))
    answer: str = Field(sa_column=Column(Text, nullable=False))
    basis: str = Field(sa_column=Column(String(500), nullable=False))
    category_id: int | None = Field(default=None, sa_column=ref_column("category.id", nullable=True))
    district_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    audience: str = Field(sa_column=Column(String(10), nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_to: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    made_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    made_at: datetime = Field(sa_column=time_column())


class KnowledgeStep(Table, table=True):
    """What became of an article: written, submitted, approved, published …; appended (trigger)."""

    __tablename__: ClassVar[str] = "knowledge_step"
    __table_args__: ClassVar[Any] = (Index("ix_knowledge_step_article", "article_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    article_id: int = Field(sa_column=ref_column("knowledge_article.id"))
    edition: int
    step: str = Field(sa_column=Column(String(10), nullable=False))
    actor_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    note: str = Field(sa_column=Column(String(500), nullable=False))
    at: datetime = Field(sa_column=time_column())


class KnowledgeText(Table, table=True):
    """The searchable text of the edition in force: its question alone, and the whole of it.

    Derived; it can be thrown away and built anew.
    """

    __tablename__: ClassVar[str] = "knowledge_text"
    __table_args__: ClassVar[Any] = (
        PrimaryKeyConstraint("article_id", "field"),
        CheckConstraint("field IN ('question', 'whole')", name="field"),
        Index(
            "ix_knowledge_text_question",
            "tsv",
            postgresql_using="gin",
            postgresql_where=text("field = 'question'"),
        ),
        Index(
            "ix_knowledge_text_whole",
            "tsv",
            postgresql_using="gin",
            postgresql_where=text("field = 'whole'"),
        ),
    )
    article_id: int = Field(sa_column=_ref_key("knowledge_article.id"))
    field: str = Field(sa_column=Column(String(10), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    tsv: str = Field(sa_column=Column(TSVECTOR, nullable=False))


class KnowledgePair(Table, table=True):
    """In how many questions in force a pair of characters stands; the row of the empty pair counts all."""

    __tablename__: ClassVar[str] = "knowledge_pair"
    pair: str = Field(sa_column=Column(Text, primary_key=True))
    articles: int = Field(sa_column=Column(Integer, nullable=False))


class KnowledgeSynonym(Table, table=True):
    """Words that mean the same when something is looked for."""

    __tablename__: ClassVar[str] = "knowledge_synonym"
    id: int = Field(default=None, sa_column=id_column())
    words: list[str] = Field(sa_column=json_column())
    made_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    made_at: datetime = Field(sa_column=time_column())


class KnowledgeUse(Table, table=True):
    """An article that was answered by, in which edition, in a draft or on a ticket; appended (trigger)."""

    __tablename__: ClassVar[str] = "knowledge_use"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(draft_id IS NULL) <> (ticket_id IS NULL)", name="one_place"),
        Index("uq_knowledge_use_draft", "draft_id", "article_id", unique=True),
        Index("uq_knowledge_use_ticket", "ticket_id", "article_id", unique=True),
        Index("ix_knowledge_use_article", "article_id", "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    article_id: int = Field(sa_column=ref_column("knowledge_article.id"))
    edition: int
    draft_id: int | None = Field(default=None, sa_column=ref_column("ticket_draft.id", nullable=True))
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    at: datetime = Field(sa_column=time_column())


class KnowledgeTask(Table, table=True):
    """Something to be put right, with a clock: not found, wrong or expired. Without a unit: the editors'."""

    __tablename__: ClassVar[str] = "knowledge_task"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind IN ('not_found', 'wrong', 'expired')", name="kind"),
        CheckConstraint("(article_id IS NULL) = (kind = 'not_found')", name="about"),
        CheckConstraint("(closed_at IS NULL) = (closed_as IS NULL)", name="closed_once"),
        Index(
            "uq_knowledge_task_open",
            "article_id",
            "kind",
            unique=True,
            postgresql_where=text(OPEN + " AND article_id IS NOT NULL"),
        ),
        Index("ix_knowledge_task_due", "due_at", "id", postgresql_where=text(OPEN)),
        Index("ix_knowledge_task_closed", text("closed_at DESC"), "id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    version: int = 1
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    article_id: int | None = Field(default=None, sa_column=ref_column("knowledge_article.id", nullable=True))
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    about: str = Field(sa_column=Column(String(500), nullable=False))
    reports: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    limit_days: int = Field(sa_column=Column(SmallInteger, nullable=False))
    opened_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    opened_at: datetime = Field(sa_column=time_column())
    due_at: datetime = Field(sa_column=time_column())
    late_told_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    # The article that is being written for a task that had none, or the one that answered it.
    answer_id: int | None = Field(default=None, sa_column=ref_column("knowledge_article.id", nullable=True))
    edition: int | None = None
    closed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    closed_as: str | None = Field(default=None, sa_column=Column(String(12), nullable=True))
    closed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    reason: str = Field(sa_column=Column(String(500), nullable=False))


class KnowledgeReport(Table, table=True):
    """Who said that an article is wrong, expired or missing; appended (trigger)."""

    __tablename__: ClassVar[str] = "knowledge_report"
    __table_args__: ClassVar[Any] = (Index("ix_knowledge_report_task", "task_id", "id"),)
    id: int = Field(default=None, sa_column=id_column())
    task_id: int = Field(sa_column=ref_column("knowledge_task.id"))
    user_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    note: str = Field(sa_column=Column(String(500), nullable=False))
    at: datetime = Field(sa_column=time_column())


class KnowledgeGap(Table, table=True):
    """What was looked for and not found, without personal data.

    `blind` is a keyed digest of the masked phrase. The phrase itself is kept once a second person has
    looked for it: what only one person ever typed may be about somebody.
    """

    __tablename__: ClassVar[str] = "knowledge_gap"
    __table_args__: ClassVar[Any] = (
        Index(
            "ix_knowledge_gap_open",
            text("asked DESC"),
            "id",
            postgresql_where=text(OPEN + " AND phrase IS NOT NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    blind: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    phrase: str | None = Field(default=None, sa_column=Column(String(60), nullable=True))
    asked: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    first_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    first_at: datetime = Field(sa_column=time_column())
    last_at: datetime = Field(sa_column=time_column(index=True))
    closed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    closed_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class KnowledgeBanner(Table, table=True):
    """The wording for an emergency (突发口径) as it stands; every text it had is an edition."""

    __tablename__: ClassVar[str] = "knowledge_banner"
    __table_args__: ClassVar[Any] = (
        Index("ix_knowledge_banner_open", "ends_at", postgresql_where=text("withdrawn_at IS NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    edition: int = 1
    title: str = Field(sa_column=Column(String(80), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    ends_at: datetime = Field(sa_column=time_column())
    issued_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    issued_at: datetime = Field(sa_column=time_column())
    changed_at: datetime = Field(sa_column=time_column())
    withdrawn_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    withdrawn_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    reason: str = Field(sa_column=Column(String(200), nullable=False))
    # Shown to everybody, with the unit that is responsible.
    public: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))


class KnowledgeBannerEdition(Table, table=True):
    """A text a banner had; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "knowledge_banner_edition"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("banner_id", "number"),)
    banner_id: int = Field(sa_column=_ref_key("knowledge_banner.id"))
    number: int = Field(sa_column=Column(Integer, nullable=False, autoincrement=False))
    title: str = Field(sa_column=Column(String(80), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    ends_at: datetime = Field(sa_column=time_column())
    made_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    made_at: datetime = Field(sa_column=time_column())


class KnowledgeBannerRead(Table, table=True):
    """Who said when that a text of a banner was read; appended, never edited (trigger)."""

    __tablename__: ClassVar[str] = "knowledge_banner_read"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("banner_id", "number", "user_id"),)
    banner_id: int = Field(sa_column=_ref_key("knowledge_banner.id"))
    number: int = Field(sa_column=Column(Integer, nullable=False, autoincrement=False))
    user_id: int = Field(sa_column=_ref_key("user_account.id"))
    at: datetime = Field(sa_column=time_column())


class KnowledgeReminder(Table, table=True):
    """That an owner was reminded of an edition that ends or has ended; told once, whichever node leads."""

    __tablename__: ClassVar[str] = "knowledge_reminder"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("article_id", "edition", "kind"),)
    article_id: int = Field(sa_column=_ref_key("knowledge_article.id"))
    edition: int = Field(sa_column=Column(Integer, nullable=False, autoincrement=False))
    kind: str = Field(sa_column=Column(String(10), nullable=False))
    at: datetime = Field(sa_column=time_column())
