"""Sends what citizens are told: from an outbox row of ids to a text message, rendered at the last moment.

A message is looked at again when it is sent, because much can change before: the citizen may have
asked for quiet, the wording may have a new version, the ticket another unit. The log row says what
became of it and holds no personal value.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import Clock, to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.notify.ports import DeliveryFailed, Sms, SmsPort
from core.outbox import NotYet, OutboxMessage, OutboxRow, OutboxWorker
from core.people.models import Unit
from core.privacy import Vault, normalise_phone
from core.settings import Settings
from tickets.flow import TicketReply
from tickets.messages import templates
from tickets.messages.kinds import MessageEvent, parts_of, render, summary, wanted
from tickets.messages.models import CitizenMessage, MessageOptout, RelayMessage
from tickets.messages.plan import OUTBOX_KIND, Rules, kept_back, quiet_until
from tickets.messages.reach import NoWay, Parcel, Reach, Way
from tickets.messages.templates import Wording
from tickets.models import Ticket, TicketHistory, table_of
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES

_outbox = table_of(OutboxRow)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_reply = table_of(TicketReply)
_history = table_of(TicketHistory)
_message = table_of(CitizenMessage)
_optout = table_of(MessageOptout)
_relay = table_of(RelayMessage)
_COLUMNS = (
    *("number", "state", "type", "confidentiality", "wants_reply", "phone_ref", "phone2_ref"),
    *("query_code_ref", "due_at", "responded", "reply_id", "merged_into_id"),
)
DONE = frozenset({"sent", "skipped"})
UNTOLD = "答复请致电12345或凭查询码查询。"  # the reply to a sealed reporter stays off the telephone's screen


class MessageService:
    """The sender of messages to citizens."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, settings: Settings, sms: SmsPort | None
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._quiet = settings.notify.quiet_hours
        self._signature = f"【{settings.city.name}12345】"
        self._sms = sms
        self.reach: Reach | None = None  # set where tickets come by other ways than the telephone

    @property
    def active(self) -> bool:
        """Whether there is anything to send with; without it nothing is queued."""
        return self._sms is not None or self.reach is not None

    def wire(self, outbox: OutboxWorker) -> None:
        """Take this room's messages from the outbox."""
        outbox.register(OUTBOX_KIND, self.deliver)

    async def deliver(self, message: OutboxMessage) -> None:
        """Send one message, or note why not. Raises `NotYet` in the quiet hours, `DeliveryFailed`."""
        event, ticket_id = MessageEvent(message.payload["event"]), int(message.payload["ticket_id"])
        async with self._db.read() as session:
            if await _state_of(session, message.dedup) in DONE:
                return
            ticket = await _facts(session, ticket_id)
            event = await _really(session, event, ticket_id, message.dedup)
            wording = await templates.current(session, event)
            out = _Out(message, ticket_id, event, wording.id)
            way = await self.reach.way_of(session, ticket_id) if self.reach is not None else None
            reason, phone, ref = await self._addressee(session, event, wording, ticket)
            against = None if way is None else _against(way, event, wording, ticket)
            told = reason is None or (way is not None and against is None)
            text = await self._text(session, wording, ticket, message.payload) if told else ""
        if way is not None and await self._by_channel(out, way, against, wording, text):
            return
        out.phone_ref = ref
        if reason is not None:
            await self._note(out, state="skipped", reason=reason)
            return
        await self._wait_for_morning(out, wording)
        await self._send(out, phone, text)

    async def _by_channel(
        self, out: "_Out", way: Way, against: str | None, wording: Wording, text: str
    ) -> bool:
        """Tell the citizen where he wrote to us; False when nothing reaches him there any more."""
        assert self.reach is not None
        out.channel = way.channel
        if against is not None:
            await self._note(out, state="skipped", reason=against)
            return True
        await self._wait_for_morning(out, wording)
        try:
            words = text.removeprefix(self._signature)  # the account's name stands above it already
            parcel = Parcel(out.message.dedup, out.ticket_id, out.event.value, words, self._clock.now())
            await self.reach.tell(way, parcel)
        except NoWay:
            out.channel = None
            return False
        except DeliveryFailed as error:
            await self._note(out, state="waiting", reason=error.code[:30], attempts=out.message.attempts)
            raise
        async with self._db.begin() as uow:
            values = {"state": "sent", "reason": None, "attempts": out.message.attempts, "parts": 0}
            await _upsert(uow, out, **values, sent_at=uow.now)
        return True

    async def _addressee(
        self, session: AsyncSession, event: MessageEvent, wording: Wording, ticket: dict[str, Any]
    ) -> tuple[str | None, str, int | None]:
        """(why not, number, reference to it): the first mobile number of the two."""
        rules = Rules(wording.mandatory, wording.at_once, wording.enabled)
        if self._sms is None:
            return "no_channel", "", None
        reason = kept_back(event, rules, ticket)
        if reason is not None:
            return reason, "", ticket["phone_ref"]
        refs = [ref for ref in (ticket["phone_ref"], ticket["phone2_ref"]) if ref is not None]
        for ref in refs:
            try:
                number = await self._vault.reveal(session, ref)
            except HotlineError:
                continue
            if normalise_phone(number).kind != "mobile":
                continue
            if not wording.mandatory and await _opted_out(session, ref):
                return "opted_out", "", ref
            return None, number, ref
        return "not_mobile", "", refs[0]

    async def _text(
        self, session: AsyncSession, wording: Wording, ticket: dict[str, Any], payload: dict[str, Any]
    ) -> str:
        needed = wanted(wording.text)
        values = {
            "number": ticket["number"],
            "unit": ticket["unit"] or "承办单位",
            "due": _due(ticket["due_at"]),
        }
        if "code" in needed:
            values["code"] = await self._vault.reveal(session, ticket["query_code_ref"])
        if "reply" in needed:
            values["reply"] = await _words(session, wording.event, ticket, payload)
        return self._signature + render(wording.text, values)

    async def _wait_for_morning(self, out: "_Out", wording: Wording) -> None:
        until = None if wording.at_once else quiet_until(self._clock.now(), self._quiet)
        if until is not None:
            await self._note(out, state="waiting", reason="quiet_hours", next_at=until)
            raise NotYet(until)

    async def _send(self, out: "_Out", phone: str, text: str) -> None:
        assert self._sms is not None
        attempts = out.message.attempts
        try:
            await self._sms.send(Sms(out.message.dedup, phone, text))
        except DeliveryFailed as error:
            await self._note(out, state="waiting", reason=error.code[:30], attempts=attempts)
            raise
        async with self._db.begin() as uow:
            values = {"state": "sent", "reason": None, "attempts": attempts, "parts": parts_of(text)}
            await _upsert(uow, out, **values, sent_at=uow.now)

    async def _note(self, out: "_Out", **values: Any) -> None:
        async with self._db.begin() as uow:
            await _upsert(uow, out, **values)


class _Out:
    """A message on its way: the outbox row and what goes into the log."""

    def __init__(self, message: OutboxMessage, ticket_id: int, event: MessageEvent, template_id: int) -> None:
        self.message = message
        self.ticket_id = ticket_id
        self.event = event
        self.template_id = template_id
        self.phone_ref: int | None = None
        self.channel: str | None = None


def _against(way: Way, event: MessageEvent, wording: Wording, ticket: dict[str, Any]) -> str | None:
    """Why nothing is told on the channel either; who can be reached there needs no telephone."""
    rules = Rules(wording.mandatory, wording.at_once, wording.enabled)
    reason = kept_back(event, rules, ticket | {"phone_ref": way.ref})
    return "opted_out" if reason is None and way.stopped and not wording.mandatory else reason


async def _upsert(uow: UnitOfWork, out: _Out, **values: Any) -> None:
    """One log row per message, whatever the number of tries."""
    given = {"reason": None, "next_at": None} | values
    given |= {"event": out.event.value, "template_id": out.template_id, "phone_ref": out.phone_ref}
    given["channel"] = out.channel
    fixed = {"dedup": out.message.dedup, "ticket_id": out.ticket_id, "created_at": out.message.created_at}
    blank = {"attempts": 0, "parts": 0}
    statement = insert(_message).values(**blank | fixed | given)
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["dedup"], set_=given))


async def give_up(uow: UnitOfWork, dedup: str) -> int | None:
    """Mark a message as failed for good; returns its ticket. Nothing for one that never got a log row."""
    statement = sa.update(_message).where(_message.c.dedup == dedup, _message.c.state == "waiting")
    done = await uow.session.execute(statement.values(state="failed").returning(_message.c.ticket_id))
    ticket_id: int | None = done.scalar_one_or_none()
    return ticket_id


async def take_back(uow: UnitOfWork) -> None:
    """Forget every message that has not left yet, those of this transaction too: nobody is told.

    For tickets that are made up or brought in from elsewhere, whose citizens were told long ago.
    """
    unsent = (_outbox.c.kind == OUTBOX_KIND, _outbox.c.done_at.is_(None))
    await uow.session.execute(sa.delete(_outbox).where(*unsent))


async def _state_of(session: AsyncSession, dedup: str) -> str | None:
    query = sa.select(_message.c.state).where(_message.c.dedup == dedup)
    return (await session.execute(query)).scalar_one_or_none()


async def _facts(session: AsyncSession, ticket_id: int) -> dict[str, Any]:
    columns = [_ticket.c[name] for name in _COLUMNS]
    query = (
        sa.select(*columns, _unit.c.short_name.label("unit"))
        .select_from(_ticket.outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id))
        .where(_ticket.c.id == ticket_id)
    )
    return dict((await session.execute(query)).one()._mapping)


async def _really(session: AsyncSession, event: MessageEvent, ticket_id: int, dedup: str) -> MessageEvent:
    """A dispatch after the first is told as a re-dispatch."""
    if event is not MessageEvent.PROMISE:
        return event
    earlier = sa.select(_message.c.id).where(
        _message.c.ticket_id == ticket_id, _message.c.event == event.value, _message.c.dedup != dedup
    )
    found = (await session.execute(earlier.limit(1))).first()
    return event if found is None else MessageEvent.REDISPATCH


async def _opted_out(session: AsyncSession, ref: int) -> bool:
    query = sa.select(_optout.c.phone_ref).where(_optout.c.phone_ref == ref)
    return (await session.execute(query)).first() is not None


async def _words(
    session: AsyncSession, event: MessageEvent, ticket: dict[str, Any], payload: dict[str, Any]
) -> str:
    """What `{reply}` stands for: the public reply, what is to be supplemented, or a unit's question."""
    if event is MessageEvent.CLOSING:
        hidden = ticket["type"] == TicketType.REPORT.value or ticket["confidentiality"] in SEALED_DEGREES
        found = None if hidden else await _public_reply(session, ticket)
        return UNTOLD if found is None else summary(found)
    if event is MessageEvent.RELAY:
        asked = _relay.c.id == payload["question_id"]
        query = sa.select(_history.c.note).join(_relay, _relay.c.history_id == _history.c.id).where(asked)
    else:
        at = (_history.c.ticket_id == payload["ticket_id"], _history.c.version == payload["version"])
        query = sa.select(_history.c.note).where(*at)
    return summary((await session.execute(query)).scalar_one(), limit=200)


async def _public_reply(session: AsyncSession, ticket: dict[str, Any]) -> str | None:
    """The reply of the ticket, or of the master it was merged into."""
    reply_id = ticket["reply_id"]
    if ticket["merged_into_id"] is not None:
        query = sa.select(_ticket.c.reply_id).where(_ticket.c.id == ticket["merged_into_id"])
        reply_id = (await session.execute(query)).scalar_one_or_none() or reply_id
    if reply_id is None:
        return None
    text = sa.select(_reply.c.public_reply).where(_reply.c.id == reply_id)
    return (await session.execute(text)).scalar_one_or_none() or None


def _due(at: datetime | None) -> str:
    if at is None:
        return "规定时限"
    here = to_city(at)
    return f"{here.month}月{here.day}日{here:%H:%M}"


__all__ = ["MessageService", "give_up", "take_back"]
