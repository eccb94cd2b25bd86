"""Documents of supervision of the last two weeks: what was issued when, and what units answered."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from core.clock import CITY_ZONE, to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Role
from sla.calendar import Calendar
from sla.demo.agenda import Agenda
from sla.demo.people import Cast
from sla.demo.script import SCRIPT, Act, Document
from sla.supervision.inputs import Interview, NewOrder
from sla.supervision.models import SupervisionOrder
from sla.supervision.service import SupervisionService
from sla.supervision.terms import RULES, By, Ground, Step, template
from tickets.models import Ticket, table_of
from tickets.states import State

_ticket, _order = table_of(Ticket), table_of(SupervisionOrder)
LOOK_AGAIN = timedelta(days=14)


@dataclass
class Issued:
    """A document that was issued, and on what."""

    id: int
    unit_id: int
    ticket: Any


class Desk:
    """Plays the script through the service."""

    def __init__(self, supervision: SupervisionService, calendar: Calendar, cast: Cast) -> None:
        self._supervision = supervision
        self._calendar = calendar
        self._cast = cast
        self._issued: dict[str, Issued] = {}
        self._used: list[int] = []

    def plan(self, agenda: Agenda) -> None:
        """Take down every step of every document."""
        for document in SCRIPT:
            for act in document.course:
                at = self._moment(agenda.now, act.days, act.at)
                agenda.note(at, partial(self._do, document=document, act=act))

    def _moment(self, now: datetime, working_days: int, at: time) -> datetime:
        day = to_city(now).date()
        while working_days:
            day -= timedelta(days=1)
            working_days -= self._calendar.works(day)
        return datetime.combine(day, at, CITY_ZONE).astimezone(UTC)

    async def _do(self, uow: UnitOfWork, *, document: Document, act: Act) -> None:
        """A step; what cannot be taken (nothing to supervise, a step before it missing) is passed over."""
        try:
            async with uow.savepoint():
                if act.step is Step.ISSUE:
                    await self._issue(uow, document)
                elif document.name in self._issued:
                    await self._go_on(uow, self._issued[document.name], act)
        except HotlineError:
            return

    # ---- issuing ------------------------------------------------------------------------------

    async def _issue(self, uow: UnitOfWork, document: Document) -> None:
        parent = self._issued.get(document.parent or "")
        if document.parent and parent is None:
            return
        unit = parent.unit_id if parent else self._cast.units[document.unit % len(self._cast.units)]
        ticket = parent.ticket if parent else await self._ticket(uow, document, unit)
        if ticket is not None:
            unit = ticket.lead_unit_id
        issued = await self._supervision.issue(
            uow, await self._officer(uow), self._asked(uow, document, unit, ticket, parent)
        )
        self._issued[document.name] = Issued(issued, unit, ticket)

    async def _ticket(self, uow: UnitOfWork, document: Document, unit: int) -> Any:
        """What lies longest with the unit, else with anybody; of a document on no ticket none."""
        if not document.on_ticket:
            return None
        columns = (_ticket.c.id, _ticket.c.number, _ticket.c.title, _ticket.c.lead_unit_id, _ticket.c.due_at)
        query = sa.select(*columns).where(
            _ticket.c.state == State.HANDLING.value,
            _ticket.c.updated_at < uow.now,
            _ticket.c.lead_unit_id == _ticket.c.desk_unit_id,
            _ticket.c.id.not_in(self._used),
        )
        elsewhere = (_ticket.c.lead_unit_id != unit, _ticket.c.due_at, _ticket.c.id)
        found = (await uow.session.execute(query.order_by(*elsewhere).limit(1))).first()
        if found is not None:
            self._used.append(found.id)
        return found

    def _asked(
        self, uow: UnitOfWork, document: Document, unit: int, ticket: Any, parent: Issued | None
    ) -> NewOrder:
        late = ticket is not None and ticket.due_at is not None and ticket.due_at < uow.now
        ground = Ground.OVERDUE if late else Ground.OTHER
        reason = "已超过办理时限" if late else document.reason
        text = document.text or template(
            *(document.kind, ground),
            number=ticket.number if ticket else "",
            title=ticket.title if ticket else "",
            reason=reason,
        )
        return NewOrder(
            document.kind,
            unit,
            ticket.title if ticket else document.subject or "12345热线诉求办理",
            text,
            ground=ground,
            ticket_id=ticket.id if ticket else None,
            copies=tuple(one for one in self._cast.units[3 : 3 + document.copies] if one != unit),
            days=document.limit,
            parent_id=parent.id if parent else None,
        )

    # ---- what becomes of it -------------------------------------------------------------------

    async def _go_on(self, uow: UnitOfWork, issued: Issued, act: Act) -> None:
        query = sa.select(_order.c.version).where(_order.c.id == issued.id)
        version = (await uow.session.execute(query)).scalar_one()
        service, seen = self._supervision, (issued.id, version)
        if act.step is Step.REMIND:
            await service.remind(uow, issued.id)
            return
        actor = await self._officer(uow, issued.unit_id if RULES[act.step].by is By.UNIT else None)
        match act.step:
            case Step.ACKNOWLEDGE:
                await service.acknowledge(uow, actor, *seen)
            case Step.RECORD:
                await service.record(uow, actor, *seen, self._record(uow.now, act))
            case Step.REPORT:
                await service.report(uow, actor, *seen, act.text)
            case Step.SEND_BACK:
                await service.send_back(uow, actor, *seen, act.text)
            case Step.CLOSE:
                await service.close(uow, actor, *seen, act.text)

    def _record(self, now: datetime, act: Act) -> Interview:
        place, attendees, minutes, measures = act.text.split("｜")
        look: date = to_city(now + LOOK_AGAIN).date()
        return Interview(now - timedelta(hours=2), place, attendees, minutes, measures, look)

    async def _officer(self, uow: UnitOfWork, unit_id: int | None = None) -> Actor:
        """The unit's contact officer, or the officer of supervision."""
        post = Role.SUPERVISION_OFFICER if unit_id is None else Role.DEPT_OFFICER
        found = await self._cast.actor(uow.session, unit_id, post.value)
        assert found is not None
        return found
