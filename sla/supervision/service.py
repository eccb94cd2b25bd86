"""The documents of supervision: issued, answered, closed. Every write of their tables goes through here.

A document on a ticket is an action on it as well, so that its state, its mark and its notices stay
right; what becomes of the document is noted in the ticket's history.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from core.settings import Supervision
from sla.calendar import Calendar
from sla.clocks import Limit, add
from sla.clocks import Unit as Measure
from sla.supervision import inputs
from sla.supervision.course import Course
from sla.supervision.inputs import MAX_TEXT, Interview, NewOrder, checked, report_by
from sla.supervision.models import (
    SupervisionCopy,
    SupervisionInterview,
    SupervisionOrder,
    SupervisionYear,
)
from sla.supervision.proposals import Rules
from sla.supervision.rows import OrderRow, by_key, lock_order
from sla.supervision.terms import (
    ISSUED_AS,
    KEPT_FROM_UNITS,
    KIND_LABELS,
    REPORTED_ON,
    RULES,
    By,
    Kind,
    OrderState,
    Step,
    allows,
)
from sla.supervision.visibility import may_answer
from tickets import ticket_rows
from tickets.actions.units import HANDLING_KINDS
from tickets.forms import clean
from tickets.models import table_of
from tickets.notices import HEADS, OFFICERS, SUPERVISION
from tickets.service import TicketService

_order = table_of(SupervisionOrder)
_copy = table_of(SupervisionCopy)
_year = table_of(SupervisionYear)
_interview = table_of(SupervisionInterview)
_unit = table_of(Unit)


class SupervisionService:
    """Issues documents and moves them on."""

    def __init__(
        self, tickets: TicketService, calendar: Callable[[], Calendar], settings: Supervision
    ) -> None:
        self._tickets = tickets
        self._course = Course(tickets)
        self._calendar = calendar
        self.rules = Rules(settings, calendar, tickets.limits)

    # ---- issuing ----------------------------------------------------------------------------

    async def issue(self, uow: UnitOfWork, actor: Actor, asked: NewOrder) -> int:
        """Issue a document; returns its id, the same for the same form sent twice.

        Raises `forbidden`, `form_invalid` (fields), `unit_cannot_take`, `ticket_not_found`,
        `version_conflict`, `action_not_allowed`, `order_not_found`, `order_step_refused` (the parent).
        """
        actor.require(Permission.TICKET_SUPERVISE)
        known = await by_key(uow.session, asked.key)
        if known is not None:
            return known
        asked = checked(asked)
        await self._check_units(uow, asked)
        values = await self._values(uow, actor, asked)
        known = await by_key(uow.session, asked.key)  # sent twice at once: the first has its number now
        if known is not None:
            return known
        parent = await self._raised_from(uow, asked)
        lies_there = False
        if asked.ticket_id is not None:
            lies_there = await self._on_ticket(uow, actor, asked, values)
        made = sa.insert(_order).values(**values).returning(_order.c.id)
        ident = (await uow.session.execute(made)).scalar_one()
        if asked.copies:
            await uow.put(_copy, *({"order_id": ident, "unit_id": unit} for unit in asked.copies))
        row = OrderRow.of({**values, "id": ident})
        await self._course.note(uow, actor, row, Step.ISSUE, None, OrderState.ISSUED, asked.requirement)
        await self._tell_issued(uow, actor, row, asked.copies, lies_there=lies_there)
        if parent is not None and asked.kind is Kind.RAISED:
            await self._course.move(uow, actor, parent, Step.RAISE, f"已提级为 {values['number']}")
        return int(ident)

    async def _values(self, uow: UnitOfWork, actor: Actor, asked: NewOrder) -> dict[str, Any]:
        report_by, limit = self._report_by(uow.now, asked)
        return {
            "number": await _next_number(uow),
            "kind": asked.kind.value,
            "state": OrderState.ISSUED.value,
            "version": 1,
            "ticket_id": asked.ticket_id,
            "round": None,
            "unit_id": asked.unit_id,
            "ground": asked.ground.value,
            "subject": asked.subject,
            "requirement": asked.requirement,
            "recipient": asked.recipient,
            "limit_text": limit,
            "report_by": report_by,
            "parent_id": asked.parent_id,
            "issued_at": uow.now,
            "issued_by": actor.user_id,
            "request_key": asked.key,
        }

    def _report_by(self, now: datetime, asked: NewOrder) -> tuple[datetime | None, str | None]:
        """When the unit is to report: so many working days from now, or the end of work of a day."""
        if asked.kind not in REPORTED_ON:
            return None, None
        if asked.report_on is not None:
            return report_by(asked.report_on, now), None
        limit = Limit(asked.days or 3, Measure.WORKING_DAY)
        return add(self._calendar(), now, limit), str(limit)

    async def _check_units(self, uow: UnitOfWork, asked: NewOrder) -> None:
        query = sa.select(_unit.c.id, _unit.c.kind).where(
            _unit.c.id.in_([asked.unit_id, *asked.copies]), _unit.c.active
        )
        kinds = {row.id: row.kind for row in await uow.session.execute(query)}
        if kinds.get(asked.unit_id) not in HANDLING_KINDS:
            raise HotlineError("unit_cannot_take", unit_id=asked.unit_id)
        if set(asked.copies) - set(kinds):
            raise HotlineError("form_invalid", fields={"copies": "unknown_choice"})

    async def _raised_from(self, uow: UnitOfWork, asked: NewOrder) -> OrderRow | None:
        """The document this one follows, locked. Raises `order_not_found`, `order_step_refused`."""
        if asked.parent_id is None:
            return None
        parent = await lock_order(uow, asked.parent_id)
        if asked.kind is Kind.RAISED:
            _check_step(parent, Step.RAISE)
        if parent.ticket_id != asked.ticket_id:
            raise HotlineError("form_invalid", fields={"ticket_id": "bad_value"})
        return parent

    async def _on_ticket(
        self, uow: UnitOfWork, actor: Actor, asked: NewOrder, values: dict[str, Any]
    ) -> bool:
        """Do to the ticket what the document says; returns whether it lies with the unit addressed."""
        ident = asked.ticket_id or 0
        row = (await ticket_rows.lock(uow, actor, ident)).row
        values["round"] = row.round
        if asked.kind in KEPT_FROM_UNITS:
            return False
        text = f"{KIND_LABELS[asked.kind]} {values['number']}：{asked.requirement}"
        action = ISSUED_AS[asked.kind]
        seen = row.version if asked.version is None else asked.version
        await self._tickets.act(uow, actor, ident, seen, action, {"note": text})
        return row.desk_unit_id == asked.unit_id

    async def _tell_issued(
        self, uow: UnitOfWork, actor: Actor, row: OrderRow, copies: tuple[int, ...], *, lies_there: bool
    ) -> None:
        """The unit's officers and heads, the heads of whom it is copied to; screens; the feed.

        Where the ticket lies with the unit, the action on it has told them.
        """
        await self._course.tell(uow, actor, row, Step.ISSUE, copies)
        if row.kind_ in KEPT_FROM_UNITS:
            return
        notices = [Notice("order_copied", row.ticket_id, HEADS, copies)] if copies else []
        if not lies_there:
            notices.append(Notice("order_issued", row.ticket_id, OFFICERS, (row.unit_id,)))
        if notices:
            await staff.write(uow, notices, done_by=actor.user_id)

    # ---- what becomes of it -----------------------------------------------------------------

    async def acknowledge(self, uow: UnitOfWork, actor: Actor, order_id: int, version: int) -> None:
        """签收: the unit has it. What asks for no report is done with."""
        await self._step(uow, actor, order_id, version, Step.ACKNOWLEDGE, "")

    async def report(self, uow: UnitOfWork, actor: Actor, order_id: int, version: int, text: str) -> None:
        """反馈: what the unit did; it acknowledges as well."""
        await self._step(uow, actor, order_id, version, Step.REPORT, text)

    async def send_back(
        self,
        uow: UnitOfWork,
        actor: Actor,
        order_id: int,
        version: int,
        text: str,
        report_on: date | None = None,
    ) -> None:
        """退回补充: the report is not enough; a further date, if one is given."""
        more: dict[str, Any] = {}
        if report_on is not None:
            more = {"report_by": report_by(report_on, uow.now), "limit_text": None, "reminded_at": None}
        await self._step(uow, actor, order_id, version, Step.SEND_BACK, text, **more)

    async def close(self, uow: UnitOfWork, actor: Actor, order_id: int, version: int, text: str) -> None:
        """销号: done with."""
        await self._step(uow, actor, order_id, version, Step.CLOSE, text)

    async def revoke(self, uow: UnitOfWork, actor: Actor, order_id: int, version: int, text: str) -> None:
        """撤销: it should not have been issued."""
        await self._step(uow, actor, order_id, version, Step.REVOKE, text)

    async def record(
        self, uow: UnitOfWork, actor: Actor, order_id: int, version: int, told: Interview
    ) -> None:
        """登记约谈记录: once. Raises `interview_recorded`."""
        missing = [name for name in ("attendees", "minutes", "measures") if not getattr(told, name).strip()]
        if missing:
            raise HotlineError("form_invalid", fields=dict.fromkeys(missing, "required"))
        if told.held_at > uow.now:
            raise HotlineError("form_invalid", fields={"held_at": "in_future"})
        look = inputs.next_look(told.next_look, uow.now)
        values = {
            "order_id": order_id,
            "held_at": told.held_at,
            "place": told.place,
            "attendees": told.attendees,
            "minutes": told.minutes,
            "measures": told.measures,
            "recorded_at": uow.now,
            "recorded_by": actor.user_id,
        }
        done = await self._step(uow, actor, order_id, version, Step.RECORD, told.measures, **look)
        if not done:
            return
        made = insert(_interview).values(**values).on_conflict_do_nothing(index_elements=["order_id"])
        if (await uow.session.execute(made.returning(_interview.c.order_id))).first() is None:
            raise HotlineError("interview_recorded", order_id=order_id)

    async def look(
        self,
        uow: UnitOfWork,
        actor: Actor,
        order_id: int,
        version: int,
        text: str,
        next_look: date | None = None,
    ) -> None:
        """回头看: what was agreed is looked at again, and when next."""
        look = inputs.next_look(next_look, uow.now)
        await self._step(uow, actor, order_id, version, Step.LOOK, text, **look)

    async def _step(
        self,
        uow: UnitOfWork,
        actor: Actor,
        order_id: int,
        version: int,
        step: Step,
        text: str,
        *,
        detail: dict[str, Any] | None = None,
        **more: Any,
    ) -> bool:
        """Take a step as seen in `version`; False when this very step was taken before.

        Raises `order_not_found`, `forbidden`, `version_conflict`, `order_step_refused`, `form_invalid`.
        """
        rule, note = RULES[step], clean(text, lines=True)
        row = await lock_order(uow, order_id, actor)
        if rule.by is By.SUPERVISION:
            actor.require(Permission.TICKET_SUPERVISE)
        elif not await may_answer(uow.session, actor, row.unit_id):
            raise HotlineError("forbidden", permission=step.value)
        if rule.needs_text and not note:
            raise HotlineError("form_invalid", fields={"note": "required"})
        if len(note) > MAX_TEXT:
            raise HotlineError("form_invalid", fields={"note": "too_long"})
        if row.version != version:
            if await self._course.taken(uow, actor, row, version, step, note):
                return False
            raise HotlineError("version_conflict", entity="order", id=row.id)
        _check_step(row, step)
        await self._course.move(uow, actor, row, step, note, detail, **more)
        return True

    # ---- by the clock -----------------------------------------------------------------------

    async def remind(self, uow: UnitOfWork, order_id: int) -> bool:
        """A report is late: said once to the unit and to supervision. False: no longer so."""
        row = await lock_order(uow, order_id)
        late = row.report_by is not None and row.report_by < uow.now
        if row.reminded_at is not None or not late or not allows(Step.REMIND, row.kind_, row.state_):
            return False
        system = Actor.system("supervision")
        await self._course.move(uow, system, row, Step.REMIND, "", reminded_at=uow.now)
        notices = [
            Notice("order_late", row.ticket_id, OFFICERS, (row.unit_id,)),
            Notice("order_late", row.ticket_id, SUPERVISION),
        ]
        await staff.write(uow, notices)
        return True

    async def look_due(self, uow: UnitOfWork, order_id: int) -> bool:
        """The day of the next look has come: supervision is told once. False: no longer so."""
        row = await lock_order(uow, order_id)
        if row.next_look_at is None or row.next_look_at > uow.now:
            return False
        await uow.change(_order, {"id": row.id}, next_look_at=None)
        await staff.write(uow, [Notice("look_due", row.ticket_id, SUPERVISION)])
        return True


async def _next_number(uow: UnitOfWork) -> str:
    """督〔2026〕000123: unique; the row of the year is locked until the commit."""
    year = to_city(uow.now).year
    made = insert(_year).values(year=year, last=1)
    counted = made.on_conflict_do_update(index_elements=["year"], set_={"last": _year.c.last + 1})
    last = (await uow.session.execute(counted.returning(_year.c.last))).scalar_one()
    return f"督〔{year}〕{last:06d}"


def _check_step(row: OrderRow, step: Step) -> None:
    if not allows(step, row.kind_, row.state_):
        raise HotlineError("order_step_refused", step=step.value, state=row.state)
