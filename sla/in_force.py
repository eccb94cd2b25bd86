"""What is in force, followed by a node: the calendar and the packs of the database, read when they change.

Every second a node asks whether a version row has moved; one that has no answer keeps what it has.
"""

import asyncio
from collections.abc import Callable

import sqlalchemy as sa

from core.catalog.models import CatalogVersion
from core.db import Database
from core.jobs import follow
from core.settings import Settings
from sla import calendar_service, pack_service
from sla.calendar import Calendar
from sla.pack import Book
from tickets.models import table_of

SECONDS = 1.0
_part = table_of(CatalogVersion)
_PARTS = (calendar_service.PART, pack_service.PART)


class InForce:
    """Tells a node's limits what counts now: `use_calendar` and `use_packs` are called at each change."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        use_calendar: Callable[[Calendar], None],
        use_packs: Callable[[Book], None],
    ) -> None:
        self._db = db
        self._settings = settings
        self._use_calendar = use_calendar
        self._use_packs = use_packs
        self._seen: dict[str, int] = {}

    async def begin(self) -> None:
        """Take the settings' calendar and pack as first versions where there is none, then read."""
        async with self._db.begin() as uow:
            await calendar_service.seed(uow, self._settings.city)
            await pack_service.seed(uow, self._settings.sla.pack)
        await self.load()

    async def load(self) -> bool:
        """Read what has changed; True when something had."""
        query = sa.select(_part.c.name, _part.c.version).where(_part.c.name.in_(_PARTS))
        async with self._db.read() as session:
            now: dict[str, int] = dict((await session.execute(query)).tuples().all())
        changed = [name for name in _PARTS if now.get(name) != self._seen.get(name)]
        if calendar_service.PART in changed:
            await self._load_calendar()
        if pack_service.PART in changed:
            await self._load_packs()
        self._seen = now
        return bool(changed)

    async def _load_calendar(self) -> None:
        async with self._db.read() as session:
            held = await calendar_service.present(session)
        self._use_calendar(await asyncio.to_thread(held.calendar, self._settings.city))

    async def _load_packs(self) -> None:
        async with self._db.read() as session:
            book = await pack_service.book(session)
        if book is not None:
            self._use_packs(book)

    async def follow(self) -> None:
        """Look again and again until cancelled; a database out of reach leaves what was read."""
        await follow(self.load, SECONDS, "limits in force")
