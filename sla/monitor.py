"""The feed of 电子监察: what the clocks and supervision did, appended for whoever watches.

Written with the change it tells of; ids and codes only, never a personal value. The kinds are data of
this module: one that is added here is documented by `KINDS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.db import UnitOfWork
from sla.models import MonitorEvent
from tickets.models import table_of

TABLE = table_of(MonitorEvent)
KINDS: dict[str, str] = {
    "card_issued": "发牌",
    "card_acknowledged": "确认",
    "order_issued": "制发督办文书",
    "order_acknowledged": "签收督办文书",
    "order_reported": "督办反馈",
    "order_sent_back": "督办反馈退回",
    "order_late": "督办反馈逾期",
    "order_raised": "提级督办",
    "order_closed": "督办销号",
    "order_revoked": "督办撤销",
    "interview_recorded": "约谈记录",
    "interview_looked": "约谈回头看",
}


@dataclass(frozen=True)
class Line:
    """One line; `ref_id` is the row it speaks of (a card, an order)."""

    kind: str
    ticket_id: int | None = None
    unit_id: int | None = None
    level: str | None = None
    ref_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


async def tell(uow: UnitOfWork, lines: Sequence[Line]) -> None:
    """Append `lines` with the other writes of the transaction."""
    rows = [
        {
            "at": uow.now,
            "kind": line.kind,
            "ticket_id": line.ticket_id,
            "unit_id": line.unit_id,
            "level": line.level,
            "ref_id": line.ref_id,
            "detail": dict(line.detail),
        }
        for line in lines
    ]
    await uow.put(TABLE, *rows)
