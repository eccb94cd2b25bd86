"""Following a ticket with number and query code, and sending the code again to the phone on file.

Five wrong tries lock a number for their source for thirty minutes, fifty in all lock it for everybody
and warn (domain.md §2). What was tried is kept as blind indexes only. A number that does not exist is
answered like a wrong code, after the same questions, the same unsealing and the same writes. A person of the
hotline who sends the code again opens the lock.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, outbox
from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from tickets.messages.kinds import MessageEvent
from tickets.messages.models import QueryLock, QueryTry
from tickets.messages.plan import Rules, kept_back, letter
from tickets.models import Ticket, table_of
from tickets.notices import LEADERS
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_try = table_of(QueryTry)
_lock = table_of(QueryLock)
_row = table_of(outbox.OutboxRow)
TRIES_OF_A_SOURCE, SOURCE_MINUTES = 5, 30
TRIES_IN_ALL = 50
RESENDS_A_DAY = 5
NO_NUMBER = "0" * 18


async def look_up(uow: UnitOfWork, vault: Vault, *, number: str, code: str, source: str) -> int | None:
    """The ticket behind number and code; None for a wrong pair, which is counted.

    The caller commits in either case, else a wrong try is not counted. `source` is the address of who
    asks. Raises `query_locked` (nothing is compared while a lock holds).
    """
    number = number.strip()
    name = number
    if not re.fullmatch(r"[0-9]{18}", number):
        number, name = NO_NUMBER, f"{NO_NUMBER}:{source}"  # one counter for all of a source's that are none
    subject, origin = vault.blind("query", name), vault.blind("source", source)
    await _check_locks(uow, subject, origin)
    query = sa.select(_ticket.c.id, _ticket.c.query_code_ref).where(_ticket.c.number == number)
    found = (await uow.session.execute(query)).first()
    ref = None if found is None else found.query_code_ref
    if await vault.matches(uow.session, ref, code.strip()[:20]) and found is not None:
        mine = (_try.c.subject == subject, _try.c.source == origin)
        await uow.session.execute(sa.delete(_try).where(*mine))
        return int(found.id)
    await _count(uow, subject, origin, None if found is None else int(found.id))
    return None


async def code_of(session: AsyncSession, vault: Vault, ticket_id: int) -> str:
    """The code of a ticket, for the citizen who has just sent it or proved it. Raises `value_destroyed`."""
    query = sa.select(_ticket.c.query_code_ref).where(_ticket.c.id == ticket_id)
    return await vault.reveal(session, (await session.execute(query)).scalar_one())


async def _check_locks(uow: UnitOfWork, subject: bytes, source: bytes) -> None:
    """Take both counters, so that tries at the same moment stand in line."""
    here = sa.select(_try.c.locked_until).where(_try.c.subject == subject, _try.c.source == source)
    everywhere = sa.select(_lock.c.locked_at).where(_lock.c.subject == subject)
    await uow.session.execute(
        insert(_lock)
        .values(subject=subject, failures=0, last_at=uow.now)
        .on_conflict_do_nothing(index_elements=["subject"])
    )
    locked = (await uow.session.execute(everywhere.with_for_update())).scalar_one()
    until = (await uow.session.execute(here.with_for_update())).scalar_one_or_none()
    if locked is not None or (until is not None and until > uow.now):
        raise HotlineError("query_locked")


async def _count(uow: UnitOfWork, subject: bytes, source: bytes, ticket_id: int | None) -> None:
    soon = uow.now - timedelta(minutes=SOURCE_MINUTES)
    one = {"subject": subject, "source": source, "failures": 1, "last_at": uow.now}
    fresh = _try.c.last_at < soon  # tries that lie so far apart do not add up
    failures = sa.case((fresh, 1), else_=_try.c.failures + 1)
    statement = insert(_try).values(**one)
    again = {
        "failures": failures,
        "last_at": uow.now,
        "locked_until": sa.case((failures >= TRIES_OF_A_SOURCE, _locked_until(uow.now)), else_=None),
    }
    await uow.session.execute(
        statement.on_conflict_do_update(index_elements=["subject", "source"], set_=again)
    )
    total = _lock.c.failures + 1
    values: dict[str, Any] = {
        "failures": total,
        "last_at": uow.now,
        "locked_at": sa.case((total >= TRIES_IN_ALL, sa.literal(uow.now)), else_=None),
    }
    raised = sa.update(_lock).where(_lock.c.subject == subject).values(**values)
    locked = (await uow.session.execute(raised.returning(_lock.c.locked_at))).scalar_one()
    if locked is not None:
        await _warn(uow, ticket_id)


def _locked_until(now: datetime) -> sa.ColumnElement[Any]:
    return sa.literal(now + timedelta(minutes=SOURCE_MINUTES))


async def _warn(uow: UnitOfWork, ticket_id: int | None) -> None:
    """Of a number that does not exist the log is told as well, and nobody else: it is the same work."""
    system = Actor.system("query")
    await audit.record(
        uow, actor=system, action="query_code.locked", object_type="ticket", object_id=ticket_id
    )
    await staff.write(uow, [Notice("code_locked", ticket_id, () if ticket_id is None else LEADERS)])


async def resend(uow: UnitOfWork, actor: Actor, vault: Vault, ticket_id: int) -> None:
    """Send number and code once more, to the phone on file and nowhere else; opens a lock. Audited.

    Raises `forbidden`, `ticket_not_found`, `no_phone_on_file`, `contact_unwanted`, `code_resend_limit`.
    """
    actor.require(Permission.TICKET_NOTE)
    actor.require(Permission.TICKET_READ_HOTLINE)
    names = ("number", "type", "confidentiality", "wants_reply", "phone_ref", "phone2_ref", "responded")
    columns = [_ticket.c[name] for name in names]
    query = sa.select(*columns).where(_ticket.c.id == ticket_id, visible_tickets(actor))
    row = (await uow.session.execute(query.with_for_update(of=_ticket))).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    against = kept_back(MessageEvent.CODE, Rules(True, True, True), dict(row._mapping))
    if against is not None:
        raise HotlineError("no_phone_on_file" if against == "no_phone" else "contact_unwanted")
    await _queue(uow, ticket_id)
    subject = vault.blind("query", row.number)
    await uow.session.execute(sa.delete(_try).where(_try.c.subject == subject))
    await uow.session.execute(sa.delete(_lock).where(_lock.c.subject == subject))
    await audit.record(
        uow, actor=actor, action="query_code.resend", object_type="ticket", object_id=ticket_id
    )


async def _queue(uow: UnitOfWork, ticket_id: int) -> None:
    """At most `RESENDS_A_DAY` on one day of the city; the outbox counts, for the log lags behind it."""
    day = f"{to_city(uow.now):%Y%m%d}"
    letters = [letter(ticket_id, MessageEvent.CODE, f"{day}:{n}") for n in range(RESENDS_A_DAY)]
    query = sa.select(_row.c.dedup).where(_row.c.dedup.in_([one.dedup for one in letters]))
    used = set((await uow.session.execute(query)).scalars())
    free = next((one for one in letters if one.dedup not in used), None)
    if free is None:
        raise HotlineError("code_resend_limit", limit=RESENDS_A_DAY)
    await outbox.enqueue(uow, kind=free.kind, dedup=free.dedup, payload=free.payload)


async def prune(uow: UnitOfWork, before: datetime) -> None:
    """Forget tries of before; locks for everybody stay until somebody opens them."""
    await uow.session.execute(sa.delete(_try).where(_try.c.last_at < before))
    await uow.session.execute(sa.delete(_lock).where(_lock.c.last_at < before, _lock.c.locked_at.is_(None)))
