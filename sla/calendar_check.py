"""The daily look at the calendar: who can confirm the next year's days off is told until they are."""

from core.clock import to_city
from core.db import Database
from core.leadership import Lease
from core.notify import staff
from core.notify.staff import Notice
from sla import calendar_service
from tickets.notices import CLOCKMAKERS

KIND = "calendar_unknown"


async def remind(db: Database, lease: Lease) -> int | None:
    """Tell supervision and the system administrators of a year that is missing; returns the year.

    One notice per person while it is unread: it counts up from day to day.
    """
    async with db.begin() as uow:
        await lease.fence(uow)
        year = await calendar_service.year_missing(uow.session, to_city(uow.now).date())
        if year is not None:
            await staff.write(uow, [Notice(KIND, None, CLOCKMAKERS)])
    return year
