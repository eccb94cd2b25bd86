"""A node: the rooms and the console of one process, brought to life and ended cleanly.

A node runs the roles of `settings.node.roles`. Any number of nodes share one PostgreSQL; the
roles `telephony` and `scheduler` have one leader each, the other nodes stand by.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from core import metrics
from core.clock import Clock, SystemClock
from core.errors import HotlineError
from core.settings import Settings
from node.names import Names
from node.rooms import make_rooms
from node.web import make_context
from routing.demo.colleagues import Colleagues, wanted
from tickets.duplicates import features
from web.app import make_app

logger = logging.getLogger(__name__)


class Node(Names):
    """The object graph of one process; `start` brings it to life, `stop` ends it cleanly."""

    def __init__(self, settings: Settings, database_url: str, *, clock: Clock | None = None) -> None:
        super().__init__(make_rooms(settings, database_url, clock or SystemClock()))
        self.rooms.wire()
        if wanted(settings):  # the demo: somebody must do the work of those who are not signed in
            attend = self.simulator.attend if self.simulator else None
            Colleagues(self, self.rooms.core.scheduler, attend, self.telephony.agents).wire(self.ticker)
        self.context = make_context(self.rooms)
        self.app: web.Application = make_app(self.context)
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._telephony_task: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Start the roles of this node; returns when the console answers."""
        roles = self.settings.node.roles
        categories = self.rooms.limits.categories
        await categories.load()
        self._spawn(categories.follow(), "categories")
        await self.in_force.begin()
        self._spawn(self.in_force.follow(), "limits in force")
        self._spawn(self.advisor.follow(), "models")
        await self.citizen_channels.listen()
        if "telephony" in roles:
            await self._start_telephony()
        if "scheduler" in roles:
            lease = self.leases["scheduler"]
            self._spawn(lease.run(self.ticker.start, self.ticker.stop), "scheduler lease")
            self._spawn(self.relay.run(), "relay")
            self._spawn(self.outbox.run(), "outbox")
        if "web" in roles:
            self._spawn(self.tail.run(), "event tail")
            self._spawn(asyncio.to_thread(features.load), "words")  # before the first agent types
            await self._listen()
        self._spawn(self._watch_leadership(), "leader gauge")

    async def _start_telephony(self) -> None:
        await self.rooms.telephony.start_simulator()
        lease = self.leases["telephony"]
        self._spawn(lease.run(self._lead_telephony, self._leave_telephony, outlasts=True), "phone lease")

    async def _lead_telephony(self) -> None:
        self._telephony_task = asyncio.create_task(
            self.telephony.run(self.leases["telephony"]), name="telephony"
        )
        self._telephony_task.add_done_callback(_report)

    async def _leave_telephony(self) -> None:
        if self._telephony_task is not None:
            await _cancel([self._telephony_task])
            self._telephony_task = None

    async def _listen(self) -> None:
        self._runner = web.AppRunner(self.app, access_log=None, handle_signals=False, shutdown_timeout=2)
        await self._runner.setup()
        http = self.settings.http
        site = web.TCPSite(self._runner, http.host, http.port, backlog=512)
        try:
            await site.start()
        except OSError as error:
            raise HotlineError("port_taken", host=http.host, port=http.port, why=error.strerror) from None
        self.port = self._runner.addresses[0][1]
        self.citizen_channels.point_to(self.port)

    async def stop(self) -> None:
        """End everything in the reverse order; what was committed stays, leases are given back."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self.citizen_channels.stop()
        await self.rooms.tickets.exports.stop()
        await self._leave_telephony()
        await _cancel(self._tasks)
        self._tasks.clear()
        await self.ticker.stop()
        for lease in self.leases.values():
            await lease.release()
        if self.simulator is not None:
            await self.simulator.stop()
        self.passwords.close()
        self.advisor.close()
        await self.db.close()
        await self.backstage.close()

    async def _watch_leadership(self) -> None:
        while True:
            for role, lease in self.leases.items():
                metrics.LEADER.labels(role).set(lease.is_leader)
            await asyncio.sleep(1)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_report)
        self._tasks.append(task)


def _report(task: asyncio.Task[None]) -> None:
    """A part of the node that ended by itself is an error that must be seen."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("part of the node died", exc_info=task.exception(), extra={"part": task.get_name()})


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
