"""The limits in force: how long something may take, by the calendar and the policy pack of the city."""

from node.core import CoreRoom
from sla.calendar import Calendar
from sla.in_force import InForce
from sla.measures.counters import Counters
from sla.pack import Pack
from sla.plain import CityLimits
from sla.recompute import Recomputer
from sla.sources import city_calendar
from tickets.category_codes import CategoryCodes


class LimitsRoom:
    """Made before the tickets, whose clocks are set by it."""

    def __init__(self, core: CoreRoom, pack: Pack) -> None:
        self._ticker = core.ticker
        self.categories = CategoryCodes(core.backstage)
        self.city = CityLimits(city_calendar(core.settings.city), pack, self.categories, core.clock)
        self.in_force = InForce(core.backstage, core.settings, self.city.use_calendar, self.city.use_packs)
        self.counters = Counters()
        self.recomputer = Recomputer(core.backstage, self.city, core.scheduler, self.counters)

    def calendar(self) -> Calendar:
        """The calendar in force at this moment."""
        return self.city.calendar

    def pack(self) -> Pack:
        """The policy pack in force at this moment."""
        return self.city.pack

    def wire(self) -> None:
        """Clocks are counted anew when the calendar or the pack changed."""
        self._ticker.every(2, "clocks counted anew", self._recount)

    async def _recount(self) -> None:
        await self.in_force.load()  # by nothing older than what was ordered
        await self.recomputer.tick()
