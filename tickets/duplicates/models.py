"""Tables of duplicates: signatures, which can be made anew at any time, and clusters, decided by people."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class TicketSignature(Table, table=True):
    """What a ticket is compared by; of open ones and of those of the last days.

    `terms`: its words, and its pairs of characters of places behind an @. Sealed matters have none.
    """

    __tablename__: ClassVar[str] = "ticket_signature"
    __table_args__: ClassVar[Any] = (
        sa.Index("ix_ticket_signature_terms", "terms", postgresql_using="gin"),
        sa.Index("ix_ticket_signature_created", "created_at", "ticket_id"),
    )
    ticket_id: int = Field(
        sa_column=sa.Column(sa.BigInteger, sa.ForeignKey("ticket.id"), primary_key=True, autoincrement=False)
    )
    created_at: datetime = Field(sa_column=time_column())
    terms: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False))
    features: dict[str, Any] = Field(sa_column=json_column())


class SignatureProgress(Table, table=True):
    """How far the event log has been followed."""

    __tablename__: ClassVar[str] = "signature_progress"
    name: str = Field(sa_column=sa.Column(sa.String(20), primary_key=True))
    seq: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False))


class TicketCluster(Table, table=True):
    """Many callers about the same matter (`many`), with a word that must be watched (`words`), or a category
    with far more than usual (`surge`): found by the product, decided by a person."""

    __tablename__: ClassVar[str] = "ticket_cluster"
    __table_args__: ClassVar[Any] = (
        sa.CheckConstraint("kind IN ('many', 'words', 'surge')", name="kind"),
        sa.CheckConstraint("state IN ('proposed', 'confirmed', 'dismissed')", name="state"),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        sa.Index("ix_ticket_cluster_newest", "state", sa.text("found_at DESC"), sa.text("id DESC")),
    )
    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=sa.Column(sa.String(12), nullable=False))
    state: str = Field(default="proposed", sa_column=sa.Column(sa.String(12), nullable=False))
    version: int = 1
    title: str = Field(sa_column=sa.Column(sa.String(120), nullable=False))
    place: str = Field(default="", sa_column=sa.Column(sa.String(100), nullable=False))
    callers: int
    callers_24h: int
    callers_7d: int
    z: float | None = None
    words: list[str] = Field(sa_column=json_column())
    first_at: datetime = Field(sa_column=time_column())
    last_at: datetime = Field(sa_column=time_column())
    found_at: datetime = Field(sa_column=time_column())
    master_id: int | None = Field(default=None, sa_column=ref_column("ticket.id", nullable=True))
    category_id: int | None = Field(default=None, sa_column=ref_column("category.id", nullable=True))
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decided_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    note: str = Field(default="", sa_column=sa.Column(sa.String(500), nullable=False))


class TicketClusterMember(Table, table=True):
    """A ticket of a cluster, since when."""

    __tablename__: ClassVar[str] = "ticket_cluster_member"
    __table_args__: ClassVar[Any] = (sa.Index("ix_ticket_cluster_member_ticket", "ticket_id"),)
    cluster_id: int = Field(
        sa_column=sa.Column(sa.BigInteger, sa.ForeignKey("ticket_cluster.id"), primary_key=True)
    )
    ticket_id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.ForeignKey("ticket.id"), primary_key=True))
    at: datetime = Field(sa_column=time_column())
