"""Browsers of citizens that proved something, and what they may see by it.

A token opens one ticket (number and code), or the tickets of a phone (a code was sent to it), or those a
provider's subject sent. The database holds its hash; it ends after some hours whatever happens.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.ids import new_token
from tickets.models import Ticket, table_of
from tickets.public.models import CitizenConsent, CitizenSession

_session, _ticket = table_of(CitizenSession), table_of(Ticket)
_consent = table_of(CitizenConsent)
HOURS = 4
MOST_OWN = 50


@dataclass(frozen=True)
class Citizen:
    """Who is behind a browser. `signed_in`: a person, not only the holder of one number and code."""

    session_id: int
    ticket_id: int | None
    phone_ref: int | None
    subject: bytes | None

    @property
    def signed_in(self) -> bool:
        return self.phone_ref is not None or self.subject is not None


@dataclass(frozen=True)
class OwnTicket:
    """One line of "my matters"."""

    number: str
    title: str
    state: str
    created_at: Any
    due_at: Any
    open: bool


def token_hash(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def begin(
    uow: UnitOfWork,
    *,
    ticket_id: int | None = None,
    phone_ref: int | None = None,
    subject: bytes | None = None,
) -> str:
    """A new token for what was just proved."""
    token = new_token()
    values = {
        "token_hash": token_hash(token),
        "ticket_id": ticket_id,
        "phone_ref": phone_ref,
        "subject": subject,
        "created_at": uow.now,
        "expires_at": uow.now + timedelta(hours=HOURS),
        "ended_at": None,
    }
    await uow.put(_session, values)
    return token


async def of_token(session: AsyncSession, token: str, now: Any) -> Citizen | None:
    """Who holds `token`; None for one that never was, is over, or too old."""
    names = ("id", "ticket_id", "phone_ref", "subject")
    living = (_session.c.ended_at.is_(None), _session.c.expires_at > now)
    query = sa.select(*(_session.c[name] for name in names)).where(
        _session.c.token_hash == token_hash(token), *living
    )
    row = (await session.execute(query)).first()
    return None if row is None else Citizen(row.id, row.ticket_id, row.phone_ref, row.subject)


async def look_at(uow: UnitOfWork, citizen: Citizen, ticket_id: int) -> None:
    """This ticket was proved, too; from now on it is the one that is shown."""
    mine = _session.c.id == citizen.session_id
    await uow.session.execute(sa.update(_session).where(mine).values(ticket_id=ticket_id))


async def end(uow: UnitOfWork, token: str) -> None:
    """The token opens nothing any more."""
    mine = (_session.c.token_hash == token_hash(token), _session.c.ended_at.is_(None))
    await uow.session.execute(sa.update(_session).where(*mine).values(ended_at=uow.now))


def _own(citizen: Citizen) -> sa.ColumnElement[bool]:
    """The tickets of a signed-in person; nobody's for who only holds a number and its code."""
    ways = []
    if citizen.phone_ref is not None:
        ways.append(_ticket.c.phone_ref == citizen.phone_ref)
    if citizen.subject is not None:
        sent = sa.select(_consent.c.ticket_id).where(_consent.c.subject == citizen.subject)
        ways.append(_ticket.c.id.in_(sent))
    return sa.or_(*ways) if ways else sa.false()


async def own_tickets(session: AsyncSession, citizen: Citizen) -> list[OwnTicket]:
    """A signed-in person's own tickets, the newest first."""
    names = ("number", "title", "state", "created_at", "due_at", "stage")
    query = sa.select(*(_ticket.c[name] for name in names)).where(_own(citizen))
    query = query.order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc()).limit(MOST_OWN)
    return [
        OwnTicket(row.number, row.title, row.state, row.created_at, row.due_at, row.stage is not None)
        for row in await session.execute(query)
    ]


async def own_ticket(session: AsyncSession, citizen: Citizen, number: str) -> int | None:
    """The id of a signed-in person's own ticket; None for anybody else's."""
    query = sa.select(_ticket.c.id).where(_ticket.c.number == number[:18], _own(citizen))
    return (await session.execute(query)).scalar_one_or_none()


async def keep_consent(uow: UnitOfWork, ticket_id: int, notice: str, subject: bytes | None) -> None:
    """Note which notice was agreed to; sent again it is the same consent."""
    values = {"ticket_id": ticket_id, "notice": notice, "subject": subject, "at": uow.now}
    await uow.put(_consent, values)


async def prune(uow: UnitOfWork) -> None:
    """Forget sessions that are over for a day."""
    old = _session.c.expires_at < uow.now - timedelta(days=1)
    await uow.session.execute(sa.delete(_session).where(old))
