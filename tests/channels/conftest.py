"""A console whose channels are on, a WeChat of our own that talks to it, and citizens who write."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.notify.channels import make_channels
from core.outbox import OutboxRow, OutboxWorker
from routing.channels.making import CitizenChannels
from routing.channels.wechat_double import Bubble, WechatDouble
from tests.web.conftest import Console, console, ctx, web_settings
from tickets.messages.service import MessageService
from tickets.notices import NoticeService

__all__ = ["console", "ctx", "web_settings"]
ANNA = "openid-anna"


@dataclass
class Rig:
    """The channels, their outbox, and the people at the other end."""

    console: Console
    channels: CitizenChannels
    messages: MessageService
    worker: OutboxWorker
    clock: ManualClock

    @property
    def wechat(self) -> WechatDouble:
        assert self.channels.double is not None
        return self.channels.double

    async def says(self, text: str, person: str = ANNA) -> str:
        """What a citizen writes on WeChat; returns what is answered."""
        status, words = await self.wechat.say(person, text)
        assert status == 200
        return words

    async def sent(self) -> None:
        """Everything in the outbox went out."""
        while await self.worker.send_due():
            pass

    def seen(self, person: str = ANNA) -> list[Bubble]:
        return self.wechat.shown[person]

    async def scalar(self, statement: str, **values: Any) -> Any:
        async with self.console.ctx.db.read() as session:
            return (await session.execute(sa.text(statement), values)).scalar_one()

    async def tickets(self) -> int:
        return int(await self.scalar("SELECT count(*) FROM ticket"))

    async def waiting(self, kind: str) -> int:
        async with self.console.ctx.db.read() as session:
            query = sa.select(sa.func.count()).select_from(OutboxRow)
            open_rows = query.where(OutboxRow.kind == kind, OutboxRow.done_at.is_(None))  # type: ignore[arg-type, union-attr]  # columns
            return int((await session.execute(open_rows)).scalar_one())

    async def ticket(self) -> Any:
        """The newest ticket."""
        async with self.console.ctx.db.read() as session:
            return (await session.execute(sa.text("SELECT * FROM ticket ORDER BY id DESC LIMIT 1"))).one()

    async def submitted(self, person: str = ANNA, what: str = "中山路路灯三晚不亮，走路看不见") -> Any:
        """A whole dialogue, as short as it can be."""
        for words in (what, "秀峰区中山中路12号", "好了", "张先生 13800000001", "确认"):
            await self.says(words, person)
        return await self.ticket()


@pytest.fixture
async def rig(console: Console, clock: ManualClock) -> AsyncIterator[Rig]:
    found, context = console.ctx.citizen_channels, console.ctx
    assert found is not None
    await console.category()
    await found.listen()
    found.point_to(int(console.base.rpartition(":")[2]))
    outside = make_channels(context.settings, context.db, context.vault, clock)
    messages = MessageService(context.db, clock, context.vault, context.settings, outside.sms)
    messages.reach = found.sender
    notices = NoticeService(context.db, context.vault, context.settings, outside, messages)
    notices.wire(context.db.bus, context.outbox)
    found.sender.wire(context.db.bus, context.outbox)
    yield Rig(console, found, messages, context.outbox, clock)
    await found.stop()
