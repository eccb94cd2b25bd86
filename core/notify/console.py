"""The double of the text message port: keeps what a gateway would have sent, sealed, for developers.

It exists in development only; a production node without a gateway sends nothing and says so.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.db import Database
from core.notify.models import ConsoleMessage
from core.notify.ports import Sms
from core.privacy import Vault, mask_phone

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """A message as the double took it; the number is masked."""

    key: str
    at: datetime
    to: str
    text: str


class ConsoleSms:
    """Takes every message; the same key twice is one message, as a good gateway would have it."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def send(self, message: Sms) -> None:
        data = json.dumps({"to": message.to, "text": message.text}).encode()
        values = {"message_key": message.key, "sealed": self._vault.seal(data, aad=_aad(message.key))}
        async with self._db.begin() as uow:
            statement = insert(ConsoleMessage).values(**values, at=uow.now)
            await uow.session.execute(
                statement.on_conflict_do_nothing(index_elements=[col(ConsoleMessage.message_key)])
            )
        logger.info("text message kept by the console double", extra={"key": message.key})

    async def read(self, session: AsyncSession, keys: list[str]) -> dict[str, Kept]:
        """What was taken under these keys."""
        query = select(ConsoleMessage).where(col(ConsoleMessage.message_key).in_(keys))
        found = (await session.execute(query)).scalars()
        return {row.message_key: self._open(row) for row in found}

    def _open(self, row: ConsoleMessage) -> Kept:
        data = json.loads(self._vault.unseal(row.sealed, aad=_aad(row.message_key)))
        return Kept(row.message_key, row.at, mask_phone(data["to"]), data["text"])


def _aad(key: str) -> str:
    return f"console_message:sealed:{key}"
