"""Looking a citizen up by what one knows of him exactly; there is no list of citizens to leaf through."""

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault, normalise_phone
from tickets.checks import is_uscc
from tickets.citizens import records
from tickets.citizens.models import CitizenName
from tickets.citizens.names import blind_name
from tickets.citizens.queries import names_of, phones_of, seen_tickets
from tickets.forms import REACHABLE, clean
from tickets.models import IntakeRecord, Ticket, TicketDraft, table_of

_citizen = records.citizen
_name = table_of(CitizenName)
_ticket = table_of(Ticket)
_record = table_of(IntakeRecord)
_draft = table_of(TicketDraft)
MOST = 20
NUMBER = re.compile(r"\d{18}")


@dataclass(frozen=True)
class Hit:
    """A record that was found; everything masked."""

    citizen_id: int
    phones: tuple[str, ...]
    names: tuple[str, ...]
    company: str
    business: bool
    updated_at: datetime


@dataclass(frozen=True)
class Found:
    """What a search found and by what it looked: number, phone, uscc, name; `more` says there were more."""

    kind: str
    hits: tuple[Hit, ...]
    more: bool = False


async def search(uow: UnitOfWork, actor: Actor, vault: Vault, typed: str, *, area: str = "") -> Found:
    """Records by a ticket's number, an exact phone, a USCC, an exact name of a person or enterprise.

    Audited: by what was looked and which records were found, never what was typed.
    """
    actor.require(Permission.CITIZEN_READ)
    text = clean(typed)[:100]
    kind, ids = await _ids(uow, actor, vault, text, area)
    hits = tuple([await _hit(uow, ident) for ident in ids[:MOST]])
    await audit.record(
        uow,
        actor=actor,
        action="citizen.search",
        object_type="citizen",
        detail={"by": kind, "found": [hit.citizen_id for hit in hits]},
    )
    return Found(kind, hits, len(ids) > MOST)


async def _ids(uow: UnitOfWork, actor: Actor, vault: Vault, text: str, area: str) -> tuple[str, list[int]]:
    bare = re.sub(r"[\s-]", "", text).upper()
    if NUMBER.fullmatch(bare):
        query = sa.select(_ticket.c.phone_ref).where(_ticket.c.number == bare, seen_tickets(actor))
        ref = (await uow.session.execute(query)).scalar_one_or_none()
        if ref is not None:
            return "number", [await records.ensure(uow, ref)]
    if is_uscc(bare):
        return "uscc", await _heads(uow, _citizen.c.uscc == bare)
    phone = normalise_phone(text, area=area)
    if phone.number is not None and phone.kind in REACHABLE:
        return "phone", await of_phone(uow, vault, phone.number)
    if NUMBER.fullmatch(bare) or not text:
        return "number", []
    named = sa.select(_name.c.citizen_id).where(_name.c.blind == blind_name(vault, text))
    return "name", await _heads(uow, sa.or_(_citizen.c.id.in_(named), _citizen.c.company == text))


async def of_phone(uow: UnitOfWork, vault: Vault, number: str) -> list[int]:
    """The record of a number; made when the number has a ticket, a record or a draft but no record yet."""
    ref = await vault.find(uow.session, "phone", number)
    if ref is None:
        return []
    known = (await records.find(uow.session, [ref])).get(ref)
    if known is not None:
        return [known]
    traces = sa.select(
        sa.or_(
            sa.exists().where(_ticket.c.phone_ref == ref),
            sa.exists().where(_record.c.phone_ref == ref),
            sa.exists().where(_draft.c.caller_ref == ref),
        )
    )
    return [await records.ensure(uow, ref)] if (await uow.session.execute(traces)).scalar_one() else []


async def _heads(uow: UnitOfWork, condition: sa.ColumnElement[bool]) -> list[int]:
    """The leading records of those that meet `condition`, the last touched first."""
    lead = sa.func.coalesce(_citizen.c.merged_into_id, _citizen.c.id)
    query = sa.select(lead.label("id"), sa.func.max(_citizen.c.updated_at)).where(condition).group_by(lead)
    rows = await uow.session.execute(query.order_by(sa.desc(sa.literal_column("2")), lead).limit(MOST + 1))
    return [int(row.id) for row in rows]


async def _hit(uow: UnitOfWork, citizen_id: int) -> Hit:
    row = await records.head(uow.session, citizen_id)
    phones = await phones_of(uow.session, citizen_id)
    names = await names_of(uow.session, citizen_id)
    business, company, _ = await records.enterprise(uow.session, row)
    return Hit(
        citizen_id=citizen_id,
        phones=tuple(item.masked for item in phones),
        names=tuple(dict.fromkeys(item.masked for item in names)),
        company=company,
        business=business,
        updated_at=row.updated_at,
    )
