"""What goes out on the channels, all of it by the outbox: answers, news of tickets, and media to be fetched.

A ticket's messages (tickets/messages) come here by the port `Reach`; a state that no such message tells
of is told here in plain words, once.
"""

import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import outbox
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.events import EventBus
from core.notify.ports import DeliveryFailed
from core.outbox import OutboxMessage, OutboxWorker
from core.privacy import Vault
from core.settings import Settings
from routing.channels import Channel, Kind, Option, Outgoing, Unreachable, own_tickets, queries, texts
from routing.channels.models import ChannelDialogue, ChannelMessage, ChannelTicket, table_of
from routing.channels.service import MEDIA, NEWS, SAY, ChannelService
from tickets.attachments.service import AttachmentService
from tickets.citizens.events import CitizenForgotten
from tickets.events import TicketChanged, TicketDispatched
from tickets.messages.kinds import MessageEvent
from tickets.messages.plan import letters_of, quiet_until
from tickets.messages.reach import NoWay, Parcel, Way
from tickets.models import Ticket
from tickets.public.acts import CITIZEN
from tickets.public.terms import STATE_WORDS
from tickets.states import State

logger = logging.getLogger(__name__)
# Messages that are questions to the citizen, or the answer he waits for: he reads all of it.
WHOLE = frozenset(
    event.value
    for event in (MessageEvent.SUPPLEMENT, MessageEvent.CLOSING, MessageEvent.RELAY, MessageEvent.CODE)
)
_dialogue, _message = table_of(ChannelDialogue), table_of(ChannelMessage)
_link, _ticket = table_of(ChannelTicket), table_of(Ticket)


class ChannelSender:
    """Carries what there is to say to the citizens of the channels."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        settings: Settings,
        service: ChannelService,
        attachments: AttachmentService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._quiet = settings.notify.quiet_hours
        self._address = settings.http.public_url.rstrip("/")
        self._service = service
        self._attachments = attachments

    def wire(self, bus: EventBus, worker: OutboxWorker) -> None:
        """Hear the tickets; take this room's messages from the outbox."""
        bus.within(TicketDispatched, self.on_moved)
        bus.within(TicketChanged, self.on_moved)
        bus.within(CitizenForgotten, self._service.on_forgotten)
        worker.register(SAY, self.say)
        worker.register(NEWS, self.news)
        worker.register(MEDIA, self.media, given_up=self.media_lost)

    # ---- answers ----------------------------------------------------------------------------------

    async def say(self, message: OutboxMessage) -> None:
        """An answer of a channel that cannot answer in the request itself."""
        async with self._db.read() as session:
            query = sa.select(_message, _dialogue.c.sender_ref).join(
                _dialogue, _dialogue.c.id == _message.c.dialogue_id
            )
            row = (await session.execute(query.where(_message.c.id == message.payload["message"]))).first()
            if row is None or row.answer is None:
                return
            to = await self._who(session, row.sender_ref)
            number = await _number(session, row.ticket_id)
        channel = self._service.channels.get(row.channel)
        if channel is None or to is None:
            return
        says = self._vault.unseal(row.answer, aad=f"channel_message:{row.channel}:{row.key}").decode()
        out = Outgoing(message.dedup, to, says, self._clock.now(), number=number, answers=row.key)
        await self._send(channel, out, row.dialogue_id, "answer")

    async def _who(self, session: AsyncSession, ref: int) -> str | None:
        """The citizen's name on the platform; None when it was destroyed."""
        try:
            return await self._vault.reveal(session, ref)
        except HotlineError:
            return None

    async def _send(self, channel: Channel, out: Outgoing, dialogue_id: int, kind: str) -> None:
        try:
            await channel.send(out)
        except Unreachable:
            await self._service.gone(dialogue_id)
            raise
        except DeliveryFailed as error:
            await self._service.trouble(channel.name, error.code)
            raise
        await self._service.sent(channel.name, out.key, dialogue_id, kind)

    # ---- the port of the tickets' messages --------------------------------------------------------

    async def way_of(self, session: AsyncSession, ticket_id: int) -> Way | None:
        """The dialogue the ticket came from, while its channel is on and reaches the citizen."""
        names = [channel.name for channel in self._service.channels]
        return await queries.way_of(session, ticket_id, names) if names else None

    async def tell(self, way: Way, parcel: Parcel) -> None:
        """One message of a ticket; with the question how content somebody is come its buttons."""
        options: Sequence[Option] = ()
        text = parcel.text
        if parcel.event == MessageEvent.SURVEY.value:
            options = own_tickets.rate_options(parcel.ticket_id)
            text = f"{text}\n{texts.RATE_HINT}"
        whole = parcel.event in WHOLE
        await self._tell(way, parcel.ticket_id, parcel.key, text, tuple(options), whole=whole)

    async def _tell(
        self,
        way: Way,
        ticket_id: int,
        key: str,
        text: str,
        options: tuple[Option, ...] = (),
        *,
        whole: bool = False,
    ) -> None:
        channel = self._service.channels.get(way.channel)
        async with self._db.read() as session:
            to = await self._who(session, way.ref)
            names = (_ticket.c.number, _ticket.c.state)
            row = (await session.execute(sa.select(*names).where(_ticket.c.id == ticket_id))).one()
        if channel is None or to is None:
            raise NoWay("no_channel")
        state = State(row.state)
        out = Outgoing(
            key,
            to,
            text,
            self._clock.now(),
            number=row.number,
            state=texts.SHORT_STATES[state],
            link=f"{self._address}/portal/track" if self._address else "",
            options=options,
            whole=whole,
        )
        await self._send(channel, out, way.dialogue_id, "news")
        await self._service.told(ticket_id, STATE_WORDS[state])

    # ---- states that no message tells of ------------------------------------------------------------

    async def on_moved(self, uow: UnitOfWork, told: TicketDispatched | TicketChanged) -> None:
        """A ticket of a channel stands elsewhere: its citizen is told, unless a message does it already."""
        if not len(self._service.channels) or letters_of(told):
            return
        query = sa.select(_link.c.ticket_id).where(_link.c.ticket_id == told.ticket_id)
        if (await uow.session.execute(query)).first() is None:
            return
        payload = {"ticket": told.ticket_id, "state": told.state}
        dedup = f"{NEWS}:{told.ticket_id}:{told.version}"
        await outbox.enqueue(uow, kind=NEWS, dedup=dedup, payload=payload)

    async def news(self, message: OutboxMessage) -> None:
        """How the ticket stands now, when its citizen knows something else. Waits for the morning."""
        ticket_id = int(message.payload["ticket"])
        async with self._db.read() as session:
            way = await self.way_of(session, ticket_id)
            columns = (_ticket.c.number, _ticket.c.state, _ticket.c.wants_reply, _link.c.told)
            query = sa.select(*columns).join(_link, _link.c.ticket_id == _ticket.c.id)
            row = (await session.execute(query.where(_ticket.c.id == ticket_id))).first()
        if way is None or row is None or way.stopped or not row.wants_reply:
            return
        if row.state != message.payload["state"]:
            return  # what came since is told by its own message
        words = STATE_WORDS[State(row.state)]
        if row.told == words[:60]:
            return
        until = quiet_until(self._clock.now(), self._quiet)
        if until is not None:
            raise outbox.NotYet(until)
        try:
            text = texts.STATE_NEWS.format(number=row.number, words=words)
            await self._tell(way, ticket_id, message.dedup, text)
        except NoWay:
            return  # what must be told goes by text message

    # ---- pictures and sounds ------------------------------------------------------------------------

    async def media(self, message: OutboxMessage) -> None:
        """Fetch a picture or a sound from its platform and make it an attachment. Twice is once."""
        told = message.payload
        channel = self._service.channels.get(told["channel"])
        if channel is None:
            raise DeliveryFailed("no_channel")
        try:
            async with self._attachments.store.receiving() as room:
                received = await channel.fetch(told["media"], Kind(told["kind"]), room)
                await self._attachments.bring(CITIZEN, int(told["ticket"]), received)
        except HotlineError as error:  # what it is does not change by trying again
            logger.warning("a file of a channel was refused", extra={"code": error.code})
            await self.media_lost(message)
        except DeliveryFailed as error:
            await self._service.trouble(channel.name, error.code)
            raise

    async def media_lost(self, message: OutboxMessage) -> None:
        """Tell the citizen that something did not arrive."""
        ticket_id = int(message.payload["ticket"])
        async with self._db.read() as session:
            way = await self.way_of(session, ticket_id)
        if way is not None:
            await self._tell(way, ticket_id, f"{message.dedup}:lost", texts.MEDIA_LOST)

    async def file_refused(self, ticket_id: int, key: str, name: str) -> None:
        """Tell who wrote a letter that one of its files was not taken; it stays taken as a letter."""
        async with self._db.read() as session:
            way = await self.way_of(session, ticket_id)
        if way is None:
            return
        try:
            await self._tell(way, ticket_id, key, texts.FILE_REFUSED.format(name=name[:60]))
        except DeliveryFailed:
            logger.warning("nobody was told of a file that was refused", extra={"ticket_id": ticket_id})


async def _number(session: AsyncSession, ticket_id: int | None) -> str:
    if ticket_id is None:
        return ""
    found: Any = await session.scalar(sa.select(_ticket.c.number).where(_ticket.c.id == ticket_id))
    return str(found or "")
