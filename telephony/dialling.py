"""Click-to-call: any node takes the order, the node that leads telephony carries it out, once.

The order is a row, committed with its audit entry. The leader marks it taken before it asks the PBX,
so that a node that dies in between leaves a citizen uncalled rather than called twice; an order older
than LATEST is never dialled, because nobody waits at that telephone any more. A second click while the
first order is open is the first order. Two people never dial one number at once.

What comes of it is told by the call itself. A telephone that is not signed in makes no call at all: the
PBX's refusal is the only word of it, and is believed once no call has appeared.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.ids import new_token
from core.leadership import Lease
from core.people.actor import Actor
from core.privacy import Vault
from core.wake import Wake
from telephony import waiting
from telephony.ami.connection import AmiConnection
from telephony.ami.messages import AmiEvent
from telephony.controls.events import OrderPlaced
from telephony.events import DialFailed
from telephony.models import CallSession, DialOrder

logger = logging.getLogger(__name__)
_order: sa.Table = DialOrder.__table__  # type: ignore[attr-defined]  # set by SQLModel
_call: sa.Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
LATEST = timedelta(seconds=20)
RINGS = timedelta(seconds=30)
LONGEST_TALK = timedelta(hours=1)  # after that a call without an end is one whose end we missed
CLOCKS_DIFFER = timedelta(minutes=1)  # between a PBX and the database
RING_MILLISECONDS = str(RINGS // timedelta(milliseconds=1))
CONTEXT = "hotline-outbound"
CHANNEL = "dial-"  # how the ids of our channels begin
# Two clicks at once look one after the other.
_ONE_AT_A_TIME = sa.text(
    "SELECT pg_advisory_xact_lock(hashtext('dial'), CAST(:user AS integer)), "
    "pg_advisory_xact_lock(hashtext('dial number'), CAST(CAST(:number AS bigint) % 2000000000 AS integer))"
)
_WAITS = "SELECT 1 FROM dial_order WHERE state = 'waiting' LIMIT 1"
POLL_SECONDS = 0.5  # for orders of other nodes; those of this one wake it
REFUSAL_STANDS = timedelta(seconds=2)  # by then the call, if there is one, has been written
AGENT_GONE, NOTHING_HEARD = "agent_unreachable", "nothing_heard"
LOOK_FOR_SILENCE = timedelta(seconds=30)
SILENCE = timedelta(minutes=3)  # an order of which neither call nor refusal was heard


@dataclass(frozen=True)
class Taken:
    """An order that is this node's to carry out."""

    id: int
    extension: str
    number: str
    channel_id: str
    about: tuple[str, int, int]  # object, its id, who ordered it


@dataclass(frozen=True)
class Refusal:
    """The PBX says that nobody was reached at a telephone; `at` is when we heard of it."""

    extension: str
    at: datetime
    channel_id: str  # ours, where the PBX repeats it; Asterisk 16 does not


@dataclass(frozen=True)
class Progress:
    """How far the last order about an object is; `call_state` is that of its call, once there is one."""

    state: str
    why: str | None
    user_id: int
    ordered_at: datetime
    call_id: int | None
    call_state: str | None
    answered: bool


async def order(uow: UnitOfWork, actor: Actor, *, number_ref: int, object_type: str, object_id: int) -> int:
    """Ask for a call from the actor's telephone to a number; returns the order's id.

    The same order again (a double click, a lost response) is the first one while that is open.
    The caller has checked that the actor may call about this object. Raises `no_extension`, and
    `number_dialled` while a colleague calls the same number.
    """
    if actor.extension is None or actor.user_id is None:
        raise HotlineError("no_extension")
    await uow.session.execute(_ONE_AT_A_TIME, {"user": actor.user_id, "number": number_ref})
    same = {"user_id": actor.user_id, "number_ref": number_ref, "object": object_type, "object_id": object_id}
    before: int | None = (await uow.session.execute(_open_order(uow.now, same))).scalar_one_or_none()
    if before is not None:
        return before
    others = _open_order(uow.now, {"number_ref": number_ref}).where(_order.c.user_id != actor.user_id)
    if (await uow.session.execute(others)).first() is not None:
        raise HotlineError("number_dialled", ref=number_ref)
    values = {
        **same,
        "extension": actor.extension,
        "channel_id": CHANNEL + new_token(9),
        "state": "waiting",
        "ordered_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_order).values(**values).returning(_order.c.id))
    await uow.emit(OrderPlaced())
    await audit.record(
        uow,
        actor=actor,
        action="call.dial",
        object_type=object_type,
        object_id=object_id,
        detail={"ref": number_ref},
    )
    return int(made.scalar_one())


def _open_order(now: datetime, same: Mapping[str, Any]) -> sa.Select[Any]:
    """The same order: not carried out yet, or its call rings or goes on as far as the PBX has told."""
    # By the time first: nothing else about a call without its PBX is indexed.
    its = sa.and_(
        _call.c.started_at >= _order.c.ordered_at - CLOCKS_DIFFER, _call.c.session_key == _order.c.channel_id
    )
    over = sa.exists().where(its, _call.c.ended_at.is_not(None))
    goes_on = sa.exists().where(its, _call.c.ended_at.is_(None))
    waits = sa.and_(_order.c.state.in_(("waiting", "taken")), _order.c.ordered_at >= now - LATEST)
    rings = sa.and_(_order.c.state == "ringing", _order.c.ordered_at >= now - RINGS, sa.not_(over))
    talks = sa.and_(_order.c.state == "ringing", _order.c.ordered_at >= now - LONGEST_TALK, goes_on)
    query = sa.select(_order.c.id).where(*(_order.c[name] == value for name, value in same.items()))
    return query.where(waits | rings | talks).order_by(_order.c.id.desc()).limit(1)


async def progress(session: AsyncSession, object_type: str, object_id: int) -> Progress | None:
    """The last order about an object, whoever gave it; None when there was none."""
    query = (
        sa.select(
            _order.c.state,
            _order.c.why,
            _order.c.user_id,
            _order.c.ordered_at,
            _call.c.id.label("call_id"),
            _call.c.state.label("call_state"),
            _call.c.answered_at.is_not(None).label("answered"),
        )
        .select_from(_order.outerjoin(_call, _call.c.session_key == _order.c.channel_id))
        .where(_order.c.object == object_type, _order.c.object_id == object_id)
        .order_by(_order.c.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return None if row is None else Progress(**row._mapping)


async def of_call(session: AsyncSession, session_id: int, object_type: str) -> Any:
    """The order (id, object_id, user_id) about such an object that made this call; None for others."""
    query = (
        sa.select(_order.c.id, _order.c.object_id, _order.c.user_id)
        .join(_call, _call.c.session_key == _order.c.channel_id)
        .where(_call.c.id == session_id, _order.c.object == object_type)
    )
    return (await session.execute(query)).first()


async def last_call(session: AsyncSession, actor: Actor, object_type: str, object_id: int) -> int | None:
    """The call session of the actor's last order about an object, once the PBX has told of it."""
    query = (
        sa.select(_call.c.id)
        .join(_order, _order.c.channel_id == _call.c.session_key)
        .where(_order.c.object == object_type, _order.c.object_id == object_id)
        .where(_order.c.user_id == actor.user_id)
        .order_by(_order.c.id.desc())
        .limit(1)
    )
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


class Dialler:
    """Carries orders out while this node leads telephony."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        lines: Mapping[str, AmiConnection],
        lease: Lease,
        wake: Wake | None = None,
    ) -> None:
        self._wake = wake or Wake()
        self._db = db
        self._vault = vault
        self._lines = lines
        self._lease = lease
        self._refusals: list[Refusal] = []
        self._looked = db.clock.now()

    def heard(self, event: AmiEvent) -> None:
        """Take down that a call we asked for reached nobody; other events are nothing to us."""
        if event.name != "OriginateResponse" or event.get("Response") != "Failure":
            return
        if event.get("Context") == CONTEXT:
            extension = event.get("Channel").partition("/")[2]
            self._refusals.append(Refusal(extension, self._db.clock.now(), event.get("Uniqueid")))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
                await self.give_up()
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning("orders to dial not read", extra={"error": type(error).__name__})
            await self._wake.wait(POLL_SECONDS)

    async def step(self) -> bool:
        """Carry out the oldest order; False when there is none."""
        if not await self._db.fetch(_WAITS):
            return False
        taken = await self._take()
        if taken is None:
            return False
        if taken.number:
            await self._dial(taken)
        return True

    async def _take(self) -> Taken | None:
        """Mark the oldest order as taken, or as late; an empty number means there is nothing to dial."""
        async with self._db.begin() as uow:
            row = await waiting.oldest(uow, self._lease, _order)
            if row is None:
                return None
            late = uow.now - row.ordered_at > LATEST
            state = {"state": "late", "ended_at": uow.now} if late else {"state": "taken"}
            await uow.session.execute(sa.update(_order).where(_order.c.id == row.id).values(**state))
            if late:
                await uow.emit(_failed(row, "late"))
            number = "" if late else await self._vault.reveal(uow.session, row.number_ref)
        about = (row.object, row.object_id, row.user_id)
        return Taken(row.id, row.extension, number, row.channel_id, about)

    async def give_up(self) -> None:
        """Let orders fail of which a refusal came and no call, and those of which nothing was heard."""
        now = self._db.clock.now()
        due = [one for one in self._refusals if now - one.at >= REFUSAL_STANDS]
        for one in due:
            await self._fail(_refused_at(one), AGENT_GONE)
            self._refusals.remove(one)
        if now - self._looked >= LOOK_FOR_SILENCE:
            self._looked = now
            await self._fail(_silent(now), NOTHING_HEARD)

    async def _fail(self, which: sa.Select[Any], why: str) -> None:
        async with self._db.read() as session:
            if (await session.execute(which)).first() is None:
                return
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            for row in (await uow.session.execute(which.with_for_update(skip_locked=True))).all():
                values = {"state": "failed", "why": why, "ended_at": uow.now}
                await uow.session.execute(sa.update(_order).where(_order.c.id == row.id).values(**values))
                await uow.emit(_failed(row, why))

    async def _dial(self, taken: Taken) -> None:
        line = next((one for one in self._lines.values() if one.connected), None)
        why = None
        try:
            if line is None:
                raise HotlineError("ami_not_connected", pbx="")
            fields = {
                "Channel": f"PJSIP/{taken.extension}",
                "Context": CONTEXT,
                "Exten": taken.number.lstrip("+"),
                "Priority": "1",
                "Timeout": RING_MILLISECONDS,
                "ChannelId": taken.channel_id,
            }
            await line.originate(fields, {})
        except HotlineError as error:
            why = error.code
        async with self._db.begin() as uow:
            state = {"state": "ringing" if why is None else "failed", "why": why, "ended_at": uow.now}
            await uow.session.execute(sa.update(_order).where(_order.c.id == taken.id).values(**state))
            if why is not None:
                await uow.emit(DialFailed(taken.id, *taken.about, why))


def _failed(row: Any, why: str) -> DialFailed:
    return DialFailed(row.id, row.object, row.object_id, row.user_id, why)


def _without_call() -> sa.ColumnElement[bool]:
    started = _call.c.started_at >= _order.c.ordered_at - CLOCKS_DIFFER
    return ~sa.exists().where(started, _call.c.session_key == _order.c.channel_id)


def _refused_at(refusal: Refusal) -> sa.Select[Any]:
    """The refused order, else the last one for this telephone, if it stands and made no call."""
    open_still = _order.c.state == "ringing"
    if refusal.channel_id.startswith(CHANNEL):
        return sa.select(_order).where(_order.c.channel_id == refusal.channel_id, open_still, _without_call())
    last = (
        sa.select(_order.c.id)
        .where(_order.c.extension == refusal.extension, _order.c.ordered_at <= refusal.at + CLOCKS_DIFFER)
        .order_by(_order.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.select(_order).where(_order.c.id == last, open_still, _without_call())


def _silent(now: datetime) -> sa.Select[Any]:
    """Orders of the last hour that are old and silent: the node that took them, or the line, was lost."""
    window = _order.c.ordered_at.between(now - LONGEST_TALK, now - SILENCE)
    stands = _order.c.state.in_(("taken", "ringing"))
    return sa.select(_order).where(stands, window, _without_call())
