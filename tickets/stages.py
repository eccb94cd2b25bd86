"""The end of every action: the ticket's own row, the stage that runs, one history row, one event."""

from datetime import datetime
from typing import Any

from tickets import history, ticket_rows
from tickets.actions import clocks
from tickets.actions.job import Job
from tickets.events import TicketChanged, TicketDispatched
from tickets.measures import Move, Span, seen, seen_with
from tickets.search import index
from tickets.states import AFTER_CLOSING, FINAL, STAGE_OF, WITH_UNIT, Stage, State
from tickets.visibility import is_system


async def write(job: Job) -> int:
    """Write what the effect decided; returns the ticket's new version."""
    before = State(job.row.state)
    contact = await _contact(job) if job.contact_done else None
    if job.target is not before or job.sent_to is not None:
        if before is State.SUSPENDED and job.target not in FINAL:
            await clocks.resume(job)
        await job.end_stages(_over(job))
        await _begin_stage(job)
    elif job.contact_done:
        await job.end_stages((Stage.CONTACT,))
    await clocks.write_beside(job)
    if job.target is not before:
        job.set(state=job.target.value)
    version = await ticket_rows.change(job.uow, job.row, **job.values)
    await _append(job, before, version)
    await _count(job, version, contact)
    await _tell(job, version)
    return version


def _over(job: Job) -> set[Stage] | None:
    """The clocks that end with the state: the main stage, and what runs beside it as long as it may.

    None: all of them. The contact runs while a unit works, the total until the unit's closing is to be
    checked, an exclusion until it is decided.
    """
    if job.target in FINAL and job.target not in (State.CLOSED, State.ARCHIVED):
        return None
    over = {Stage.CONTACT} if job.row.stage is None else {Stage.CONTACT, Stage(job.row.stage)}
    if job.sent_to is None and job.target in WITH_UNIT and not job.contact_done:
        over.discard(Stage.CONTACT)
    if job.target in FINAL or job.target in AFTER_CLOSING:
        over |= {Stage.TOTAL, Stage.CO_OPINION}
    return over


async def _begin_stage(job: Job) -> None:
    """Begin what the new state stands for, or go on with it."""
    stage = STAGE_OF.get(job.target)
    if stage is None:
        job.set(stage=None, stage_since=None, stage_due_at=None)
        return
    unit = job.values.get("desk_unit_id", job.row.desk_unit_id)
    going_on = {Stage(row.stage): row for row in job.resumed}
    old = going_on.get(stage)
    due = _due(job, stage) if old is None or stage is Stage.HANDLE else old.due_at
    since = job.now if old is None else old.started_at
    job.set(stage=stage.value, stage_since=since, stage_due_at=due)
    if old is None:
        await job.open_stage(stage, due, unit)
    else:
        await job.go_on_with(old, unit, due)
    contact = going_on.get(Stage.CONTACT)
    if contact is not None:
        await job.go_on_with(contact, unit, contact.due_at)
    elif job.sent_to is not None:
        await job.open_stage(Stage.CONTACT, job.due(Stage.CONTACT), unit)


def _due(job: Job, stage: Stage) -> datetime | None:
    """An effect may have set it (a suspension's review date); handling is due when the total is."""
    found: Any = job.values.get("stage_due_at")
    if found is None:
        found = job.values.get("due_at", job.row.due_at) if stage is Stage.HANDLE else job.due(stage)
    return found  # type: ignore[no-any-return]  # a datetime or None


async def _append(job: Job, before: State, version: int) -> None:
    entry = history.Entry(
        job.row.id,
        job.action,
        before,
        job.target,
        version,
        note=job.data.note,
        reason_code=job.reason_code,
        call_session_id=job.call_session_id,
        changes=history.changes(job.row, job.values, job.told),
    )
    await history.append(job.uow, job.actor, [entry])
    await index.after_action(job.uow, job.row, job.action.value, version, job.data.note, job.values)


_CONTACT = """
    SELECT started_at, due_at FROM ticket_stage
    WHERE ticket_id = $1 AND stage = 'contact' AND ended_at IS NULL
"""


async def _contact(job: Job) -> Span | None:
    """The contact stage that this step ends; None when the citizen had been reached before."""
    found = await job.uow.fetch(_CONTACT, job.row.id)
    return Span(found[0]["started_at"], found[0]["due_at"]) if found else None


async def _count(job: Job, version: int, contact: Span | None) -> None:
    before = seen(job.row)
    move = Move(
        job.row.id,
        version,
        job.now,
        job.action.value,
        is_system(job.actor),
        before,
        seen_with(before, job.values),
        contact,
        job.told.get("result"),
    )
    await job.tools.measures.moved(job.uow, move)


async def _tell(job: Job, version: int) -> None:
    row, action, who = job.row, job.action.value, job.actor.user_id
    unit = job.sent_to or job.values.get("desk_unit_id", row.desk_unit_id)
    others, state = tuple(sorted(job.concerned - {unit})), job.target.value
    if job.sent_to is not None:
        sent = TicketDispatched(row.id, row.number, version, job.sent_to, action, others, state, who)
        await job.uow.emit(sent)
        return
    await job.uow.emit(TicketChanged(row.id, row.number, version, action, unit, others, state, who))
