"""A console on the services of a fresh database, and browsers without a screen to call it with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from chats.channels import Channels
from chats.channels.sms import SmsChannel
from chats.channels.web import WebChannel
from chats.service import ChatService
from core.clock import ManualClock
from core.db import Database
from core.event_log import EventTail
from core.outbox import OutboxWorker
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from routing.advice import AdviceService
from routing.callback_desk import CallbackDesk
from routing.channels import making as channel_making
from routing.chat_desk import ChatDesk
from routing.submissions import Submissions
from sla import acts as sla_acts
from sla import calendar_service, pack_service
from sla.measures import recount
from sla.measures.counters import Counters
from sla.opendata.service import OpenDataService
from sla.packs import shipped_pack
from sla.plain import CityLimits
from sla.reports.content import Writer
from sla.reports.service import ReportService
from sla.sources import shipped_calendar
from sla.supervision.service import SupervisionService
from telephony.agents.service import AgentService
from telephony.recordings import Recordings
from telephony.waveforms import Waveforms
from tickets import acts
from tickets.attachments.service import AttachmentService
from tickets.callbacks import CallbackService
from tickets.certificates.embedded import EmbeddedRegistry
from tickets.certificates.service import CertificateService
from tickets.drafts import DraftService
from tickets.export.service import ExportService
from tickets.forms import parse_form
from tickets.models import Category
from tickets.public.acts import CitizenActs
from tickets.public.sign_in import CodeSignIn
from tickets.service import NewTicket, TicketService
from web.app import make_app
from web.context import WebContext

PASSWORD = "Correct-Horse-9"
SYSTEM = Actor.system("tests")


class Browser:
    """A client that behaves as a browser on our own pages: cookies, Origin, Accept."""

    def __init__(self, session: ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    def _headers(self, extra: dict[str, str] | None) -> dict[str, str]:
        own = {"Accept": "text/html", "Origin": self.base}
        return {**own, **(extra or {})}

    async def get(self, path: str, *, headers: dict[str, str] | None = None, follow: bool = False) -> Answer:
        """GET a page; redirects are shown, not followed, unless asked for."""
        async with self.session.get(
            self.base + path, headers=self._headers(headers), allow_redirects=follow
        ) as got:
            return await Answer.of(got)

    async def post(
        self, path: str, data: Any = None, *, headers: dict[str, str] | None = None, follow: bool = False
    ) -> Answer:
        """POST a form as one of our pages would."""
        sent = self.session.post(
            self.base + path, data=data or {}, headers=self._headers(headers), allow_redirects=follow
        )
        async with sent as got:
            return await Answer.of(got)

    async def piece(self, name: str) -> str:
        """A piece of the telephone as a page is sent it; empty when it is not for this person."""
        answer = await self.get(f"/seat/pieces?have={name}", headers={"HX-Request": "true"})
        assert answer.status == 200, answer.text
        found: dict[str, dict[str, str]] = json.loads(answer.text)["pieces"]
        return found[name]["html"] if name in found else ""

    async def sign_in(self, login: str, password: str = PASSWORD, **extra: str) -> Answer:
        """Sign in through the form."""
        return await self.post("/login", {"login": login, "password": password, **extra})


@dataclass(frozen=True)
class Answer:
    """A response that has been read."""

    status: int
    text: str
    headers: Any
    set_cookies: list[str]

    @staticmethod
    async def of(got: ClientResponse) -> Answer:
        return Answer(
            got.status, await got.text(errors="replace"), got.headers, got.headers.getall("Set-Cookie", [])
        )


@dataclass
class Console:
    """A running console and what the tests need of its inside."""

    base: str
    ctx: WebContext
    units: dict[str, int]
    users: dict[str, int]
    sessions: list[ClientSession]
    server: TestServer

    def browser(self) -> Browser:
        """A new browser with an empty cookie jar."""
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.sessions.append(session)
        return Browser(session, self.base)

    async def counted(self) -> None:
        """Nothing of the past is left to be counted: reports can be made."""
        async with self.ctx.db.begin() as uow:
            while await recount.step(uow):
                pass

    async def category(self) -> int:
        """The id of a category, made when there is none yet."""
        async with self.ctx.db.begin() as uow:
            found = (await uow.session.execute(select(Category))).scalars().first()
            if found is None:
                found = Category(
                    level=1, code="light", name="照明", full_name="市容 / 照明", initials="zm", path=".1."
                )
                uow.session.add(found)
                await uow.session.flush()
            assert found.id is not None
            return found.id

    async def ticket(self, unit: str | None = None, **form: Any) -> NewTicket:
        """A ticket made by the agent; with `unit`, dispatched to that unit."""
        raw = {
            "type": "help",
            "category_id": await self.category(),
            "title": "路灯不亮",
            "narrative": "晚上路口的路灯一直不亮",
            "citizen_name": "王小明",
            "phone": "13800001234",
            **form,
        }
        people, tickets = self.ctx.people, self.ctx.tickets
        async with self.ctx.db.begin() as uow:
            agent = await people.actor_for_user(uow.session, self.users["agent"])
            boss = await people.actor_for_user(uow.session, self.users["dispatcher"])
            assert agent is not None
            assert boss is not None
            made = await tickets.create(uow, agent, parse_form(raw, now=uow.now, phone_area="0773"))
            if unit is not None:
                await tickets.dispatch(uow, boss, made.id, made.version, self.units[unit])
        return made

    async def signed_in(self, login: str) -> Browser:
        """A browser in which `login` has signed in."""
        browser = self.browser()
        answer = await browser.sign_in(login)
        assert answer.status == 303, answer.text[-600:]
        return browser


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    """Settings of the console under test; a module may override them."""
    return settings


async def _seed(ctx: WebContext) -> tuple[dict[str, int], dict[str, int]]:
    units: dict[str, int] = {}
    users: dict[str, int] = {}
    async with ctx.db.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="c")
        for kind, code, name in (
            ("hotline", "hotline", "12345 热线中心"),
            ("bureau", "water", "市水利局"),
            ("bureau", "road", "市住建局"),
            ("district", "east", "七星区"),
        ):
            unit = await org.create_unit(uow, SYSTEM, kind=kind, name=name, code=code, parent=city)
            units[code] = unit.id
            if code == "east":
                town = await org.create_unit(
                    uow, SYSTEM, kind="town", name="东江街道", code="town", parent=unit
                )
                units["town"] = town.id
        for role in Role:
            home = "water" if role in (Role.DEPT_OFFICER, Role.DEPT_HEAD) else "hotline"
            users[role.value] = await _user(ctx, uow, role.value, units[home], frozenset({role}))
        for login, unit_code in (
            ("road_officer", "road"),
            ("east_officer", "east"),
            ("town_officer", "town"),
        ):
            users[login] = await _user(ctx, uow, login, units[unit_code], frozenset({Role.DEPT_OFFICER}))
        users["nobody"] = await _user(ctx, uow, "nobody", units["hotline"], frozenset())
    return units, users


async def _user(ctx: WebContext, uow: Any, login: str, unit_id: int, roles: frozenset[Role]) -> int:
    return await ctx.people.create_user(
        uow, SYSTEM, login=login, name=f"张{login}", password=PASSWORD, unit_id=unit_id, roles=roles
    )


@pytest.fixture
async def ctx(
    database: Database,
    clock: ManualClock,
    web_settings: Settings,
    vault: Vault,
    people: PeopleService,
) -> WebContext:
    """The services the console stands on."""
    tail = EventTail(database, poll_seconds=0.02)
    acts.register(people.proposals)
    sla_acts.register(people.proposals)
    async with database.begin() as uow:
        await calendar_service.seed(uow, web_settings.city)
        await pack_service.seed(uow, web_settings.sla.pack)
    tickets = TicketService(database, clock, vault, web_settings, CityLimits(), Counters())
    advice = AdviceService(clock, operator="water")
    registry = EmbeddedRegistry(database, vault)
    advice.wire(database.bus)
    drafts = DraftService(database, clock, vault, web_settings, tickets)
    callbacks = CallbackService(web_settings)
    recordings = Recordings.of(web_settings)
    chats = ChatService(vault, web_settings, Channels((WebChannel(), SmsChannel(database, vault, None))))
    chat_desk = ChatDesk(database, people, web_settings, chats, drafts, None)
    chat_desk.wire(database.bus)
    attachments = AttachmentService(database, web_settings)
    submissions = Submissions(vault, web_settings, tickets, attachments)
    citizen_acts = CitizenActs(tickets, vault)
    return WebContext(
        settings=web_settings,
        clock=clock,
        db=database,
        vault=vault,
        people=people,
        tickets=tickets,
        drafts=drafts,
        callbacks=callbacks,
        callback_desk=CallbackDesk(callbacks, drafts),
        chats=chats,
        chat_desk=chat_desk,
        attachments=attachments,
        submissions=submissions,
        citizen_acts=citizen_acts,
        citizen_channels=channel_making.make(
            web_settings, database, clock, vault, submissions, citizen_acts, attachments
        ),
        code_sign_in=CodeSignIn(database, vault, "0773", None, "桂林"),
        exports=ExportService(database, clock, web_settings),
        reports=ReportService(database, Writer("桂林12345热线", shipped_pack).compose),
        opendata=OpenDataService(database, web_settings.open_data),
        supervision=SupervisionService(tickets, shipped_calendar, web_settings.supervision),
        advice=advice,
        telephony=cast(Any, None),  # no page of these tests commands a telephone
        agents=AgentService(web_settings),
        certificates=CertificateService(database, clock, vault, registry),
        outbox=OutboxWorker(database, web_settings.outbox),
        tail=tail,
        recordings=recordings,
        waveforms=Waveforms(recordings, web_settings.var / "waveforms"),
    )


@pytest.fixture
async def console(ctx: WebContext) -> AsyncIterator[Console]:
    """A console on a free port with one account per role (login = role), all with the same password."""
    units, users = await _seed(ctx)
    server = TestServer(make_app(ctx))
    await server.start_server()
    running = Console(str(server.make_url("")).rstrip("/"), ctx, units, users, [], server)
    yield running
    for session in running.sessions:
        await session.close()
    await server.close()
