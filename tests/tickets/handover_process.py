"""A process of its own that moves what hand-overs have left, for the test that kills it."""

import asyncio
import sys

from core.clock import SystemClock
from core.db import Database
from core.events import EventBus
from core.privacy import Vault
from core.settings import load_settings
from sla.plain import CityLimits
from tickets.handover import Handovers
from tickets.service import TicketService


async def main(url: str) -> None:
    settings, clock = load_settings(environ={}), SystemClock()
    db = Database(url, clock=clock, bus=EventBus(), pool_size=2)
    tickets = TicketService(db, clock, Vault(settings), settings, CityLimits())
    print("ready", flush=True)
    await Handovers(db, tickets).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
