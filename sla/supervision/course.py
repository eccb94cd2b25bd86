"""The course of a document: each step written down, and told to whom it concerns."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.notify import staff
from core.notify.staff import Notice
from core.people.actor import Actor
from sla.supervision import feed
from sla.supervision.events import OrderMoved
from sla.supervision.models import SupervisionOrder, SupervisionStep
from sla.supervision.rows import OrderRow, copies_of
from sla.supervision.terms import FOLLOWED_AS, KEPT_FROM_UNITS, KIND_LABELS, By, OrderState, Step, leads_to
from tickets.models import table_of
from tickets.notices import OFFICERS, SUPERVISION
from tickets.service import TicketService

_order = table_of(SupervisionOrder)
_step = table_of(SupervisionStep)
# Who is told of a step: the kind of notice, and whether it goes to the unit or to supervision.
_TOLD: dict[Step, tuple[str, By]] = {
    Step.ACKNOWLEDGE: ("order_acknowledged", By.SUPERVISION),
    Step.REPORT: ("order_reported", By.SUPERVISION),
    Step.SEND_BACK: ("order_sent_back", By.UNIT),
    Step.CLOSE: ("order_ended", By.UNIT),
    Step.REVOKE: ("order_ended", By.UNIT),
}


class Course:
    """Writes steps, and what follows from them; whether one may be taken is asked before."""

    def __init__(self, tickets: TicketService) -> None:
        self._tickets = tickets

    async def taken(
        self, uow: UnitOfWork, actor: Actor, row: OrderRow, version: int, step: Step, note: str
    ) -> bool:
        """Whether the last thing done, seen in `version`, was this very step (a double click)."""
        query = sa.select(_step.c.step, _step.c.actor_id, _step.c.note)
        query = query.where(_step.c.order_id == row.id).order_by(_step.c.id.desc()).limit(1)
        last = (await uow.session.execute(query)).first()
        same = last is not None and tuple(last) == (step.value, actor.user_id, note)
        return same and row.version == version + 1

    async def move(
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
        await self.note(uow, actor, moved, step, before, after, note, detail)
        if row.ticket_id is not None and step in FOLLOWED_AS and row.kind_ not in KEPT_FROM_UNITS:
            await self._tickets.follow(
                uow, actor, row.ticket_id, FOLLOWED_AS[step], _in_history(row, step, note)
            )
        await self.tell(uow, actor, moved, step, await copies_of(uow.session, row.id))
        told = _TOLD.get(step)
        if told is not None and row.kind_ not in KEPT_FROM_UNITS:
            kind, to = told
            units = (row.unit_id,) if to is By.UNIT else None
            roles = OFFICERS if to is By.UNIT else SUPERVISION
            await staff.write(uow, [Notice(kind, row.ticket_id, roles, units)], done_by=actor.user_id)

    async def note(
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

    async def tell(
        self, uow: UnitOfWork, actor: Actor, row: OrderRow, step: Step, copies: tuple[int, ...]
    ) -> None:
        units = () if row.kind_ in KEPT_FROM_UNITS else (row.unit_id, *copies)
        told = OrderMoved(
            row.id, row.version, row.kind, step.value, row.state, row.unit_id, row.ticket_id, units,
            actor.user_id, row.number,
        )  # fmt: skip
        await uow.emit(told)
        await feed.write(uow, told)


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
