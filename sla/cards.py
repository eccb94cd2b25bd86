"""Cards as people meet them: who sees which, what waits for whom, and the acknowledgement.

Cards are made by the sweep (`sla/sweep.py`); here a named post, or the deputy of an absent one, says that
it has taken note.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import delegation
from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from sla import monitor
from sla.events import CardAcknowledged
from sla.ladder import LEVEL_LABELS, Level
from sla.models import Card, CardReceipt
from tickets.flow import TicketStage
from tickets.models import Ticket, table_of
from tickets.queries.veils import veils
from tickets.states import STAGE_LABELS, Stage
from tickets.veil import covered, covered_in
from tickets.visibility import units_below, visible_tickets

_card = table_of(Card)
_receipt = table_of(CardReceipt)
_clock = table_of(TicketStage)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_user = table_of(User)
PAGE = 50
LONGEST_NOTE = 500
STATES: dict[str, str] = {
    "mine": "待我确认",
    "waiting": "待确认",
    "done": "已确认",
    "running": "仍在计时",
}


def visible_cards(actor: Actor) -> sa.ColumnElement[bool]:
    """The condition on `card` rows: all; those of the hotline; those of one's own unit and below."""
    if not actor.may(Permission.CARD_READ):
        return sa.false()
    if actor.may(Permission.TICKET_READ_ALL):
        return sa.true()
    seen = []
    if actor.may(Permission.TICKET_READ_HOTLINE):
        seen.append(_card.c.unit_id.is_(None))
    if actor.may(Permission.TICKET_READ_UNIT) and actor.unit_id is not None:
        seen.append(_card.c.unit_id.in_(units_below(actor)))
    return sa.or_(sa.false(), *seen)


@dataclass(frozen=True)
class Standing:
    """A post somebody holds, or stands in for."""

    role: str
    unit_id: int | None
    on_behalf_of: int | None = None


async def standings(session: AsyncSession, actor: Actor, now: datetime) -> tuple[Standing, ...]:
    """The posts for which `actor` may acknowledge at `now`."""
    if not actor.may(Permission.CARD_ACKNOWLEDGE):
        return ()
    own = [Standing(role.value, actor.unit_id) for role in sorted(actor.roles)]
    lent = await delegation.units_approved_for(session, actor, now)
    return (*own, *(Standing(one.post.value, one.unit_id, one.of_user_id) for one in lent))


def _for(ones: Sequence[Standing]) -> sa.ColumnElement[bool]:
    """The condition on receipts that wait for one of these."""
    of_unit = sa.or_(
        sa.false(),
        *(sa.and_(_receipt.c.post == one.role, _receipt.c.unit_id == one.unit_id) for one in ones),
    )
    of_hotline = sa.and_(_receipt.c.unit_id.is_(None), _receipt.c.post.in_([one.role for one in ones]))
    return sa.or_(of_unit, of_hotline)


# ---- acknowledging ----------------------------------------------------------------------------------


async def acknowledge(uow: UnitOfWork, actor: Actor, card_id: int, note: str = "") -> bool:
    """确认 for every post the actor holds or stands in for; False: it was done before.

    Errors: forbidden (the card names another post), card_not_found, note_too_long.
    """
    actor.require(Permission.CARD_ACKNOWLEDGE)
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise HotlineError("note_too_long", longest=LONGEST_NOTE)
    mine = await standings(uow.session, actor, uow.now)
    named = sa.and_(_receipt.c.card_id == card_id, _for(mine))
    visible = sa.or_(visible_cards(actor), sa.exists().where(named))
    query = (
        sa.select(_card, _ticket.c.version)
        .join(_ticket, _ticket.c.id == _card.c.ticket_id)
        .where(_card.c.id == card_id, visible)
        .with_for_update(of=_card, key_share=True)
    )
    card = (await uow.session.execute(query)).first()
    if card is None:
        raise HotlineError("card_not_found", card_id=card_id)
    query = sa.select(_receipt).where(named).order_by(_receipt.c.id).with_for_update()
    receipts = (await uow.session.execute(query)).all()
    if not receipts:
        raise HotlineError("forbidden", permission="card.acknowledge")
    waiting = [row for row in receipts if row.acknowledged_at is None]
    for row in waiting:
        await _sign(uow, actor, row, _behalf(mine, row), note)
    if waiting:
        await _tell(uow, actor, card, waiting, note)
    return bool(waiting)


def _behalf(mine: Sequence[Standing], row: Any) -> int | None:
    """For whom it is signed: for nobody else, if the actor holds the post."""
    fitting = [one for one in mine if one.role == row.post and row.unit_id in (None, one.unit_id)]
    return None if any(one.on_behalf_of is None for one in fitting) else fitting[0].on_behalf_of


async def _sign(uow: UnitOfWork, actor: Actor, row: Any, behalf: int | None, note: str) -> None:
    values = {"acknowledged_by": actor.user_id, "acknowledged_at": uow.now, "on_behalf_of": behalf}
    statement = sa.update(_receipt).where(_receipt.c.id == row.id)
    await uow.session.execute(statement.values(note=note, **values))


async def _tell(uow: UnitOfWork, actor: Actor, card: Any, waiting: Sequence[Any], note: str) -> None:
    posts = [row.post for row in waiting]
    detail = {"ticket_id": card.ticket_id, "level": card.level, "posts": posts}
    await audit.record(
        *(uow,),
        actor=actor,
        action="card.acknowledge",
        object_type="card",
        object_id=card.id,
        detail=detail,
    )
    told = {"stage": card.stage, "posts": posts, "noted": bool(note)}
    await monitor.tell(
        uow,
        [monitor.Line("card_acknowledged", card.ticket_id, card.unit_id, card.level, card.id, told)],
    )
    units = tuple(dict.fromkeys(one for one in (card.unit_id, *(r.unit_id for r in waiting)) if one))
    await uow.emit(CardAcknowledged(card.ticket_id, card.version, card.id, card.level, units))


# ---- reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReceiptItem:
    """A post that had or has to acknowledge."""

    post: str
    unit: str | None
    by: str | None
    on_behalf: str | None
    at: datetime | None
    note: str


@dataclass(frozen=True)
class CardItem:
    """A card as lists and pages show it; number and title only of tickets one may see."""

    id: int
    level: str
    stage: str
    card_round: int
    issued_at: datetime
    due_at: datetime
    unit: str | None
    ticket_id: int | None
    number: str | None
    title: str | None
    running: bool
    mine: bool
    receipts: tuple[ReceiptItem, ...]

    @property
    def level_word(self) -> str:
        return LEVEL_LABELS.get(Level(self.level), self.level)

    @property
    def stage_word(self) -> str:
        return STAGE_LABELS[Stage(self.stage)]

    @property
    def waiting(self) -> bool:
        """Whether a post has still to acknowledge it."""
        return any(one.at is None for one in self.receipts)


@dataclass(frozen=True)
class Wanted:
    """What a list of cards is to show."""

    level: str = ""
    state: str = ""
    ticket_id: int | None = None
    before: tuple[datetime, int] | None = None
    limit: int = PAGE


async def cards(session: AsyncSession, actor: Actor, now: datetime, wanted: Wanted) -> list[CardItem]:
    """Newest first; one more than `limit` when there are further ones."""
    mine = await standings(session, actor, now)
    seen = sa.and_(_ticket.c.id == _card.c.ticket_id, visible_tickets(actor))
    own = sa.exists().where(
        _receipt.c.card_id == _card.c.id, _receipt.c.acknowledged_at.is_(None), _for(mine)
    )
    query = (
        sa.select(
            *(_card.c[name] for name in ("id", "level", "stage", "card_round", "issued_at", "due_at")),
            _unit.c.short_name.label("unit"),
            _clock.c.ended_at.is_(None).label("running"),
            *(own.label("mine"), _card.c.ticket_id.label("about")),
            *(_ticket.c.id.label("ticket_id"), _ticket.c.number, _ticket.c.title),
        )
        .join(_clock, _clock.c.id == _card.c.stage_id)
        .outerjoin(_ticket, seen)
        .outerjoin(_unit, _unit.c.id == _card.c.unit_id)
        .where(*_conditions(actor, mine, own, wanted))
        .order_by(_card.c.issued_at.desc(), _card.c.id.desc())
        .limit(wanted.limit + 1)
    )
    rows = (await session.execute(query)).all()
    veiled = await veils(session, actor, {row.about for row in rows})
    receipts = await _receipts(session, [row.id for row in rows])
    return [
        CardItem(
            **covered_in(veiled.get(row.ticket_id), _plain(row), ("title",)),
            receipts=tuple(
                replace(one, note=covered(veiled.get(row.about), one.note))
                for one in receipts.get(row.id, ())
            ),
        )
        for row in rows
    ]


def _plain(row: Any) -> dict[str, Any]:
    """The columns an item has; `about` is the ticket even for who may not see it."""
    return {name: value for name, value in row._mapping.items() if name != "about"}


def _conditions(
    actor: Actor, mine: Sequence[Standing], own: sa.ColumnElement[bool], wanted: Wanted
) -> list[sa.ColumnElement[bool]]:
    waiting = sa.exists().where(_receipt.c.card_id == _card.c.id, _receipt.c.acknowledged_at.is_(None))
    found: list[sa.ColumnElement[bool]] = []
    if wanted.state == "mine":
        waits = sa.select(_receipt.c.card_id).where(_receipt.c.acknowledged_at.is_(None), _for(mine))
        found.append(_card.c.id.in_(waits))
    elif wanted.ticket_id is not None:  # whoever may see the ticket sees its cards
        this = sa.select(_ticket.c.id).where(_ticket.c.id == wanted.ticket_id, visible_tickets(actor))
        seen = _card.c.ticket_id.in_(this.correlate(None))
        found.append(sa.or_(seen, own) if actor.may(Permission.CARD_READ) else sa.false())
    else:
        found.append(sa.or_(visible_cards(actor), own))
    states: dict[str, sa.ColumnElement[bool]] = {
        "waiting": waiting,
        "done": sa.not_(waiting),
        "running": _clock.c.ended_at.is_(None),
    }
    if wanted.state in states:
        found.append(states[wanted.state])
    if wanted.level:
        found.append(_card.c.level == wanted.level)
    if wanted.ticket_id is not None:
        found.append(_card.c.ticket_id == wanted.ticket_id)
    if wanted.before is not None:
        place = sa.tuple_(*map(sa.literal, wanted.before))
        found.append(sa.tuple_(_card.c.issued_at, _card.c.id) < place)
    return found


async def _receipts(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[ReceiptItem, ...]]:
    by, absent = _user.alias("by"), _user.alias("absent")
    query = (
        sa.select(
            *(_receipt.c[name] for name in ("card_id", "post", "acknowledged_at", "note")),
            *(_unit.c.short_name, by.c.name.label("by"), absent.c.name.label("absent")),
        )
        .outerjoin(_unit, _unit.c.id == _receipt.c.unit_id)
        .outerjoin(by, by.c.id == _receipt.c.acknowledged_by)
        .outerjoin(absent, absent.c.id == _receipt.c.on_behalf_of)
        .where(_receipt.c.card_id.in_(ids))
        .order_by(_receipt.c.id)
    )
    found: dict[int, list[ReceiptItem]] = {}
    for row in (await session.execute(query)).all() if ids else []:
        item = ReceiptItem(row.post, row.short_name, row.by, row.absent, row.acknowledged_at, row.note)
        found.setdefault(row.card_id, []).append(item)
    return {card: tuple(items) for card, items in found.items()}
