"""Credit events: appended with the decision they tell of, read as a feed by keyset.

What is public of an intermediary stands in the feed and nothing else: no ticket, no complainant, no text.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.people.models import Unit
from tickets.intermediaries.models import CreditEvent, Intermediary
from tickets.intermediaries.terms import CREDIT_LABELS, FINDINGS, Credit
from tickets.models import table_of

_event = table_of(CreditEvent)
_one = table_of(Intermediary)
_unit = table_of(Unit)
PAGE = 100
SETTLED = timedelta(seconds=30)  # longer than any transaction that writes an event


@dataclass(frozen=True)
class Told:
    """One event as the feed shows it."""

    id: int
    at: datetime
    kind: str
    finding: str
    ends_on: date | None
    cancels: int | None
    uscc: str
    name: str
    trade: str
    department: str

    def as_json(self) -> dict[str, object]:
        """The public fields; times in UTC, to the second."""
        return {
            "id": self.id,
            "at": self.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "kind": self.kind,
            "kind_label": CREDIT_LABELS.get(self.kind, self.kind),
            "finding": self.finding or None,
            "finding_label": FINDINGS.get(self.finding) if self.finding else None,
            "ends_on": self.ends_on.isoformat() if self.ends_on else None,
            "cancels": self.cancels,
            "uscc": self.uscc,
            "name": self.name,
            "trade": self.trade,
            "department": self.department,
        }


async def tell(
    uow: UnitOfWork,
    intermediary_id: int,
    kind: Credit,
    *,
    finding: str = "",
    case_id: int | None = None,
    listing_id: int | None = None,
    ends_on: date | None = None,
    cancels: int | None = None,
) -> int:
    """Append an event; returns its id."""
    values = {
        "intermediary_id": intermediary_id,
        "kind": kind.value,
        "finding": finding,
        "case_id": case_id,
        "listing_id": listing_id,
        "ends_on": ends_on,
        "cancels": cancels,
        "at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_event).values(**values).returning(_event.c.id))
    return int(made.scalar_one())


async def of_case(uow: UnitOfWork, case_id: int) -> int | None:
    """The event of a verified complaint, for its cancelling."""
    query = sa.select(_event.c.id).where(_event.c.case_id == case_id, _event.c.kind == Credit.COMPLAINT.value)
    return (await uow.session.execute(query.order_by(_event.c.id.desc()).limit(1))).scalar_one_or_none()


async def feed(
    session: AsyncSession,
    now: datetime,
    *,
    after: int = 0,
    limit: int = PAGE,
    intermediary_id: int | None = None,
    newest: bool = False,
) -> list[Told]:
    """Events behind `after`, the oldest first (or the newest ones first).

    Ids are given before the commit, so that an event of the last seconds may still be overtaken: from the
    first such one on everything is left for the next page, also what bears a higher id and an earlier moment
    (another node's clock, a transaction that began before). Who goes on from the last id misses none.
    """
    query = (
        sa.select(
            *(_event.c[name] for name in ("id", "at", "kind", "finding", "ends_on", "cancels")),
            *(_one.c[name] for name in ("uscc", "name", "trade")),
            _unit.c.name.label("department"),
        )
        .join(_one, _one.c.id == _event.c.intermediary_id)
        .join(_unit, _unit.c.id == _one.c.unit_id)
        .where(_event.c.id > after)
        .limit(limit)
    )
    if intermediary_id is not None:
        query = query.where(_one.c.id == intermediary_id)
    if newest:
        query = query.order_by(_event.c.id.desc())
    else:
        young = _event.alias("young")
        fresh = sa.select(sa.func.min(young.c.id)).where(young.c.id > after, young.c.at > now - SETTLED)
        settled = sa.func.coalesce(_event.c.id < fresh.scalar_subquery(), sa.true())
        query = query.order_by(_event.c.id).where(settled)
    return [Told(*row) for row in await session.execute(query)]
