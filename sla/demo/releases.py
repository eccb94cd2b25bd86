"""Public data of the demo city: its past months, released when their figures are counted.

Beside the first start and not within it: figures are counted by the leading node in the background, and a
release says what they say.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from core.db import Database
from core.leadership import Lease
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from sla.demo.people import Cast
from sla.opendata.counting import month_after
from sla.opendata.models import OpenRelease
from sla.opendata.service import PUBLISHED, OpenDataService, all_counted
from tickets.models import Ticket, table_of

_release, _ticket = table_of(OpenRelease), table_of(Ticket)
NOTE = "已核对，同意公开。"
MISSING = 2  # days at its beginning that a month may lack and still be one


@dataclass
class FirstReleases:
    """Publishes once; where anything was released before, nothing is done."""

    db: Database
    people: PeopleService
    service: OpenDataService
    prepare_day: int
    done: bool = False

    async def run(self, lease: Lease) -> bool:
        """Publish the months that are over; True when there is nothing (more) to do."""
        if self.done:
            return True
        now = self.db.clock.now()
        async with self.db.read() as session:
            if (await session.execute(sa.select(_release.c.id).limit(1))).first() is not None:
                self.done = True
                return True
            first = (await session.execute(sa.select(sa.func.min(_ticket.c.created_at)))).scalar_one()
            if first is None:
                return False
            due = self._months(to_city(first).date(), now)
            if not due or not await all_counted(session, to_city(now).date(), due[-1]):
                return False
        for month in due:
            await self._publish(lease, month)
        self.done = True
        return True

    def _months(self, first: date, now: datetime) -> list[date]:
        """The months that are whole, over, and whose day of preparation was."""
        month = first.replace(day=1) if first.day <= MISSING else month_after(first.replace(day=1))
        found = []
        while self._prepared(month) + timedelta(days=1) < now:
            found.append(month)
            month = month_after(month)
        return found

    def _prepared(self, month: date) -> datetime:
        day = month_after(month).replace(day=self.prepare_day)
        return datetime.combine(day, time(9), CITY_ZONE).astimezone(UTC)

    async def _publish(self, lease: Lease, month: date) -> None:
        """As it was done then: prepared on the day of the settings, published the day after."""
        async with self.db.begin() as uow:
            await lease.fence(uow)
            now, uow.now = uow.now, self._prepared(month)
            try:
                ident = await self.service.prepare(uow, month)
                officer = await self._officer(uow.session)
                if ident is not None and officer is not None:
                    uow.now += timedelta(days=1)
                    await self.service.decide(uow, officer, ident, PUBLISHED, NOTE)
            finally:
                uow.now = now

    async def _officer(self, session: AsyncSession) -> Actor | None:
        cast = await Cast.load(session, self.people)
        return await cast.actor(session, None, Role.SUPERVISION_OFFICER.value)
