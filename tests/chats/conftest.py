"""Conversations over a small city, with seats that tests make ready by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa

from chats import queries
from chats.channels import Channels
from chats.channels.sms import SmsChannel
from chats.channels.web import WebChannel
from chats.models import ChatSession
from chats.offering import Offering, Ready
from chats.service import ChatService
from core.clock import ManualClock
from core.db import UnitOfWork
from core.events import EventBus
from core.outbox import OutboxWorker
from core.people.actor import Actor
from core.settings import Settings
from routing.chat_desk import ChatDesk
from tests.tickets.conftest import City, Refused, city, refused
from tickets.models import table_of

__all__ = ["Refused", "city", "refused"]
_chat = table_of(ChatSession)


class Lease:
    async def fence(self, uow: UnitOfWork) -> None:
        return None


@dataclass
class Room:
    """The services of the conversations, and who is ready."""

    city: City
    chats: ChatService
    desk: ChatDesk
    sms: SmsChannel
    clock: ManualClock
    ready: dict[str, datetime]
    outbox: OutboxWorker

    def actor(self, who: str = "agent") -> Actor:
        return self.city.actors[who]

    async def opened(self, phone: str | None = None) -> tuple[int, str]:
        async with self.city.db.begin() as uow:
            made = await self.chats.open_web(uow, phone=phone)
        return made.id, made.token

    async def says(self, token: str, text: str, key: str = "k1") -> None:
        async with self.city.db.begin() as uow:
            await self.chats.say_citizen(uow, token, text, key)

    async def take(self, chat_id: int, who: str = "agent") -> int:
        async with self.city.db.begin() as uow:
            return await self.desk.take(uow, self.actor(who), chat_id)

    async def answers(self, chat_id: int, text: str, who: str = "agent", key: str = "a1") -> None:
        async with self.city.db.begin() as uow:
            await self.chats.say_agent(uow, self.actor(who), chat_id, text, key)

    async def row(self, chat_id: int) -> Any:
        async with self.city.db.read() as session:
            return (await session.execute(sa.select(_chat).where(_chat.c.id == chat_id))).one()

    async def said(self, chat_id: int) -> list[tuple[str, str]]:
        async with self.city.db.read() as session:
            lines = await queries.transcript(session, self.city.vault, chat_id)
        return [(line.sender, line.text) for line in lines]

    async def seats(self, _session: Any) -> list[Ready]:
        return [Ready(self.city.user(who), since) for who, since in self.ready.items()]

    def is_ready(self, who: str) -> None:
        self.ready[who] = self.clock.now()

    def offering(self) -> Offering:
        settings = self.city.settings.text
        return Offering(self.city.db, cast(Any, Lease()), self.chats, settings, self.seats, self.desk.due)

    async def tick(self) -> int:
        return await self.offering().tick()


@pytest.fixture
async def room(city: City, bus: EventBus, settings: Settings, clock: ManualClock) -> Room:
    sms = SmsChannel(city.db, city.vault, None)
    chats = ChatService(city.vault, settings, Channels((WebChannel(), sms)))
    desk = ChatDesk(city.db, city.people, settings, chats, city.drafts, None)
    desk.wire(bus)
    worker = OutboxWorker(city.db, settings.outbox)
    sms.wire(worker)
    return Room(city, chats, desk, sms, clock, {}, worker)
