"""Text messages of a conversation: ours go out through the outbox and the SMS port, theirs come in signed.

A gateway's adapter posts `{"id", "from", "text"}` with the headers our own webhooks carry; the signature
covers time, id and body, an old one is refused, and the id makes a repetition the same message.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from chats.models import ChatMessage, ChatSession, table_of
from core import outbox
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.notify.ports import Sms, SmsPort
from core.notify.webhook import signature
from core.privacy import Vault

KIND = "chat.sms"
OLDEST = 300.0  # seconds between the signature and its arrival
LONGEST_KEY = 64
_chat = table_of(ChatSession)
_message = table_of(ChatMessage)


class SmsChannel:
    """Sends what agents write to the number that wrote first."""

    name = "sms"

    def __init__(self, db: Database, vault: Vault, port: SmsPort | None) -> None:
        self._db = db
        self._vault = vault
        self._port = port

    def wire(self, worker: outbox.OutboxWorker) -> None:
        """Let the outbox send through this channel."""
        worker.register(KIND, self.deliver)

    async def hand_over(self, uow: UnitOfWork, chat_id: int, key: str) -> None:
        dedup = f"{KIND}:{chat_id}:{key}"
        await outbox.enqueue(uow, kind=KIND, dedup=dedup, payload={"chat": chat_id, "key": key})

    async def deliver(self, message: outbox.OutboxMessage) -> None:
        """Send one message; nothing without a gateway, nor to who was forgotten. Raises `DeliveryFailed`."""
        if self._port is None:
            return
        async with self._db.read() as session:
            query = sa.select(_message.c.body_ref, _chat.c.phone_ref).join(
                _chat, _chat.c.id == _message.c.session_id
            )
            query = query.where(
                _chat.c.id == message.payload["chat"], _message.c.key == message.payload["key"]
            )
            row = (await session.execute(query)).first()
            if row is None or row.phone_ref is None:
                return
            found = await self._vault.plain(session, [row.body_ref, row.phone_ref])
        if len(found) == 2:
            await self._port.send(Sms(message.dedup, found[row.phone_ref], found[row.body_ref]))


@dataclass(frozen=True)
class Incoming:
    """A text message as the gateway posts it."""

    key: str
    number: str
    text: str

    def __repr__(self) -> str:  # number and text stay out of logs and tracebacks
        return f"Incoming(key={self.key!r})"


def checked(secret: str, now: datetime, *, timestamp: str, key: str, given: str, body: bytes) -> Incoming:
    """The message, once its signature is right and young. Raises `gateway_refused`, `bad_request`."""
    expected = signature(secret, timestamp, key, body)
    known = bool(secret) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
    try:
        age = abs(now.timestamp() - int(timestamp)) if timestamp.isascii() else OLDEST + 1
    except ValueError:
        age = OLDEST + 1
    if not known or age > OLDEST:
        raise HotlineError("gateway_refused")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise HotlineError("bad_request") from None
    if not isinstance(data, dict) or set(data) != {"id", "from", "text"}:
        raise HotlineError("bad_request")
    values = (data["id"], data["from"], data["text"])
    if not all(isinstance(value, str) for value in values) or data["id"] != key:
        raise HotlineError("bad_request")
    if not 0 < len(key) <= LONGEST_KEY:
        raise HotlineError("bad_request")
    return Incoming(*values)
