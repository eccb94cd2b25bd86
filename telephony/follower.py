"""Follows one PBX: its line, its sessions, its queue_log; writes what changes, whatever happens.

Intake and writing are two tasks. Events become facts in memory at once; a writer wakes and brings the
database to what the facts say. When the database is away or full the facts wait: the writer tries
again with back-off, and a transition is told late rather than never. When the node dies instead, the
next leader starts from the PBX's own lists and from queue_log.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.clock import Clock
from core.db import Database, UnitOfWork, sqlstate
from core.errors import HotlineError
from core.leadership import Lease
from core.metrics import CALLS, PBX_CONNECTED
from core.settings import Pbx
from telephony import agent_store, pbx_store
from telephony.agents.service import AgentService
from telephony.agents.skew import Skew
from telephony.agents.steward import Steward
from telephony.ami.connection import AmiConnection
from telephony.ami.messages import AmiEvent
from telephony.calls import Session, Tracker, read_session
from telephony.calls.facts import Call
from telephony.pbx_store import State
from telephony.queue_log import Position, Tail, Truth, reconcile
from telephony.resync import LISTED, end_absent, take_stock, unseen
from telephony.store import CallStore, Written

logger = logging.getLogger(__name__)
BATCH = 100  # sessions of one transaction
KEEP = 30.0  # seconds a finished call is remembered for late events
TRUTH_WAIT = 2.0  # seconds the end of a queue call waits for its line in queue_log
HEARTBEAT = 5.0  # seconds between two proofs of life in pbx_state
TRUTH_KEPT = timedelta(hours=4)  # lines of queue_log stay at hand for so long, and through a gap
UNREADABLE = "queue_log_unreadable"
GAP_SHOWN = timedelta(hours=24)  # a gap nothing can fill is shown for so long
REREAD = 1 << 20  # bytes of queue_log read again after a restart: calls that were under way
REFUSED = {"22", "23"}  # SQLSTATE classes: bad data, violated constraint; trying again does not help
# So many rounds of writing may follow one another at once; on a busy floor there is one in so many seconds,
# which has the changes of several calls.
BURST, EVERY = 10, 0.03
PATIENCE = (0.2, 10.0)  # seconds: first and longest back-off of the writer


@dataclass
class Waiting:
    """A call whose outcome its queue_log line will tell."""

    call: Call
    until: float


class Follower:
    """The follower of one PBX; a `LineHandler`."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        pbx: Pbx,
        store: CallStore,
        lease: Lease,
        agents: AgentService | None = None,
        also: Callable[[AmiEvent], None] = lambda _event: None,
    ) -> None:
        """`also` hears every event, for what is no part of a call: a call that never came to be."""
        self._db = db
        self._clock = clock
        self._pbx = pbx
        self._store = store
        self._lease = lease
        self._also = also
        self.tracker = Tracker(pbx.trunks)
        self.state = State()
        self._told: State | None = None
        self._tail = Tail(pbx.queue_log) if pbx.queue_log else None
        self._truth = Truth()
        self._wake = asyncio.Event()
        self._line_lost = asyncio.Event()
        self._spared, self._paced_at = float(BURST), 0.0  # rounds that may begin at once, and as of when
        self._written: dict[str, object] = {}  # session key → what was last written
        self._waiting: dict[str, Waiting] = {}
        self._stock_taken = False
        self._list_passed = False
        self._line: AmiConnection | None = None
        self._saved_at = float("-inf")
        self._beat_due = False
        self.told: Callable[[AmiEvent], None] | None = None  # hears every event after the tracker
        self._listed = 0  # the connection whose lists were read
        self._skew = agents.skews.of(pbx.name) if agents else Skew()
        self.steward = (
            Steward(db, clock, pbx.name, lease, agents, lambda: self.tracker.roster) if agents else None
        )

    async def run(self, line: AmiConnection) -> None:
        """Follow until cancelled."""
        await self._patiently(self._load)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run(), name=f"ami {self._pbx.name}")
            tasks.create_task(self._write_for_ever(), name=f"calls of {self._pbx.name}")
            tasks.create_task(self._tick_for_ever(), name=f"tick of {self._pbx.name}")
            if self.steward is not None:
                work = self.steward.run(line, lambda: self._listed)
                tasks.create_task(work, name=f"queues of {self._pbx.name}")

    # --- the line -----------------------------------------------------------------------------

    async def line_up(self, line: AmiConnection) -> None:
        """Logged in: take stock before any event is looked at."""
        self._line, self._list_passed, self._listed = line, False, 0
        while line.connected:
            try:
                await take_stock(line, self.tracker)
                break
            except HotlineError as error:
                logger.warning("no snapshot", extra={"pbx": self._pbx.name, "code": error.code})
                await asyncio.sleep(1)
        else:
            return
        PBX_CONNECTED.labels(self._pbx.name).set(1)
        self.state = self.state.up(self._clock.now(), line.generation)
        self._stock_taken, self._listed = True, line.generation
        self._wake.set()

    async def line_events(self, events: list[AmiEvent]) -> None:
        """Note what they prove; the writer does the rest."""
        booted, now = False, self._clock.now().timestamp()
        for event in events:
            self._also(event)
            if event.name not in LISTED:
                self.tracker.apply(event)
                if self.told is not None:
                    self.told(event)
                if event.stamp is not None:
                    self._skew.note(event.stamp, now)
            elif event.name == "CoreShowChannelsComplete":
                self._list_passed = True
            elif event.name == "FullyBooted" and self._list_passed:
                booted = True  # after our list: what it said is void
        if booted and self._line is not None:
            await self.line_up(self._line)
        if self.tracker.dirty or self.tracker.roster.moved:
            self._wake.set()
        if self.tracker.roster.told and self.steward is not None:
            self.steward.wake.set()

    async def line_down(self, reason: str) -> None:
        """The line is gone; screens hear of it with the next write."""
        PBX_CONNECTED.labels(self._pbx.name).set(0)
        self._listed = 0
        if self.state.connected or self._told is None:
            logger.warning("calls may be missed", extra={"pbx": self._pbx.name, "reason": reason})
            self.state = self.state.down(self._clock.now())
            self._line_lost.set()
            self._wake.set()

    # --- writing ------------------------------------------------------------------------------

    async def _write_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._patiently(self._write)
            await self._rest(self._pause(self._clock.monotonic()))

    def _pause(self, now: float) -> float:
        """Seconds until the next round may begin, one round having been done."""
        self._spared = max(0.0, min(BURST, self._spared + (now - self._paced_at) / EVERY) - 1)
        self._paced_at = now
        return (1 - self._spared) * EVERY

    async def _rest(self, seconds: float) -> None:
        """Let changes gather; that the line is lost is told at once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._line_lost.wait()
        self._line_lost.clear()

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`; while the database is away, full, or led by another node, try again."""
        pause, longest = PATIENCE
        while True:
            try:
                await work()
                return
            except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
                logger.warning(
                    "calls not written, trying again",
                    extra={"pbx": self._pbx.name, "error": type(error).__name__, "text": str(error)[:200]},
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    async def _load(self) -> None:
        """Take over what the last leader knew; what happened since its last sign of life is a gap."""
        async with self._db.begin() as uow:
            found = await pbx_store.load(uow, self._pbx.name)
        if found is not None:
            state, seen_at = found
            self._told = state
            self.state = state.down(seen_at) if state.connected else state
        if self._tail is None:
            return
        try:
            if self.state.position is None:
                self._tail.skip_to_end()
            else:
                back = max(0, self.state.position.offset - REREAD)
                self._tail.position = Position(self.state.position.inode, back)
        except OSError as error:
            logger.warning("queue_log unreadable", extra={"pbx": self._pbx.name, "error": str(error)})

    async def _write(self) -> None:
        """One round: everything that changed, in transactions of at most BATCH sessions."""
        calls = list(self.tracker.dirty.values())
        self.tracker.dirty.clear()
        try:
            readable = await self._read_queue_log(calls)
            changed = [session for call in calls if (session := self._changed(call)) is not None]
            for start in range(0, len(changed), BATCH):
                await self._apply(changed[start : start + BATCH])
                for session in changed[start : start + BATCH]:
                    self._written[session.key] = _signature(session)
            if self._stock_taken:
                await self._reconcile(readable=readable)
            if self._beat_due or self._told != self.state:
                await self._save_state()
            if self.tracker.roster.moved:
                await self._save_agents()
        except BaseException:
            self.tracker.dirty.update({id(call): call for call in calls})
            raise

    async def _apply(self, sessions: list[Session]) -> None:
        async def work(uow: UnitOfWork) -> Written:
            await self._lease.fence(uow)
            return await self._store.apply(uow, sessions)

        try:
            written = await self._db.retrying(work)
        except DBAPIError as error:
            if (sqlstate(error) or "")[:2] not in REFUSED:
                raise
            await self._apply_each(sessions, error)
            return
        for direction, outcome in written.ended:
            CALLS.labels(direction, outcome).inc()

    async def _apply_each(self, sessions: list[Session], error: DBAPIError) -> None:
        """One call that the database will never take must not hold up all others."""
        if len(sessions) > 1:
            for session in sessions:
                await self._apply([session])
            return
        logger.error(
            "a call was refused by the database and left out",
            extra={"pbx": self._pbx.name, "session": sessions[0].key, "text": str(error)[:200]},
        )

    def _changed(self, call: Call) -> Session | None:
        """The session of `call`, if there is something to write now."""
        session = read_session(self.tracker, call)
        if session is None or (session.direction == "internal" and session.ended is None):
            return None
        session = reconcile(session, self._truth, self.tracker.roster.members)
        if self._written.get(session.key) == _signature(session) or self._wait_for_truth(call, session):
            return None
        return session

    def _wait_for_truth(self, call: Call, session: Session) -> bool:
        """True while queue_log may still say how this call left its queue."""
        open_question = session.ended is not None and session.queued is not None and session.answered is None
        known = self._truth.calls.get(session.citizen)
        if self._tail is None or not open_question or (known is not None and known.outcome is not None):
            self._waiting.pop(session.key, None)
            return False
        now = self._clock.monotonic()
        waiting = self._waiting.setdefault(session.key, Waiting(call, now + TRUTH_WAIT))
        if now >= waiting.until:
            del self._waiting[session.key]
            return False
        return True

    async def _read_queue_log(self, calls: list[Call]) -> bool:
        """Take in new lines when somebody may ask for them; False when there is no file to read."""
        if self._tail is None:
            return False
        ended = any(c.ended is not None for call in calls for c in call.channels.values())
        if not (ended or self._waiting or self._stock_taken):
            return True
        try:
            lines, faults = await asyncio.to_thread(self._tail.read)
        except OSError as error:
            logger.warning("queue_log unreadable", extra={"pbx": self._pbx.name, "error": str(error)})
            return False
        for fault in faults:
            logger.warning("queue_log line skipped", extra={"line": fault.number, "why": fault.reason})
        self._truth.add(lines)
        self.state = replace(self.state, position=self._tail.position)
        return True

    async def _reconcile(self, *, readable: bool) -> None:
        """After a snapshot: end what is gone, add what nobody saw, close the gap or say why not.

        The gap is closed once everything is committed, and only if the line held meanwhile.
        """
        generation, since = self.state.generation, self.state.gap_since
        self._stock_taken = False  # a snapshot that comes while this is written asks again
        try:
            missed = await self._db.retrying(lambda uow: self._missed(uow, since if readable else None))
            for start in range(0, len(missed), BATCH):
                await self._apply(missed[start : start + BATCH])
        except BaseException:
            self._stock_taken = True
            raise
        if not self.state.connected or self.state.generation != generation:
            return
        if readable or self.state.gap_since is None:
            self.state = self.state.reconciled()
        else:
            note = "no_queue_log" if self._tail is None else UNREADABLE
            self.state = replace(self.state, gap_note=note)

    async def _missed(self, uow: UnitOfWork, since: datetime | None) -> list[Session]:
        """What is open in the database only, and what queue_log knows of alone since `since`."""
        members = self.tracker.roster.members
        sessions = await end_absent(uow, self._store, self.tracker, self._truth, members, uow.now)
        if since is not None:
            sessions += await unseen(uow, self._store, self.tracker, self._truth, members, since)
        return sessions

    async def _save_state(self) -> None:
        state, told = self.state, self._told

        async def work(uow: UnitOfWork) -> None:
            await self._lease.fence(uow)
            await pbx_store.save(uow, self._pbx.name, state, told=told)

        await self._db.retrying(work)
        self._told, self._beat_due = state, False
        self._saved_at = self._clock.monotonic()

    async def _save_agents(self) -> None:
        roster = self.tracker.roster
        roster.moved = False
        standings = roster.standings()

        async def work(uow: UnitOfWork) -> None:
            await self._lease.fence(uow)
            await agent_store.save(uow, self._pbx.name, standings)

        try:
            await self._db.retrying(work)
        except BaseException:
            roster.moved = True
            raise

    # --- once a second ------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._tick()

    def _tick(self) -> None:
        """Forget what is over, ask again for what waits, give a sign of life."""
        for call in self.tracker.finished(self.tracker.now - KEEP):
            for link in call.links:
                self._written.pop(link, None)
            self.tracker.forget(call)
        for waiting in self._waiting.values():
            self.tracker.dirty[id(waiting.call)] = waiting.call
        now = self._clock.now()
        since = self.state.gap_since or now
        self._truth.forget_before((since - TRUTH_KEPT).timestamp())
        if now - since > GAP_SHOWN and self.state.connected and not self._stock_taken:
            self.state = self.state.reconciled()
        self._beat_due = self._clock.monotonic() - self._saved_at >= HEARTBEAT
        if self._beat_due and self.state.connected and self.state.gap_note == UNREADABLE:
            self._stock_taken = True  # the file may be back
        if self.tracker.dirty or self._beat_due:
            self._wake.set()


def _signature(session: Session) -> object:
    """What of a session is worth a write: transitions, not seconds that pass."""
    legs = tuple(
        (leg.agent, leg.state, leg.rang_at, leg.answered_at, leg.ended_by, leg.missed, leg.course)
        for leg in session.legs
    )
    return (
        session.direction, session.state, session.outcome, session.queues, legs, session.transfers,
        session.linkedids, session.recording, session.survey, session.survey_solved,
        session.survey_asked, session.voicemail, session.voicemail_bytes, session.queued, session.answered,
        session.ended, session.caller, session.caller_name,
    )  # fmt: skip
