"""Reads of the channels: the sender's own tickets, where a ticket's news go, how the channels fare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from routing.channels.models import ChannelDialogue, ChannelMessage, ChannelState, ChannelTicket
from routing.channels.talk import LIST, Own
from tickets.messages.reach import Way
from tickets.models import Ticket, table_of
from tickets.public.terms import STATE_WORDS, Act, acts_in
from tickets.states import State

_dialogue, _message = table_of(ChannelDialogue), table_of(ChannelMessage)
_link, _state, _ticket = table_of(ChannelTicket), table_of(ChannelState), table_of(Ticket)
_ADDS = frozenset({Act.ADD, Act.SUPPLEMENT})


async def own_tickets(
    session: AsyncSession, dialogue_id: int, *, also: Sequence[str] = (), limit: int = LIST
) -> list[Own]:
    """The newest tickets of a dialogue, and those of the numbers `also` as far as they are its own."""
    names = ("id", "number", "title", "state", "due_at", "responded")
    query = sa.select(*(_ticket.c[name] for name in names)).join(_link, _link.c.ticket_id == _ticket.c.id)
    mine = query.where(_link.c.dialogue_id == dialogue_id)
    rows = list(await session.execute(mine.order_by(_ticket.c.id.desc()).limit(limit)))
    if also:
        rows += list(await session.execute(mine.where(_ticket.c.number.in_(list(also)[:LIST]))))
    return list({row.id: _own(row) for row in rows}.values())


def _own(row: Any) -> Own:
    acts = acts_in(row.state, rated=row.responded is not None)
    promise = ""
    if row.due_at is not None:
        here = to_city(row.due_at)
        promise = f"承诺 {here.month}月{here.day}日 {here:%H:%M} 前答复"
    return Own(
        id=row.id,
        number=row.number,
        title=row.title,
        state=STATE_WORDS[State(row.state)],
        promise=promise,
        is_open=bool(acts & _ADDS),
        rateable=Act.RATE in acts,
        asked=Act.SUPPLEMENT in acts,
    )


async def way_of(session: AsyncSession, ticket_id: int, names: Sequence[str]) -> Way | None:
    """The dialogue a ticket came from, while its channel is one of `names` and reaches the citizen."""
    columns = [_dialogue.c[name] for name in ("id", "channel", "sender_ref", "stopped_at")]
    query = sa.select(*columns).join(_link, _link.c.dialogue_id == _dialogue.c.id)
    here = (_link.c.ticket_id == ticket_id, _dialogue.c.gone_at.is_(None), _dialogue.c.channel.in_(names))
    row = (await session.execute(query.where(*here))).first()
    return None if row is None else Way(row.channel, row.id, row.sender_ref, row.stopped_at is not None)


@dataclass(frozen=True)
class Fares:
    """How a channel fares. Times in UTC."""

    channel: str
    last_in: datetime | None
    last_out: datetime | None
    people: int
    tickets: int
    error: str | None
    error_at: datetime | None
    checked_at: datetime | None


async def fares(session: AsyncSession, channel: str) -> Fares:
    """The last message in and out, how many people and tickets, the last trouble."""

    def last(direction: str) -> Any:
        here = (_message.c.channel == channel, _message.c.direction == direction)
        return sa.select(sa.func.max(_message.c.at)).where(*here).scalar_subquery()

    people = sa.select(sa.func.count()).select_from(_dialogue).where(_dialogue.c.channel == channel)
    linked = _link.join(_dialogue, _dialogue.c.id == _link.c.dialogue_id)
    tickets = sa.select(sa.func.count()).select_from(linked).where(_dialogue.c.channel == channel)
    asked = sa.select(
        last("in").label("last_in"),
        last("out").label("last_out"),
        people.scalar_subquery().label("people"),
        tickets.scalar_subquery().label("tickets"),
    )
    row = (await session.execute(asked)).one()
    trouble = sa.select(_state.c.error, _state.c.error_at, _state.c.checked_at)
    state = (await session.execute(trouble.where(_state.c.channel == channel))).first()
    error, error_at, checked_at = tuple(state) if state is not None else (None, None, None)
    return Fares(channel, row.last_in, row.last_out, row.people, row.tickets, error, error_at, checked_at)
