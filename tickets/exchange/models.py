"""Numbers of other systems, requests that were answered, and who is told of what by webhook."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, Text, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column

MAX_OUTER = 60  # characters of another system's number
MAX_KEY = 80


class OuterTicket(Table, table=True):
    """A ticket that a machine client brought (`came`) or took on (`went`), with that system's number."""

    __tablename__: ClassVar[str] = "outer_ticket"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("way IN ('came', 'went')", name="way"),
        Index("uq_outer_ticket_client_ticket", "client_id", "ticket_id", unique=True),
        Index(
            "uq_outer_ticket_client_number",
            "client_id",
            "number",
            unique=True,
            postgresql_where=text("number IS NOT NULL"),
        ),
        Index("ix_outer_ticket_ticket", "ticket_id"),
        Index("ix_outer_ticket_number", "number", postgresql_where=text("number IS NOT NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    client_id: int = Field(sa_column=ref_column("machine_client.id"))
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    way: str = Field(sa_column=Column(String(4), nullable=False))
    number: str | None = Field(default=None, sa_column=Column(String(MAX_OUTER), nullable=True))
    created_at: datetime = Field(sa_column=time_column())


class MachineRequest(Table, table=True):
    """A request that a client named with a key; `fingerprint` is that of its content.

    `answer` is what was answered, null where it is found again by other means.
    """

    __tablename__: ClassVar[str] = "machine_request"
    __table_args__: ClassVar[Any] = (
        Index("uq_machine_request_client_key", "client_id", "key", unique=True),
        Index("ix_machine_request_key", "key"),
        Index("ix_machine_request_created_at", "created_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    client_id: int = Field(sa_column=ref_column("machine_client.id"))
    key: str = Field(sa_column=Column(String(MAX_KEY), nullable=False))
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    answer: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    created_at: datetime = Field(sa_column=time_column())


class WebhookEndpoint(Table, table=True):
    """Where a client wants to hear of tickets it may see; revoked, never deleted."""

    __tablename__: ClassVar[str] = "webhook_endpoint"
    __table_args__: ClassVar[Any] = (
        Index("ix_webhook_endpoint_live", "client_id", postgresql_where=text("revoked_at IS NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    client_id: int = Field(sa_column=ref_column("machine_client.id"))
    url: str = Field(sa_column=Column(Text, nullable=False))
    events: list[str] = Field(sa_column=json_column())
    salt: str = Field(sa_column=Column(String(40), nullable=False))
    created_at: datetime = Field(sa_column=time_column())
    revoked_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class WebhookDelivery(Table, table=True):
    """One event for one endpoint: what is told, how often it was tried, when it arrived."""

    __tablename__: ClassVar[str] = "webhook_delivery"
    __table_args__: ClassVar[Any] = (
        Index("uq_webhook_delivery_event", "endpoint_id", "event_key", unique=True),
        Index("ix_webhook_delivery_endpoint", "endpoint_id", "id"),
        Index("ix_webhook_delivery_delivered", "endpoint_id", "delivered_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    endpoint_id: int = Field(sa_column=ref_column("webhook_endpoint.id"))
    ticket_id: int = Field(sa_column=ref_column("ticket.id"))
    event_key: str = Field(sa_column=Column(String(60), nullable=False))
    event: str = Field(sa_column=Column(String(30), nullable=False))
    told: dict[str, Any] = Field(sa_column=json_column())
    created_at: datetime = Field(sa_column=time_column())
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    sent: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    last_error: str | None = Field(default=None, sa_column=Column(String(60), nullable=True))
    delivered_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
