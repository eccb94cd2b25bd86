"""What the hotline knows of a caller before he has said a word: his tickets and his calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.privacy import Vault
from tickets import queries
from tickets.citizens.queries import Brief, brief
from tickets.limits import Limits
from tickets.states import FINAL
from tickets.terms import TicketType, label
from tickets.workflow import STATE_LABELS, State
from web.reads.action_forms import DEGREES
from web.reads.calls import CallRow, calls_of, repeat_count
from web.reads.left import total_span
from web.reads.numbers import origin

MOST_OPEN = 10
OFTEN = 3  # calls in 24 hours


@dataclass(frozen=True)
class TicketLine:
    """A ticket as one line of the caller card."""

    id: int
    number: str
    title: str
    type_label: str
    state_label: str
    unit_name: str | None
    citizen: str | None
    place: str | None
    urges: int
    created_at: datetime
    closed: bool
    left: tuple[str, str] | None = None


@dataclass(frozen=True)
class CallerCard:
    """The middle column of the console; all empty for a draft without a call."""

    masked: str | None = None
    name: str = ""
    origin: str = ""
    queue: str = ""
    repeat: int = 0
    open_tickets: list[TicketLine] = field(default_factory=list)
    last_tickets: list[TicketLine] = field(default_factory=list)
    last_calls: list[CallRow] = field(default_factory=list)
    record: Brief | None = None
    rating: queries.Rating | None = None
    rating_word: str = ""

    @property
    def often(self) -> bool:
        """Whether the number called so often within a day that it is marked."""
        return self.repeat >= OFTEN


def _line(item: queries.TicketItem, left: tuple[str, str] | None = None) -> TicketLine:
    return TicketLine(
        id=item.id,
        number=item.number,
        title=item.title,
        type_label=label(TicketType, item.type),
        state_label=STATE_LABELS.get(State(item.state), item.state),
        unit_name=item.lead_unit,
        citizen=item.citizen,
        place=item.district,
        urges=item.urges,
        created_at=item.created_at,
        closed=State(item.state) in FINAL,
        left=left,
    )


async def open_tickets(session: AsyncSession, actor: Actor, caller_ref: int) -> list[TicketLine]:
    """The number's tickets that are not finished, newest first."""
    items = await queries.open_tickets_of(session, actor, caller_ref, MOST_OPEN)
    return [_line(item) for item in items]


async def _open_with_time(
    session: AsyncSession, actor: Actor, caller_ref: int, now: datetime, limits: Limits
) -> list[TicketLine]:
    items = await queries.open_tickets_of(session, actor, caller_ref, MOST_OPEN)
    return [_line(item, total_span(item, now, limits)) for item in items]


async def caller_card(
    session: AsyncSession,
    actor: Actor,
    caller_ref: int | None,
    masked: str | None,
    *,
    now: datetime,
    queue: str,
    vault: Vault,
    limits: Limits,
) -> CallerCard:
    """Everything about the number behind `caller_ref`; masked."""
    if caller_ref is None:
        return CallerCard(queue=queue)
    last = [_line(item) for item in await queries.last_tickets_of(session, actor, caller_ref)]
    # A mobile number says nothing of where its owner lives; his last matter does.
    place = next((line.place for line in last if line.place), None)
    record = await brief(session, actor, vault, caller_ref)
    known = record.names[0] if record and record.names else ""
    rating = await queries.last_rating_of(session, actor, caller_ref)
    return CallerCard(
        masked=masked,
        name=next((line.citizen for line in last if line.citizen), known),
        record=record,
        origin=" · ".join(part for part in (origin(masked), place) if part),
        queue=queue,
        repeat=await repeat_count(session, caller_ref, now),
        open_tickets=await _open_with_time(session, actor, caller_ref, now, limits),
        last_tickets=last,
        last_calls=await calls_of(session, caller_ref),
        rating=rating,
        rating_word=dict(DEGREES).get(str(rating.degree), "") if rating else "",
    )
