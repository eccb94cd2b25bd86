"""From the unit's closing to the end: check, call-back, redo, and the endings without a unit."""

import secrets

import sqlalchemy as sa

from core import redact
from core.catalog import reasons
from core.people.permissions import Permission
from tickets.actions import clocks, requests
from tickets.actions.job import Job, refuse
from tickets.actions.members import close_members
from tickets.actions.pending import withdraw_pending
from tickets.actions.units import send_to
from tickets.contacts import tries
from tickets.flow import Revisit, TicketContact
from tickets.inputs import Answer, Close, Contact, Rate, Redo, ReportBack, RevisitAnswers
from tickets.models import table_of
from tickets.states import Stage, State
from tickets.terms import ContactResult, Urgency

_contact = table_of(TicketContact)
_revisit = table_of(Revisit)
REVISIT_TRIES = 3


def check_public(job: Job, text: str) -> None:
    """A public reply names nobody's telephone or ID number. Raises `reply_has_personal`."""
    found = redact.find(text)
    if found:
        raise refuse("reply_has_personal", job, kinds=sorted({one.kind for one in found}))


async def add_contact(job: Job, purpose: str, means: str, result: str, note: str = "") -> None:
    """Log one try to reach the citizen."""
    values = {
        "ticket_id": job.row.id,
        "round": job.row.round,
        "at": job.now,
        "unit_id": job.unit_id,
        "actor_id": job.actor.user_id,
        "purpose": purpose,
        "means": means,
        "result": result,
        "note": note,
        "call_session_id": job.call_session_id,
    }
    await job.execute(sa.insert(_contact).values(**values))
    job.told |= {"means": means, "result": result}


async def contact(job: Job) -> None:
    """先行联系: a try with its result; three at different times without success: not to be reached."""
    data = job.data
    assert isinstance(data, Contact)
    await add_contact(job, "handling", data.means.value, data.result.value, data.note)
    if data.result is ContactResult.REACHED or _tried_enough(job, now=True):
        # A unit that takes over has a contact stage of its own, whoever reached the citizen before.
        job.contact_done = True
        if job.row.contacted_at is None:
            job.set(contacted_at=job.now)


def _tried_enough(job: Job, *, now: bool) -> bool:
    """Whether the tries of this round, with one more `now`, were enough at different times."""
    times = (*job.facts.tried_at, *([job.now] if now else []))
    return tries(times, job.tools.settings.tickets.contact_gap).enough


async def report_back(job: Job) -> None:
    """回报上级: what the lower unit did; the lead closes."""
    data = job.data
    assert isinstance(data, ReportBack)
    check_public(job, data.public_reply)
    job.set(reply_id=await job.reply(data.note, data.public_reply), desk_unit_id=job.row.lead_unit_id)
    if job.row.lead_unit_id is not None:
        job.concerned.add(job.row.lead_unit_id)


async def close(job: Job) -> None:
    """办结: a contact record and a public reply; urgent ones go past the head."""
    data = job.data
    assert isinstance(data, Close)
    check_public(job, data.public_reply)
    if data.result is not None:
        await add_contact(job, "handling", (data.means or "phone"), data.result.value)
    reached = job.facts.reached or data.result is ContactResult.REACHED
    if not reached and not _tried_enough(job, now=data.result is not None):
        raise refuse("contact_missing", job)
    if not data.solved:
        if data.unsolved_code is None:
            raise refuse("unsolved_reason", job)
        await reasons.check(job.uow.session, "unsolved", data.unsolved_code)
        job.reason_code = data.unsolved_code
    await withdraw_pending(job)
    reply = await job.reply(
        data.handling, data.public_reply, solved=data.solved, unsolved_code=data.unsolved_code
    )
    job.set(reply_id=reply, closed_as="handled", solved=data.solved)
    if job.row.contacted_at is None:
        job.set(contacted_at=job.now)
    job.contact_done = True
    head = job.actor.may(Permission.TICKET_APPROVE)
    if job.row.urgency != Urgency.NORMAL.value and not head:
        job.target = State.CLOSING_REVIEW
        await requests.apply_for(job, "closing")


async def approve_closing(job: Job) -> None:
    """同意办结."""
    await requests.decide(job, "approved")


async def answer(job: Job) -> None:
    """直办 or 告知: the hotline itself answers, and the matter ends."""
    data = job.data
    assert isinstance(data, Answer)
    check_public(job, data.public_reply)
    reply = await job.reply(data.note, data.public_reply)
    job.set(reply_id=reply, closed_as=job.action.value, closed_at=job.now)


async def emergency(job: Job) -> None:
    """转紧急: told to the emergency line at once; the ticket ends here."""
    await withdraw_pending(job, exclusions=True)
    job.set(closed_as="emergency", closed_at=job.now)


async def reject_check(job: Job) -> None:
    """审核退回: the unit goes on, and so does the citizen's clock."""
    await clocks.total_goes_on(job)


async def pass_check(job: Job) -> None:
    """审核通过: to the call-back if it is drawn, closed otherwise; all of 督办 and 重办 are drawn."""
    mandatory = job.row.supervised or job.row.round > 1
    share = job.tools.settings.revisit.sample_percent
    if not mandatory and secrets.randbelow(100) >= share:
        job.target = State.CLOSED
        job.told["sampled"] = False
        await finish(job)
        return
    values = {
        "ticket_id": job.row.id,
        "round": job.row.round,
        "opened_at": job.now,
        "due_at": job.due(Stage.CALL_BACK),
        "mandatory": mandatory,
        "attempts": 0,
        "note": "",
    }
    await job.execute(sa.insert(_revisit).values(**values))
    job.told["sampled"] = True


async def finish(job: Job) -> None:
    """The end of the way: closed now, with everything merged into it."""
    job.set(closed_at=job.now)
    await close_members(job)


async def revisit(job: Job) -> None:
    """回访: one try. Reached: three answers close it or send it back; the third miss closes it too."""
    data = job.data
    assert isinstance(data, RevisitAnswers)
    means = "phone" if job.actor.user_id is not None else "message"  # he answered by himself, in writing
    await add_contact(job, "revisit", means, data.result, data.note)
    if data.result == "reached":
        await _answered(job, data)
        return
    attempts = await _try(job)
    over = attempts >= REVISIT_TRIES or data.result in ("invalid_number", "refused")
    job.target = State.CLOSED if over else State.WAITING_CALLBACK
    job.told["attempts"] = attempts
    if over:
        await _end_revisit(job, result="unreachable" if data.result != "refused" else "refused")
        await finish(job)


async def _answered(job: Job, data: RevisitAnswers) -> None:
    missing = [name for name in ("responded", "solved", "satisfied") if getattr(data, name) is None]
    if missing:
        raise refuse("answers_missing", job, fields=missing)
    if (data.redo or not data.solved or (data.satisfied or 0) <= 2) and data.reason_code is None:
        raise refuse("answers_missing", job, fields=["reason_code"])
    if data.reason_code is not None:
        kind = "redo" if data.redo else "dissatisfied"
        await reasons.check(job.uow.session, kind, data.reason_code)
    job.reason_code = data.reason_code
    answers = {"responded": data.responded, "solved": data.solved, "satisfied": data.satisfied}
    await _end_revisit(job, result="reached", **answers)
    job.set(**answers)
    if data.redo:
        await _again(job, data.unit_id)
        job.target = State.WAITING_SIGN
        return
    job.target = State.CLOSED
    await finish(job)


async def rate(job: Job) -> None:
    """市民评价: what the citizen says of a matter that is over; once."""
    data = job.data
    assert isinstance(data, Rate)
    job.set(responded=data.responded, solved=data.solved, satisfied=data.satisfied)


async def _try(job: Job) -> int:
    open_one = (_revisit.c.ticket_id == job.row.id, _revisit.c.closed_at.is_(None))
    statement = sa.update(_revisit).where(*open_one).values(attempts=_revisit.c.attempts + 1)
    return int((await job.execute(statement.returning(_revisit.c.attempts))).scalar_one())


async def _end_revisit(job: Job, **values: object) -> None:
    open_one = (_revisit.c.ticket_id == job.row.id, _revisit.c.closed_at.is_(None))
    statement = sa.update(_revisit).where(*open_one)
    await job.execute(
        statement.values(
            closed_at=job.now,
            closed_by=job.actor.user_id,
            reason_code=job.reason_code,
            note=job.data.note,
            **values,
        )
    )


async def redo(job: Job) -> None:
    """重办: the same unit or another, a round of its own with its own limit."""
    data = job.data
    assert isinstance(data, Redo)
    if job.row.state == State.WAITING_CALLBACK.value:
        await _end_revisit(job, result="redo")
    await _again(job, data.unit_id)


async def _again(job: Job, unit_id: int | None) -> None:
    target = unit_id or job.row.lead_unit_id
    if target is None:
        raise refuse("unit_needed", job)
    job.set(round=job.row.round + 1)
    await send_to(job, target)
    if job.row.dispatched_at is not None:  # else its first dispatch has begun the citizen's clock
        job.begins.append((Stage.TOTAL, target))
    job.set(
        due_at=job.due(Stage.TOTAL),
        contacted_at=None,
        closed_at=None,
        closed_as=None,
        extensions=0,
        ruled=False,
    )
