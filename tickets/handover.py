"""A unit is closed or merged and its open tickets go to another: one act of a person, many small moves.

`start` closes the unit, moves people and lower units, and leaves a row that says what is to be done.
`Handovers.step` moves ticket after ticket, each with its note in the transaction that moves it: a node
that dies leaves every ticket wholly moved or not at all, and the next step goes on where it stopped.
Clocks, stages and applications of a ticket stay as they are.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog import notices
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.people import delegation, org
from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from tickets import reply_templates, saved_views
from tickets.flow import TicketRequest, TicketUnit
from tickets.inputs import HandOver
from tickets.knowledge import service as knowledge
from tickets.models import Ticket, table_of
from tickets.states import Action
from tickets.upkeep import UnitHandover, UnitHandoverItem
from tickets.workflow import RULES

logger = logging.getLogger(__name__)
HANDLING_KINDS = ("bureau", "district", "town")
BATCH = 50
MOVED = "moved"
_ticket = table_of(Ticket)
_held = table_of(TicketUnit)
_request = table_of(TicketRequest)
_handover = table_of(UnitHandover)
_item = table_of(UnitHandoverItem)
_unit = table_of(Unit)
_user = table_of(User)
_STATES = tuple(state.value for state in RULES[Action.HAND_OVER].sources)


class Mover(Protocol):
    """The part of the ticket service that is needed."""

    async def act(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, version: int, action: Action, data: Any
    ) -> Any: ...


@dataclass(frozen=True)
class Preview:
    """What closing a unit would touch."""

    unit_id: int
    by_state: dict[str, int]
    co_handlings: int
    requests: int
    users: int
    children: tuple[str, ...]

    @property
    def tickets(self) -> int:
        """Open tickets the unit holds in any role."""
        return sum(self.by_state.values())

    @property
    def is_empty(self) -> bool:
        """True when the unit can be closed without a successor."""
        return not (self.tickets or self.users or self.children)


@dataclass(frozen=True)
class Progress:
    """How far a hand-over is; `left` were refused and wait for a person, with the error code of each."""

    id: int
    from_unit_id: int
    to_unit_id: int
    from_name: str
    to_name: str
    reason: str
    started_at: datetime
    finished_at: datetime | None
    total: int
    moved: int
    left: tuple[tuple[int, str, str], ...]

    @property
    def percent(self) -> int:
        """0 … 100; a hundred only when it is over."""
        if self.finished_at is not None:
            return 100
        return min(99, 100 * (self.moved + len(self.left)) // max(1, self.total))


def _open_of(unit_id: int | sa.ColumnElement[int]) -> Any:
    """Open tickets a unit holds in any role, as a FROM with both tables."""
    return (
        sa.select(_ticket.c.id, _ticket.c.version, _ticket.c.state, _held.c.role)
        .join(_held, _held.c.ticket_id == _ticket.c.id)
        .where(_held.c.unit_id == unit_id, _held.c.until.is_(None), _ticket.c.state.in_(_STATES))
    )


async def preview(session: AsyncSession, unit_id: int) -> Preview:
    """Count what hangs on a unit. Raises `unit_not_found`."""
    await org.unit(session, unit_id)
    held = _open_of(unit_id).subquery()
    states = await session.execute(sa.select(held.c.state, sa.func.count()).group_by(held.c.state))
    co = sa.select(sa.func.count()).select_from(held).where(held.c.role == "co")
    pending = sa.select(sa.func.count()).where(_request.c.unit_id == unit_id, _request.c.state == "pending")
    users = sa.select(sa.func.count()).where(_user.c.unit_id == unit_id, _user.c.active)
    below = [one.name for one in await org.children(session, unit_id) if one.active]
    return Preview(
        unit_id,
        {state: int(count) for state, count in states},
        int((await session.execute(co)).scalar_one()),
        int((await session.execute(pending)).scalar_one()),
        int((await session.execute(users)).scalar_one()),
        tuple(below),
    )


async def close(uow: UnitOfWork, actor: Actor, unit_id: int) -> None:
    """Close a unit on which nothing hangs; who may is in the table of duties.

    Raises `unit_not_empty`, `unit_root`, `unit_closed`.
    """
    await org.lock_tree(uow)
    await check_empty(uow.session, unit_id)
    await org.set_active(uow, actor, unit_id, active=False)


async def start(
    uow: UnitOfWork, actor: Actor, from_id: int, to_id: int, *, reason: str, move_users: bool = True
) -> int:
    """Close `from_id` in favour of `to_id`; returns the id of the hand-over that moves the tickets.

    The closed unit is hung below its successor, whose people so keep sight of what it finished.
    Who may is in the table of duties.
    Raises `unit_root`, `unit_closed`, `unit_same`, `unit_cannot_take`, `unit_circle`,
    `unit_kind_misplaced` or `unit_name_taken` (a lower unit does not fit below the successor),
    `handover_running`, `unit_not_empty` (its people must go somewhere).
    """
    await org.lock_tree(uow)
    session = uow.session
    old = await _check_closable(session, from_id)
    new = await _check_successor(session, old, to_id)
    seen = await preview(session, from_id)
    if seen.users and not move_users:
        raise HotlineError("unit_not_empty", unit_id=from_id)
    await _check_children(session, old, new)
    await _hang_below(uow, old, new)
    await org.set_active(uow, actor, from_id, active=False)
    users = await org.move_users(uow, actor, from_id, to_id) if move_users else 0
    along = await _take_along(uow, from_id, to_id)
    values = {
        "from_unit_id": from_id,
        "to_unit_id": to_id,
        "move_users": move_users,
        "reason": reason[:500],
        "total": seen.tickets,
        "requested_by": actor.user_id,
        "started_at": uow.now,
    }
    made = await session.execute(sa.insert(_handover).values(**values).returning(_handover.c.id))
    detail = {"to_unit_id": to_id, "tickets": seen.tickets, "users": users, **along}
    await audit.record(
        uow, actor=actor, action="unit.merge", object_type="unit", object_id=from_id, reason=reason,
        detail=detail,
    )  # fmt: skip
    return int(made.scalar_one())


async def _hang_below(uow: UnitOfWork, old: Unit, new: Unit) -> None:
    """The closed unit and the open ones below it, each directly below the successor."""
    for child in await org.children(uow.session, old.id):
        if child.active:
            await org.hang(uow, child, new)
    await org.hang(uow, old, new)


async def _take_along(uow: UnitOfWork, from_id: int, to_id: int) -> dict[str, int]:
    """What belongs to a unit besides its tickets and people, so that they find it where they go."""
    return {
        "delegations": await delegation.follow_unit(uow, from_id, to_id),
        "views": await saved_views.follow_unit(uow, from_id, to_id),
        "templates": await reply_templates.follow_unit(uow, from_id, to_id),
        "articles": await knowledge.follow_unit(uow, from_id, to_id),
        "notices": await notices.follow_unit(uow, from_id, to_id),
    }


async def reopen(uow: UnitOfWork, actor: Actor, unit_id: int) -> None:
    """Take a closed unit up again; what it handed over stays where it went.

    Raises `forbidden`, `handover_running` (its tickets would be carried off), what `org.reopen` raises.
    """
    await org.lock_tree(uow)
    running = sa.select(_handover.c.id).where(
        _handover.c.from_unit_id == unit_id, _handover.c.finished_at.is_(None)
    )
    if (await uow.session.execute(running)).first() is not None:
        raise HotlineError("handover_running", unit_id=unit_id)
    await org.reopen(uow, actor, unit_id)


async def check_empty(session: AsyncSession, unit_id: int) -> None:
    """Raise what `close` would."""
    await _check_closable(session, unit_id)
    if not (await preview(session, unit_id)).is_empty:
        raise HotlineError("unit_not_empty", unit_id=unit_id)


async def check(session: AsyncSession, from_id: int, to_id: int) -> None:
    """Raise what `start` would, before anybody is asked to approve it."""
    old = await _check_closable(session, from_id)
    new = await _check_successor(session, old, to_id)
    await _check_children(session, old, new)


async def _check_closable(session: AsyncSession, unit_id: int) -> Unit:
    found = await org.unit(session, unit_id)
    if found.parent_id is None or found.kind == "hotline":
        raise HotlineError("unit_root", unit_id=unit_id)
    if not found.active:
        raise HotlineError("unit_closed", unit_id=unit_id)
    running = sa.select(_handover.c.id).where(
        _handover.c.to_unit_id == unit_id, _handover.c.finished_at.is_(None)
    )
    if (await session.execute(running)).first() is not None:
        raise HotlineError("handover_running", unit_id=unit_id)
    return found


async def _check_successor(session: AsyncSession, old: Unit, to_id: int) -> Unit:
    if to_id == old.id:
        raise HotlineError("unit_same", unit_id=to_id)
    new = await org.unit(session, to_id)
    if not new.active or new.kind not in HANDLING_KINDS:
        raise HotlineError("unit_cannot_take", unit_id=to_id)
    if new.path.startswith(old.path):
        raise HotlineError("unit_circle", unit_id=to_id)
    return new


async def _check_children(session: AsyncSession, old: Unit, new: Unit) -> None:
    below = [child for child in await org.children(session, old.id) if child.active]
    for child in below:
        if child.kind not in org.BELOW[new.kind]:
            raise HotlineError("unit_kind_misplaced", kind=child.kind, below=new.kind)
    await org.check_names(session, [child.name for child in below], new.id, but=old.id)


async def retry(uow: UnitOfWork, actor: Actor, handover_id: int) -> None:
    """Try the tickets again that were refused, and whatever came since.

    Raises `forbidden`, `not_found`, `handover_undone` (the unit was opened again and keeps its tickets).
    """
    actor.require(Permission.ORG_MANAGE)
    await org.lock_tree(uow)
    opened = sa.select(_unit.c.id).join(_handover, _handover.c.from_unit_id == _unit.c.id)
    opened = opened.where(_handover.c.id == handover_id, _unit.c.active)
    if (await uow.session.execute(opened)).first() is not None:
        raise HotlineError("handover_undone", handover_id=handover_id)
    statement = sa.update(_handover).where(_handover.c.id == handover_id).values(finished_at=None)
    if (await uow.session.execute(statement.returning(_handover.c.id))).first() is None:
        raise HotlineError("not_found", handover_id=handover_id)
    refused = sa.delete(_item).where(_item.c.handover_id == handover_id, _item.c.result != MOVED)
    await uow.session.execute(refused)
    await audit.record(
        uow, actor=actor, action="unit.merge_retry", object_type="handover", object_id=handover_id
    )


class Handovers:
    """Moves what hand-overs have left to move."""

    def __init__(self, db: Database, tickets: Mover) -> None:
        self._db = db
        self._tickets = tickets

    async def run(self) -> None:
        """A tick of the leader: go on until nothing is left to move."""
        while await self.step():
            pass

    async def step(self) -> int:
        """Move a batch; returns how many tickets were looked at. Hand-overs without any are finished."""
        async with self._db.read() as session:
            query = sa.select(_handover).where(_handover.c.finished_at.is_(None)).order_by(_handover.c.id)
            running = (await session.execute(query)).all()
        count = 0
        for row in running:
            count += await self._batch(row)
        return count

    async def _batch(self, row: Any) -> int:
        async with self._db.read() as session:
            waiting = await _waiting(session, row, BATCH)
        for ticket_id, _ in waiting:
            await self._move(row, ticket_id)
        if not waiting:
            async with self._db.begin() as uow:
                await _finish(uow, row)
        return len(waiting)

    async def _move(self, row: Any, ticket_id: int) -> None:
        """One ticket with its note, in one transaction."""
        data = HandOver(unit_id=row.to_unit_id, from_unit_id=row.from_unit_id, note=row.reason)
        try:
            async with self._db.begin() as uow:
                query = sa.select(_ticket.c.version).where(_ticket.c.id == ticket_id)
                version = int((await uow.session.execute(query)).scalar_one())
                actor = Actor.system("handover")
                await self._tickets.act(uow, actor, ticket_id, version, Action.HAND_OVER, data)
                await _note(uow, row.id, ticket_id, MOVED)
            return
        except HotlineError as error:
            if error.code == "version_conflict":
                return  # somebody was at it this moment: the next step finds it again
            why = error.code
            logger.warning("ticket not handed over", extra={"ticket_id": ticket_id, "error": why})
        except DBAPIError:
            # One row that cannot be moved must not keep the others; it is listed for people.
            why = "internal"
            logger.exception("ticket not handed over", extra={"ticket_id": ticket_id})
        async with self._db.begin() as uow:
            await _note(uow, row.id, ticket_id, why[:40])


async def _waiting(session: AsyncSession, row: Any, most: int) -> Sequence[Any]:
    done = sa.select(_item.c.ticket_id).where(_item.c.handover_id == row.id)
    held = _open_of(row.from_unit_id).subquery()
    query = sa.select(held.c.id, held.c.version).where(held.c.id.not_in(done)).order_by(held.c.id).limit(most)
    return (await session.execute(query)).all()


async def _note(uow: UnitOfWork, handover_id: int, ticket_id: int, result: str) -> None:
    statement = insert(_item).values(handover_id=handover_id, ticket_id=ticket_id, result=result, at=uow.now)
    statement = statement.on_conflict_do_update(
        index_elements=["handover_id", "ticket_id"],
        set_={"result": result, "at": uow.now},
        where=_item.c.result != MOVED,  # what was moved stays moved, whoever comes late
    )
    await uow.session.execute(statement)


async def _finish(uow: UnitOfWork, row: Any) -> None:
    if await _waiting(uow.session, row, 1):
        return
    count = sa.select(sa.func.count()).where(_item.c.handover_id == row.id, _item.c.result == MOVED)
    moved = int((await uow.session.execute(count)).scalar_one())
    statement = sa.update(_handover).where(_handover.c.id == row.id, _handover.c.finished_at.is_(None))
    done = await uow.session.execute(statement.values(finished_at=uow.now).returning(_handover.c.id))
    if done.first() is not None:
        await audit.record(
            uow, actor=Actor.system("handover"), action="unit.merged", object_type="unit",
            object_id=row.from_unit_id, detail={"handover_id": row.id, "moved": moved},
        )  # fmt: skip


# ---- questions ------------------------------------------------------------------------------


async def progress(session: AsyncSession, handover_id: int) -> Progress:
    """How far a hand-over is. Raises `not_found`."""
    found = await _progress(session, _handover.c.id == handover_id, 1)
    if not found:
        raise HotlineError("not_found", handover_id=handover_id)
    return found[0]


async def latest(session: AsyncSession, *, limit: int = 10) -> list[Progress]:
    """The latest hand-overs, newest first."""
    return await _progress(session, sa.true(), limit)


async def _progress(session: AsyncSession, condition: sa.ColumnElement[bool], limit: int) -> list[Progress]:
    old, new = _unit.alias("old"), _unit.alias("new")
    query = (
        sa.select(_handover, old.c.name.label("from_name"), new.c.name.label("to_name"))
        .join(old, old.c.id == _handover.c.from_unit_id)
        .join(new, new.c.id == _handover.c.to_unit_id)
        .where(condition)
        .order_by(_handover.c.id.desc())
        .limit(limit)
    )
    found = []
    for row in (await session.execute(query)).all():
        moved = sa.select(sa.func.count()).where(_item.c.handover_id == row.id, _item.c.result == MOVED)
        left = (
            sa.select(_item.c.ticket_id, _ticket.c.number, _item.c.result)
            .join(_ticket, _ticket.c.id == _item.c.ticket_id)
            .where(_item.c.handover_id == row.id, _item.c.result != MOVED)
            .order_by(_item.c.ticket_id)
        )
        found.append(
            Progress(
                row.id, row.from_unit_id, row.to_unit_id, row.from_name, row.to_name, row.reason,
                row.started_at, row.finished_at, row.total,
                int((await session.execute(moved)).scalar_one()),
                tuple((one.ticket_id, one.number, one.result) for one in await session.execute(left)),
            )
        )  # fmt: skip
    return found
