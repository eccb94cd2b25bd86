"""The contact relay (联系中转): a handling unit and a citizen who is sealed from it talk through the hotline.

The unit asks through the ticket (`ask_relay`), the hotline calls or writes and passes the answer on
(`answer_relay`). Questions and answers are history of the ticket; here stands which question is open.
Both are looked through for telephone and ID numbers, so that neither side learns the other's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, outbox, redact
from core.db import UnitOfWork
from core.errors import HotlineError
from core.events import Audience, EventBus, LiveEvent, LiveNote
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from core.privacy import PersonalValue
from tickets import ticket_rows
from tickets.events import TicketChanged
from tickets.messages.kinds import MessageEvent
from tickets.messages.models import RelayMessage, RelayOpen
from tickets.messages.plan import Rules, kept_back, letter
from tickets.models import Ticket, TicketHistory, table_of
from tickets.service import TicketService
from tickets.states import Action
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
_relay = table_of(RelayMessage)
_sent = _relay.alias("sent")
_open = table_of(RelayOpen)
_unit = table_of(Unit)
_value = table_of(PersonalValue)
MOST = 200


@dataclass(frozen=True)
class Question:
    """An open question as the hotline sees it; of the citizen only what is masked."""

    id: int
    ticket_id: int
    number: str
    title: str
    type: str
    confidentiality: str
    version: int
    unit: str
    asked_by: str
    at: datetime
    since: datetime
    text: str
    phone: str | None
    sent_at: datetime | None
    wants_reply: bool


@dataclass(frozen=True)
class RelayChanged(LiveEvent):
    """A question was asked, answered or sent on to the citizen."""

    ticket_id: int
    kind: str

    @property
    def live(self) -> LiveNote:
        audience = Audience(permissions=(Permission.CALLBACK_WORK,))
        return LiveNote("relay", self.kind, self.ticket_id, 1, audience)


def wire(bus: EventBus) -> None:
    """Follow the relay's actions, whoever does them and by whatever page."""
    bus.within(TicketChanged, _follow)


async def ask(uow: UnitOfWork, tickets: TicketService, actor: Actor, ticket_id: int, text: str) -> int:
    """Put a question to the citizen through the hotline; returns the ticket's new version.

    Raises what `TicketService.act` raises, and `relay_text_personal`.
    """
    return await tickets.act(uow, actor, ticket_id, None, Action.ASK_RELAY, {"note": text})


async def answer(uow: UnitOfWork, tickets: TicketService, actor: Actor, ticket_id: int, text: str) -> int:
    """Pass the citizen's answer on to the handling unit; returns the ticket's new version."""
    return await tickets.act(uow, actor, ticket_id, None, Action.ANSWER_RELAY, {"note": text})


async def answer_question(
    uow: UnitOfWork, tickets: TicketService, actor: Actor, question_id: int, text: str
) -> int:
    """Answer one question, once: whoever comes second finds it closed. Raises `relay_not_open`."""
    ticket_id = await ticket_of(uow.session, actor, question_id)
    await ticket_rows.lock(uow, actor, ticket_id)
    await ticket_of(uow.session, actor, question_id)  # two clicks at once: the first may have closed it
    return await answer(uow, tickets, actor, ticket_id, text)


async def _follow(uow: UnitOfWork, told: TicketChanged) -> None:
    if told.action not in (Action.ASK_RELAY.value, Action.ANSWER_RELAY.value):
        return
    names = ("id", "note", "unit_id", "actor_id")
    at = (_history.c.ticket_id == told.ticket_id, _history.c.version == told.version)
    row = (await uow.session.execute(sa.select(*(_history.c[name] for name in names)).where(*at))).one()
    found = redact.find(row.note)
    if found:
        kinds = sorted({one.word for one in found})
        raise HotlineError("relay_text_personal", ticket_id=told.ticket_id, kinds=kinds)
    asked = told.action == Action.ASK_RELAY.value
    values = {"ticket_id": told.ticket_id, "history_id": row.id, "at": uow.now}
    values |= {"unit_id": row.unit_id, "actor_id": row.actor_id}
    if asked:
        made = sa.insert(_relay).values(kind="question", **values).returning(_relay.c.id)
        ident = (await uow.session.execute(made)).scalar_one()
        opened = insert(_open).values(ticket_id=told.ticket_id, question_id=ident, since=uow.now)
        await uow.session.execute(
            opened.on_conflict_do_update(index_elements=["ticket_id"], set_={"question_id": ident})
        )
        await uow.emit(RelayChanged(told.ticket_id, "question"))
        return
    closed = sa.delete(_open).where(_open.c.ticket_id == told.ticket_id).returning(_open.c.question_id)
    question = (await uow.session.execute(closed)).scalar_one_or_none()
    await uow.session.execute(sa.insert(_relay).values(kind="answer", question_id=question, **values))
    await uow.emit(RelayChanged(told.ticket_id, "answer"))


async def open_questions(session: AsyncSession, actor: Actor) -> Sequence[Question]:
    """The tickets with an unanswered question, longest waiting first; the newest question of each."""
    sent = (
        sa.select(sa.func.max(_sent.c.at))
        .where(_sent.c.question_id == _open.c.question_id, _sent.c.kind == "message")
        .scalar_subquery()
    )
    asker = _unit.c.short_name
    columns = [_ticket.c[name] for name in ("number", "title", "type", "confidentiality", "version")]
    query = (
        sa.select(
            _open.c.question_id.label("id"),
            _open.c.ticket_id,
            *columns,
            sa.func.coalesce(asker, "").label("unit"),
            _history.c.actor_name.label("asked_by"),
            _relay.c.at,
            _open.c.since,
            _history.c.note.label("text"),
            _value.c.masked.label("phone"),
            sent.label("sent_at"),
            _ticket.c.wants_reply,
        )
        .select_from(
            _open.join(_ticket, _ticket.c.id == _open.c.ticket_id)
            .join(_relay, _relay.c.id == _open.c.question_id)
            .join(_history, _history.c.id == _relay.c.history_id)
            .outerjoin(_unit, _unit.c.id == _relay.c.unit_id)
            .outerjoin(_value, _value.c.id == _ticket.c.phone_ref)
        )
        .where(visible_tickets(actor), _ticket.c.stage.is_not(None))
        .order_by(_open.c.since, _open.c.ticket_id)
        .limit(MOST)
    )
    return [Question(**row._mapping) for row in await session.execute(query)]


async def send(uow: UnitOfWork, actor: Actor, question_id: int) -> None:
    """Send an open question to the citizen as a text message, in the hotline's name. Audited.

    Raises `forbidden`, `relay_not_open`, `contact_unwanted`, `no_phone_on_file`. Once per question.
    """
    actor.require(Permission.CALLBACK_WORK)
    names = ("id", "type", "confidentiality", "wants_reply", "phone_ref", "phone2_ref", "responded")
    query = (
        sa.select(*(_ticket.c[name] for name in names))
        .join(_open, _open.c.ticket_id == _ticket.c.id)
        .where(_open.c.question_id == question_id, visible_tickets(actor))
        .with_for_update(of=_open)
    )
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("relay_not_open", question_id=question_id)
    against = kept_back(MessageEvent.RELAY, Rules(True, True, True), dict(row._mapping))
    if against is not None:
        raise HotlineError("no_phone_on_file" if against == "no_phone" else "contact_unwanted")
    one = letter(row.id, MessageEvent.RELAY, str(question_id), question_id=question_id)
    earlier = sa.select(_relay.c.id).where(_relay.c.question_id == question_id, _relay.c.kind == "message")
    if (await uow.session.execute(earlier.limit(1))).first() is not None:
        return
    values = {"ticket_id": row.id, "question_id": question_id, "actor_id": actor.user_id, "at": uow.now}
    await uow.session.execute(sa.insert(_relay).values(kind="message", **values))
    await outbox.enqueue(uow, kind=one.kind, dedup=one.dedup, payload=one.payload)
    await audit.record(uow, actor=actor, action="relay.send", object_type="ticket", object_id=row.id)
    await uow.emit(RelayChanged(row.id, "message"))


async def ticket_of(session: AsyncSession, actor: Actor, question_id: int) -> int:
    """The ticket of an open question. Raises `relay_not_open`."""
    query = (
        sa.select(_open.c.ticket_id)
        .join(_ticket, _ticket.c.id == _open.c.ticket_id)
        .where(_open.c.question_id == question_id, visible_tickets(actor))
    )
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise HotlineError("relay_not_open", question_id=question_id)
    return int(found)
