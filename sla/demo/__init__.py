"""The last days of the demo city as the clocks and supervision lived them: cards, documents, the feed.

Done through the services, at the moments things happened, and quietly: what is past is news to nobody.
"""

from dataclasses import dataclass

from core.db import UnitOfWork
from core.notify import staff
from core.people.service import PeopleService
from sla.demo import quality, shifts
from sla.demo.agenda import Agenda
from sla.demo.cards import Dealt
from sla.demo.orders import Desk
from sla.demo.people import Cast
from sla.plain import CityLimits
from sla.quality.service import QualityService
from sla.supervision.service import SupervisionService

APPEAL_DAYS = 5


@dataclass(frozen=True)
class Past:
    """Makes the past up to the instant of a transaction."""

    people: PeopleService
    limits: CityLimits
    supervision: SupervisionService

    async def make(self, uow: UnitOfWork) -> None:
        """Within the transaction that makes the city."""
        now = uow.now
        cast = await Cast.load(uow.session, self.people)
        agenda = Agenda(now)
        Desk(self.supervision, self.limits.calendar, cast).plan(agenda)
        dealt = await Dealt.begin(uow, self.limits, cast, agenda)
        try:
            while (at := agenda.earliest(await dealt.next())) is not None:
                uow.now = at
                if not await agenda.work(uow):
                    await dealt.issue(uow)
        finally:
            uow.now = now
        await shifts.make(uow, cast)
        await quality.make(uow, cast, QualityService(lambda: self.limits.calendar, APPEAL_DAYS))
        await staff.read_by_all(uow)


__all__ = ["Past"]
