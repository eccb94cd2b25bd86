"""The round of the simulated colleagues: every few seconds, a look into the tables for what is due.

What is due follows from the tables and the seed alone, so that a restart or a change of the leader
loses and doubles nothing. It is a tick rather than a handler of call events on purpose: handlers
run on the path of whoever tells the event, and telephony must not wait for people who write.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from core.jobs import Ticker
from core.leadership import Lease
from core.settings import Settings
from routing.demo.colleagues.calling_back import CallingBack
from routing.demo.colleagues.city import find_city
from routing.demo.colleagues.dispatching import Dispatching
from routing.demo.colleagues.drafts import Writing
from routing.demo.colleagues.floor import Floor, Services
from routing.demo.colleagues.presence import Present, busy_extensions
from routing.demo.colleagues.sitting import Sitting
from telephony.agents.service import AgentService

TICK_SECONDS = 3.0
AT_THE_DESK = timedelta(minutes=5)  # whoever did nothing for so long is not rung first any more
Attend = Callable[[str, bool], None]


def wanted(settings: Settings) -> bool:
    """Whether simulated colleagues work here: development, on a simulator that plays a day."""
    simulated = settings.telephony.source == "simulator" and settings.telephony.simulator.calls_per_hour > 0
    return settings.mode == "development" and simulated


class Duty(Protocol):
    """Something colleagues do, a little of it in each round."""

    async def work(self, present: Present) -> int: ...


class Colleagues:
    """Does the work of everybody who is not signed in.

    `attend(extension, present)`, if given, hears whose desk a person sits at, so that it rings there;
    through `agents`, if given, they sign in at their telephones.
    """

    def __init__(
        self,
        services: Services,
        lease: Lease,
        attend: Attend | None = None,
        agents: AgentService | None = None,
    ) -> None:
        self._services = services
        self._lease = lease
        self._agents = agents
        self._attend = attend
        self._attended: frozenset[str] = frozenset()
        self._floor: Floor | None = None

    def wire(self, ticker: Ticker) -> None:
        """Work while this node leads."""
        ticker.every(TICK_SECONDS, "simulated colleagues", self.work)

    async def work(self) -> None:
        """One round. Does nothing in a database that does not hold the demo city."""
        if self._floor is None and not await self._open():
            return
        assert self._floor is not None
        await self._look_who_sits_where()
        present = await self._floor.present()
        for duty in self._duties:
            await duty.work(present)

    async def _open(self) -> bool:
        """Find the city, once it is there."""
        async with self._services.db.read() as session:
            city = await find_city(session)
        if city is None:
            return False
        self._floor = Floor(self._services, self._lease, city)
        self._duties: list[Duty] = [
            Writing(self._floor), Dispatching(self._floor), CallingBack(self._floor)
        ]  # fmt: skip
        if self._agents is not None:
            self._duties.insert(0, Sitting(self._floor, self._agents))
        return True

    async def _look_who_sits_where(self) -> None:
        if self._attend is None:
            return
        db = self._services.db
        async with db.read() as session:
            busy = await busy_extensions(session, db.clock.now(), AT_THE_DESK)
        for extension in busy ^ self._attended:
            self._attend(extension, extension in busy)
        self._attended = busy
