"""Tables of certificate checks: papers of matters, consents, results, the embedded registry.

All but the registry are appended, never edited (trigger). Who a check is about is a reference into the vault.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, String, UniqueConstraint, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class PaperList(Table, table=True):
    """An edition of what a category of matters needs; the highest version counts."""

    __tablename__: ClassVar[str] = "paper_list"
    __table_args__: ClassVar[Any] = (UniqueConstraint("category_id", "version"),)
    id: int = Field(default=None, sa_column=id_column())
    category_id: int = Field(sa_column=ref_column("category.id"))
    version: int
    papers: list[dict[str, str]] = Field(sa_column=json_column())
    note: str = Field(default="", sa_column=Column(String(200), nullable=False))
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())


class CertificateConsent(Table, table=True):
    """A citizen said yes: about which matter, which kinds, what for, by which channel, who took it down."""

    __tablename__: ClassVar[str] = "certificate_consent"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(ticket_id IS NULL) <> (draft_id IS NULL)", name="about"),
        Index("ix_certificate_consent_ticket", "ticket_id", postgresql_where=text("ticket_id IS NOT NULL")),
        Index("ix_certificate_consent_draft", "draft_id", postgresql_where=text("draft_id IS NOT NULL")),
        Index("ix_certificate_consent_subject", "subject_ref"),
    )
    id: int = Field(default=None, sa_column=id_column())
    ticket_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    draft_id: int | None = Field(default=None, sa_column=ref_column("ticket_draft.id", nullable=True))
    subject_ref: int = Field(sa_column=ref_column("personal_value.id"))
    kinds: list[str] = Field(sa_column=json_column())
    purpose: str = Field(sa_column=Column(String(200), nullable=False))
    channel: str = Field(sa_column=Column(String(10), nullable=False))
    given_at: datetime = Field(sa_column=time_column())
    recorded_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class CertificateWithdrawal(Table, table=True):
    """A consent was taken back: nothing is asked by it any more, and what was answered counts no more."""

    __tablename__: ClassVar[str] = "certificate_withdrawal"
    id: int = Field(default=None, sa_column=id_column())
    consent_id: int = Field(sa_column=ref_column("certificate_consent.id", unique=True))
    channel: str = Field(sa_column=Column(String(10), nullable=False))
    at: datetime = Field(sa_column=time_column())
    recorded_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class CertificateCheck(Table, table=True):
    """One answer of a registry, or that there was none; the last one of a kind counts."""

    __tablename__: ClassVar[str] = "certificate_check"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("result IN ('valid', 'invalid', 'unknown')", name="result"),
        Index("ix_certificate_check_consent", "consent_id", "kind", "id"),
        Index("ix_certificate_check_valid", "at", postgresql_where=text("result = 'valid'")),
    )
    id: int = Field(default=None, sa_column=id_column())
    consent_id: int = Field(sa_column=ref_column("certificate_consent.id"))
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    result: str = Field(sa_column=Column(String(8), nullable=False))
    why: str = Field(default="", sa_column=Column(String(12), nullable=False))
    issuer: str = Field(default="", sa_column=Column(String(60), nullable=False))
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field(sa_column=Column(String(10), nullable=False))
    at: datetime = Field(sa_column=time_column())
    asked_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class CertificateRecord(Table, table=True):
    """The embedded registry: who holds a certificate; `holder` is a blind index of the ID number."""

    __tablename__: ClassVar[str] = "certificate_record"
    __table_args__: ClassVar[Any] = (UniqueConstraint("holder", "kind"),)
    id: int = Field(default=None, sa_column=id_column())
    holder: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    issuer: str = Field(sa_column=Column(String(60), nullable=False))
    valid_from: date | None = None
    valid_to: date | None = None
    revoked: bool = False
