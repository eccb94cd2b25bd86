"""The kernel of one node: databases, people, events, leases, and the clockwork they share."""

import socket

from core import outbox
from core.clock import Clock
from core.db import Database
from core.event_log import EventTail
from core.events import EventBus
from core.ids import new_token
from core.jobs import Ticker
from core.leadership import Lease
from core.notify.channels import make_channels
from core.people.passwords import Passwords
from core.people.service import PeopleService
from core.privacy import Vault
from core.relay import Relay
from core.settings import Settings
from core.silence import end_silent

BACKSTAGE_POOL = 3  # connections, twice that at most


class CoreRoom:
    """What every other room is given."""

    def __init__(self, settings: Settings, database_url: str, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.name = f"{settings.node.name or socket.gethostname()}:{new_token(4)}"
        self.bus = EventBus()
        self.db = self._database(database_url, settings.database.pool_size)
        # Leases, calls and what numbers events must not stand in line behind people's requests.
        self.backstage = self._database(database_url, BACKSTAGE_POOL)
        self.vault = Vault(settings)
        self.vault.lend(self.db)
        self.vault.lend(self.backstage)
        self.passwords = Passwords(cheap=settings.mode == "development")
        self.people = PeopleService(self.db, clock, settings, self.passwords)
        self.scheduler = Lease(self.backstage, "scheduler", self.name, settings.leadership, clock)
        self.leases = {
            "telephony": Lease(self.backstage, "telephony", self.name, settings.leadership, clock),
            "scheduler": self.scheduler,
        }
        poll_seconds = settings.live.poll_milliseconds / 1000
        self.tail = EventTail(self.backstage, poll_seconds=poll_seconds)
        self.relay = Relay(self.backstage, self.scheduler, poll_seconds=poll_seconds)
        self.outbox = outbox.OutboxWorker(self.db, settings.outbox)
        self.ticker = Ticker()
        self.channels = make_channels(settings, self.db, self.vault, clock)

    def _database(self, url: str, pool_size: int) -> Database:
        return Database(
            url,
            clock=self.clock,
            bus=self.bus,
            pool_size=pool_size,
            statement_cache=self.settings.database.statement_cache,
            application=f"hotline {self.name}"[:63],
        )

    def wire(self) -> None:
        """A row of the event log wakes who numbers it, and that wakes who shows it."""
        self.db.log_written = self.backstage.log_written = self.relay.wake
        self.relay.numbered = self.tail.wake
        self.ticker.every(15, "outbox gauges", self._count_outbox)
        self.ticker.every(10, "silent sessions", self._end_silent)

    async def _count_outbox(self) -> None:
        async with self.db.read() as session:
            await outbox.count_waiting(session)

    async def _end_silent(self) -> None:
        await end_silent(self.backstage)
