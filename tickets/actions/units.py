"""Which units hold a ticket: sent to a lead, lent to a lower unit, given co-handlers, taken back."""

from collections.abc import Sequence

import sqlalchemy as sa

from core.errors import HotlineError
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.actions.job import Job, refuse
from tickets.actions.pending import withdraw_pending
from tickets.flow import TicketStage, TicketUnit
from tickets.inputs import CoUnits, Dispatch, HandOver, Redispatch, ToUnit, UnitWithNote, WithNote
from tickets.models import table_of
from tickets.states import Stage
from tickets.visibility import is_system

_held = table_of(TicketUnit)
_stage = table_of(TicketStage)
_unit = table_of(Unit)
HANDLING_KINDS = ("bureau", "district", "town")
_PARTS = ("lead", "sub", "co")
_HEIRS = """
    WITH RECURSIVE heir (id) AS (
        SELECT $1::bigint
        UNION
        SELECT h.to_unit_id FROM heir JOIN unit u ON u.id = heir.id AND NOT u.active
        JOIN unit_handover h ON h.from_unit_id = u.id
    )
    SELECT id FROM heir
"""
_MAY_TAKE = "SELECT path FROM unit WHERE id = $1 AND active AND kind = ANY($2)"


async def dispatch(job: Job) -> None:
    """派发: to the unit that leads, with co-handlers if wanted. The total runs from here."""
    data = job.data
    assert isinstance(data, Dispatch)
    await send_to(job, data.unit_id)
    await add_co_handlers(job, data.co_unit_ids)


async def redispatch(job: Job) -> None:
    """改派: another lead; the citizen's clock runs on."""
    data = job.data
    assert isinstance(data, Redispatch)
    if data.unit_id == job.row.lead_unit_id:
        raise refuse("unit_has_it", job, unit_id=data.unit_id)
    await withdraw_pending(job)
    await send_to(job, data.unit_id)


async def send_to(job: Job, unit_id: int) -> None:
    """Make `unit_id` the lead that is to sign.

    Raises `unit_cannot_take`, `unit_is_subject`, `unit_avoided`.
    """
    await check_may_take(job, unit_id)
    if job.row.dispatched_at is not None:
        stays = sa.and_(_held.c.role == "co", _held.c.unit_id != unit_id)
        await _end(job, sa.not_(stays))
        job.ends.append((Stage.CO_OPINION, (unit_id,)))
        if job.row.lead_unit_id is not None:
            job.concerned.add(job.row.lead_unit_id)
    await _hold(job, "lead", [unit_id])
    job.set(lead_unit_id=unit_id, desk_unit_id=unit_id)
    if job.row.dispatched_at is None:
        job.set(dispatched_at=job.now, due_at=job.due(Stage.TOTAL))
        job.begins.append((Stage.TOTAL, unit_id))
    job.sent_to = unit_id


async def check_may_take(job: Job, unit_id: int, *, guarded: bool = True) -> None:
    """Raise `unit_cannot_take`; if `guarded`, also what stands against this unit and this matter."""
    found = await job.uow.look(_MAY_TAKE, unit_id, HANDLING_KINDS)
    if not found:
        raise HotlineError("unit_cannot_take", unit_id=unit_id)
    path: str = found[0]["path"]
    if guarded:
        await _check_matter(job, unit_id, path)


async def _check_matter(job: Job, unit_id: int, path: str) -> None:
    """A matter about a unit does not go to it, nor an appeal to who handled it, without supervision.

    A unit that went over into another is meant in the other, where its people are now.
    """
    if job.actor.may(Permission.TICKET_SUPERVISE):
        return
    if unit_id in await _heirs(job, job.row.avoid_unit_id):
        raise refuse("unit_avoided", job, unit_id=unit_id)
    if any(f".{heir}." in path for heir in await _heirs(job, job.row.subject_unit_id)):
        raise refuse("unit_is_subject", job, unit_id=unit_id)


async def _heirs(job: Job, unit_id: int | None) -> set[int]:
    """A unit and, when it was closed, those that took its place, one after the other."""
    if unit_id is None:
        return set()
    return {int(row["id"]) for row in await job.uow.look(_HEIRS, unit_id)}


async def _end(job: Job, *conditions: sa.ColumnElement[bool]) -> None:
    present = (_held.c.ticket_id == job.row.id, _held.c.until.is_(None), *conditions)
    await job.execute(sa.update(_held).where(*present).values(until=job.now))


async def _hold(job: Job, role: str, unit_ids: Sequence[int], *, asked: str = "") -> None:
    due = None
    if role == "co":
        due = job.due(Stage.CO_OPINION)
        job.begins += [(Stage.CO_OPINION, unit_id) for unit_id in unit_ids]
    rows = [
        {
            "ticket_id": job.row.id,
            "unit_id": unit_id,
            "role": role,
            "created_at": job.row.created_at,
            "since": job.now,
            "due_at": due,
            "asked": asked,
            "opinion": "",
        }
        for unit_id in unit_ids
    ]
    await job.uow.put(_held, *rows)


async def sub_dispatch(job: Job) -> None:
    """转派下级: down the tree, from the unit that holds it, which took it; the lead stays answerable."""
    data = job.data
    assert isinstance(data, ToUnit)
    below = sa.select(_unit.c.path).where(
        _unit.c.id == data.unit_id,
        _unit.c.active,
        _unit.c.id != job.actor.unit_id,
        _unit.c.path.like(job.actor.unit_path + "%"),
    )
    path = (await job.execute(below)).scalar_one_or_none()
    if path is None:
        raise refuse("unit_not_below", job, unit_id=data.unit_id)
    await _check_matter(job, data.unit_id, path)
    mine = (_held.c.ticket_id == job.row.id, _held.c.unit_id == job.actor.unit_id, _held.c.until.is_(None))
    unsigned = sa.update(_held).where(*mine, _held.c.signed_at.is_(None))
    await job.execute(unsigned.values(signed_at=job.now))
    await _end(job, _held.c.unit_id == data.unit_id)
    job.ends.append((Stage.CO_OPINION, (data.unit_id,)))
    await _hold(job, "sub", [data.unit_id], asked=data.note)
    job.set(desk_unit_id=data.unit_id)
    job.sent_to = data.unit_id


async def take_back(job: Job) -> None:
    """收回自办: the lead unit works on it itself again."""
    if job.row.desk_unit_id is not None:
        job.concerned.add(job.row.desk_unit_id)
    job.set(desk_unit_id=job.row.lead_unit_id)


async def add_co(job: Job) -> None:
    """增加协办: units asked for an opinion, each with a clock of its own."""
    data = job.data
    assert isinstance(data, CoUnits)
    await add_co_handlers(job, data.unit_ids)


async def add_co_handlers(job: Job, unit_ids: Sequence[int]) -> None:
    """Ask units for an opinion; raises what `send_to` raises, and `unit_has_it`."""
    wanted = list(dict.fromkeys(unit_ids))
    if not wanted:
        return
    lead = job.values.get("lead_unit_id", job.row.lead_unit_id)
    usable = sa.select(_unit.c.id, _unit.c.path).where(
        _unit.c.id.in_(wanted), _unit.c.active, _unit.c.kind.in_(HANDLING_KINDS), _unit.c.id != lead
    )
    found = {row.id: row.path for row in (await job.execute(usable)).all()}
    for unit_id in wanted:
        if unit_id not in found:
            raise HotlineError("unit_cannot_take", unit_id=unit_id)
        await _check_matter(job, unit_id, found[unit_id])
    present = sa.select(_held.c.unit_id).where(
        _held.c.ticket_id == job.row.id, _held.c.until.is_(None), _held.c.unit_id.in_(wanted)
    )
    there = set((await job.execute(present)).scalars())
    if there:
        raise refuse("unit_has_it", job, unit_id=min(there))
    await _hold(job, "co", wanted, asked=job.data.note)
    job.told["co_unit_ids"] = wanted
    job.concerned.update(wanted)


async def remove_co(job: Job) -> None:
    """取消协办. Raises `not_co_handler`."""
    data = job.data
    assert isinstance(data, UnitWithNote)
    present = (_held.c.ticket_id == job.row.id, _held.c.until.is_(None), _held.c.role == "co")
    statement = sa.update(_held).where(*present, _held.c.unit_id == data.unit_id).values(until=job.now)
    if (await job.execute(statement.returning(_held.c.id))).first() is None:
        raise refuse("not_co_handler", job, unit_id=data.unit_id)
    job.ends.append((Stage.CO_OPINION, (data.unit_id,)))
    job.told["unit_id"] = data.unit_id
    job.concerned.add(data.unit_id)


async def co_opinion(job: Job) -> None:
    """协办意见: the co-handler's own words; a later opinion stands beside the earlier one in the history."""
    data = job.data
    assert isinstance(data, WithNote)
    mine = (
        _held.c.ticket_id == job.row.id,
        _held.c.unit_id == job.actor.unit_id,
        _held.c.role == "co",
        _held.c.until.is_(None),
    )
    await job.execute(sa.update(_held).where(*mine).values(answered_at=job.now, opinion=data.note))
    if job.actor.unit_id is not None:
        job.ends.append((Stage.CO_OPINION, (job.actor.unit_id,)))
    if job.row.desk_unit_id is not None:
        job.concerned.add(job.row.desk_unit_id)


async def sign(job: Job) -> None:
    """签收, by the unit or by the clock: not signing cannot stop it."""
    mine = (_held.c.ticket_id == job.row.id, _held.c.unit_id == job.row.desk_unit_id, _held.c.until.is_(None))
    await job.execute(sa.update(_held).where(*mine).values(signed_at=job.now))
    if is_system(job.actor):
        job.told["automatic"] = True


async def hand_over(job: Job) -> None:
    """A unit is closed: another takes its place, in whatever role; state, clocks and applications stay."""
    data = job.data
    assert isinstance(data, HandOver)
    await check_may_take(job, data.unit_id)
    old = data.from_unit_id
    present = (_held.c.ticket_id == job.row.id, _held.c.until.is_(None))
    query = sa.select(_held).where(*present, _held.c.unit_id.in_((old, data.unit_id)))
    rows = {row.unit_id: row for row in (await job.execute(query)).all()}
    left = rows.get(old)
    if left is None:
        raise refuse("unit_does_not_hold", job, unit_id=old)
    ended = _held.c.unit_id.in_((old, data.unit_id))
    await _end(job, ended)
    there = rows.get(data.unit_id)
    # Of two parts it has the greater one: a lead stays the lead, who works below it does so.
    kept = left if there is None or _PARTS.index(left.role) <= _PARTS.index(there.role) else there
    names = ("role", "since", "due_at", "asked", "answered_at", "opinion", "signed_at")
    values = {name: getattr(kept, name) for name in names}
    row = values | {"ticket_id": job.row.id, "unit_id": data.unit_id, "created_at": job.row.created_at}
    await job.execute(sa.insert(_held).values(**row))
    await _hand_over_clocks(job, old, data.unit_id, left.role, there.role if there else None)
    if job.row.lead_unit_id == old:
        job.set(lead_unit_id=data.unit_id)
    if job.row.desk_unit_id == old:
        job.set(desk_unit_id=data.unit_id)
    job.told |= {"from_unit_id": old, "unit_id": data.unit_id}
    job.concerned.update((old, data.unit_id))


async def _hand_over_clocks(job: Job, old: int, new: int, role: str, there: str | None) -> None:
    """What runs for the closed unit runs for the other; who leads now answers no longer as a co-handler."""
    if there == "co":
        await job.end_stages((Stage.CO_OPINION,), (new,))
    if role == "co" and there is not None and there != "co":
        await job.end_stages((Stage.CO_OPINION,), (old,))
    running = {"ticket_id": job.row.id, "unit_id": old, "ended_at": None}
    await job.uow.change(_stage, running, unit_id=new)
