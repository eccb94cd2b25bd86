"""Applications of a unit and their decisions: return, extension, suspension, exclusion, closing."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from core.errors import HotlineError
from tickets.actions import clocks
from tickets.actions.job import Job, refuse
from tickets.actions.units import add_co_handlers, check_may_take, send_to
from tickets.flow import TicketRequest, TicketUnit
from tickets.inputs import AcceptReturn, Apply, Return, Rule, WithReason
from tickets.models import table_of
from tickets.states import Action, Stage, State

_request = table_of(TicketRequest)
_held = table_of(TicketUnit)
A = Action
KIND: dict[Action, str] = {
    A.RETURN: "return",
    A.ACCEPT_RETURN: "return",
    A.REFUSE_RETURN: "return",
    A.RULE: "return",
    A.APPLY_EXTENSION: "extension",
    A.APPROVE_EXTENSION: "extension",
    A.REFUSE_EXTENSION: "extension",
    A.APPLY_SUSPENSION: "suspension",
    A.APPROVE_SUSPENSION: "suspension",
    A.REFUSE_SUSPENSION: "suspension",
    A.APPLY_EXCLUSION: "exclusion",
    A.APPROVE_EXCLUSION: "exclusion",
    A.REFUSE_EXCLUSION: "exclusion",
    A.APPROVE_CLOSING: "closing",
    A.REFUSE_CLOSING: "closing",
}
LONGEST_SUSPENSION_DAYS = 30
RETURNS_TO_RULING = 2  # after two different units: first handle, then argue (domain: 先办后议)


async def apply_for(
    job: Job, kind: str, *, days: int | None = None, basis: str = "", unit_id: int | None = None
) -> int:
    """Put an application up for decision; returns its id."""
    stage = {"return": Stage.RETURN_RULING, "exclusion": Stage.EXCLUSION}.get(kind, Stage.DECISION)
    due = job.due(stage)
    if kind == "extension" and due is not None and job.row.due_at is not None:
        due = min(due, job.row.due_at)  # decided before the time is over
        job.set(stage_due_at=due)
    values = {
        "ticket_id": job.row.id,
        "kind": kind,
        "state": "pending",
        "unit_id": job.unit_id,
        "requested_by": job.actor.user_id,
        "requested_at": job.now,
        "reason_code": job.reason_code,
        "note": job.data.note,
        "basis": basis,
        "suggested_unit_id": unit_id,
        "days": days,
        "due_at": due,
        "decision_note": "",
    }
    made = await job.execute(sa.insert(_request).values(**values).returning(_request.c.id))
    ident = int(made.scalar_one())
    job.told["request_id"] = ident
    return ident


async def decide(job: Job, state: str, kind: str | None = None) -> sa.Row[Any]:
    """Decide the pending application; returns (id, days, unit that asked). Raises `no_request`."""
    kind = kind or KIND[job.action]
    pending = (_request.c.ticket_id == job.row.id, _request.c.kind == kind, _request.c.state == "pending")
    statement = (
        sa.update(_request)
        .where(*pending)
        .values(
            state=state,
            decided_by=job.actor.user_id,
            decided_at=job.now,
            decision_note=job.data.note,
            on_behalf_of=job.on_behalf_of,
        )
        .returning(_request.c.id, _request.c.days, _request.c.unit_id, _request.c.requested_by)
    )
    row: sa.Row[Any] | None = (await job.execute(statement)).first()
    if row is None:
        raise refuse("no_request", job, kind=kind)
    job.told |= {"request_id": row.id, "decision": state}
    if job.on_behalf_of is not None and row.requested_by == job.actor.user_id:
        raise refuse("own_request", job)
    if job.on_behalf_of is not None:
        job.told["on_behalf_of"] = job.on_behalf_of
    if row.unit_id is not None:
        job.concerned.add(row.unit_id)
    return row


# ---- returns -----------------------------------------------------------------------------------


async def give_back(job: Job) -> None:
    """退单: with reason, legal basis and the unit it should go to; the citizen's clock runs on."""
    data = job.data
    assert isinstance(data, Return)
    if data.suggested_unit_id == job.actor.unit_id:
        raise refuse("unit_has_it", job, unit_id=data.suggested_unit_id)
    await check_may_take(job, data.suggested_unit_id, guarded=False)
    await apply_for(job, "return", basis=data.basis, unit_id=data.suggested_unit_id)
    units = {*job.facts.returned_by, job.actor.unit_id}
    job.target = State.RULING if len(units) >= RETURNS_TO_RULING else State.RETURN_REVIEW
    job.set(returns=job.row.returns + 1)


async def accept_return(job: Job) -> None:
    """同意退单: back to the queue, or straight to another unit."""
    data = job.data
    assert isinstance(data, AcceptReturn)
    await decide(job, "approved")
    if data.unit_id is not None and data.unit_id == job.row.lead_unit_id:
        raise refuse("unit_has_it", job, unit_id=data.unit_id)  # that would be a refusal
    if data.unit_id is not None:
        job.target = State.WAITING_SIGN
        await send_to(job, data.unit_id)
        return
    job.target = State.WAITING_DISPATCH
    present = (_held.c.ticket_id == job.row.id, _held.c.until.is_(None), _held.c.role != "co")
    await job.execute(sa.update(_held).where(*present).values(until=job.now))
    job.set(lead_unit_id=None, desk_unit_id=None)


async def refuse_return(job: Job) -> None:
    """驳回退单: the unit handles it; it counts as signed, and no clock of it begins afresh."""
    await decide(job, "refused")
    await clocks.go_on(job, Action.RETURN, only=Stage.CONTACT)
    mine = (_held.c.ticket_id == job.row.id, _held.c.role == "lead", _held.c.until.is_(None))
    signed = sa.func.coalesce(_held.c.signed_at, job.now)
    await job.execute(sa.update(_held).where(*mine).values(signed_at=signed))


async def rule(job: Job) -> None:
    """裁定承办: whoever is named handles it and may not return it."""
    data = job.data
    assert isinstance(data, Rule)
    await decide(job, "approved")
    await send_to(job, data.unit_id)
    await add_co_handlers(job, data.co_unit_ids)
    job.set(ruled=True)


# ---- more time ---------------------------------------------------------------------------------


async def apply_extension(job: Job) -> None:
    """申请延期: before expiry, at most the original limit."""
    data = job.data
    assert isinstance(data, Apply)
    longest = job.tools.limits.longest_extension(job.row.matter)
    if data.days > longest:
        raise HotlineError("form_invalid", fields={"days": "bad_value"}, longest=longest)
    await apply_for(job, "extension", days=data.days)


async def approve_extension(job: Job) -> None:
    """同意延期: the due time moves; the citizen is told."""
    row = await decide(job, "approved")
    if job.row.due_at is not None:
        await clocks.move_total(job, job.tools.limits.later(job.row.due_at, row.days or 0))
    job.set(extensions=job.row.extensions + 1)


async def refused(job: Job) -> None:
    """Not granted."""
    await decide(job, "refused")


async def apply_suspension(job: Job) -> None:
    """申请挂起: with the steps planned, looked at again within thirty days."""
    data = job.data
    assert isinstance(data, Apply)
    if data.days > LONGEST_SUSPENSION_DAYS:
        raise HotlineError("form_invalid", fields={"days": "bad_value"}, longest=LONGEST_SUSPENSION_DAYS)
    await apply_for(job, "suspension", days=data.days)


async def approve_suspension(job: Job) -> None:
    """同意挂起 until the review date; it stays in the statistics."""
    row = await decide(job, "approved")
    job.set(stage_due_at=job.now + timedelta(days=row.days or LONGEST_SUSPENSION_DAYS))


async def apply_exclusion(job: Job) -> None:
    """申请剔除: coded, decided by supervision, always shown beside the rates."""
    assert isinstance(job.data, WithReason)
    await apply_for(job, "exclusion")
    job.begins.append((Stage.EXCLUSION, None))


async def approve_exclusion(job: Job) -> None:
    """同意剔除."""
    await decide(job, "approved")
    job.ends.append((Stage.EXCLUSION, ()))
    job.set(excluded=True)


async def refuse_exclusion(job: Job) -> None:
    """不同意剔除."""
    await decide(job, "refused")
    job.ends.append((Stage.EXCLUSION, ()))
