"""The same request of a machine client twice is done once: a key of the client's choosing names it.

A key holds for a month. With other content it is refused, since one of the two must be a mistake.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.machines import Machine
from tickets.exchange.models import MAX_KEY, MachineRequest
from tickets.models import table_of

_asked = table_of(MachineRequest)
KEPT = timedelta(days=30)
KEY = re.compile(rf"[!-~]{{8,{MAX_KEY}}}")


@dataclass(frozen=True)
class Asked:
    """A request under its key. `again`: it was carried out before, with this `answer`."""

    again: bool
    answer: dict[str, Any] | None


async def begin(uow: UnitOfWork, machine: Machine, key: str, content: str) -> Asked:
    """Take a key; a twin under way is waited for.

    Raises `idempotency_key` for what is no key, `key_reused` for one that came with other content.
    """
    if not KEY.fullmatch(key):
        raise HotlineError("idempotency_key")
    mark = hashlib.sha256(content.encode(errors="surrogatepass")).digest()
    mine = {"client_id": machine.id, "key": key}
    statement = insert(_asked).values(**mine, fingerprint=mark, created_at=uow.now)
    statement = statement.on_conflict_do_nothing(index_elements=["client_id", "key"])
    made = (await uow.session.execute(statement.returning(_asked.c.id))).first()
    if made is not None:
        return Asked(False, None)
    query = sa.select(_asked.c.fingerprint, _asked.c.answer).where(_asked.c.client_id == machine.id)
    row = (await uow.session.execute(query.where(_asked.c.key == key))).one()
    if row.fingerprint != mark:
        raise HotlineError("key_reused")
    return Asked(True, row.answer)


async def known(session: AsyncSession, machine: Machine, key: str) -> bool:
    """Whether this key came before: `begin` will give its answer, whatever has changed since."""
    query = sa.select(_asked.c.id).where(_asked.c.client_id == machine.id, _asked.c.key == key)
    return (await session.execute(query)).first() is not None


async def answered(uow: UnitOfWork, machine: Machine, key: str, answer: dict[str, Any]) -> None:
    """Keep what was answered; numbers and states, no personal values and no codes."""
    mine = (_asked.c.client_id == machine.id, _asked.c.key == key)
    await uow.session.execute(sa.update(_asked).where(*mine).values(answer=answer))


async def prune(uow: UnitOfWork) -> None:
    """Forget keys that are older than a month."""
    await uow.session.execute(sa.delete(_asked).where(_asked.c.created_at < uow.now - KEPT))
