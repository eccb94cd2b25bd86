"""Conversations in writing: the channels they come by, and who of the agents is offered one."""

from chats.channels import Channels
from chats.channels.sms import SmsChannel
from chats.channels.web import WebChannel
from chats.offering import Offering
from chats.service import ChatService
from node.core import CoreRoom
from node.telephony import TelephonyRoom
from node.tickets import TicketsRoom
from routing.chat_desk import ChatDesk


class ChatsRoom:
    """The services of `chats/`, and the desk that makes drafts of conversations."""

    def __init__(self, core: CoreRoom, tickets: TicketsRoom, telephony: TelephonyRoom) -> None:
        self._core = core
        settings, db, agents = core.settings, core.db, telephony.service.agents
        self.sms_channel = SmsChannel(db, core.vault, core.channels.sms)
        self.service = ChatService(core.vault, settings, Channels((WebChannel(), self.sms_channel)))
        self.desk = desk = ChatDesk(db, core.people, settings, self.service, tickets.drafts, agents)
        self.offering = Offering(db, core.scheduler, self.service, settings.text, desk.seats, desk.due)

    def wire(self) -> None:
        """A conversation that is taken has its draft; a draft that ends ends the conversation."""
        self.desk.wire(self._core.bus)
        self.sms_channel.wire(self._core.outbox)
        self._core.ticker.every(1, "conversations", self._offer, at_once=True)

    async def _offer(self) -> None:
        await self.offering.tick()
        await self.desk.catch_up()
