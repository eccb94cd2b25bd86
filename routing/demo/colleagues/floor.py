"""What the duties of simulated colleagues share: the city, chance, haste, and how one of them acts."""

import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.people.permissions import Role
from routing.demo.colleagues.city import City
from routing.demo.colleagues.presence import Present, signed_in
from routing.demo.contacts import Drawer
from routing.demo.seed import Services as Seeded
from tickets.callbacks import CallbackService
from tickets.drafts import DraftService
from tickets.service import TicketService

logger = logging.getLogger(__name__)
Work = Callable[[UnitOfWork, Actor], Awaitable[bool]]


class Services(Seeded, Protocol):
    """The part of a node colleagues work with."""

    @property
    def tickets(self) -> TicketService: ...
    @property
    def drafts(self) -> DraftService: ...
    @property
    def callbacks(self) -> CallbackService: ...


class Floor:
    """The demo city at work, and the rules for acting in it."""

    def __init__(self, services: Services, lease: Lease, city: City) -> None:
        wanted = services.settings.telephony.simulator
        self.services = services
        self.city = city
        self._lease = lease
        self._seed = wanted.seed
        self._speed = wanted.speed
        self._security = services.settings.security

    def chance(self, duty: str, ident: int, nth: int = 0) -> random.Random:
        """The source of chance for one thing to do: the same after a restart."""
        return random.Random(f"{self._seed}:{duty}:{ident}:{nth}")

    def drawer(self, chance: random.Random) -> Drawer:
        """Draws matters of the city from `chance`."""
        return Drawer(chance, self.city.folk)

    def after(self, seconds: float) -> timedelta:
        """So many seconds of the simulated day, in real time."""
        return timedelta(seconds=seconds / self._speed)

    def simulated(self, real: timedelta) -> float:
        """The seconds of the simulated day in a span of real time."""
        return real.total_seconds() * self._speed

    async def present(self) -> Present:
        """Who is signed in now."""
        async with self.services.db.read() as session:
            return await signed_in(session, self.services.db.clock.now(), self._security)

    async def act(
        self,
        user_id: int,
        work: Work,
        *,
        did: str,
        to: tuple[str, int],
        unless: frozenset[Role] = frozenset(),
    ) -> bool:
        """Let a person do `work` in a transaction; True when it was done, as `work` itself says.

        Nothing happens when the person is signed in himself, or a holder of one of the posts `unless`:
        looked up in the transaction, since people sign in at any moment. `did` names the act and `to`
        its object in the audit log.
        """

        async def once(uow: UnitOfWork) -> bool:
            await self._lease.fence(uow)
            here = await signed_in(uow.session, uow.now, self._security)
            actor = await self.services.people.actor_for_user(uow.session, user_id)
            if actor is None or user_id in here.users or here.posts & unless:
                return False
            if not await work(uow, actor):
                return False
            kind, ident = to
            await audit.record(
                uow, actor=actor, action=did, object_type=kind, object_id=ident, detail={"demo": True}
            )
            return True

        try:
            return await self.services.db.retrying(once)
        except HotlineError as error:  # somebody else was faster; the tables say what is left to do
            logger.info(
                "a simulated colleague gave way", extra={"act": did, "ref": to[1], "code": error.code}
            )
            return False
