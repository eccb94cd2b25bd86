"""The rows behind documents: locked for a step, read by whoever writes."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from sla.supervision.models import SupervisionCopy, SupervisionOrder
from sla.supervision.terms import Kind, OrderState
from sla.supervision.visibility import visible_orders
from tickets.models import table_of

_order = table_of(SupervisionOrder)
_copy = table_of(SupervisionCopy)


@dataclass(frozen=True)
class OrderRow:
    """A document as its steps know it."""

    id: int
    number: str
    kind: str
    state: str
    version: int
    ticket_id: int | None
    unit_id: int
    report_by: datetime | None = None
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    reminded_at: datetime | None = None
    next_look_at: datetime | None = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> "OrderRow":
        """The row out of a new row's values."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})

    @property
    def kind_(self) -> Kind:
        return Kind(self.kind)

    @property
    def state_(self) -> OrderState:
        return OrderState(self.state)

    def moved(self, **values: Any) -> "OrderRow":
        """As it is after a step."""
        return replace(self, **values)


async def lock_order(uow: UnitOfWork, order_id: int, actor: Actor | None = None) -> OrderRow:
    """The document, locked; with `actor`, one he may see. Raises `order_not_found`."""
    query = sa.select(*(_order.c[name] for name in OrderRow.__dataclass_fields__))
    query = query.where(_order.c.id == order_id).with_for_update()
    if actor is not None:
        query = query.where(visible_orders(actor))
    found = (await uow.session.execute(query)).first()
    if found is None:
        raise HotlineError("order_not_found", order_id=order_id)
    return OrderRow(**found._mapping)


async def by_key(session: AsyncSession, key: str | None) -> int | None:
    """The document made with this form before."""
    if key is None:
        return None
    query = sa.select(_order.c.id).where(_order.c.request_key == key)
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def copies_of(session: AsyncSession, order_id: int) -> tuple[int, ...]:
    """The units it was copied to."""
    query = sa.select(_copy.c.unit_id).where(_copy.c.order_id == order_id).order_by(_copy.c.unit_id)
    return tuple((await session.execute(query)).scalars())
