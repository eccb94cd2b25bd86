"""A conversation in writing lands on a seat as a call does: who is free, its draft, and no calls meanwhile.

The room of the conversations knows neither tickets nor telephones; what they share is wired here. The draft
is made in the transaction in which the agent takes the conversation.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from chats.events import ChatEnded, ChatTaken
from chats.models import ChatSession
from chats.offering import Ready
from chats.service import ChatService
from core.catalog.models import CallQueue, CallQueueMember
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.events import EventBus
from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.permissions import ROLE_PERMISSIONS, Permission
from core.people.service import PeopleService
from core.settings import Settings
from telephony.agents import queries as agents_now
from telephony.agents.service import AgentService
from tickets.callback_due import callback_due, hours_of
from tickets.citizens import records as citizens
from tickets.citizens.events import CitizenForgotten
from tickets.drafts import DraftService
from tickets.events import DraftEnded
from tickets.models import Ticket, TicketDraft, table_of

BUSY = "text"  # the reason of not ready while somebody writes with a citizen
REGISTERED = "您的诉求已登记，编号 {number}。可凭编号查询办理情况。本次文字服务到此结束，感谢您的使用。"
ANSWERED = "本次文字服务到此结束，感谢您的使用。如还有其他问题，可以再次发起。"
TAKERS = [role.value for role, may in ROLE_PERMISSIONS.items() if Permission.TEXT_TAKE in may]
_chat = table_of(ChatSession)
_draft = table_of(TicketDraft)
_ticket = table_of(Ticket)
_user = table_of(User)
_role = table_of(UserRole)
_queue = table_of(CallQueue)
_member = table_of(CallQueueMember)


class ChatDesk:
    """Between the conversations, the drafts and the seats."""

    def __init__(
        self,
        db: Database,
        people: PeopleService,
        settings: Settings,
        chats: ChatService,
        drafts: DraftService,
        agents: AgentService | None,
    ) -> None:
        self._db = db
        self._people = people
        self._skill = settings.text.skill
        self._hours = hours_of(settings)
        self._chats = chats
        self._drafts = drafts
        self._agents = agents

    def wire(self, bus: EventBus) -> None:
        """Listen to `bus`."""
        bus.within(ChatTaken, self.on_taken)
        bus.within(ChatEnded, self.on_ended)
        bus.within(CitizenForgotten, self.on_forgotten)
        bus.after(DraftEnded, self.on_draft_ended)

    # ---- who is free ------------------------------------------------------------------------

    async def seats(self, session: AsyncSession) -> Sequence[Ready]:
        """Agents who are ready, may take conversations, and have the skill where one is asked for."""
        ready = {row.user_id: row.since for row in await agents_now.floor(session) if row.state == "ready"}
        if not ready:
            return []
        may = sa.select(_role.c.user_id).where(_role.c.role.in_(TAKERS), _role.c.user_id.in_(ready))
        if self._skill:
            skilled = sa.select(_member.c.user_id).join(_queue, _queue.c.id == _member.c.queue_id)
            may = may.where(_role.c.user_id.in_(skilled.where(_queue.c.name == self._skill, _queue.c.active)))
        allowed = set((await session.execute(may)).scalars())
        return [Ready(user_id, since) for user_id, since in ready.items() if user_id in allowed]

    def due(self, missed_at: datetime) -> datetime:
        """When a missed conversation must be answered: like a missed call."""
        return callback_due(missed_at, self._hours)

    # ---- what follows what ------------------------------------------------------------------

    async def on_taken(self, uow: UnitOfWork, event: ChatTaken) -> None:
        """The draft, and no calls meanwhile."""
        await self._drafts.open_for_chat(uow, event.session_id, event.user_id, event.phone_ref)
        if event.phone_ref is not None:
            await citizens.ensure(uow, event.phone_ref)
        await self._set(uow, event.user_id, busy=True)

    async def on_ended(self, uow: UnitOfWork, event: ChatEnded) -> None:
        """Calls again, once the agent has no other conversation."""
        if event.user_id is None:
            return
        others = sa.select(_chat.c.id).where(
            _chat.c.agent_id == event.user_id, _chat.c.state == "active", _chat.c.id != event.session_id
        )
        if (await uow.session.execute(others.limit(1))).first() is None:
            await self._set(uow, event.user_id, busy=False)

    async def _set(self, uow: UnitOfWork, user_id: int, *, busy: bool) -> None:
        """Not ready for this reason and no other: who went for lunch stays there."""
        now = await agents_now.agent_now(uow.session, user_id)
        actor = await self._people.actor_for_user(uow.session, user_id)
        if self._agents is None or now is None or actor is None:
            return
        if busy and now.wish == "ready":
            await self._agents.not_ready(uow, actor, BUSY)
        elif not busy and now.wish_reason == BUSY:
            await self._agents.ready(uow, actor)

    async def on_forgotten(self, uow: UnitOfWork, event: CitizenForgotten) -> None:
        """A citizen was forgotten: so is what was written with him."""
        await self._chats.forget_words(uow, event.chat_ids)

    async def on_draft_ended(self, event: DraftEnded) -> None:
        """What was asked for is registered: the citizen is told, and the conversation ends."""
        async with self._db.read() as session:
            found = await _chat_of_draft(session, event.draft_id)
        if found is not None:
            await self._close(*found)

    async def catch_up(self) -> int:
        """Conversations whose draft ended and that were not told of it: a node died in between."""
        async with self._db.read() as session:
            query = (
                sa.select(_draft.c.id)
                .join(_chat, _chat.c.id == _draft.c.chat_session_id)
                .where(_chat.c.state != "ended", _draft.c.ended_at.is_not(None))
            )
            found = [
                await _chat_of_draft(session, ident) for ident in (await session.execute(query)).scalars()
            ]
        for one in found:
            if one is not None:
                await self._close(*one)
        return len(found)

    async def _close(self, chat_id: int, number: str | None) -> None:
        said = REGISTERED.format(number=number) if number else ANSWERED
        async with self._db.begin() as uow:
            await self._chats.end_for_draft(uow, chat_id, said)

    async def take(self, uow: UnitOfWork, actor: Actor, chat_id: int) -> int:
        """Take a conversation; returns its draft. Raises what `ChatService.take` raises."""
        await self._chats.take(uow, actor, chat_id)
        query = sa.select(_draft.c.id, _draft.c.owner_id).where(_draft.c.chat_session_id == chat_id)
        row = (await uow.session.execute(query)).first()
        if row is None:
            raise HotlineError("chat_not_found", chat_id=chat_id)
        return int(row.id)


async def _chat_of_draft(session: AsyncSession, draft_id: int) -> tuple[int, str | None] | None:
    """The conversation of an ended draft, and the number its matter has."""
    number = sa.func.coalesce(_ticket.c.number, _draft.c.record_number)
    query = (
        sa.select(_draft.c.chat_session_id, number)
        .outerjoin(_ticket, _ticket.c.id == _draft.c.ticket_id)
        .where(_draft.c.id == draft_id, _draft.c.chat_session_id.is_not(None))
    )
    row = (await session.execute(query)).first()
    return None if row is None else (int(row[0]), row[1])
