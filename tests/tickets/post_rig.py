"""A city whose tickets' events are heard: messages go to a gateway of the test, notices are written."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from core.clock import ManualClock
from core.notify.channels import Channels
from core.notify.ports import DeliveryFailed, Mail, Sms
from core.outbox import OutboxWorker
from core.settings import Outbox
from tests.tickets.conftest import City
from tickets import relay
from tickets.messages.service import MessageService
from tickets.notices import NoticeService
from tickets.states import Action


@dataclass
class Gateway:
    """Takes text messages, e-mails and posts; refuses while `down`."""

    sent: list[Sms] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    def check(self) -> None:
        if self.down:
            raise DeliveryFailed("unreachable")

    async def send(self, message: Sms) -> None:
        self.check()
        self.sent.append(message)

    async def post(self, key: str, body: dict[str, Any]) -> None:
        self.check()
        self.posts.append(body | {"key": key})


class MailBox:
    """The e-mail side of the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def send(self, message: Mail) -> None:
        self.gateway.check()
        self.gateway.mails.append(message)


class Post:
    """The city, its gateway, and the outbox between them."""

    def __init__(self, city: City, clock: ManualClock, *, sms: bool = True) -> None:
        self.city = city
        self.clock = clock
        self.gateway = Gateway()
        channels = Channels(self.gateway if sms else None, MailBox(self.gateway), self.gateway)
        self.outbox = OutboxWorker(city.db, Outbox(max_attempts=2, backoff_seconds=1))
        self.messages = MessageService(city.db, clock, city.vault, city.settings, channels.sms)
        self.notices = NoticeService(city.db, city.vault, city.settings, channels, self.messages)
        self.notices.wire(city.db.bus, self.outbox)
        relay.wire(city.db.bus)

    async def deliver(self) -> list[str]:
        """Send everything that is due; returns the texts that went out now."""
        before = len(self.gateway.sent)
        while await self.outbox.send_due():
            pass
        return [message.text for message in self.gateway.sent[before:]]

    async def act(self, who: str, ticket_id: int, action: Action, **data: Any) -> int:
        """Do `action` as seen in the present version."""
        version = await self.city.scalar("SELECT version FROM ticket WHERE id = :id", id=ticket_id)
        async with self.city.db.begin() as uow:
            return await self.city.tickets.act(uow, self.city.actors[who], ticket_id, version, action, data)

    async def closed(self, ticket_id: int, reply: str) -> None:
        """The unit "lights" signs, reaches the citizen and closes with `reply`."""
        await self.act("lights", ticket_id, Action.SIGN)
        await self.act("lights", ticket_id, Action.CONTACT, means="phone", result="reached", note="已联系")
        await self.act("lights", ticket_id, Action.CLOSE, handling="已处理", public_reply=reply, solved=True)

    async def log(self) -> list[tuple[str, str, str | None]]:
        """(event, state, reason) of every message, oldest first."""
        query = sa.text("SELECT event, state, reason FROM citizen_message ORDER BY id")
        async with self.city.db.read() as session:
            return [tuple(row) for row in await session.execute(query)]
