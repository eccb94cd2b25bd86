"""The end of every action: the ticket's own row, the stage that runs, one history row, one event."""

from datetime import datetime
from typing import Any

from core.writes import Other
from tickets import history, ticket_rows
from tickets.actions.job import Job
from tickets.events import TicketChanged, TicketDispatched
from tickets.search import index
from tickets.states import STAGE_OF, WITH_UNIT, Stage, State


async def write(job: Job) -> int:
    """Write what the effect decided; returns the ticket's new version."""
    before = State(job.row.state)
    if job.target is not before or job.sent_to is not None:
        await _move_stage(job)
    if job.contact_done:
        await job.end_stages(Stage.CONTACT.value)
    if job.target is not before:
        job.set(state=job.target.value)
    version = await ticket_rows.change(job.uow, job.row, **job.values)
    await _append(job, before, version)
    await _tell(job, version)
    return version


async def _move_stage(job: Job) -> None:
    """End what ran, begin what the new state stands for; the contact runs beside as long as a unit works."""
    if job.sent_to is None and job.target in WITH_UNIT:
        await job.end_stages(Other(Stage.CONTACT.value))
    else:
        await job.end_stages()
    stage = STAGE_OF.get(job.target)
    if stage is None:
        job.set(stage=None, stage_due_at=None)
        return
    due = _due(job, stage)
    job.set(stage=stage.value, stage_due_at=due)
    unit = job.values.get("desk_unit_id", job.row.desk_unit_id)
    await job.open_stage(stage, due, unit)
    if job.sent_to is not None or Stage.CONTACT in job.since:
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


async def _tell(job: Job, version: int) -> None:
    row, action, who = job.row, job.action.value, job.actor.user_id
    unit = job.sent_to or job.values.get("desk_unit_id", row.desk_unit_id)
    others, state = tuple(sorted(job.concerned - {unit})), job.target.value
    if job.sent_to is not None:
        sent = TicketDispatched(row.id, row.number, version, job.sent_to, action, others, state, who)
        await job.uow.emit(sent)
        return
    await job.uow.emit(TicketChanged(row.id, row.number, version, action, unit, others, state, who))
