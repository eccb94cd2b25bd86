"""Files that came with a form which was refused: they wait for it, so that nobody chooses them twice.

Whoever has the form's key has the files. A form that never comes leaves files without a row of a ticket;
the upkeep of attachments takes them away a day later.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from tickets.attachments.service import Prepared
from tickets.models import table_of
from tickets.public.models import WaitingFile
from tickets.public.sessions import token_hash

_file = table_of(WaitingFile)
MOST = 9
HOURS = 12  # well before the upkeep of attachments looks for files without a row


async def keep(uow: UnitOfWork, key: str, files: list[Prepared]) -> None:
    """Let `files` wait for the form of `key`."""
    form = token_hash(key)
    await uow.put(_file, *({"form": form, "file": one.values, "at": uow.now} for one in files))


async def of_form(session: AsyncSession, key: str) -> tuple[Prepared, ...]:
    """What waits for this form, in order; the same file twice is one."""
    query = sa.select(_file.c.file).where(_file.c.form == token_hash(key)).order_by(_file.c.id)
    rows = (await session.execute(query)).scalars().all()
    found = {row["source_sha256"]: Prepared(row["key"], row) for row in rows}
    return tuple(found.values())[:MOST]


async def prune(uow: UnitOfWork) -> None:
    """Forget what nobody came back for."""
    old = _file.c.at < uow.now - timedelta(hours=HOURS)
    await uow.session.execute(sa.delete(_file).where(old))
