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
