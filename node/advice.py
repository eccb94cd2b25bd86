"""Who should do it: the models in force, suggestions of categories and units, rules on trial."""

from pathlib import Path

from classifier.advisor import Advisor
from node.core import CoreRoom
from node.tickets import TicketsRoom
from routing.advice import AdviceService
from routing.automatic import Automatic
from routing.category_advising import Advising
from routing.category_labels import CategoryLabels
from routing.learning import Learning
from routing.trials import Trials


class AdviceRoom:
    """Reads matters and suggests; what was chosen is what models learn from."""

    def __init__(self, core: CoreRoom, tickets: TicketsRoom) -> None:
        self._core = core
        backstage, lease, settings = core.backstage, core.scheduler, core.settings
        self.advisor = Advisor(backstage, Path(settings.paths.var) / "models")
        self.labels = CategoryLabels(self.advisor)
        self.service = AdviceService(core.clock, self.labels, settings.intermediaries.operator)
        self.advising = Advising(backstage, self.advisor, lease)
        self.automatic = Automatic(backstage, tickets.service, self.service, lease)
        self.learning = Learning(backstage, lease, settings.classifier)
        self.trials = Trials(backstage, lease)

    def wire(self) -> None:
        """A choice is written down with the dispatch itself; the rest goes by the clock."""
        ticker = self._core.ticker
        self.service.wire(self._core.bus)
        ticker.every(2, "rules on trial", self.trials.run)
        ticker.cron("20 4 * * *", "rules checked", self.trials.nightly)
        ticker.every(45, "starter model", self.learning.begin)
        ticker.cron("30 2 * * *", "learning", self.learning.night)
        ticker.every(5, "advice", self.advising.tick)
        ticker.every(5, "automatic dispatch", self.automatic.tick)
