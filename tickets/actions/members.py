"""Repeats are merged; every caller is kept and told; closing the master closes the members (并案)."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from tickets import history
from tickets.actions import clocks
from tickets.actions.job import Job, refuse
from tickets.events import TicketChanged
from tickets.inputs import Merge
from tickets.models import Ticket, TicketHistory, table_of
from tickets.states import OPEN, Action, State
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)


async def lock_pair(session: AsyncSession, ticket_id: int, master_id: int) -> None:
    """Lock both in the order of their ids, so that two merges that cross cannot wait for each other."""
    ids = sorted({ticket_id, master_id})
    query = sa.select(_ticket.c.id).where(_ticket.c.id.in_(ids)).order_by(_ticket.c.id).with_for_update()
    await session.execute(query)


async def lock_with_master(session: AsyncSession, ticket_id: int) -> None:
    """The same for a ticket that is merged already, whatever its master is by now."""
    query = sa.select(_ticket.c.merged_into_id).where(_ticket.c.id == ticket_id)
    master = (await session.execute(query)).scalar_one_or_none()
    if master is not None:
        await lock_pair(session, ticket_id, master)


async def merge(job: Job) -> None:
    """并案 into a master that is open. Raises `merge_into_itself`, `master_not_open`, `ticket_not_found`."""
    data = job.data
    assert isinstance(data, Merge)
    if data.master_id == job.row.id:
        raise refuse("merge_into_itself", job)
    query = sa.select(_ticket.c.number, _ticket.c.state, _ticket.c.version, _ticket.c.lead_unit_id)
    found = (
        await job.execute(query.where(_ticket.c.id == data.master_id, visible_tickets(job.actor)))
    ).first()
    if found is None:
        raise HotlineError("ticket_not_found", ticket_id=data.master_id)
    if State(found.state) not in OPEN:
        raise refuse("master_not_open", job, master_id=data.master_id)
    job.set(merged_into_id=data.master_id)
    await _tell_master(job, data.master_id, found, {"merged": job.row.id})


async def _tell_master(job: Job, master_id: int, master: sa.Row[Any], told: dict[str, int]) -> None:
    """The master's own history says who joined and who left."""
    version = master.version + 1
    statement = sa.update(_ticket).where(_ticket.c.id == master_id)
    await job.execute(statement.values(version=version, updated_at=job.now))
    state = State(master.state)
    entry = history.Entry(
        master_id, job.action, state, state, version, note=job.data.note, changes={"told": told}
    )
    await history.append(job.uow, job.actor, [entry])
    await job.uow.emit(
        TicketChanged(
            master_id,
            master.number,
            version,
            job.action.value,
            master.lead_unit_id,
            actor_id=job.actor.user_id,
        )
    )


async def unmerge(job: Job) -> None:
    """撤销并案: back to where it stood, with the clocks that ran then."""
    query = (
        sa.select(_history.c.from_state)
        .where(_history.c.ticket_id == job.row.id, _history.c.action == Action.MERGE.value)
        .where(_history.c.to_state == State.MERGED.value)
        .order_by(_history.c.id.desc())
        .limit(1)
    )
    job.target = State((await job.execute(query)).scalar_one())
    await clocks.go_on(job, Action.MERGE)
    master_id = job.row.merged_into_id
    job.set(merged_into_id=None)
    if master_id is not None:
        columns = (_ticket.c.number, _ticket.c.state, _ticket.c.version, _ticket.c.lead_unit_id)
        found = (await job.execute(sa.select(*columns).where(_ticket.c.id == master_id))).one()
        await _tell_master(job, master_id, found, {"unmerged": job.row.id})


async def close_members(job: Job) -> None:
    """Close what is merged into a ticket that closes, each with a history row of its own."""
    merged = (_ticket.c.merged_into_id == job.row.id, _ticket.c.state == State.MERGED.value)
    columns = (_ticket.c.id, _ticket.c.number, _ticket.c.version, _ticket.c.lead_unit_id)
    query = sa.select(*columns).where(*merged).order_by(_ticket.c.id).with_for_update()
    rows = (await job.execute(query)).all()
    if not rows:
        return
    statement = sa.update(_ticket).where(_ticket.c.id.in_([row.id for row in rows]))
    values = {"state": State.CLOSED.value, "closed_as": "merged", "closed_at": job.now}
    await job.execute(statement.values(version=_ticket.c.version + 1, updated_at=job.now, **values))
    changes = {"closed_as": [None, "merged"], "closed_at": [None, job.now.isoformat()]}
    entries = [
        history.Entry(
            row.id,
            Action.CLOSE_MEMBER,
            State.MERGED,
            State.CLOSED,
            row.version + 1,
            changes=changes | {"told": {"master": job.row.id}},
        )
        for row in rows
    ]
    await history.append(job.uow, job.actor, entries)
    await clocks.exclusions_go_on(job, [row.id for row in rows])
    for row in rows:
        action, who = Action.CLOSE_MEMBER.value, job.actor.user_id
        told = TicketChanged(row.id, row.number, row.version + 1, action, row.lead_unit_id, actor_id=who)
        await job.uow.emit(told)
