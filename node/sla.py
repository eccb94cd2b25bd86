"""What is done about limits and figures: cards, duties of the day, supervision, reports, public data."""

from node.core import CoreRoom
from node.limits import LimitsRoom
from node.tickets import TicketsRoom
from sla import acts, calendar_check
from sla.adopting import Adopting
from sla.demo.releases import FirstReleases
from sla.digest import Digest
from sla.duties import Duties
from sla.measures.folding import Folding
from sla.opendata.service import OpenDataService
from sla.quality.service import QualityService
from sla.reports.content import Writer
from sla.reports.service import ReportService
from sla.supervision.service import SupervisionService
from sla.supervision.watch import SupervisionWatch
from sla.sweep import CardSweep


class SlaRoom:
    """The services of `sla/`; the limits themselves are in `node/limits.py`."""

    def __init__(self, core: CoreRoom, limits: LimitsRoom, tickets: TicketsRoom) -> None:
        self._core = core
        self._limits = limits
        settings, db, lease = core.settings, core.db, core.scheduler
        office = f"{settings.city.name}12345政务服务便民热线"
        self.reports = ReportService(db, Writer(office, limits.pack).compose)
        self.opendata = OpenDataService(db, settings.open_data)
        prepare_day = settings.open_data.prepare_day
        self.first_releases = FirstReleases(db, core.people, self.opendata, prepare_day)
        self.cards = CardSweep(db, limits.city, lease)
        self.supervision = SupervisionService(tickets.service, limits.calendar, settings.supervision)
        self.quality = QualityService(limits.calendar, settings.quality.appeal_days)
        self.duties = Duties(db, lease, Digest(db, core.people, lease), limits.calendar, settings)

    def wire(self) -> None:
        """All of it goes by the clock of the leader."""
        acts.register(self._core.people.proposals)
        ticker = self._core.ticker
        ticker.every(2, "measures", self._fold)
        ticker.cron("*/5 8-17 * * *", "duties of the day", self.duties.run)
        ticker.every(1, "cards", self.cards.tick, at_once=True)
        ticker.every(60, "adopting", self._adopt, at_once=True)
        ticker.every(60, "supervision", self._supervise)
        ticker.cron("30 8 * * *", "calendar check", self._check_calendar)
        ticker.every(60, "reports", self._reports, at_once=True)
        ticker.every(600, "public data", self._open_data, at_once=True)
        if self._core.settings.mode == "development":
            ticker.every(5, "public data of the demo city", self._first_releases)

    async def _fold(self) -> None:
        await Folding(self._core.backstage, self._core.scheduler).run()

    async def _adopt(self) -> None:
        await Adopting(self._core.db, self._limits.city, self._core.scheduler).run()

    async def _supervise(self) -> None:
        await SupervisionWatch(self._core.db, self.supervision, self._core.scheduler).run()

    async def _check_calendar(self) -> None:
        await calendar_check.remind(self._core.db, self._core.scheduler)

    async def _reports(self) -> None:
        await self.reports.run_due(self._core.scheduler)

    async def _open_data(self) -> None:
        if self._core.settings.mode == "development" and not self.first_releases.done:
            return  # the demo city's own months come first
        await self.opendata.run_due(self._core.scheduler)

    async def _first_releases(self) -> None:
        await self.first_releases.run(self._core.scheduler)
