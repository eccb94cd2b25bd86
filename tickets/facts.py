"""What a guard must know of a ticket besides its row: one look, only when an action asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from tickets.flow import TicketContact, TicketRequest, TicketUnit
from tickets.limits import Limits
from tickets.models import Ticket, TicketHistory, table_of
from tickets.states import Action, Stage
from tickets.terms import ContactResult
from tickets.ticket_rows import TicketRow

_ticket = table_of(Ticket)
_unit = table_of(TicketUnit)
_request = table_of(TicketRequest)
_contact = table_of(TicketContact)
_history = table_of(TicketHistory)
NOT_CONTACTED = "not_contacted"  # the reason of a rejected check (未联系)


@dataclass(frozen=True)
class Facts:
    """Counted and looked up at one moment."""

    pending: frozenset[str] = frozenset()  # kinds of applications that wait for a decision
    returned_by: tuple[int, ...] = ()  # units that returned it, in order
    co_unanswered: int = 0
    reached: bool = False  # the citizen was reached in this round
    tried_at: tuple[datetime, ...] = ()  # contacts tried in this round
    members: int = 0  # tickets merged into this one
    lead_since: datetime | None = None
    return_until: datetime | None = None


async def load(session: AsyncSession, row: TicketRow, limits: Limits) -> Facts:
    """The facts of `row` in one statement."""
    found = (await session.execute(_query(row))).one()
    return _facts(found._asdict(), row, limits)


def _facts(found: Mapping[str, Any], row: TicketRow, limits: Limits) -> Facts:
    since = found["lead_since"]
    return Facts(
        pending=frozenset(found["pending"] or ()),
        returned_by=tuple(found["returned_by"] or ()),
        co_unanswered=found["co_unanswered"],
        reached=bool(found["reached"]),
        tried_at=tuple(found["tried_at"] or ()),
        members=found["members"],
        lead_since=since,
        return_until=limits.due(Stage.RETURN_WINDOW, row.matter, since) if since else None,
    )


def _query(row: TicketRow) -> sa.Select[Any]:
    requests = _request.c.ticket_id == row.id
    held = sa.and_(_unit.c.ticket_id == row.id, _unit.c.until.is_(None))
    contacts = sa.and_(_contact.c.ticket_id == row.id, counting_contacts(row.id, row.round))
    array = ARRAY(sa.BigInteger)
    returned = sa.func.array_agg(aggregate_order_by(_request.c.unit_id, _request.c.id), type_=array)
    answered = _unit.c.answered_at.is_(None)
    return sa.select(
        _scalar(sa.func.array_agg(_request.c.kind), requests, _request.c.state == "pending").label("pending"),
        _scalar(returned, requests, _request.c.kind == "return").label("returned_by"),
        _scalar(sa.func.count(), held, _unit.c.role == "co", answered).label("co_unanswered"),
        _scalar(sa.func.bool_or(_contact.c.result == ContactResult.REACHED.value), contacts).label("reached"),
        _scalar(sa.func.array_agg(_contact.c.at), contacts).label("tried_at"),
        _scalar(sa.func.count(), _ticket.c.merged_into_id == row.id, _ticket.c.state == "merged").label(
            "members"
        ),
        _scalar(sa.func.max(_unit.c.since), held, _unit.c.role == "lead").label("lead_since"),
    )


def counting_contacts(ticket_id: int, round_: int) -> sa.ColumnElement[bool]:
    """The condition on contacts that stand for this handling.

    Those of the present round, and none from before a check that found the citizen had not been contacted.
    """
    doubted = sa.select(sa.func.max(_history.c.at)).where(
        *(_history.c.ticket_id == ticket_id, _history.c.action == Action.REJECT_CHECK.value),
        _history.c.reason_code == NOT_CONTACTED,
    )
    since = sa.func.coalesce(doubted.scalar_subquery(), sa.text("'-infinity'::timestamptz"))
    return sa.and_(_contact.c.round == round_, _contact.c.purpose == "handling", _contact.c.at > since)


def _scalar(what: Any, *conditions: Any) -> Any:
    return sa.select(what).where(*conditions).scalar_subquery()
