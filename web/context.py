"""What a request can reach: the services of this node, the person behind the request, the page frame.

A view takes everything from here; nothing in `web` builds a service of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from core.clock import Clock
from core.db import Database
from core.errors import HotlineError
from core.event_log import EventTail
from core.notify.channels import Channels
from core.outbox import OutboxWorker
from core.people.actor import Actor
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from sla.calendar import Calendar
from sla.inspection.service import InspectionService
from sla.quality.service import QualityService
from sla.sources import shipped_calendar
from telephony.recordings import Recordings
from telephony.waveforms import Waveforms

if TYPE_CHECKING:  # the services know nothing of the web; the web only names their types
    from chats.service import ChatService
    from classifier.advisor import Advisor
    from routing.advice import AdviceService
    from routing.callback_desk import CallbackDesk
    from routing.channels.making import CitizenChannels
    from routing.chat_desk import ChatDesk
    from routing.submissions import Submissions
    from sla.opendata.service import OpenDataService
    from sla.reports.service import ReportService
    from sla.supervision.service import SupervisionService
    from telephony.agents.service import AgentService
    from telephony.push.service import PushCalls
    from telephony.service import TelephonyService
    from tickets.attachments.service import AttachmentService
    from tickets.callbacks import CallbackService
    from tickets.certificates.service import CertificateService
    from tickets.drafts import DraftService
    from tickets.exchange.webhooks import Webhooks
    from tickets.export.service import ExportService
    from tickets.public.acts import CitizenActs
    from tickets.public.sign_in import CodeSignIn
    from tickets.service import TicketService


@dataclass(frozen=True)
class WebContext:
    """The services of one node, built by hand in node/."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault
    people: PeopleService
    tickets: TicketService
    drafts: DraftService
    callbacks: CallbackService
    callback_desk: CallbackDesk
    chats: ChatService
    chat_desk: ChatDesk
    attachments: AttachmentService
    submissions: Submissions
    citizen_acts: CitizenActs
    code_sign_in: CodeSignIn
    exports: ExportService
    reports: ReportService
    opendata: OpenDataService
    supervision: SupervisionService
    advice: AdviceService
    telephony: TelephonyService
    outbox: OutboxWorker
    tail: EventTail
    channels: Channels = field(default_factory=Channels)  # none of them: nobody outside is reached
    calendar: Callable[[], Calendar] = shipped_calendar  # the one limits are counted by
    advisor: Advisor | None = None  # nobody is advised
    waveforms: Waveforms = field(default_factory=lambda: Waveforms(Recordings(), Path("var/waveforms")))
    inspection: InspectionService = field(default_factory=InspectionService)
    quality: QualityService = field(default_factory=lambda: QualityService(shipped_calendar, 5))
    citizen_channels: CitizenChannels | None = None  # nobody writes to us
    certificates: CertificateService | None = None  # nothing is verified
    agents: AgentService | None = None  # nobody signs in at a telephone
    push: PushCalls | None = None  # no PBX pushes its calls
    webhooks: Webhooks | None = None  # no other system is told of tickets
    recordings: Recordings = field(default_factory=Recordings)  # no folder: nothing can be listened to

    @property
    def secure(self) -> bool:
        """True when people reach this node through https: cookies are `__Host-`, HSTS is sent."""
        return self.settings.http.public_url.startswith("https://")


CTX = web.AppKey("ctx", WebContext)
ACTOR = web.RequestKey("actor", Actor)
TOKEN = web.RequestKey("session_token", str)
REQUEST_ID = web.RequestKey("request_id", str)
SOURCE = web.RequestKey("source", str)


def context(request: web.Request) -> WebContext:
    """The services of this node."""
    return request.app[CTX]


def agents_of(request: web.Request) -> AgentService:
    """Agents' states. Raises HotlineError `no_pbx` on a node without telephony."""
    found = context(request).agents
    if found is None:
        raise HotlineError("no_pbx")
    return found


def certificates_of(request: web.Request) -> CertificateService:
    """Certificate checks. Raises HotlineError `no_registry` where nobody wired them."""
    found = context(request).certificates
    if found is None:
        raise HotlineError("no_registry")
    return found


def optional_actor(request: web.Request) -> Actor | None:
    """The person behind the request, or None on public pages before login."""
    return request.get(ACTOR)


def actor(request: web.Request) -> Actor:
    """The signed-in person. Raises HotlineError `login_required`."""
    found = optional_actor(request)
    if found is None:
        raise HotlineError("login_required")
    return found


def wants_fragment(request: web.Request) -> bool:
    """True when htmx asks for a piece of a page and not for a whole one."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


FramePart = Callable[[web.Request], Awaitable[dict[str, Any]]]


@dataclass
class Frame:
    """What other rooms put into the frame of every full page, such as the tab bar."""

    parts: list[FramePart] = field(default_factory=list)

    async def collect(self, request: web.Request) -> dict[str, Any]:
        """The template variables of all parts; only for signed-in people."""
        found: dict[str, Any] = {}
        if request.get(ACTOR) is not None:
            for part in self.parts:
                found.update(await part(request))
        return found


FRAME = web.AppKey("frame", Frame)
