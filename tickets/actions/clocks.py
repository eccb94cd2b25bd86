"""Clocks that run beside the main stage, that go on, stand still and move.

A refused return, a rejected check, an undone merge and a correction start no limit afresh: the row that is
opened again has the start it had, with what was promised and issued of it. A due time that moves opens the
next round of cards.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.writes import Among
from tickets.actions.job import STANDING, Job
from tickets.flow import TicketRequest, TicketStage, TicketUnit
from tickets.limits import Clock
from tickets.models import TicketHistory, table_of
from tickets.states import Action, Stage, State
from tickets.terms import Urgency

_stage = table_of(TicketStage)
_held = table_of(TicketUnit)
_request = table_of(TicketRequest)
_history = table_of(TicketHistory)
MATTERS = frozenset({"type", "urgency", "category_id"})  # what limits may depend on
# The others ask nothing of the matter, or have a date of their own (a suspension).
_BY_MATTER = ("accept", "dispatch", "sign", "contact", "handle", "total", "co_opinion")
_BESIDE = frozenset({Stage.TOTAL, Stage.CO_OPINION, Stage.EXCLUSION})


# ---- begun, ended and followed with the ticket's own row ------------------------------------------


async def write_beside(job: Job) -> None:
    """What the effect decided about the clocks beside the main stage."""
    for stage, units in job.ends:
        await job.end_stages((stage,), units)
    await _follow_lead(job)
    await _follow_desk(job)
    if job.target is State.SUSPENDED and job.row.state != job.target.value:
        standing = {"ticket_id": job.row.id, "stage": Among(_codes(STANDING)), "ended_at": None}
        await job.uow.change(_stage, standing, alarm_at=None)
    for stage, unit in job.begins:
        due = job.values["due_at"] if stage is Stage.TOTAL else job.due(stage)
        await job.open_stage(stage, due, unit)
    for row in job.resumed:
        if Stage(row.stage) in _BESIDE:
            await job.go_on_with(row, row.unit_id, row.due_at)


def _codes(stages: frozenset[Stage]) -> tuple[str, ...]:
    return tuple(sorted(stage.value for stage in stages))


async def _follow_lead(job: Job) -> None:
    """The total belongs to whoever leads."""
    lead = job.values.get("lead_unit_id", job.row.lead_unit_id)
    begun = any(stage is Stage.TOTAL for stage, _ in job.begins)
    if lead != job.row.lead_unit_id and job.row.dispatched_at is not None and not begun:
        running = {"ticket_id": job.row.id, "stage": Stage.TOTAL.value, "ended_at": None}
        await job.uow.change(_stage, running, unit_id=lead)


async def _follow_desk(job: Job) -> None:
    """What was reported back or taken back is the business of whoever has it now."""
    desk = job.values.get("desk_unit_id", job.row.desk_unit_id)
    if desk not in (None, job.row.desk_unit_id) and job.sent_to is None:
        at_desk = Among((Stage.CONTACT.value, Stage.HANDLE.value))
        running = {"ticket_id": job.row.id, "stage": at_desk, "ended_at": None}
        await job.uow.change(_stage, running, unit_id=desk)


# ---- going on -----------------------------------------------------------------------------------


async def go_on(job: Job, ended_by: Action, *, only: Stage | None = None) -> None:
    """What the last `ended_by` broke off goes on from when it began, as far as the new state has it."""
    broken = (_stage.c.ticket_id == job.row.id, _stage.c.ended_by == ended_by.value)
    last = sa.select(sa.func.max(_stage.c.ended_at)).where(*broken).scalar_subquery()
    rows = (await job.execute(sa.select(_stage).where(*broken, _stage.c.ended_at == last))).all()
    wanted = [row for row in rows if only in (None, Stage(row.stage))]
    co_units = await _co_units(job) if any(row.stage == Stage.CO_OPINION.value for row in wanted) else {}
    for row in wanted:
        stage = Stage(row.stage)
        if stage is Stage.TOTAL:
            await _resume(job, row, job.row.lead_unit_id, job.row.due_at)
        elif stage is not Stage.CO_OPINION:
            await _resume(job, row, row.unit_id, row.due_at)
        elif units := co_units.get(row.started_at):
            await _resume(job, row, units.pop(), row.due_at)


async def _co_units(job: Job) -> dict[datetime, list[int]]:
    """Who is still to answer, by when it was asked: a unit may have gone over into another meanwhile."""
    query = sa.select(_held.c.unit_id, _held.c.since).where(*_unanswered(job)).order_by(_held.c.id.desc())
    found: dict[datetime, list[int]] = {}
    for row in (await job.execute(query)).all():
        found.setdefault(row.since, []).append(row.unit_id)
    return found


async def total_goes_on(job: Job) -> None:
    """The citizen's clock, which ended with the unit's closing, runs on from its start."""
    query = sa.select(_stage).where(_stage.c.ticket_id == job.row.id, _stage.c.stage == Stage.TOTAL.value)
    row = (await job.execute(query.order_by(_stage.c.id.desc()).limit(1))).first()
    if row is not None:
        await _resume(job, row, job.row.lead_unit_id, job.row.due_at)


async def exclusions_go_on(job: Job, ticket_ids: Sequence[int]) -> None:
    """What was merged is closed with its master: an exclusion that was applied for is to be decided again."""
    asked = sa.exists().where(
        *(_request.c.ticket_id == _stage.c.ticket_id, _request.c.kind == "exclusion"),
        _request.c.state == "pending",
    )
    mine = (_stage.c.ticket_id.in_(ticket_ids), _stage.c.stage == Stage.EXCLUSION.value, asked)
    query = sa.select(_stage).distinct(_stage.c.ticket_id).where(*mine)
    for row in (await job.execute(query.order_by(_stage.c.ticket_id, _stage.c.id.desc()))).all():
        await job.go_on_with(_Running.of(row, row.unit_id, row.due_at), row.unit_id, row.due_at)


async def _resume(job: Job, row: Any, unit_id: int | None, due: datetime | None) -> None:
    """Put it among what goes on; by the corrected matter, if it was corrected while the clock stood."""
    now = _Running.of(row, unit_id, due)
    if row.stage in _BY_MATTER and await _corrected_since(job, row.ended_at):
        clock = _clock(job, Stage(row.stage), row.started_at)
        if clock is not None:
            moved = due
            if row.stage != Stage.TOTAL.value:
                moved = _later(job, clock, await _pauses(job, row.started_at))
            if (moved, clock.limit) != (row.due_at, row.limit):
                now = now.moved_to(moved, clock)
    elif due != row.due_at:
        now = now.moved_to(due)
    job.resumed.append(now)


class _Running:
    """A clock's row as it will be opened again."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    @classmethod
    def of(cls, row: Any, unit_id: int | None, due: datetime | None) -> "_Running":
        """As it was, with this owner and due time."""
        return cls(dict(row._mapping) | {"unit_id": unit_id, "due_at": due, "opens_round": False})

    def moved_to(self, due: datetime | None, clock: Clock | None = None) -> "_Running":
        """Another due time, and with `clock` another promise: the next round of cards."""
        told = {"limit": clock.limit, "policy": clock.policy} if clock is not None else {}
        opened = {"due_at": due, "card_round": self._values["card_round"] + 1, "alarm_step": 0}
        opened["opens_round"] = True
        return _Running(self._values | told | opened)

    def __getattr__(self, name: str) -> Any:
        return self._values[name]


async def _corrected_since(job: Job, at: datetime) -> bool:
    query = sa.select(_history.c.changes).where(
        *(_history.c.ticket_id == job.row.id, _history.c.action == Action.EDIT.value, _history.c.at >= at)
    )
    return any(MATTERS & set(changes) for changes in (await job.execute(query)).scalars())


# ---- standing still -------------------------------------------------------------------------------


async def resume(job: Job) -> None:
    """A suspension is over: what stood still is due later by as much."""
    query = sa.select(_stage).where(_stage.c.ticket_id == job.row.id, _stage.c.ended_at.is_(None))
    rows = (await job.execute(query.order_by(_stage.c.id))).all()
    begin = next((row.started_at for row in rows if row.stage == Stage.SUSPENSION.value), job.now)
    limits = job.tools.limits
    if job.row.due_at is not None:
        limit = next((row.limit for row in rows if row.stage == Stage.TOTAL.value), None)
        job.set(due_at=limits.moved(limit, job.row.due_at, begin, job.now))
    for row in rows:
        stage = Stage(row.stage)
        if stage not in STANDING or row.due_at is None:
            continue
        due = limits.moved(row.limit, row.due_at, max(begin, row.started_at), job.now)
        await _move(job, row, due)
        if stage is Stage.CO_OPINION:
            mine = (*_unanswered(job), _held.c.unit_id == row.unit_id)
            await job.execute(sa.update(_held).where(*mine).values(due_at=due))


async def _move(job: Job, row: Any, due: datetime, clock: Clock | None = None) -> None:
    """Give a running clock its due time and its next alarm; one that moved opens the next round."""
    values: dict[str, Any] = {"due_at": due}
    limit = row.limit
    if clock is not None:
        limit = clock.limit
        values |= {"limit": clock.limit, "policy": clock.policy}
    limits, stage = job.tools.limits, Stage(row.stage)
    if due != row.due_at or limit != row.limit:
        alarm = limits.next_alarm(stage, limit, row.started_at, due, since=job.now)
        values |= {"card_round": row.card_round + 1}
    else:
        alarm = limits.next_alarm(stage, limit, row.started_at, due, step=row.alarm_step)
    stands = job.target is State.SUSPENDED and stage in STANDING
    values |= {"alarm_step": alarm.step, "alarm_at": None if stands else alarm.at}
    await job.execute(sa.update(_stage).where(_stage.c.id == row.id).values(**values))


# ---- moving -----------------------------------------------------------------------------------------


async def move_total(job: Job, due: datetime) -> None:
    """The citizen is promised another day."""
    job.set(due_at=due)
    running = (_stage.c.ticket_id == job.row.id, _stage.c.ended_at.is_(None))
    query = sa.select(_stage).where(*running, _stage.c.stage == Stage.TOTAL.value)
    for row in (await job.execute(query)).all():
        await _move(job, row, due)


async def correct(job: Job) -> None:
    """The limits of a corrected matter, from the starts they had; some may be over at once."""
    total = await _total(job)
    if total is not None:
        job.set(due_at=total[0])
    running = sa.select(_stage).where(
        _stage.c.ticket_id == job.row.id, _stage.c.ended_at.is_(None), _stage.c.stage.in_(_BY_MATTER)
    )
    for row in (await job.execute(running.order_by(_stage.c.id))).all():
        await _correct(job, row, total)


async def _correct(job: Job, row: Any, total: tuple[datetime, Clock] | None) -> None:
    stage = Stage(row.stage)
    if stage is Stage.HANDLE:
        new = total[0] if total is not None else None
        await job.execute(sa.update(_stage).where(_stage.c.id == row.id).values(due_at=new))
    elif stage is Stage.TOTAL:
        if total is not None:
            await _move(job, row, *total)
        return
    else:
        clock = _clock(job, stage, row.started_at)
        assert clock is not None, "stages that go by the matter have limits"
        new = _later(job, clock, await _pauses(job, row.started_at))
        await _move(job, row, new, clock)
    if stage is Stage.CO_OPINION:
        mine = (*_unanswered(job), _held.c.unit_id == row.unit_id)
        await job.execute(sa.update(_held).where(*mine).values(due_at=new))
    if stage.value == job.row.stage:
        job.set(stage_due_at=new)


def _clock(job: Job, stage: Stage, start: datetime) -> Clock | None:
    again = stage is Stage.TOTAL and job.matter.round > 1
    return job.tools.limits.clock(Stage.REDO if again else stage, job.matter, start)


Change = tuple[datetime, datetime | None, int]
"""What moved a due time: when it began; when a pause ended, or the days an extension added."""


def _later(job: Job, clock: Clock, changes: Sequence[Change]) -> datetime:
    due = clock.due
    for begin, end, days in sorted(changes, key=lambda one: one[0]):
        if end is not None:
            due = job.tools.limits.moved(clock.limit, due, begin, end)
        else:
            due = job.tools.limits.later(due, days)
    return due


async def _total(job: Job) -> tuple[datetime, Clock] | None:
    """From the first dispatch, or from the redo; an extension stays granted while it is nothing urgent."""
    start = job.row.dispatched_at
    if start is None:
        return None
    if job.row.round > 1:
        start = await _round_began(job)
    clock = _clock(job, Stage.TOTAL, start)
    if clock is None:
        return None
    changes = await _pauses(job, start)
    if job.row.extensions and job.matter.urgency == Urgency.NORMAL.value:
        granted = sa.select(_request.c.decided_at, _request.c.days).where(
            *(_request.c.ticket_id == job.row.id, _request.c.requested_at >= start),
            *(_request.c.kind == "extension", _request.c.state == "approved"),
        )
        changes += [(row.decided_at, None, row.days or 0) for row in (await job.execute(granted)).all()]
    return _later(job, clock, changes), clock


async def _pauses(job: Job, start: datetime) -> list[Change]:
    """Suspensions that are over, for a clock that began at `start`, maybe within one.

    They follow from the stages there were.
    """
    query = sa.select(_stage.c.started_at, _stage.c.ended_at).where(
        *(_stage.c.ticket_id == job.row.id, _stage.c.stage == Stage.SUSPENSION.value),
        _stage.c.ended_at > start,
    )
    return [(max(row.started_at, start), row.ended_at, 0) for row in (await job.execute(query)).all()]


async def _round_began(job: Job) -> datetime:
    query = sa.select(sa.func.min(_stage.c.started_at)).where(
        _stage.c.ticket_id == job.row.id, _stage.c.round == job.row.round
    )
    began: datetime = (await job.execute(query)).scalar_one()
    return began


def _unanswered(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    """Co-handlers who have not answered yet."""
    return (
        *(_held.c.ticket_id == job.row.id, _held.c.role == "co"),
        *(_held.c.until.is_(None), _held.c.answered_at.is_(None)),
    )
