"""All rooms of one node: made in this order, each given the ones before it that it needs."""

import asyncio
from dataclasses import dataclass

from core import retention
from core.clock import Clock
from core.settings import Settings
from node.advice import AdviceRoom
from node.calls import CallsRoom
from node.chats import ChatsRoom
from node.citizens import CitizensRoom
from node.core import CoreRoom
from node.limits import LimitsRoom
from node.sla import SlaRoom
from node.telephony import TelephonyRoom
from node.tickets import TicketsRoom
from routing import chat_retention
from routing.sound_retention import SoundRetention
from sla.packs import named_pack
from tickets.exchange import requests, webhooks


@dataclass(frozen=True)
class Rooms:
    """Every service of the node is an attribute of one of these, made in its file and wired there."""

    core: CoreRoom
    limits: LimitsRoom
    tickets: TicketsRoom
    advice: AdviceRoom
    citizens: CitizensRoom
    telephony: TelephonyRoom
    calls: CallsRoom
    chats: ChatsRoom
    sla: SlaRoom

    def wire(self) -> None:
        """Who hears whom. The handlers of one event run in the order in which they are wired here."""
        self.core.wire()
        self.telephony.wire()
        self.calls.wire()
        self.chats.wire()
        self.advice.wire()
        self.tickets.wire()
        self.citizens.wire()
        self.limits.wire()
        self.sla.wire()
        self.core.ticker.cron("40 3 * * *", "retention", self._forget)

    async def _forget(self) -> None:
        """What is older than the settings keep it, room by room."""
        db, lease, keep = self.core.db, self.core.scheduler, self.core.settings.retention
        await retention.sweep(db, keep)
        await SoundRetention(db, lease, self.telephony.recordings, keep.recording_days).sweep()
        await chat_retention.sweep(db, lease, self.chats.service, keep.chat_days)
        await asyncio.to_thread(self.telephony.waveforms.sweep)
        async with db.begin() as uow:
            await self.telephony.push.prune(uow)
            await requests.prune(uow)
            await webhooks.prune(uow)


def make_rooms(settings: Settings, database_url: str, clock: Clock) -> Rooms:
    """Build every service by hand. Raises HotlineError when the policy pack of the settings is unreadable."""
    pack = named_pack(settings.sla.pack)  # first: nothing is begun under limits that cannot be read
    core = CoreRoom(settings, database_url, clock)
    limits = LimitsRoom(core, pack)
    tickets = TicketsRoom(core, limits)
    advice = AdviceRoom(core, tickets)
    citizens = CitizensRoom(core, tickets, advice)
    telephony = TelephonyRoom(core)
    calls = CallsRoom(core, tickets, citizens, telephony)
    chats = ChatsRoom(core, tickets, telephony)
    sla = SlaRoom(core, limits, tickets)
    return Rooms(core, limits, tickets, advice, citizens, telephony, calls, chats, sla)
