"""Drafts, tickets and what belongs to them: call-back tasks, files, certificates, messages, other systems."""

from core.notify.guard import networks
from node.core import CoreRoom
from node.limits import LimitsRoom
from tickets import acts
from tickets.attachments.service import AttachmentService
from tickets.callbacks import CallbackService
from tickets.certificates.registries import make_registry
from tickets.certificates.service import CertificateService
from tickets.citizens.names import NameFollower
from tickets.drafts import DraftService
from tickets.duplicates.signatures import Signatures
from tickets.duplicates.watch import ClusterWatch
from tickets.exchange.webhooks import Webhooks
from tickets.export.service import ExportService
from tickets.handover import Handovers
from tickets.messages.service import MessageService
from tickets.messages.upkeep import MessageUpkeep
from tickets.notices import NoticeService
from tickets.service import TicketService
from tickets.sweep import Sweep


class TicketsRoom:
    """The services of `tickets/`; those that citizens use by themselves are in `node/citizens.py`."""

    def __init__(self, core: CoreRoom, limits: LimitsRoom) -> None:
        self._core = core
        settings, db, clock, vault = core.settings, core.db, core.clock, core.vault
        self.service = TicketService(db, clock, vault, settings, limits.city, limits.counters)
        self.drafts = DraftService(db, clock, vault, settings, self.service)
        self.callbacks = CallbackService(settings)
        self.attachments = AttachmentService(db, settings)
        self.exports = ExportService(db, clock, settings)
        self.certificates = CertificateService(db, clock, vault, make_registry(settings, db, vault, clock))
        self.handovers = Handovers(db, self.service)
        self.messages = MessageService(db, clock, vault, settings, core.channels.sms)
        self.notices = NoticeService(db, vault, settings, core.channels, self.messages)
        self.webhooks = Webhooks(db, vault, clock, allowed=networks(settings.notify.allowed_networks))

    def wire(self) -> None:
        """Messages, notices and other systems follow a ticket within its transaction."""
        core = self._core
        acts.register(core.people.proposals)
        self.certificates.wire(core.outbox)
        self.notices.wire(core.bus, core.outbox)
        self.webhooks.wire(core.bus, core.outbox)
        self._tick()

    def _tick(self) -> None:
        db, lease, ticker = self._core.db, self._core.scheduler, self._core.ticker
        ticker.every(2, "hand-overs", self.handovers.run)
        ticker.every(2, "signatures", Signatures(db, lease).tick, at_once=True)
        ticker.every(15, "clusters", ClusterWatch(db, lease).tick)
        ticker.every(15, "sweep", self._sweep)
        ticker.every(10, "names", NameFollower(db, self._core.vault, lease).tick)
        ticker.every(3600, "messages upkeep", MessageUpkeep(db).sweep)
        ticker.every(300, "exports", self._exports)
        ticker.cron("20 4 * * *", "attachments", self._attachments)

    async def _sweep(self) -> None:
        await Sweep(self._core.db, self.service, self._core.settings, self._core.scheduler).run()

    async def _exports(self) -> None:
        await self.exports.sweep()

    async def _attachments(self) -> None:
        await self.attachments.sweep()
