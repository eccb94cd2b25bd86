"""The documents of supervision: issued, answered, closed. Every write of their tables goes through here.

A document on a ticket is an action on it as well, so that its state, its mark and its notices stay
right; what becomes of the document is noted in the ticket's history.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.clock import CITY_ZONE, to_city
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
from sla.supervision import feed
from sla.supervision.events import OrderMoved
from sla.supervision.models import (
    SupervisionCopy,
    SupervisionInterview,
    SupervisionOrder,
    SupervisionStep,
    SupervisionYear,
)
from sla.supervision.proposals import Rules
from sla.supervision.rows import OrderRow, by_key, copies_of, lock_order
from sla.supervision.terms import (
    FOLLOWED_AS,
    ISSUED_AS,
    KEPT_FROM_UNITS,
    KIND_LABELS,
    REPORTED_ON,
    RULES,
    By,
    Ground,
    Kind,
    OrderState,
    Step,
    allows,
    leads_to,
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
_step = table_of(SupervisionStep)
_year = table_of(SupervisionYear)
_interview = table_of(SupervisionInterview)
_unit = table_of(Unit)
MAX_TEXT = 1500
MOST_COPIES = 20
MOST_DAYS = 60
END_OF_WORK = time(18)
# Who is told of a step: the kind of notice, and whether it goes to the unit or to supervision.
_TOLD: dict[Step, tuple[str, By]] = {
    Step.ACKNOWLEDGE: ("order_acknowledged", By.SUPERVISION),
    Step.REPORT: ("order_reported", By.SUPERVISION),
    Step.SEND_BACK: ("order_sent_back", By.UNIT),
    Step.CLOSE: ("order_ended", By.UNIT),
    Step.REVOKE: ("order_ended", By.UNIT),
}


@dataclass(frozen=True)
class NewOrder:
    """What is to be issued. `version` is the ticket's as it was seen; `key` belongs to the form."""

    kind: Kind
    unit_id: int
    subject: str
    requirement: str
    ground: Ground = Ground.OTHER
    ticket_id: int | None = None
    version: int | None = None
    copies: tuple[int, ...] = ()
    days: int | None = None
    report_on: date | None = None
    recipient: str = ""
    parent_id: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class Interview:
    """The record of a 约谈."""

    held_at: datetime
    place: str
    attendees: str
    minutes: str
    measures: str
    next_look: date | None = None


class SupervisionService:
    """Issues documents and moves them on."""

    def __init__(
        self, tickets: TicketService, calendar: Callable[[], Calendar], settings: Supervision
    ) -> None:
        self._tickets = tickets
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
        asked = _checked(asked)
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
        await self._note(uow, actor, row, Step.ISSUE, None, OrderState.ISSUED, asked.requirement)
        await self._tell_issued(uow, actor, row, asked.copies, lies_there=lies_there)
        if parent is not None and asked.kind is Kind.RAISED:
            await self._move(uow, actor, parent, Step.RAISE, f"已提级为 {values['number']}")
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
            due = datetime.combine(asked.report_on, END_OF_WORK, CITY_ZONE).astimezone(UTC)
            if due <= now:
                raise HotlineError("form_invalid", fields={"report_on": "in_past"})
            return due, None
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
        await self._tell(uow, actor, row, Step.ISSUE, copies)
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
            due = datetime.combine(report_on, END_OF_WORK, CITY_ZONE).astimezone(UTC)
            if due <= uow.now:
                raise HotlineError("form_invalid", fields={"report_on": "in_past"})
            more = {"report_by": due, "limit_text": None, "reminded_at": None}
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
        look = _look(told.next_look, uow.now)
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
        look = _look(next_look, uow.now)
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
            if await self._taken(uow, actor, row, version, step, note):
                return False
            raise HotlineError("version_conflict", entity="order", id=row.id)
        _check_step(row, step)
        await self._move(uow, actor, row, step, note, detail, **more)
        return True

    async def _taken(
        self, uow: UnitOfWork, actor: Actor, row: OrderRow, version: int, step: Step, note: str
    ) -> bool:
        """Whether the last thing done, seen in `version`, was this very step (a double click)."""
        query = sa.select(_step.c.step, _step.c.actor_id, _step.c.note)
        query = query.where(_step.c.order_id == row.id).order_by(_step.c.id.desc()).limit(1)
        last = (await uow.session.execute(query)).first()
        same = last is not None and tuple(last) == (step.value, actor.user_id, note)
        return same and row.version == version + 1

    async def _move(
        self,
        uow: UnitOfWork,
        actor: Actor,
        row: OrderRow,
        step: Step,
        note: str,
        detail: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Write the step: the row, its course, the ticket's history, notices, screens, the feed."""
        before = row.state_
        after = leads_to(step, row.kind_, before)
        values = {"version": row.version + 1, "state": after.value} | _stamps(
            step, after, row, actor, uow.now
        )
        await uow.change(_order, {"id": row.id}, **(values | more))
        moved = row.moved(version=row.version + 1, state=after.value)
        await self._note(uow, actor, moved, step, before, after, note, detail)
        if row.ticket_id is not None and step in FOLLOWED_AS and row.kind_ not in KEPT_FROM_UNITS:
            await self._tickets.follow(
                uow, actor, row.ticket_id, FOLLOWED_AS[step], _in_history(row, step, note)
            )
        await self._tell(uow, actor, moved, step, await copies_of(uow.session, row.id))
        told = _TOLD.get(step)
        if told is not None and row.kind_ not in KEPT_FROM_UNITS:
            kind, to = told
            units = (row.unit_id,) if to is By.UNIT else None
            roles = OFFICERS if to is By.UNIT else SUPERVISION
            await staff.write(uow, [Notice(kind, row.ticket_id, roles, units)], done_by=actor.user_id)

    # ---- by the clock -----------------------------------------------------------------------

    async def remind(self, uow: UnitOfWork, order_id: int) -> bool:
        """A report is late: said once to the unit and to supervision. False: no longer so."""
        row = await lock_order(uow, order_id)
        late = row.report_by is not None and row.report_by < uow.now
        if row.reminded_at is not None or not late or not allows(Step.REMIND, row.kind_, row.state_):
            return False
        system = Actor.system("supervision")
        await self._move(uow, system, row, Step.REMIND, "", reminded_at=uow.now)
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

    # ---- small ------------------------------------------------------------------------------

    async def _note(
        self,
        uow: UnitOfWork,
        actor: Actor,
        row: OrderRow,
        step: Step,
        before: OrderState | None,
        after: OrderState,
        note: str,
        detail: dict[str, Any] | None = None,
    ) -> None:
        values = {
            "order_id": row.id,
            "at": uow.now,
            "step": step.value,
            "actor_id": actor.user_id,
            "actor_name": actor.name,
            "unit_id": actor.unit_id,
            "from_state": before.value if before else None,
            "to_state": after.value,
            "note": note,
            "detail": detail or {},
        }
        await uow.put(_step, values)

    async def _tell(
        self, uow: UnitOfWork, actor: Actor, row: OrderRow, step: Step, copies: tuple[int, ...]
    ) -> None:
        units = () if row.kind_ in KEPT_FROM_UNITS else (row.unit_id, *copies)
        told = OrderMoved(
            row.id, row.version, row.kind, step.value, row.state, row.unit_id, row.ticket_id, units,
            actor.user_id, row.number,
        )  # fmt: skip
        await uow.emit(told)
        await feed.write(uow, told)


def _checked(asked: NewOrder) -> NewOrder:
    """The texts cleaned and measured. Raises `form_invalid`."""
    subject, text = " ".join(asked.subject.split()), clean(asked.requirement, lines=True)
    wrong: dict[str, str] = {}
    for name, value, most in (("subject", subject, 120), ("requirement", text, MAX_TEXT)):
        if len(value) < 2:
            wrong[name] = "required"
        elif len(value) > most:
            wrong[name] = "too_long"
    if asked.kind is Kind.HANDOVER and not asked.recipient.strip():
        wrong["recipient"] = "required"
    if asked.days is not None and not 1 <= asked.days <= MOST_DAYS:
        wrong["days"] = "bad_value"
    if len(asked.copies) > MOST_COPIES:
        wrong["copies"] = "too_long"
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    copies = tuple(unit for unit in dict.fromkeys(asked.copies) if unit != asked.unit_id)
    if asked.kind in KEPT_FROM_UNITS:
        copies = ()
    given = vars(asked) | {"subject": subject, "requirement": text, "copies": copies}
    return NewOrder(**given)


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


def _stamps(step: Step, after: OrderState, row: OrderRow, actor: Actor, now: datetime) -> dict[str, Any]:
    """When and by whom, of the states that were reached."""
    found: dict[str, Any] = {}
    if step in (Step.ACKNOWLEDGE, Step.REPORT) and row.acknowledged_at is None:
        found |= {"acknowledged_at": now, "acknowledged_by": actor.user_id}
    if step is Step.REPORT:
        found |= {"reported_at": now, "reported_by": actor.user_id}
    if after in (OrderState.CLOSED, OrderState.REVOKED) and row.closed_at is None:
        found |= {"closed_at": now, "closed_by": actor.user_id}
    return found


def _in_history(row: OrderRow, step: Step, note: str) -> str:
    """What the ticket's history says of the step."""
    word = {Step.REVOKE: "撤销 "}.get(step, "")
    return f"{word}{KIND_LABELS[row.kind_]} {row.number}" + (f"：{note}" if note else "")


def _look(day: date | None, now: datetime) -> dict[str, Any]:
    """The morning of the day of the next look, for the document and for its course."""
    if day is None:
        return {"detail": {"next_look_at": None}, "next_look_at": None}
    at = datetime.combine(day, time(9), CITY_ZONE).astimezone(UTC)
    if at <= now:
        raise HotlineError("form_invalid", fields={"next_look": "in_past"})
    return {"detail": {"next_look_at": at.isoformat()}, "next_look_at": at}
