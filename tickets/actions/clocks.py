"""Clocks that run on: a refused return, an undone merge and a correction start no limit afresh."""

from datetime import datetime

import sqlalchemy as sa

from tickets.actions.job import Job
from tickets.flow import TicketRequest, TicketStage, TicketUnit
from tickets.models import table_of
from tickets.states import Action, Stage
from tickets.terms import Urgency

_stage = table_of(TicketStage)
_held = table_of(TicketUnit)
_request = table_of(TicketRequest)
MATTERS = frozenset({"type", "urgency", "category_id"})  # what limits may depend on
# The others ask nothing of the matter, or have a date of their own (a suspension).
_BY_MATTER = ("accept", "dispatch", "sign", "contact", "handle")


async def go_on(job: Job, ended_by: Action, *, only: Stage | None = None) -> None:
    """What the last `ended_by` broke off goes on from when it began, as far as the new state has it."""
    broken = (_stage.c.ticket_id == job.row.id, _stage.c.ended_by == ended_by.value)
    last = sa.select(sa.func.max(_stage.c.ended_at)).where(*broken).scalar_subquery()
    query = sa.select(_stage.c.stage, _stage.c.started_at).where(*broken, _stage.c.ended_at == last)
    found = {Stage(row.stage): row.started_at for row in (await job.execute(query)).all()}
    job.since |= {stage: at for stage, at in found.items() if only in (None, stage)}


async def correct(job: Job) -> None:
    """The limits of a corrected matter, from the starts they had; some may be over at once."""
    due = await _total(job)
    if due is not None:
        job.set(due_at=due)
    running = sa.select(_stage.c.id, _stage.c.stage, _stage.c.started_at).where(
        _stage.c.ticket_id == job.row.id, _stage.c.ended_at.is_(None), _stage.c.stage.in_(_BY_MATTER)
    )
    for row in (await job.execute(running)).all():
        stage = Stage(row.stage)
        new = due if stage is Stage.HANDLE else _due(job, stage, row.started_at)
        await job.execute(sa.update(_stage).where(_stage.c.id == row.id).values(due_at=new))
        if stage.value == job.row.stage:
            job.set(stage_due_at=new)
    await _co_handlers(job)


def _due(job: Job, stage: Stage, start: datetime) -> datetime | None:
    return job.tools.limits.due(stage, job.matter, start)


async def _total(job: Job) -> datetime | None:
    """From the first dispatch, or from the redo; an extension stays granted while it is nothing urgent."""
    start = job.row.dispatched_at
    if start is None:
        return None
    if job.row.round > 1:
        start = await _round_began(job)
    due = _due(job, Stage.TOTAL if job.row.round == 1 else Stage.REDO, start)
    if due is None or not job.row.extensions or job.matter.urgency != Urgency.NORMAL.value:
        return due
    granted = sa.select(_request.c.days).where(
        *(_request.c.ticket_id == job.row.id, _request.c.requested_at >= start),
        *(_request.c.kind == "extension", _request.c.state == "approved"),
    )
    for days in (await job.execute(granted.order_by(_request.c.id))).scalars():
        due = job.tools.limits.later(due, days or 0)
    return due


async def _round_began(job: Job) -> datetime:
    query = sa.select(sa.func.min(_stage.c.started_at)).where(
        _stage.c.ticket_id == job.row.id, _stage.c.round == job.row.round
    )
    began: datetime = (await job.execute(query)).scalar_one()
    return began


async def _co_handlers(job: Job) -> None:
    """Those who have not answered yet."""
    query = sa.select(_held.c.id, _held.c.since).where(
        *(_held.c.ticket_id == job.row.id, _held.c.role == "co"),
        *(_held.c.until.is_(None), _held.c.answered_at.is_(None)),
    )
    for row in (await job.execute(query)).all():
        due = _due(job, Stage.CO_OPINION, row.since)
        await job.execute(sa.update(_held).where(_held.c.id == row.id).values(due_at=due))
