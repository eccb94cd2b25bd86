"""Suggestions for the dispatch desk, kept with what was chosen and what became of it.

The suggestion is made when the desk looks at a ticket and kept per version of the ticket; creating and
dispatching compute nothing. What was chosen goes with the dispatch's own writes as one more row
(`note_dispatch`), whoever dispatched from where. A later return, re-dispatch or ruling marks it corrected.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import Clock
from core.db import UnitOfWork
from core.events import EventBus
from routing import suggest
from routing.alike import taken_alike
from routing.known import gazetteer, knowledge
from routing.matter import Matter
from routing.models import DispatchAdvice, DispatchChoice
from routing.suggest import Advisor, Label, Registered, Suggestion
from tickets.events import TicketChanged, TicketDispatched
from tickets.flow import TicketRequest
from tickets.intermediaries.queries import of_subject
from tickets.intermediaries.scope import market
from tickets.models import Ticket, TicketHistory, table_of
from tickets.states import Action

_ticket, _advice, _choice = table_of(Ticket), table_of(DispatchAdvice), table_of(DispatchChoice)
_request, _history = table_of(TicketRequest), table_of(TicketHistory)
_TICKET = (
    *("id", "version", "type", "urgency", "channel", "category_id", "title", "narrative", "address"),
    *("district_id", "street_id", "subject_name", "subject_uscc", "subject_unit_id", "avoid_unit_id"),
)
# What says that the first choice was not right; `redo` and `sub_dispatch` say nothing about it.
CORRECTING = {Action.REDISPATCH.value, Action.ACCEPT_RETURN.value, Action.RULE.value}


@dataclass(frozen=True)
class Asked:
    """A matter nobody has stored yet: what stands in the agent's form, or in the box to try."""

    title: str = ""
    detail: str = ""
    category_id: int | None = None
    area_id: int | None = None
    address: str = ""
    subject: str = ""
    type: str = ""
    urgency: str = ""
    channel: str = ""


class AdviceService:
    """Makes suggestions, keeps them, and notes what was chosen."""

    def __init__(self, clock: Clock, advisor: Advisor | None = None, operator: str = "") -> None:
        self._clock = clock
        self._operator = operator  # code of the unit that runs the market of intermediaries
        self.advisor = advisor

    def wire(self, bus: EventBus) -> None:
        """Note choices and corrections within the transactions that make them."""
        bus.within(TicketDispatched, note_dispatch)
        bus.within(TicketChanged, note_change)

    async def of_matter(self, session: AsyncSession, asked: Asked, *, fresh: bool = False) -> Suggestion:
        """The suggestion for a matter that is being written down; nothing is kept.

        `fresh`: by rules, catalogue and places as they are this moment, not up to a second ago.
        """
        known = await knowledge(session, self._clock.now(), fresh=fresh)
        places = await gazetteer(session, known.directory, fresh=fresh)
        place = places.resolve(asked.address, asked.title, asked.detail)
        areas = known.directory.areas_of(asked.area_id) or known.directory.areas_of(
            *(unit.id for unit in (place.town, place.district) if unit)
        )
        matter = Matter(
            asked.title,
            asked.detail,
            known.directory.chains.get(asked.category_id or 0, ()),
            areas,
            asked.subject,
            asked.type,
            asked.urgency,
            asked.channel,
        )
        labels = await self._labels(matter)
        alike = await taken_alike(session, asked.category_id) if asked.category_id else []
        about = await self._registered(session, asked.subject, None)
        return suggest.suggest(known, matter, labels=labels, similar=alike, place=place, about=about)

    async def of_ticket(self, session: AsyncSession, ticket_id: int) -> tuple[Suggestion, int]:
        """The suggestion for a ticket, and the ticket's version it was made for.

        Who may see the ticket has been asked by whoever asks for it.
        """
        columns = (_ticket.c[name] for name in _TICKET)
        row = (await session.execute(sa.select(*columns).where(_ticket.c.id == ticket_id))).one()
        known = await knowledge(session, self._clock.now())
        places = await gazetteer(session, known.directory)
        place = places.resolve(row.address, row.title, row.narrative)
        areas = known.directory.areas_of(row.district_id, row.street_id)
        if not areas:
            areas = known.directory.areas_of(*(unit.id for unit in (place.town, place.district) if unit))
        matter = Matter(
            row.title,
            row.narrative,
            known.directory.chains.get(row.category_id, ()),
            areas,
            row.subject_name,
            row.type,
            row.urgency,
            row.channel,
        )
        barred = known.directory.below(row.subject_unit_id) | {row.avoid_unit_id or 0}
        found = suggest.suggest(
            known,
            matter,
            labels=await self._labels(matter),
            similar=await taken_alike(session, row.category_id),
            barred=barred,
            place=place,
            about=await self._registered(session, row.subject_name, row.subject_uscc),
        )
        return found, row.version

    async def _registered(self, session: AsyncSession, name: str, uscc: str | None) -> Registered | None:
        if not (name or uscc):
            return None
        found = await of_subject(session, name, uscc)
        if found is None:
            return None
        operator = (await market(session, self._operator)).operator_id
        return Registered(found.id, found.name, found.trade, found.unit_id, operator)

    async def _labels(self, matter: Matter) -> list[Label]:
        if self.advisor is None or not (matter.title or matter.detail):
            return []
        return list(await self.advisor.advise(matter.title, matter.detail))

    async def keep(self, uow: UnitOfWork, ticket_id: int, version: int, shown: Suggestion) -> None:
        """Keep what was shown for a version of a ticket; what was shown last counts."""
        values = suggest.kept(shown, ticket_id, version, uow.now)
        statement = insert(_advice).values(**values)
        key = ("ticket_id", "ticket_version")
        fresh = {name: statement.excluded[name] for name in values if name not in key}
        differs = _advice.c.suggested != statement.excluded.suggested
        await uow.session.execute(
            statement.on_conflict_do_update(index_elements=list(key), set_=fresh, where=differs)
        )


async def kept_already(session: AsyncSession, ticket_id: int, version: int, shown: Suggestion) -> bool:
    """Whether exactly this was kept before, so that looking again writes nothing."""
    key = (_advice.c.ticket_id == ticket_id, _advice.c.ticket_version == version)
    row = (await session.execute(sa.select(_advice.c.suggested).where(*key))).first()
    return row is not None and bool(row.suggested == suggest.as_data(shown))


async def note_dispatch(uow: UnitOfWork, event: TicketDispatched) -> None:
    """Within handler: a dispatch is a choice; going elsewhere later says that it was not right."""
    if event.action == Action.DISPATCH.value:
        row = {
            "ticket_id": event.ticket_id,
            "version": event.version,
            "unit_id": event.unit_id,
            "chosen_by": event.actor_id,
            "chosen_at": uow.now,
        }
        await uow.put(_choice, row)
    elif event.action in CORRECTING:
        await _correct(uow, event.ticket_id, event.action, event.version, event.unit_id, event.actor_id)


async def note_change(uow: UnitOfWork, event: TicketChanged) -> None:
    """Within handler: a return that was accepted brings the ticket back to the desk."""
    if event.action == Action.ACCEPT_RETURN.value:
        await _correct(uow, event.ticket_id, event.action, event.version, None, event.actor_id)


async def _correct(
    uow: UnitOfWork, ticket_id: int, action: str, version: int, to: int | None, by: int | None
) -> None:
    """Mark the latest choice, once; a ruling for the same unit confirms it."""
    latest = sa.select(sa.func.max(_choice.c.id)).where(_choice.c.ticket_id == ticket_id).scalar_subquery()
    if action == Action.REDISPATCH.value:
        mine = (_history.c.ticket_id == ticket_id, _history.c.version == version)
        reason = sa.select(_history.c.reason_code).where(*mine)
    else:
        returned = (_request.c.ticket_id == ticket_id, _request.c.kind == "return")
        reason = sa.select(_request.c.reason_code).where(*returned).order_by(_request.c.id.desc())
    statement = sa.update(_choice).where(_choice.c.id == latest, _choice.c.corrected_at.is_(None))
    if to is not None:
        statement = statement.where(_choice.c.unit_id != to)
    values = {
        "corrected_as": action,
        "corrected_reason": reason.limit(1).scalar_subquery(),
        "corrected_to": to,
        "corrected_by": by,
        "corrected_at": uow.now,
    }
    await uow.session.execute(statement.values(**values))
