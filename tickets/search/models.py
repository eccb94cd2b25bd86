"""The table of the full-text index: derived from tickets and what is written about them.

It can be thrown away and built anew at any time (`search rebuild`).
"""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field

from core.db import Table, time_column


class TicketText(Table, table=True):
    """A piece of text: normalised, without long runs of digits, with the pairs of its characters.

    `field` says what text it is and `ref` which one (the reply's or history row's id, 0 for the matter);
    `created_at` is the ticket's, since results come newest ticket first.
    """

    __tablename__: ClassVar[str] = "ticket_text"
    __table_args__: ClassVar[Any] = (
        sa.Index(
            "ix_ticket_text_tsv",
            "tsv",
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 1024},
        ),
    )
    ticket_id: int = Field(
        sa_column=sa.Column(sa.BigInteger, sa.ForeignKey("ticket.id"), primary_key=True, autoincrement=False)
    )
    field: str = Field(sa_column=sa.Column(sa.String(20), primary_key=True))
    ref: int = Field(sa_column=sa.Column(sa.BigInteger, primary_key=True, autoincrement=False))
    piece: int = Field(sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False))
    created_at: datetime = Field(sa_column=time_column())
    body: str = Field(sa_column=sa.Column(sa.Text, nullable=False))
    tsv: str = Field(sa_column=sa.Column(TSVECTOR, nullable=False))
