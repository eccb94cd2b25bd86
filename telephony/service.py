"""Telephony of one node: a follower per PBX while this node leads the role, and the way to write calls."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from core.clock import Clock
from core.db import Database, UnitOfWork
from core.events import EventBus
from core.leadership import Lease
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Pbx, Settings
from core.wake import Wake
from telephony.agents.service import AgentService
from telephony.agents.upkeep import Upkeep
from telephony.ami.connection import AmiConnection, PbxAddress, Timings
from telephony.ami.messages import AmiEvent
from telephony.calls import Session, interest
from telephony.controls import lists
from telephony.controls.events import OrderPlaced
from telephony.controls.executor import Executor
from telephony.dialling import Dialler
from telephony.enquiries import Answering, Enquiries
from telephony.events import AgentMoved, CallQueued
from telephony.follower import Follower
from telephony.store import CallStore, Written

logger = logging.getLogger(__name__)


class TelephonyService:
    """Several PBXs are told apart by their names; each has its own line, tracker and queue_log."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, people: PeopleService, settings: Settings
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._people = people
        self._settings = settings
        self._pbxs: tuple[Pbx, ...] = settings.telephony.pbx
        self._secrets: Mapping[str, str] = settings.secrets.pbx_passwords
        self.followers: dict[str, Follower] = {}
        self.lines: dict[str, AmiConnection] = {}
        self._ordered, self._to_dial = Wake(), Wake()  # somebody on this node ordered something
        self._executor: Executor | None = None
        self.answering: Answering | None = None  # who says how a ticket stands; given by the node
        self._enquiries: Enquiries | None = None
        self.agents = AgentService(settings)

    def wire(self, bus: EventBus) -> None:
        """Calls change agents' states with the same writes; a wish or an order reaches the PBX at once."""
        self.agents.wire(bus)
        bus.after(AgentMoved, self._wake_steward)
        bus.after(OrderPlaced, self._placed)
        bus.within(CallQueued, lists.refuse_listed)

    async def _wake_steward(self, event: AgentMoved) -> None:
        follower = self.followers.get(event.pbx)
        if follower is not None and follower.steward is not None:
            follower.steward.hear(clicked=event.clicked)

    def use(self, pbxs: Sequence[Pbx], secrets: Mapping[str, str]) -> None:
        """Follow these PBXs instead of the configured ones; takes effect with the next `run`."""
        self._pbxs, self._secrets = tuple(pbxs), secrets
        self.agents.pbxs = tuple(pbx.name for pbx in pbxs)

    async def run(self, lease: Lease) -> None:
        """Follow every PBX until cancelled; to be called only while this node holds `lease`."""
        if not self._pbxs:
            logger.warning("no PBX is configured")
        async with asyncio.TaskGroup() as tasks:
            dialler = Dialler(self._db, self._vault, self.lines, lease, self._to_dial)
            tasks.create_task(dialler.run(), name="orders to dial")
            self._executor = Executor(self._db, self._vault, self.followers, self.lines, lease, self._ordered)
            tasks.create_task(self._executor.run(), name="orders about calls")
            if self.answering is not None:
                self._enquiries = Enquiries(self._clock, self.lines, self.answering)
                tasks.create_task(self._enquiries.run(), name="questions by keys")
            upkeep = Upkeep(self._db, lease, self.agents)
            tasks.create_task(upkeep.run(), name="agents' deadlines")
            for pbx in self._pbxs:
                tasks.create_task(self._follow(pbx, lease, dialler), name=f"follow {pbx.name}")

    async def _follow(self, pbx: Pbx, lease: Lease, dialler: Dialler) -> None:
        """A defect in one follower must not leave a city without calls: log it and begin anew."""
        while True:
            store = self.store(pbx.name)
            follower = Follower(self._db, self._clock, pbx, store, lease, self.agents, dialler.heard)
            follower.told = partial(self._hear, pbx.name)
            line = self._line(pbx, follower)
            self.followers[pbx.name], self.lines[pbx.name] = follower, line
            try:
                await follower.run(line)
            except Exception:
                logger.exception("following a PBX failed, beginning anew", extra={"pbx": pbx.name})
            await asyncio.sleep(1)

    def _hear(self, pbx: str, event: AmiEvent) -> None:
        """Every event, after its facts were noted."""
        if self._executor is not None:
            self._executor.hear(pbx, event)
        if self._enquiries is not None:
            self._enquiries.hear(pbx, event)

    async def _placed(self, event: OrderPlaced) -> None:
        del event
        self._ordered.set()
        self._to_dial.set()

    async def apply_changes(self, uow: UnitOfWork, pbx: str, sessions: Sequence[Session]) -> Written:
        """Write sessions of `pbx` within the caller's transaction and emit what is new of them."""
        return await self.store(pbx).apply(uow, sessions)

    def store(self, pbx: str) -> CallStore:
        """The writer of one PBX's calls."""
        return CallStore(
            pbx,
            self._vault,
            self._people,
            phone_area=self._settings.city.phone_area,
            short_abandon_seconds=self._settings.telephony.short_abandon_seconds,
        )

    def _line(self, pbx: Pbx, follower: Follower) -> AmiConnection:
        telephony = self._settings.telephony
        secret = self._secrets.get(pbx.name, "")
        return AmiConnection(
            PbxAddress(pbx.name, pbx.host, pbx.port, pbx.username, secret),
            follower,
            timings=Timings(ping=telephony.ping_seconds, dead=telephony.dead_seconds),
            wanted=interest(),
            queue_limit=telephony.queue_limit,
            batch_size=telephony.batch_size,
        )
