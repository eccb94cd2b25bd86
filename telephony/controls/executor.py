"""Carries orders out while this node leads telephony, once each, and hears what becomes of them.

An order is marked taken before the PBX is asked, so that a node that dies in between leaves it undone
rather than done twice; one that nobody waits for any more is not begun. What a step meets is decided by
the PBX: whoever hung up meanwhile turns into a sentence for the one who ordered, never into a retry.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.privacy import Vault
from core.tables import table_of
from core.wake import Wake
from telephony import waiting
from telephony.ami.connection import AmiConnection
from telephony.ami.messages import AmiEvent
from telephony.calls import Tracker
from telephony.controls import marks, outcomes
from telephony.controls.models import CallOrder
from telephony.controls.plan import Plan, Wanted, plan
from telephony.controls.shape import Shape, Step, read_shape
from telephony.controls.terms import LEADER_ACTS, SPYING, Act, Target
from telephony.follower import Follower
from telephony.models import CallSession

logger = logging.getLogger(__name__)
_order = table_of(CallOrder)
_call = table_of(CallSession)
LATEST = timedelta(seconds=8)  # a click that could not be heeded by then is told so instead
HEARD_AGAIN = 1.0  # seconds
POLL_SECONDS = 0.2  # for orders of other nodes; those of this one wake it
HEARD = frozenset({"OriginateResponse", "Hangup", "UserEvent", "ChanSpyStart", "ChanSpyStop"})
GIVE_UP_EVERY = 1.0  # seconds
_WAITS = "SELECT 1 FROM call_order WHERE state = 'waiting' LIMIT 1"


class Executor:
    """One per node; works while the node leads telephony."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        followers: Mapping[str, Follower],
        lines: Mapping[str, AmiConnection],
        lease: Lease,
        wake: Wake | None = None,
    ) -> None:
        self.db = db
        self.lease = lease
        self._vault = vault
        self._followers = followers
        self._lines = lines
        self._wake = wake or Wake()
        self._heard: deque[tuple[str, AmiEvent]] = deque(maxlen=10_000)
        self.put_off: set[str] = set()  # channels whose end was heard once, before what explains it
        self.in_hand: dict[tuple[str, str], int] = {}  # PBX and session key → id: calls with orders
        self._at_work = True  # calls in hand are not known yet: at the beginning, and while one is taken
        self._gave_up = float("-inf")

    async def run(self) -> None:
        """Until cancelled."""
        began = False
        while True:
            try:
                if not began:
                    await outcomes.take_up(self)
                    began, self._at_work = True, False
                if self.db.clock.monotonic() - self._gave_up >= GIVE_UP_EVERY:
                    self._gave_up = self.db.clock.monotonic()
                    await outcomes.give_up(self)
                while await self.step():
                    pass
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning("orders about calls not read", extra={"error": type(error).__name__})
                await asyncio.sleep(POLL_SECONDS)
            await self._wake.wait(POLL_SECONDS)

    def hear_later(self, pbx: str, event: AmiEvent) -> None:
        """Once more in a second: what explains it may still come."""
        asyncio.get_running_loop().call_later(HEARD_AGAIN, self.hear, pbx, event)

    def hear(self, pbx: str, event: AmiEvent) -> None:
        """What a PBX tells; looked at by `step`, for which the screens' writer does not wait.

        Most telephones that are put down belong to calls that nobody ordered anything about.
        """
        if event.name not in HEARD:
            return
        ours = event.name != "Hangup" or outcomes.is_ours(event.get("Uniqueid"))
        if ours or self.in_hand or self._at_work:
            self._heard.append((pbx, event))
            self._wake.set()

    async def step(self) -> bool:
        """One thing that was heard, or the oldest order; False when there is neither."""
        if self._heard:
            pbx, event = self._heard.popleft()
            await outcomes.heard(self, pbx, event)
            return True
        if not await self.db.fetch(_WAITS):
            return False
        self._at_work = True
        try:
            found = await self._take()
            if found is None:
                return False
            row, wanted = found
            if wanted is not None:
                await self._carry_out(row, wanted)
        finally:
            self._at_work = False
        return True

    # --- one order ----------------------------------------------------------------------------

    async def _take(self) -> tuple[Any, Wanted | None] | None:
        """Mark the oldest order as taken, or as late."""
        async with self.db.begin() as uow:
            order = await waiting.oldest(uow, self.lease, _order)
            if order is None:
                return None
            call = (await uow.session.execute(sa.select(_call).where(_call.c.id == order.session_id))).one()
            if uow.now - order.ordered_at > LATEST:
                await outcomes.moved(uow, order, "late", "order_late")
                return call, None
            await outcomes.moved(uow, order, "taken", None)
            return call, await self.wanted(uow, order)

    async def wanted(self, uow: UnitOfWork, order: Any) -> Wanted:
        """An order's row as a plan needs it; the number of somebody outside is read from the vault."""
        target = None
        if order.target_kind is not None:
            value = order.target
            if order.number_ref is not None:
                value = await self._vault.reveal(uow.session, order.number_ref)
            target = Target(order.target_kind, value)
        return Wanted(
            order.id, Act(order.kind), order.session_id, order.extension, order.channel_id, order.user_id,
            target, order.target or "",
        )  # fmt: skip

    async def _carry_out(self, call: Any, wanted: Wanted) -> None:
        try:
            tracker = self.tracker(call.pbx)
            shape = read_shape(tracker, call.session_key, call.linkedids)
            async with self.db.read() as session:
                standing = await marks.standing(session, wanted.session_id)
            made = plan(wanted, shape, standing)
            _check_free(wanted, tracker)
            await self.do(call.pbx, wanted, shape, made)
        except HotlineError as error:
            await outcomes.refused(self, wanted, error.code)
            return
        self.in_hand[(call.pbx, call.session_key)] = wanted.session_id
        await outcomes.carried_out(self, wanted, made)

    def tracker(self, pbx: str) -> Tracker:
        """The facts of one PBX. Raises `ami_not_connected` while it is not followed."""
        follower = self._followers.get(pbx)
        if follower is None:
            raise HotlineError("ami_not_connected", pbx=pbx)
        return follower.tracker

    async def do(self, pbx: str, wanted: Wanted, shape: Shape, made: Plan) -> None:
        """Ask the PBX for every step. Raises what it says, as codes."""
        tracker = self.tracker(pbx)
        for order_id in made.parties:
            await self.drop(pbx, order_id)
        for channel in tracker.listeners(wanted.extension) if wanted.act in LEADER_ACTS else []:
            await self.ask(pbx, Step("Hangup", (("Channel", channel.name),), may_miss=True))
        for step in made.steps:
            if step.action == "Originate" and shape.call is not None and wanted.act not in SPYING:
                tracker.expect(wanted.channel_id, shape.call)
            await self.ask(pbx, step)

    async def ask(self, pbx: str, step: Step) -> None:
        """One action. Raises `call_moved` when the PBX refuses: somebody hung up or went on meanwhile."""
        line = self._lines.get(pbx)
        if line is None:
            raise HotlineError("ami_not_connected", pbx=pbx)
        try:
            if step.action == "Originate":
                await line.originate(dict(step.fields), {})
            else:
                await line.ask(step.action, **dict(step.fields))
        except HotlineError as error:
            if error.code != "ami_error":
                raise
            if not step.may_miss:
                raise HotlineError("call_moved") from None

    async def drop(self, pbx: str, order_id: int) -> None:
        """Hang up the channel that an order called into a call, if it is still there."""
        async with self.db.read() as session:
            query = sa.select(_order.c.channel_id).where(_order.c.id == order_id)
            channel_id = (await session.execute(query)).scalar_one()
        channel = self.tracker(pbx).channel_of(channel_id)
        if channel is not None and channel.ended is None:
            await self.ask(pbx, Step("Hangup", (("Channel", channel.name),), may_miss=True))


def _check_free(wanted: Wanted, tracker: Tracker) -> None:
    """A colleague who talks is not called: he would only see it flash."""
    target = wanted.target
    if target is not None and target.kind == "colleague" and tracker.in_use(target.value):
        raise HotlineError("colleague_busy")
    rings = wanted.act in SPYING or wanted.act is Act.TAKE_OVER
    if rings and tracker.in_use(wanted.extension):
        raise HotlineError("own_phone_busy")
