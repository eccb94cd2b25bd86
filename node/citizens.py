"""What citizens do by themselves: submissions of every channel, their own tickets, WeChat, Weibo, letters."""

from node.advice import AdviceRoom
from node.core import CoreRoom
from node.tickets import TicketsRoom
from routing.channels import making
from routing.submissions import Submissions
from tickets import relay as contact_relay
from tickets.citizens.events import CitizenForgotten
from tickets.public import rights
from tickets.public.acts import CitizenActs
from tickets.public.sign_in import CodeSignIn
from tickets.public.upkeep import PortalUpkeep


class CitizensRoom:
    """The portal's services and the platforms on which citizens write."""

    def __init__(self, core: CoreRoom, tickets: TicketsRoom, advice: AdviceRoom) -> None:
        self._core = core
        settings, db, vault = core.settings, core.db, core.vault
        self.submissions = Submissions(vault, settings, tickets.service, tickets.attachments, advice.labels)
        self.acts = CitizenActs(tickets.service, vault)
        self.channels = making.make(
            settings, db, core.clock, vault, self.submissions, self.acts, tickets.attachments
        )
        if len(self.channels.service.channels):
            tickets.messages.reach = self.channels.sender
        city = settings.city
        self.code_sign_in = CodeSignIn(db, vault, city.phone_area, core.channels.sms, city.name)

    def wire(self) -> None:
        """Citizens hear of their tickets by the way they came."""
        bus, outbox, ticker = self._core.bus, self._core.outbox, self._core.ticker
        self.channels.sender.wire(bus, outbox)
        contact_relay.wire(bus)
        self.code_sign_in.wire(outbox)
        bus.within(CitizenForgotten, rights.on_forgotten)
        ticker.cron("50 3 * * *", "channels", self._forget_channels)
        ticker.every(1800, "portal upkeep", PortalUpkeep(self._core.db).sweep)
        if self.channels.mail is not None:
            seconds = self._core.settings.channels.mail.seconds
            ticker.every(seconds, "letters", self._read_letters, at_once=True)

    async def _forget_channels(self) -> None:
        await self.channels.service.sweep(self._core.settings.channels.keep_days)

    async def _read_letters(self) -> None:
        if self.channels.mail is not None:
            await self.channels.mail.tick()
