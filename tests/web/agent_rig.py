"""A console with working ticket services and a telephone floor that tests move by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.events import EventBus
from core.people.permissions import Role
from routing.callback_desk import CallbackDesk
from routing.intake import Intake
from telephony.events import CallAbandoned, CallAnswered, CallEnded, CallRinging, CallRingStopped
from telephony.models import CallLeg, CallSession
from tests.web.conftest import PASSWORD, SYSTEM, Answer, Browser, Console
from tickets.callbacks import CallbackService
from tickets.drafts import DraftService
from tickets.models import Category, table_of
from web.context import WebContext

_call = table_of(CallSession)
_leg = table_of(CallLeg)
HX = {"HX-Request": "true"}
AGENTS = {"a1001": ("韦晓兰", "1001"), "a1002": ("莫志强", "1002")}
MOBILE = "13812341234"


@pytest.fixture
def ctx(ctx: WebContext, bus: EventBus) -> WebContext:
    """The context of tests/web with the ticket services put in and calls making drafts."""
    drafts = DraftService(ctx.db, ctx.clock, ctx.vault, ctx.settings, ctx.tickets)
    callbacks = CallbackService(ctx.settings)
    Intake(drafts, callbacks).wire(bus)
    desk = CallbackDesk(callbacks, drafts)
    desk.wire(bus)
    tickets = ctx.tickets
    return replace(ctx, tickets=tickets, drafts=drafts, callbacks=callbacks, callback_desk=desk)


@pytest.fixture
async def floor(console: Console) -> Floor:
    """Two agents with telephones and one category."""
    made = Floor(console, console.ctx)
    async with made.ctx.db.begin() as uow:
        for login, (name, extension) in AGENTS.items():
            made.users[login] = await made.ctx.people.create_user(
                uow,
                SYSTEM,
                login=login,
                name=name,
                password=PASSWORD,
                unit_id=console.units["hotline"],
                roles=frozenset({Role.AGENT}),
                extension=extension,
            )
        category = Category(
            level=1, code="01", name="路灯不亮", full_name="市容环境 / 路灯不亮", initials="ldbl", path="."
        )
        uow.session.add(category)
        await uow.session.flush()
        made.category = str(category.id)
    return made


@dataclass
class Call:
    """A call that a test moves along."""

    id: int
    login: str
    caller_ref: int | None


class Floor:
    """What telephony would write and tell, written and told by hand."""

    def __init__(self, console: Console, ctx: WebContext) -> None:
        self.console, self.ctx = console, ctx
        self.users: dict[str, int] = {}
        self.category = ""
        self._made = 0

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.ctx.clock, ManualClock)
        return self.ctx.clock

    async def _session(self, uow: Any, number: str | None, **values: Any) -> tuple[int, int | None]:
        self._made += 1
        ref = (await self.ctx.vault.put(uow, "phone", number)).id if number else None
        base = {
            "pbx": "pbx1", "session_key": f"k{self._made}", "direction": "inbound", "caller_ref": ref,
            "caller_kind": "mobile" if number else "anonymous", "queues": ["综合"], "transfers": [],
            "linkedids": [], "started_at": uow.now, "queued_at": uow.now, "version": 1,
        }  # fmt: skip
        statement = sa.insert(_call).values(**(base | values)).returning(_call.c.id)
        return int((await uow.session.execute(statement)).scalar_one()), ref

    async def ring(self, login: str = "a1001", number: str | None = MOBILE) -> Call:
        """A citizen's call rings at this agent's telephone."""
        extension, user = AGENTS[login][1], self.users[login]
        async with self.ctx.db.begin() as uow:
            session_id, ref = await self._session(uow, number, state="ringing")
            leg = {
                "session_id": session_id, "leg_key": extension, "extension": extension, "user_id": user,
                "state": "ringing", "ring_seconds": 0, "talk_seconds": 0, "hold_seconds": 0,
                "rang_at": uow.now,
            }  # fmt: skip
            await uow.session.execute(sa.insert(_leg).values(**leg))
            await uow.emit(CallRinging(session_id, "pbx1", extension, user, "综合", 1))
        return Call(session_id, login, ref)

    async def answer(self, call: Call) -> None:
        """The agent picks up."""
        extension, user = AGENTS[call.login][1], self.users[call.login]
        async with self.ctx.db.begin() as uow:
            talking = {"state": "talking", "answered_at": uow.now}
            await uow.session.execute(
                sa.update(_call).where(_call.c.id == call.id).values(**talking, first_extension=extension)
            )
            await uow.session.execute(sa.update(_leg).where(_leg.c.session_id == call.id).values(**talking))
            await uow.emit(CallRingStopped(call.id, extension, user))
            await uow.emit(CallAnswered(call.id, "pbx1", extension, user, call.caller_ref, 2))

    async def end(self, call: Call, outcome: str = "answered") -> None:
        """Somebody hangs up."""
        async with self.ctx.db.begin() as uow:
            ended = {"state": "ended", "ended_at": uow.now}
            await uow.session.execute(
                sa.update(_call).where(_call.c.id == call.id).values(**ended, outcome=outcome)
            )
            await uow.session.execute(
                sa.update(_leg).where(_leg.c.session_id == call.id).values(**ended, ended_by="citizen")
            )
            await uow.emit(CallRingStopped(call.id, AGENTS[call.login][1], self.users[call.login]))
            await uow.emit(CallEnded(call.id, outcome, (self.users[call.login],), 3))

    async def answered(self, login: str = "a1001", number: str | None = MOBILE) -> int:
        """A call that this agent has picked up; returns its draft."""
        call = await self.ring(login, number)
        await self.answer(call)
        return int(await self.scalar("SELECT id FROM ticket_draft WHERE call_session_id = :id", id=call.id))

    async def abandon(self, number: str = MOBILE, *, minutes_ago: int = 0) -> int:
        """A caller hung up while waiting; returns the call."""
        async with self.ctx.db.begin() as uow:
            at = uow.now - timedelta(minutes=minutes_ago)
            times = {"started_at": at, "queued_at": at, "ended_at": at, "wait_seconds": 30}
            session_id, ref = await self._session(uow, number, state="ended", outcome="abandoned", **times)
            await uow.emit(CallAbandoned(session_id, ref, at.isoformat()))
        return session_id

    async def scalar(self, statement: str, **values: Any) -> Any:
        """One value out of the database."""
        async with self.ctx.db.read() as session:
            return (await session.execute(sa.text(statement), values)).scalar_one_or_none()

    def form(self, **over: Any) -> dict[str, Any]:
        """A complete form as the page posts it."""
        return {
            "version": 1, "type": "help", "urgency": "normal", "confidentiality": "public",
            "channel": "phone", "category_id": self.category, "title": "中山中路路灯不亮",
            "narrative": "中山中路一带路灯连续三晚不亮。", "wants_reply": "true",
        } | over  # fmt: skip


async def hx_post(browser: Browser, path: str, data: dict[str, Any]) -> Answer:
    """Post as the page's own script does."""
    return await browser.post(path, {key: str(value) for key, value in data.items()}, headers=HX)


def plain(html: str) -> str:
    """What a person reads of a page: no tags, blanks folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


__all__ = ["HX", "SYSTEM", "Floor", "ctx", "floor", "hx_post", "plain"]
