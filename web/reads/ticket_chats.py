"""Conversations in writing of a ticket, and the tickets of a conversation.

Who may read one is who may hear a call of the ticket: who sees the ticket, unless its reporter is sealed
from his unit. A reason is asked for and audited, as for any conversation of somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from chats.models import ChatSession
from chats.queries import ChatItem, items, visible_chats
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.models import Ticket, TicketDraft, table_of
from tickets.queries.veils import confidential
from tickets.visibility import sees_every_ticket, visible_tickets

CHAT_WORDS = {"web": "网页", "sms": "短信"}
_chat = table_of(ChatSession)
_draft = table_of(TicketDraft)
_ticket = table_of(Ticket)


@dataclass(frozen=True)
class TicketChat:
    """A conversation as the page of its ticket shows it; `path`: where this person reads it, if he may."""

    id: int
    channel: str
    queued_at: datetime
    messages: int
    ended_as: str | None
    path: str


@dataclass(frozen=True)
class ChatTicket:
    """A ticket that was made or added to in a conversation; `number` of a record has no page (`id` None)."""

    id: int | None
    number: str | None
    title: str
    ended_as: str


def _of_ticket(actor: Actor, ticket_id: int) -> sa.ColumnElement[bool]:
    """The condition on `chat_session` that it is one of a ticket this person sees, unsealed to him."""
    seen = sa.exists().where(_ticket.c.id == ticket_id, visible_tickets(actor))
    own = sa.select(_draft.c.chat_session_id).where(_draft.c.ticket_id == ticket_id)
    made = _chat.c.id.in_(own.where(_draft.c.chat_session_id.is_not(None)))
    if sees_every_ticket(actor):
        return sa.and_(seen, made)
    others = sa.select(_draft.c.ticket_id).where(_draft.c.chat_session_id == _chat.c.id).correlate(_chat)
    sealed = sa.exists().where(confidential(), sa.or_(_ticket.c.id == ticket_id, _ticket.c.id.in_(others)))
    return sa.and_(seen, made, ~sealed)


async def chats_of_ticket(session: AsyncSession, actor: Actor, ticket_id: int) -> list[TicketChat]:
    """The conversations a ticket was made or added to in, oldest first; none sealed from this person."""
    listed = sa.case((visible_chats(actor), True), else_=False).label("listed")
    query = (
        sa.select(_chat.c.id, _chat.c.channel, _chat.c.queued_at, _chat.c.messages, _draft.c.ended_as, listed)
        .join(_draft, sa.and_(_draft.c.chat_session_id == _chat.c.id, _draft.c.ticket_id == ticket_id))
        .where(_of_ticket(actor, ticket_id))
        .order_by(_chat.c.queued_at, _chat.c.id)
    )
    return [
        TicketChat(
            row.id, row.channel, row.queued_at, row.messages, row.ended_as, _path(actor, ticket_id, row)
        )
        for row in await session.execute(query)
    ]


def _path(actor: Actor, ticket_id: int, row: Any) -> str:
    if row.listed:
        return f"/chats/{row.id}"
    return f"/tickets/{ticket_id}/chats/{row.id}" if _reads_at_once(actor) else ""


def _reads_at_once(actor: Actor) -> bool:
    """Who may hear recordings only once another person approved does not read here either."""
    return actor.may(Permission.PERSON_REVEAL) and (
        actor.may(Permission.RECORDING_OPEN) or not actor.may(Permission.RECORDING_ASK)
    )


async def chat_of_ticket(session: AsyncSession, actor: Actor, ticket_id: int, chat_id: int) -> ChatItem:
    """A conversation of a ticket this person sees. Raises `chat_not_found`."""
    if _reads_at_once(actor):
        query = items().where(_chat.c.id == chat_id, _of_ticket(actor, ticket_id))
        row = (await session.execute(query)).first()
        if row is not None:
            return ChatItem(**row._mapping)
    raise HotlineError("chat_not_found", chat_id=chat_id)


async def tickets_of_chat(session: AsyncSession, actor: Actor, chat_id: int) -> list[ChatTicket]:
    """What a conversation led to: tickets this person sees, and numbers of records."""
    query = (
        sa.select(_ticket.c.id, _ticket.c.number, _ticket.c.title, _draft.c.record_number, _draft.c.ended_as)
        .select_from(
            _draft.outerjoin(_ticket, sa.and_(_ticket.c.id == _draft.c.ticket_id, visible_tickets(actor)))
        )
        .where(_draft.c.chat_session_id == chat_id, _draft.c.ended_at.is_not(None))
        .order_by(_draft.c.id)
    )
    return [
        ChatTicket(row.id, row.number or row.record_number, row.title or "", row.ended_as)
        for row in await session.execute(query)
        if row.id is not None or row.record_number is not None
    ]
