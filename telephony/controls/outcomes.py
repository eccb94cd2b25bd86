"""What became of an order: told by the PBX's answer, or later by its events. Writes for the executor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.tables import table_of
from telephony.ami.messages import AmiEvent
from telephony.controls import marks
from telephony.controls import shape as shapes
from telephony.controls.events import OrderMoved
from telephony.controls.models import AbuseReport, CallOrder
from telephony.controls.plan import Plan, Wanted, taken_over
from telephony.controls.shape import read_shape
from telephony.controls.terms import SPYING, Act
from telephony.models import CallSession

if TYPE_CHECKING:
    from telephony.controls.executor import Executor

_order = table_of(CallOrder)
_call = table_of(CallSession)
_report = table_of(AbuseReport)
OPEN = ("taken", "ringing")
LOST = timedelta(seconds=60)  # an order whose end was not told by then has none
RECENT = timedelta(minutes=3)
SYSTEM = Actor.system("telephony")
# Reason of OriginateResponse: the number of a control frame of Asterisk's.
FAILURES = {"1": "party_refused", "3": "party_no_answer", "5": "party_busy"}


async def moved(uow: UnitOfWork, order: Any, state: str, why: str | None) -> None:
    """Bring an order's row to `state` and tell the one who ordered."""
    over = None if state in ("taken", "ringing") else uow.now
    values = {"state": state, "why": why, "ended_at": over}
    await uow.session.execute(sa.update(_order).where(_order.c.id == order.id).values(**values))
    if state != "taken":
        await uow.emit(OrderMoved(order.id, order.session_id, order.kind, state, why, order.user_id))


async def _write(executor: Executor, work: Callable[[UnitOfWork], Awaitable[None]]) -> None:
    async def fenced(uow: UnitOfWork) -> None:
        await executor.lease.fence(uow)
        await work(uow)

    await executor.db.retrying(fenced)


async def _row(uow: UnitOfWork, order_id: int) -> Any:
    query = sa.select(_order).where(_order.c.id == order_id).with_for_update()
    return (await uow.session.execute(query)).one()


async def refused(executor: Executor, wanted: Wanted, code: str) -> None:
    """It could not be carried out."""

    async def work(uow: UnitOfWork) -> None:
        await moved(uow, await _row(uow, wanted.order_id), "failed", code)

    await _write(executor, work)


async def carried_out(executor: Executor, wanted: Wanted, made: Plan) -> None:
    """The PBX took every step; somebody who is called in rings from now on."""

    async def work(uow: UnitOfWork) -> None:
        order = await _row(uow, wanted.order_id)
        if order.state in OPEN:
            await moved(uow, order, "ringing" if made.rings else "done", None)
        for kind, data in made.marks:
            await marks.add(uow, wanted.session_id, kind, wanted.user_id, dict(data))
        if wanted.act is Act.END:
            values = {"state": "ended", "decided_at": uow.now, "decided_by": wanted.user_id}
            mine = sa.and_(_report.c.session_id == wanted.session_id, _report.c.state == "open")
            await uow.session.execute(sa.update(_report).where(mine).values(**values))

    await _write(executor, work)


# --- at the beginning and in the end -----------------------------------------------------------


async def take_up(executor: Executor) -> None:
    """After a change of leaders: calls that are under somebody's hand."""
    query = sa.select(_call.c.pbx, _call.c.session_key, _call.c.id).where(_call.c.ended_at.is_(None))
    query = query.where(sa.exists().where(_order.c.session_id == _call.c.id))
    async with executor.db.read() as session:
        for row in await session.execute(query):
            executor.in_hand[(row.pbx, row.session_key)] = row.id


async def give_up(executor: Executor) -> None:
    """Orders whose end nobody told: the leader died, or the line was away."""
    open_now = _order.c.state.in_(("taken", "ringing"))

    async def work(uow: UnitOfWork) -> None:
        query = sa.select(_order).where(open_now, _order.c.ordered_at < uow.now - LOST)
        for order in (await uow.session.execute(query.with_for_update(skip_locked=True))).all():
            await moved(uow, order, "failed", "order_lost")

    async with executor.db.read() as session:
        some = (await session.execute(sa.select(sa.exists().where(open_now)))).scalar_one()
    if some:
        await _write(executor, work)


# --- what is heard ------------------------------------------------------------------------------


def is_ours(channel_id: str) -> bool:
    """Whether an order made this channel."""
    return channel_id.startswith(("ctl-", "spy-"))


async def heard(executor: Executor, pbx: str, event: AmiEvent) -> None:
    """React to one event of a PBX."""
    if event.name == "UserEvent":
        if event.get("UserEvent") == "TransferBack":
            await _came_back(executor, pbx, event)
        return
    unique = event.get("SpyerUniqueid") if event.name.startswith("ChanSpy") else event.get("Uniqueid")
    if is_ours(unique):
        await _of_order(executor, pbx, event, unique)
    elif event.name == "Hangup":
        await _somebody_left(executor, pbx, unique)


async def _of_order(executor: Executor, pbx: str, event: AmiEvent, channel_id: str) -> None:
    async with executor.db.read() as session:
        query = sa.select(_order).where(_order.c.channel_id == channel_id)
        order = (await session.execute(query)).first()
    if order is None:
        return
    if event.name == "Hangup":
        await _party_hung_up(executor, pbx, event, order)
    elif event.name.startswith("ChanSpy"):
        await _spied(executor, order, begins=event.name == "ChanSpyStart")
    elif event.get("Response") != "Success":
        await _not_reached(executor, order, FAILURES.get(event.get("Reason"), "party_unreachable"))
    elif order.kind == Act.TAKE_OVER:
        await _take_over(executor, pbx, order)
    elif Act(order.kind) not in SPYING:
        await _joined(executor, order)


async def _joined(executor: Executor, order: Any) -> None:
    async def work(uow: UnitOfWork) -> None:
        row = await _row(uow, order.id)
        if row.state in OPEN:
            await moved(uow, row, "done", None)
            await marks.add(uow, row.session_id, "joined", row.user_id, {"order": row.id})

    await _write(executor, work)


async def _not_reached(executor: Executor, order: Any, why: str) -> None:
    async def work(uow: UnitOfWork) -> None:
        row = await _row(uow, order.id)
        if row.state not in OPEN:
            return
        await moved(uow, row, "failed", why)
        if row.target_kind is not None:
            await marks.add(uow, row.session_id, "no_answer", row.user_id, {"order": row.id, "why": why})

    await _write(executor, work)


async def _party_hung_up(executor: Executor, pbx: str, event: AmiEvent, order: Any) -> None:
    """Why somebody was not reached is told just after the end of his channel: wait for it a little."""
    channel_id = order.channel_id
    if order.state in OPEN and channel_id not in executor.put_off:
        executor.put_off.add(channel_id)
        executor.hear_later(pbx, event)
        return
    executor.put_off.discard(channel_id)
    if order.state in OPEN:
        await _not_reached(executor, order, "call_over" if Act(order.kind) in SPYING else "party_unreachable")
    else:
        await _party_left(executor, pbx, order)


async def _party_left(executor: Executor, pbx: str, order: Any) -> None:
    """A party's or a listener's telephone is free again."""

    async def work(uow: UnitOfWork) -> None:
        standing = await marks.standing(uow.session, order.session_id)
        if any(party.order_id == order.id for party in standing.parties):
            await marks.add(uow, order.session_id, "left", order.user_id, {"order": order.id})

    await _write(executor, work)
    call = await _call_row(executor, order.session_id)
    await _look_after(executor, pbx, call)


async def _spied(executor: Executor, order: Any, *, begins: bool) -> None:
    """Listening is told to nobody; that it happened, from when to when, stands in the audit log."""

    async def work(uow: UnitOfWork) -> None:
        row = await _row(uow, order.id)
        if begins and row.state in OPEN:
            await moved(uow, row, "done", None)
        actor = Actor(row.user_id, "", "", frozenset(), frozenset(), None, "", "")
        name = "call.spy_started" if begins else "call.spy_stopped"
        detail = {"order": row.id, "act": row.kind, "extension": row.extension}
        await audit.record(
            uow, actor=actor, action=name, object_type="call", object_id=row.session_id, detail=detail
        )

    await _write(executor, work)


async def _take_over(executor: Executor, pbx: str, order: Any) -> None:
    call = await _call_row(executor, order.session_id)
    async with executor.db.begin() as uow:
        wanted = await executor.wanted(uow, order)
        standing = await marks.standing(uow.session, order.session_id)
    shape = read_shape(executor.tracker(pbx), call.session_key, call.linkedids)
    try:
        made = taken_over(wanted, shape, standing)
        await executor.do(pbx, wanted, shape, made)
    except HotlineError as error:
        await executor.drop(pbx, order.id)
        await refused(executor, wanted, error.code)
        return
    await carried_out(executor, wanted, made)


async def _call_row(executor: Executor, session_id: int) -> Any:
    async with executor.db.read() as session:
        return (await session.execute(sa.select(_call).where(_call.c.id == session_id))).one()


# --- calls in hand ------------------------------------------------------------------------------


def _session_of(executor: Executor, pbx: str, unique: str) -> int | None:
    """The call under our hand that a channel belongs to."""
    channel = executor.tracker(pbx).channel_of(unique)
    if channel is None:
        return None
    found = (executor.in_hand.get((pbx, link)) for link in channel.call.links)
    return next((ident for ident in found if ident is not None), None)


async def _somebody_left(executor: Executor, pbx: str, unique: str) -> None:
    ident = _session_of(executor, pbx, unique)
    if ident is not None:
        await _look_after(executor, pbx, await _call_row(executor, ident))


async def _look_after(executor: Executor, pbx: str, call: Any) -> None:
    """After somebody left: nobody may wait for one who does not come, or listen to an empty room."""
    shape = read_shape(executor.tracker(pbx), call.session_key, call.linkedids)
    async with executor.db.read() as session:
        standing = await marks.standing(session, call.id)
    if shape.where == "gone" or (shape.where == "held" and not shape.ours):
        for party in standing.ringing:
            await executor.drop(pbx, party.order_id)
        if shape.where == "gone":
            executor.in_hand.pop((pbx, call.session_key), None)
        return
    known = {party.order_id for party in standing.there}
    if shape.where == "held" and known and await _only_parties(executor, shape, known):
        # The agent hung up in the consultation: that is how desk phones hand a call over.
        await executor.ask(pbx, shapes.move(shape, shapes.ROOM, shapes.room_of(call.id)))
        party = standing.there[0]
        said = {"target_kind": party.kind, "target": party.target, "how": "hung_up"}

        async def work(uow: UnitOfWork) -> None:
            await marks.add(uow, call.id, "resume", None)
            await marks.add(uow, call.id, "transfer", None, said)

        await _write(executor, work)


async def _only_parties(executor: Executor, shape: shapes.Shape, orders: set[int]) -> bool:
    query = sa.select(_order.c.channel_id).where(_order.c.id.in_(orders))
    async with executor.db.read() as session:
        channels = set((await session.execute(query)).scalars())
    return bool(shape.ours) and all(unique in channels for _, _, unique in shape.ours)


async def _came_back(executor: Executor, pbx: str, event: AmiEvent) -> None:
    """Nobody took a transfer, or everybody left a held citizen: he is on his way back."""
    channel = executor.tracker(pbx).channel_of(event.get("Uniqueid"))
    links = list(channel.call.links) if channel is not None else [event.get("Linkedid")]

    async def work(uow: UnitOfWork) -> None:
        query = sa.select(_call.c.id).where(_call.c.pbx == pbx, _call.c.session_key.in_(links))
        ident = (await uow.session.execute(query.order_by(_call.c.id))).scalars().first()
        if ident is None:
            return
        await marks.add(uow, ident, "returned", None, {"why": event.get("Why")[:20].lower()})
        sent = sa.and_(_order.c.session_id == ident, _order.c.kind == Act.TRANSFER.value)
        query = sa.select(_order).where(
            sent, _order.c.state == "done", _order.c.ordered_at > uow.now - RECENT
        )
        order = (await uow.session.execute(query.order_by(_order.c.id.desc()).limit(1))).first()
        if order is not None:
            await moved(uow, order, "failed", "transfer_returned")

    await _write(executor, work)
