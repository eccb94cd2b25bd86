"""Keeps the queues of one PBX as the rows want them, while this node leads telephony (ADR 0022).

Each round: what somebody did at a telephone becomes a wish in the rows; then rows and PBX are compared,
and the PBX is told the difference. After a new connection only the rows count. Telephones nobody ever
signed in at from here are left as the PBX has them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.tables import table_of
from telephony.agents import choices, machine, store
from telephony.agents.machine import ACW, Event, Wanted
from telephony.agents.service import AgentService
from telephony.agents.standing import Echoes, Order, orders
from telephony.agents.store import OPEN, SESSION, WRAP, Held
from telephony.ami.connection import AmiConnection
from telephony.calls.roster import Roster, Told
from telephony.models import CallSession

logger = logging.getLogger(__name__)
CALL = table_of(CallSession)
POLL_SECONDS = 0.5
# A floor where every second many states change is compared so often at most, but for what somebody clicked.
SETTLE_SECONDS = 0.1
_TO_LOG = "SELECT 1 FROM wrap_up WHERE code IS NOT NULL AND NOT logged LIMIT 1"
WRAP_UP_EVENT = "WRAPUPCODE"  # of our lines in queue_log: the code is their first datum
CODES_AT_ONCE = 50


@dataclass(frozen=True)
class Seat:
    """What the rows say of one signed-in agent."""

    user_id: int
    extension: str
    wanted: Wanted
    reachable: bool


class Steward:
    """The steward of one PBX's queues. `roster` hands out what the PBX said of its members."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        pbx: str,
        lease: Lease,
        agents: AgentService,
        roster: Callable[[], Roster],
    ) -> None:
        self._db = db
        self._clock = clock
        self._pbx = pbx
        self._lease = lease
        self._agents = agents
        self._roster = roster
        self._echoes = Echoes()
        self._managed: set[str] = set()  # extensions whose standing is ours to say
        self._fixed: dict[str, set[str]] = {}  # extension → queues it cannot be taken out of
        self.generation = 0  # the connection over which the queues are being kept
        self.wake, self._clicked = asyncio.Event(), asyncio.Event()
        self._begun = float("-inf")  # when the last comparison began

    def hear(self, *, clicked: bool) -> None:
        """Rows have changed; whoever `clicked` does not wait for others to settle."""
        if clicked:
            self._clicked.set()
        self.wake.set()

    async def run(self, line: AmiConnection, ready: Callable[[], int]) -> None:
        """Until cancelled; `ready` gives the generation of the connection whose lists were read, 0: none."""
        while True:
            try:
                generation = ready()
                if line.connected and generation and self._lease.is_leader:
                    await self._begin(generation)
                    await self.round(line)
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning(
                    "queues not brought to what is wanted, trying again",
                    extra={"pbx": self._pbx, "error": type(error).__name__, "text": str(error)[:200]},
                )
                await asyncio.sleep(POLL_SECONDS)
            await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self.wake.wait()
        rest = self._begun + SETTLE_SECONDS - self._clock.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, rest)):
                await self._clicked.wait()
        self.wake.clear()
        self._clicked.clear()

    async def _begin(self, generation: int) -> None:
        """A new connection: forget what was sent over the old one, and what happened meanwhile."""
        if generation == self.generation:
            return
        roster = self._roster()
        async with self._db.read() as session:
            here = roster.extensions()
            query = select(SESSION.c.extension).where(
                SESSION.c.pbx == self._pbx, SESSION.c.extension.in_(here)
            )
            self._managed |= set((await session.execute(query.distinct())).scalars())
        roster.told.clear()
        self._echoes.clear()
        self._fixed.clear()
        self.generation = generation

    async def round(self, line: AmiConnection) -> None:
        """One comparison, and the orders that follow from it."""
        self._begun = self._clock.monotonic()
        await self._take_told()
        seats = await self._seats()
        await self._note_reach(seats)
        await self._send_orders(line, seats)
        await self._log_codes(line)

    # ---- what happened at the PBX -----------------------------------------------------------

    async def _take_told(self) -> None:
        roster, now = self._roster(), self._clock.monotonic()
        told, roster.told = roster.told, []
        foreign = [one for one in told if not self._echoes.is_ours(one, now)]
        if not foreign:
            return

        async def work(uow: UnitOfWork) -> None:
            await self._lease.fence(uow)
            for one in foreign:
                await self._obey(uow, one)

        try:
            await self._db.retrying(work)
        except BaseException:
            roster.told = [*foreign, *roster.told]
            raise

    async def _obey(self, uow: UnitOfWork, told: Told) -> None:
        """What somebody did at a telephone is that person's wish."""
        where = (SESSION.c.extension == told.extension, SESSION.c.pbx == self._pbx)
        found = await store.lock(uow, *where)
        if not found:
            if told.what == "added":
                await self._agents.sign_in_at_phone(uow, self._pbx, told.extension, told.queue)
            return
        event = await self._event(uow, found[0], told)
        if event is not None:
            at = self._agents.skews.of(self._pbx).instant(told.stamp)
            await store.apply(uow, found[0], [(at, event)], self._agents.rules)

    async def _event(self, uow: UnitOfWork, held: Held, told: Told) -> Event | None:
        queues = held.agent.queues
        if told.what == "paused":
            if told.reason == ACW or told.queue not in queues:
                return None
            wanted = machine.wanted(held.agent)
            if wanted.paused and wanted.reason == told.reason:
                return None
            return machine.SetNotReady(await choices.reason_for(uow.session, told.reason), "phone")
        if told.what == "unpaused":
            return machine.SetReady("phone") if told.queue in queues else None
        if told.what == "removed":
            left = tuple(queue for queue in queues if queue != told.queue)
            if left == queues:
                return None
            return machine.SetQueues(left) if left else machine.SignOut("phone")
        allowed = [name for name, _ in await choices.queues_of(uow.session, held.row["user_id"])]
        if told.queue in queues or told.queue not in allowed:
            return None
        return machine.SetQueues(tuple(name for name in allowed if name in (*queues, told.queue)))

    async def _note_reach(self, seats: list[Seat]) -> None:
        """A telephone that no queue can reach is told of by the members' states."""
        moved = {}
        for seat in seats:
            places = self._roster().places_of(seat.extension).values()
            reachable = not places or any(place.reachable for place in places)
            if reachable != seat.reachable:
                stamp = max(place.stamp for place in places) if places else None
                moved[seat.extension] = (reachable, stamp)
        if not moved:
            return

        async def work(uow: UnitOfWork) -> None:
            await self._lease.fence(uow)
            skew = self._agents.skews.of(self._pbx)
            where = (SESSION.c.extension.in_(moved), SESSION.c.pbx == self._pbx)
            for held in await store.lock(uow, *where):
                reachable, stamp = moved[held.row["extension"]]
                at = uow.now if not stamp else min(skew.instant(stamp), uow.now)
                await store.apply(uow, held, [(at, machine.Reach(reachable))], self._agents.rules)

        await self._db.retrying(work)

    # ---- what the PBX shall do --------------------------------------------------------------

    async def _seats(self) -> list[Seat]:
        columns = (SESSION.c.user_id, SESSION.c.extension, SESSION.c.queues, SESSION.c.paused)
        query = select(*columns, SESSION.c.pause_reason, SESSION.c.reachable)
        async with self._db.read() as session:
            rows = (await session.execute(query.where(OPEN, SESSION.c.pbx == self._pbx))).all()
        return [
            Seat(
                row.user_id,
                row.extension,
                Wanted(tuple(row.queues), row.paused, row.pause_reason),
                row.reachable,
            )
            for row in rows
        ]

    async def _send_orders(self, line: AmiConnection, seats: list[Seat]) -> None:
        wanted = {seat.extension: seat.wanted for seat in seats}
        self._managed |= wanted.keys()
        found: list[Order] = []
        for extension in sorted(self._managed):
            fixed = self._fixed.get(extension, set())
            places = self._roster().places_of(extension)
            found += orders(extension, wanted.get(extension, Wanted()), places, fixed)
        now = self._clock.monotonic()
        found = [order for order in found if not self._echoes.waits(order, now)]
        if not found:
            return
        penalties = await self._penalties(seats, found)
        for order in found:
            if self._meddled(order.extension):
                continue  # somebody did something there meanwhile: the next round knows what
            await self._send(line, order, penalties.get((order.extension, order.queue), 0))

    def _meddled(self, extension: str) -> bool:
        """Whether something was told of this telephone that none of our orders asked for."""
        return any(
            told.extension == extension and not self._echoes.expects(told) for told in self._roster().told
        )

    async def _penalties(self, seats: list[Seat], found: list[Order]) -> dict[tuple[str, str], int]:
        added = {order.extension for order in found if order.what == "add"}
        users = {seat.user_id: seat.extension for seat in seats if seat.extension in added}
        if not users:
            return {}
        async with self._db.read() as session:
            rows = await choices.penalties(session, list(users))
        return {(users[user_id], queue): penalty for (user_id, queue), penalty in rows.items()}

    async def _send(self, line: AmiConnection, order: Order, penalty: int) -> None:
        fields = {"Queue": order.queue, "Interface": f"PJSIP/{order.extension}"}
        name = {"add": "QueueAdd", "remove": "QueueRemove"}.get(order.what, "QueuePause")
        if order.what == "add":
            fields |= {"MemberName": f"Agent{order.extension}", "Penalty": str(penalty)}
            fields["Paused"] = "true" if order.reason else "false"
        elif name == "QueuePause":
            fields |= {"Paused": "true" if order.what == "pause" else "false", "Reason": order.reason}
        self._echoes.expect(order, self._clock.monotonic())
        try:
            await line.ask(name, **fields)
        except HotlineError as error:
            self._echoes.refused(order, self._clock.monotonic())
            if error.code != "ami_error":
                raise
            self._refused(order, error)

    def _refused(self, order: Order, error: HotlineError) -> None:
        """A member by configuration cannot be removed, and is paused instead; all else is tried again."""
        if order.what == "remove" and "dynamic" in str(error.params.get("message", "")).lower():
            self._fixed.setdefault(order.extension, set()).add(order.queue)
            logger.debug("a fixed member is paused instead", extra={"pbx": self._pbx, "queue": order.queue})
            return
        logger.warning(
            "the PBX refused to change a queue",
            extra={"pbx": self._pbx, "order": order.what, "queue": order.queue, "why": str(error)[:200]},
        )

    # ---- codes in queue_log -----------------------------------------------------------------

    async def _log_codes(self, line: AmiConnection) -> None:
        """Codes of work after a call, beside the call's own lines; at least once each."""
        if not await self._db.fetch(_TO_LOG):
            return
        query = (
            select(WRAP.c.id, WRAP.c.code, WRAP.c.extension, CALL.c.session_key, CALL.c.queues)
            .join(SESSION, SESSION.c.id == WRAP.c.agent_session_id)
            .join(CALL, CALL.c.id == WRAP.c.call_session_id, isouter=True)
            .where(WRAP.c.code.is_not(None), ~WRAP.c.logged, SESSION.c.pbx == self._pbx)
            .order_by(WRAP.c.id)
            .limit(CODES_AT_ONCE)
        )
        async with self._db.read() as session:
            rows = (await session.execute(query)).all()
        for row in rows:
            await line.ask("QueueLog", **_code_line(row))
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                same = (WRAP.c.id == row.id, WRAP.c.code == row.code)  # not if it was changed meanwhile
                await uow.session.execute(update(WRAP).where(*same).values(logged=True))


def _code_line(row: Any) -> dict[str, str]:
    return {
        "Queue": row.queues[-1] if row.queues else "NONE",
        "Event": WRAP_UP_EVENT,
        "Uniqueid": row.session_key or "NONE",
        "Interface": f"PJSIP/{row.extension}",
        "Message": row.code,
    }
