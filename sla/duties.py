"""What is done once a day by the city's clock: the digest, the call-backs of the night, knowledge that ends.

The leader looks every few minutes and does what is due and not done yet. A row says that a duty of a
day is done, so that a restart at the wrong minute loses nothing and two nodes do nothing twice.
"""

from collections.abc import Awaitable, Callable
from datetime import date, time

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.clock import to_city
from core.db import Database, UnitOfWork
from core.leadership import Lease
from core.notify import staff
from core.notify.staff import Notice, roles_with
from core.people.permissions import Permission
from core.settings import Settings
from sla.calendar import Calendar
from sla.digest import Digest
from sla.duty_models import DutyDay
from tickets.callback_due import night_ends
from tickets.intermediaries import upkeep
from tickets.knowledge import reminders
from tickets.models import CallbackTask, table_of

_duty = table_of(DutyDay)
_task = table_of(CallbackTask)
MORNING = time(8, 30)
EVENING = time(18)  # a digest that comes later than this is of no use to anybody
CALLERS = roles_with(Permission.REVISIT_WORK)  # who calls citizens: call-back officers and shift leaders


class Duties:
    """The daily duties of the leader."""

    def __init__(
        self,
        db: Database,
        lease: Lease,
        digest: Digest,
        calendar: Callable[[], Calendar],
        settings: Settings,
    ) -> None:
        self._db = db
        self._lease = lease
        self._digest = digest
        self._calendar = calendar
        self._settings = settings

    async def run(self) -> None:
        """Do what is due now."""
        local = to_city(self._db.clock.now())
        day = local.date()
        if not MORNING <= local.time() < EVENING:
            return
        # People answer the telephone every day, departments work on working days.
        await self._once("night callbacks", day, self._night_callbacks)
        await self._once("intermediaries", day, self._keep_market)
        if self._calendar().works(day):
            await self._once("digest", day, self._tell_digest)
            await self._once("knowledge", day, self._remind_of_knowledge)

    async def _once(self, duty: str, day: date, work: Callable[[date], Awaitable[None]]) -> None:
        async with self._db.read() as session:
            query = sa.select(_duty.c.day).where(_duty.c.duty == duty, _duty.c.day == day)
            if (await session.execute(query)).first() is not None:
                return
        await work(day)
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            await _mark(uow, duty, day)

    async def _tell_digest(self, day: date) -> None:
        await self._digest.tell(day)

    async def _remind_of_knowledge(self, day: date) -> None:
        """Owners hear of articles that end or have ended, and of corrections that are late."""
        wanted = self._settings.knowledge
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            if await _mark(uow, "knowledge", day):
                await reminders.remind(uow, day, days=wanted.remind_days, gap_days=wanted.gap_days)

    async def _keep_market(self, day: date) -> None:
        """The blacklist moves on by time; ends of qualifications are warned of."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            if await _mark(uow, "intermediaries", day):
                await upkeep.daily(uow, day, warn_days=self._settings.intermediaries.warn_days)

    async def _night_callbacks(self, day: date) -> None:
        """Whoever hung up in the night is to be called this morning: those who call are told."""
        due = night_ends(day, self._settings)
        waiting = sa.select(_task.c.id).where(_task.c.closed_at.is_(None), _task.c.due_at <= due).limit(1)
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            # In the same transaction: a notice counts up when it is given twice.
            if await _mark(uow, "night callbacks", day) and (await uow.session.execute(waiting)).first():
                await staff.write(uow, [Notice("night_callbacks", None, CALLERS)])


async def _mark(uow: UnitOfWork, duty: str, day: date) -> bool:
    """Note that a duty is done; False: it was already."""
    statement = insert(_duty).values(duty=duty, day=day, done_at=uow.now).on_conflict_do_nothing()
    return (await uow.session.execute(statement.returning(_duty.c.day))).first() is not None
