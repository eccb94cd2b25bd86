"""Click-to-call: any node takes the order, the node that leads telephony carries it out, once.

The order is a row, committed with its audit entry. The leader marks it taken before it asks the PBX,
so that a node that dies in between leaves a citizen uncalled rather than called twice; an order older
than LATEST is never dialled, because nobody waits at that telephone any more. A second click while the
first order is open is the first order.
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
from telephony.ami.connection import AmiConnection
from telephony.controls.events import OrderPlaced
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
# Two clicks at once look one after the other.
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('dial'), CAST(:user AS integer))")
POLL_SECONDS = 0.5  # for orders of other nodes; those of this one wake it


@dataclass(frozen=True)
class Taken:
    """An order that is this node's to carry out."""

    id: int
    extension: str
    number: str
    channel_id: str


async def order(uow: UnitOfWork, actor: Actor, *, number_ref: int, object_type: str, object_id: int) -> int:
    """Ask for a call from the actor's telephone to a number; returns the order's id.

    The same order again (a double click, a lost response) is the first one while that is open.
    The caller has checked that the actor may call about this object. Raises `no_extension`.
    """
    if actor.extension is None or actor.user_id is None:
        raise HotlineError("no_extension")
    await uow.session.execute(_ONE_AT_A_TIME, {"user": actor.user_id})
    same = {"user_id": actor.user_id, "number_ref": number_ref, "object": object_type, "object_id": object_id}
    before: int | None = (await uow.session.execute(_open_order(uow.now, same))).scalar_one_or_none()
    if before is not None:
        return before
    values = {
        **same,
        "extension": actor.extension,
        "channel_id": f"dial-{new_token(9)}",
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

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning("orders to dial not read", extra={"error": type(error).__name__})
            await self._wake.wait(POLL_SECONDS)

    async def step(self) -> bool:
        """Carry out the oldest order; False when there is none."""
        taken = await self._take()
        if taken is None:
            return False
        if taken.number:
            await self._dial(taken)
        return True

    async def _take(self) -> Taken | None:
        """Mark the oldest order as taken, or as late; an empty number means there is nothing to dial."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            query = sa.select(_order).where(
                _order.c.state == sa.bindparam("waiting", "waiting", literal_execute=True)
            )
            query = query.order_by(_order.c.id).limit(1).with_for_update(skip_locked=True)
            row = (await uow.session.execute(query)).first()
            if row is None:
                return None
            late = uow.now - row.ordered_at > LATEST
            state = {"state": "late", "ended_at": uow.now} if late else {"state": "taken"}
            await uow.session.execute(sa.update(_order).where(_order.c.id == row.id).values(**state))
            number = "" if late else await self._vault.reveal(uow.session, row.number_ref)
        return Taken(row.id, row.extension, number, row.channel_id)

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
