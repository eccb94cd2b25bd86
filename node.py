"""One node, built by hand: every object of the product and who is given whom, on one screen.

A node runs the roles of `settings.node.roles`. Any number of nodes share one PostgreSQL; the
roles `telephony` and `scheduler` have one leader each, the other nodes stand by.
"""

import asyncio
import logging
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from chats.channels import Channels as ChatChannels
from chats.channels.sms import SmsChannel
from chats.channels.web import WebChannel
from chats.offering import Offering
from chats.service import ChatService
from classifier.advisor import Advisor
from core import metrics, outbox, retention
from core.clock import Clock, SystemClock
from core.db import Database
from core.errors import HotlineError
from core.event_log import EventTail
from core.events import EventBus
from core.ids import new_token
from core.jobs import Ticker
from core.leadership import Lease
from core.notify.channels import make_channels
from core.notify.guard import networks
from core.people.passwords import Passwords
from core.people.service import PeopleService
from core.privacy import Vault
from core.relay import Relay
from core.settings import Pbx, Settings
from core.silence import end_silent
from routing import chat_retention
from routing.advice import AdviceService
from routing.automatic import Automatic
from routing.callback_desk import CallbackDesk
from routing.category_advising import Advising
from routing.category_labels import CategoryLabels
from routing.channels import making as channel_making
from routing.chat_desk import ChatDesk
from routing.demo.colleagues import Colleagues, wanted
from routing.intake import Intake
from routing.learning import Learning
from routing.mailbox import Mailbox
from routing.phone_status import PhoneStatus
from routing.sound_retention import SoundRetention
from routing.submissions import Submissions
from routing.trials import Trials
from sla import acts as sla_acts
from sla import calendar_check
from sla.adopting import Adopting
from sla.demo.releases import FirstReleases
from sla.digest import Digest
from sla.duties import Duties
from sla.in_force import InForce
from sla.measures.counters import Counters
from sla.measures.folding import Folding
from sla.opendata.service import OpenDataService
from sla.packs import named_pack
from sla.plain import CityLimits
from sla.quality.service import QualityService
from sla.recompute import Recomputer
from sla.reports.content import Writer
from sla.reports.service import ReportService
from sla.sources import city_calendar
from sla.supervision.service import SupervisionService
from sla.supervision.watch import SupervisionWatch
from sla.sweep import CardSweep
from telephony.floor.help import HelpWatch
from telephony.push.service import PushCalls
from telephony.recordings import SIMULATED_PBX, Recordings
from telephony.service import TelephonyService
from telephony.simulator import Simulator
from telephony.waveforms import Waveforms
from tickets import acts
from tickets import relay as contact_relay
from tickets.attachments.service import AttachmentService
from tickets.callbacks import CallbackService
from tickets.category_codes import CategoryCodes
from tickets.certificates.registries import make_registry
from tickets.certificates.service import CertificateService
from tickets.citizens.events import CitizenForgotten
from tickets.citizens.names import NameFollower
from tickets.drafts import DraftService
from tickets.duplicates import features
from tickets.duplicates.signatures import Signatures
from tickets.duplicates.watch import ClusterWatch
from tickets.exchange import requests, webhooks
from tickets.exchange.webhooks import Webhooks
from tickets.export.service import ExportService
from tickets.handover import Handovers
from tickets.messages.service import MessageService
from tickets.messages.upkeep import MessageUpkeep
from tickets.notices import NoticeService
from tickets.public import rights
from tickets.public.acts import CitizenActs
from tickets.public.sign_in import CodeSignIn
from tickets.public.upkeep import PortalUpkeep
from tickets.service import TicketService
from tickets.sweep import Sweep
from web.app import make_app
from web.context import WebContext

logger = logging.getLogger(__name__)
BACKSTAGE_POOL = 3  # connections, twice that at most


class Node:
    """The object graph of one process; `start` brings it to life, `stop` ends it cleanly."""

    def __init__(self, settings: Settings, database_url: str, *, clock: Clock | None = None) -> None:
        pack = named_pack(settings.sla.pack)  # first: nothing is begun under limits that cannot be read
        self.settings = settings
        self.clock = clock or SystemClock()
        self.name = f"{settings.node.name or socket.gethostname()}:{new_token(4)}"
        self.bus = EventBus()
        self.db = self._database(database_url, settings.database.pool_size)
        # Leases, calls and what numbers events must not stand in line behind people's requests.
        self.backstage = self._database(database_url, BACKSTAGE_POOL)
        self.vault = Vault(settings)
        self.vault.lend(self.db)
        self.vault.lend(self.backstage)
        self.passwords = Passwords(cheap=settings.mode == "development")
        self.people = PeopleService(self.db, self.clock, settings, self.passwords)
        self.leases = {
            role: Lease(self.backstage, role, self.name, settings.leadership, self.clock)
            for role in ("telephony", "scheduler")
        }
        self.tail = EventTail(self.backstage, poll_seconds=settings.live.poll_milliseconds / 1000)
        self.relay = Relay(
            self.backstage, self.leases["scheduler"], poll_seconds=settings.live.poll_milliseconds / 1000
        )
        self.outbox = outbox.OutboxWorker(self.db, settings.outbox)
        self.ticker = Ticker()

        self.categories = CategoryCodes(self.backstage)
        self.limits = CityLimits(city_calendar(settings.city), pack, self.categories, self.clock)
        self.in_force = InForce(self.backstage, settings, self.limits.use_calendar, self.limits.use_packs)
        counters = Counters()
        self.recomputer = Recomputer(self.backstage, self.limits, self.leases["scheduler"], counters)
        self.tickets = TicketService(self.db, self.clock, self.vault, settings, self.limits, counters)
        self.drafts = DraftService(self.db, self.clock, self.vault, settings, self.tickets)
        self.callbacks = CallbackService(settings)
        self.attachments = AttachmentService(self.db, settings)
        self.exports = ExportService(self.db, self.clock, settings)
        registry = make_registry(settings, self.db, self.vault, self.clock)
        self.certificates = CertificateService(self.db, self.clock, self.vault, registry)
        self.handovers = Handovers(self.db, self.tickets)
        office = f"{settings.city.name}12345政务服务便民热线"
        self.reports = ReportService(self.db, Writer(office, lambda: self.limits.pack).compose)
        self.opendata = OpenDataService(self.db, settings.open_data)
        self.first_releases = FirstReleases(
            self.db, self.people, self.opendata, settings.open_data.prepare_day
        )
        self.cards = CardSweep(self.db, self.limits, self.leases["scheduler"])
        self.supervision = SupervisionService(
            self.tickets, lambda: self.limits.calendar, settings.supervision
        )
        self.quality = QualityService(lambda: self.limits.calendar, settings.quality.appeal_days)
        self.channels = make_channels(settings, self.db, self.vault, self.clock)
        self.messages = MessageService(self.db, self.clock, self.vault, settings, self.channels.sms)
        self.notices = NoticeService(self.db, self.vault, settings, self.channels, self.messages)
        self.intake = Intake(self.drafts, self.callbacks)
        self.callback_desk = CallbackDesk(self.callbacks, self.drafts)
        self.advisor = Advisor(self.backstage, Path(settings.paths.var) / "models")
        labels = CategoryLabels(self.advisor)
        self.advice = AdviceService(self.clock, labels, settings.intermediaries.operator)
        self.submissions = Submissions(self.vault, settings, self.tickets, self.attachments, labels)
        self.citizen_acts = CitizenActs(self.tickets, self.vault)
        self.citizen_channels = channel_making.make(
            settings, self.db, self.clock, self.vault, self.submissions, self.citizen_acts, self.attachments
        )
        if len(self.citizen_channels.service.channels):
            self.messages.reach = self.citizen_channels.sender
        self.code_sign_in = CodeSignIn(
            self.db, self.vault, settings.city.phone_area, self.channels.sms, settings.city.name
        )
        self.telephony = TelephonyService(self.backstage, self.clock, self.vault, self.people, settings)
        self.push = PushCalls(self.telephony.store)
        self.webhooks = Webhooks(
            self.db, self.vault, self.clock, allowed=networks(settings.notify.allowed_networks)
        )
        lease = self.leases["scheduler"]
        self.sms_channel = SmsChannel(self.db, self.vault, self.channels.sms)
        self.chats = ChatService(self.vault, settings, ChatChannels((WebChannel(), self.sms_channel)))
        self.chat_desk = ChatDesk(
            self.db, self.people, settings, self.chats, self.drafts, self.telephony.agents
        )
        desk = self.chat_desk
        self.offering = Offering(self.db, lease, self.chats, settings.text, desk.seats, desk.due)
        self.trials = Trials(self.backstage, lease)
        digest = Digest(self.db, self.people, lease)
        self.advising = Advising(self.backstage, self.advisor, lease)
        self.automatic = Automatic(self.backstage, self.tickets, self.advice, lease)
        self.learning = Learning(self.backstage, lease, settings.classifier)
        self.duties = Duties(self.db, lease, digest, lambda: self.limits.calendar, settings)
        self.recordings = Recordings.of(settings)
        self.waveforms = Waveforms(self.recordings, settings.var / "waveforms")
        self.mailbox = Mailbox(
            self.db,
            self.submissions,
            self.intake,
            self.callbacks,
            self.recordings,
            self.waveforms,
            settings.telephony.voicemail_seconds,
        )
        self.telephony.answering = PhoneStatus(self.backstage, self.vault, settings.city.phone_area).answer
        self.simulator = self._simulator()
        self._wire()

        self.context = WebContext(
            settings=settings,
            clock=self.clock,
            db=self.db,
            vault=self.vault,
            people=self.people,
            tickets=self.tickets,
            drafts=self.drafts,
            callbacks=self.callbacks,
            callback_desk=self.callback_desk,
            chats=self.chats,
            chat_desk=self.chat_desk,
            attachments=self.attachments,
            submissions=self.submissions,
            citizen_acts=self.citizen_acts,
            citizen_channels=self.citizen_channels,
            code_sign_in=self.code_sign_in,
            exports=self.exports,
            reports=self.reports,
            opendata=self.opendata,
            supervision=self.supervision,
            quality=self.quality,
            advice=self.advice,
            advisor=self.advisor,
            certificates=self.certificates,
            telephony=self.telephony,
            agents=self.telephony.agents,
            push=self.push,
            webhooks=self.webhooks,
            outbox=self.outbox,
            tail=self.tail,
            channels=self.channels,
            calendar=lambda: self.limits.calendar,
            recordings=self.recordings,
            waveforms=self.waveforms,
        )
        self.app: web.Application = make_app(self.context)
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._telephony_task: asyncio.Task[None] | None = None
        self.port = 0

    def _database(self, url: str, pool_size: int) -> Database:
        return Database(
            url,
            clock=self.clock,
            bus=self.bus,
            pool_size=pool_size,
            statement_cache=self.settings.database.statement_cache,
            application=f"hotline {self.name}"[:63],
        )

    def _simulator(self) -> Simulator | None:
        wanted = self.settings.telephony.source == "simulator" and "telephony" in self.settings.node.roles
        return Simulator.from_settings(self.settings) if wanted else None

    def _wire(self) -> None:
        """Who hears whom."""
        self.telephony.wire(self.bus)
        self.intake.wire(self.bus)
        self.callback_desk.wire(self.bus)
        self.mailbox.wire(self.bus, self.outbox)
        self.chat_desk.wire(self.bus)
        self.sms_channel.wire(self.outbox)
        self.certificates.wire(self.outbox)
        self.ticker.every(1, "conversations", self._offer_chats, at_once=True)
        self.advice.wire(self.bus)
        acts.register(self.people.proposals)
        sla_acts.register(self.people.proposals)
        self.notices.wire(self.bus, self.outbox)
        self.webhooks.wire(self.bus, self.outbox)
        self.citizen_channels.sender.wire(self.bus, self.outbox)
        self.ticker.cron("50 3 * * *", "channels", self._forget_channels)
        if self.citizen_channels.mail is not None:
            seconds = self.settings.channels.mail.seconds
            self.ticker.every(seconds, "letters", self._read_letters, at_once=True)
        contact_relay.wire(self.bus)
        self.code_sign_in.wire(self.outbox)
        self.bus.within(CitizenForgotten, rights.on_forgotten)
        self.db.log_written = self.backstage.log_written = self.relay.wake
        self.relay.numbered = self.tail.wake
        self.ticker.every(15, "outbox gauges", self._count_outbox)
        self.ticker.every(10, "silent sessions", self._end_silent)
        self.ticker.every(2, "hand-overs", self.handovers.run)
        self.ticker.every(2, "signatures", Signatures(self.db, self.leases["scheduler"]).tick, at_once=True)
        self.ticker.every(15, "clusters", ClusterWatch(self.db, self.leases["scheduler"]).tick)
        self.ticker.every(15, "sweep", self._sweep)
        self.ticker.every(2, "measures", self._fold)
        help_seconds = self.settings.floor.help_seconds
        self.ticker.every(1, "help calls", HelpWatch(self.db, self.leases["scheduler"], help_seconds).tick)
        self.ticker.cron("*/5 8-17 * * *", "duties of the day", self.duties.run)
        self.ticker.every(1, "cards", self.cards.tick, at_once=True)
        self.ticker.every(60, "adopting", self._adopt, at_once=True)
        self.ticker.every(60, "supervision", self._supervise)
        self.ticker.every(2, "clocks counted anew", self._recount)
        self.ticker.every(2, "rules on trial", self.trials.run)
        self.ticker.cron("20 4 * * *", "rules checked", self.trials.nightly)
        self.ticker.cron("30 8 * * *", "calendar check", self._check_calendar)
        self.ticker.cron("40 3 * * *", "retention", self._retention)
        self.ticker.every(3600, "messages upkeep", MessageUpkeep(self.db).sweep)
        self.ticker.every(300, "exports", self._exports)
        self.ticker.every(1800, "portal upkeep", PortalUpkeep(self.db).sweep)
        self.ticker.every(60, "reports", self._reports, at_once=True)
        self.ticker.every(600, "public data", self._open_data, at_once=True)
        if self.settings.mode == "development":
            self.ticker.every(5, "public data of the demo city", self._first_releases)
        self.ticker.cron("20 4 * * *", "attachments", self._attachments)
        self.ticker.every(45, "starter model", self.learning.begin)
        self.ticker.cron("30 2 * * *", "learning", self.learning.night)
        self.ticker.every(5, "advice", self.advising.tick)
        self.ticker.every(5, "automatic dispatch", self.automatic.tick)
        self.ticker.every(10, "names", NameFollower(self.db, self.vault, self.leases["scheduler"]).tick)
        if wanted(self.settings):  # the demo: somebody must do the work of those who are not signed in
            attend = self.simulator.attend if self.simulator else None
            Colleagues(self, self.leases["scheduler"], attend, self.telephony.agents).wire(self.ticker)

    # ---- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the roles of this node; returns when the console answers."""
        roles = self.settings.node.roles
        await self.categories.load()
        self._spawn(self.categories.follow(), "categories")
        await self.in_force.begin()
        self._spawn(self.in_force.follow(), "limits in force")
        self._spawn(self.advisor.follow(), "models")
        await self.citizen_channels.listen()
        if "telephony" in roles:
            await self._start_telephony()
        if "scheduler" in roles:
            self._spawn(self.leases["scheduler"].run(self.ticker.start, self.ticker.stop), "scheduler lease")
            self._spawn(self.relay.run(), "relay")
            self._spawn(self.outbox.run(), "outbox")
        if "web" in roles:
            self._spawn(self.tail.run(), "event tail")
            self._spawn(asyncio.to_thread(features.load), "words")  # before the first agent types
            await self._listen()
        self._spawn(self._watch_leadership(), "leader gauge")

    async def _start_telephony(self) -> None:
        if self.simulator is not None:
            port = await self.simulator.start()
            pbx = Pbx(name=SIMULATED_PBX, port=port, queue_log=self.simulator.queue_log_path)
            self.telephony.use([pbx], {SIMULATED_PBX: self.simulator.secret})
        lease = self.leases["telephony"]
        self._spawn(lease.run(self._lead_telephony, self._leave_telephony, outlasts=True), "phone lease")

    async def _lead_telephony(self) -> None:
        self._telephony_task = asyncio.create_task(
            self.telephony.run(self.leases["telephony"]), name="telephony"
        )
        self._telephony_task.add_done_callback(_report)

    async def _leave_telephony(self) -> None:
        if self._telephony_task is not None:
            await _cancel([self._telephony_task])
            self._telephony_task = None

    async def _listen(self) -> None:
        self._runner = web.AppRunner(self.app, access_log=None, handle_signals=False, shutdown_timeout=2)
        await self._runner.setup()
        http = self.settings.http
        site = web.TCPSite(self._runner, http.host, http.port, backlog=512)
        try:
            await site.start()
        except OSError as error:
            raise HotlineError("port_taken", host=http.host, port=http.port, why=error.strerror) from None
        self.port = self._runner.addresses[0][1]
        self.citizen_channels.point_to(self.port)

    async def stop(self) -> None:
        """End everything in the reverse order; what was committed stays, leases are given back."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self.citizen_channels.stop()
        await self.exports.stop()
        await self._leave_telephony()
        await _cancel(self._tasks)
        self._tasks.clear()
        await self.ticker.stop()
        for lease in self.leases.values():
            await lease.release()
        if self.simulator is not None:
            await self.simulator.stop()
        self.passwords.close()
        self.advisor.close()
        await self.db.close()
        await self.backstage.close()

    # ---- small duties -----------------------------------------------------------------------

    async def _offer_chats(self) -> None:
        await self.offering.tick()
        await self.chat_desk.catch_up()

    async def _sweep(self) -> None:
        await Sweep(self.db, self.tickets, self.settings, self.leases["scheduler"]).run()

    async def _fold(self) -> None:
        await Folding(self.backstage, self.leases["scheduler"]).run()

    async def _adopt(self) -> None:
        await Adopting(self.db, self.limits, self.leases["scheduler"]).run()

    async def _supervise(self) -> None:
        await SupervisionWatch(self.db, self.supervision, self.leases["scheduler"]).run()

    async def _check_calendar(self) -> None:
        await calendar_check.remind(self.db, self.leases["scheduler"])

    async def _recount(self) -> None:
        await self.in_force.load()  # by nothing older than what was ordered
        await self.recomputer.tick()

    async def _count_outbox(self) -> None:
        async with self.db.read() as session:
            await outbox.count_waiting(session)

    async def _end_silent(self) -> None:
        await end_silent(self.backstage)

    async def _retention(self) -> None:
        await retention.sweep(self.db, self.settings.retention)
        days = self.settings.retention.recording_days
        await SoundRetention(self.db, self.leases["scheduler"], self.recordings, days).sweep()
        chat_days = self.settings.retention.chat_days
        await chat_retention.sweep(self.db, self.leases["scheduler"], self.chats, chat_days)
        await asyncio.to_thread(self.waveforms.sweep)
        async with self.db.begin() as uow:
            await self.push.prune(uow)
            await requests.prune(uow)
            await webhooks.prune(uow)

    async def _reports(self) -> None:
        await self.reports.run_due(self.leases["scheduler"])

    async def _open_data(self) -> None:
        if self.settings.mode == "development" and not self.first_releases.done:
            return  # the demo city's own months come first
        await self.opendata.run_due(self.leases["scheduler"])

    async def _first_releases(self) -> None:
        await self.first_releases.run(self.leases["scheduler"])

    async def _exports(self) -> None:
        await self.exports.sweep()

    async def _forget_channels(self) -> None:
        await self.citizen_channels.service.sweep(self.settings.channels.keep_days)

    async def _read_letters(self) -> None:
        if self.citizen_channels.mail is not None:
            await self.citizen_channels.mail.tick()

    async def _attachments(self) -> None:
        await self.attachments.sweep()

    async def _watch_leadership(self) -> None:
        while True:
            for role, lease in self.leases.items():
                metrics.LEADER.labels(role).set(lease.is_leader)
            await asyncio.sleep(1)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_report)
        self._tasks.append(task)


def _report(task: asyncio.Task[None]) -> None:
    """A part of the node that ended by itself is an error that must be seen."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("part of the node died", exc_info=task.exception(), extra={"part": task.get_name()})


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
