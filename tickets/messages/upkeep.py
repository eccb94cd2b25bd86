"""Forgets what the messages' tables need not keep: old notices, the double's texts, tries at query codes."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from core.db import Database
from core.notify import staff
from core.notify.models import ConsoleMessage
from tickets import query_codes

NOTICE_DAYS = 180
CONSOLE_DAYS = 7
TRY_DAYS = 2


class MessageUpkeep:
    """A tick of the leader."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def sweep(self) -> None:
        """Delete what is past its time."""
        async with self._db.begin() as uow:
            await staff.prune(uow, uow.now - timedelta(days=NOTICE_DAYS))
            await query_codes.prune(uow, uow.now - timedelta(days=TRY_DAYS))
            old = uow.now - timedelta(days=CONSOLE_DAYS)
            await uow.session.execute(sa.delete(ConsoleMessage).where(col(ConsoleMessage.at) < old))
