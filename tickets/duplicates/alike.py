"""Open tickets about the same matter as a text that is being typed, and why.

Looked up by the rarest terms of the text, so many as hold some two hundred tickets together, however many
there are; what is found is compared term by term. Who sees not every ticket gets none, a sealed matter
(举报, 保密, 匿名) neither asks nor is found.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from tickets.duplicates import places
from tickets.duplicates.features import Features, features, usual_share
from tickets.duplicates.likeness import ALIKE, Weigher, between
from tickets.duplicates.models import TicketSignature
from tickets.duplicates.signatures import terms_of, unpacked
from tickets.duplicates.statistics import STATISTICS, Known
from tickets.models import Ticket, table_of
from tickets.states import OPEN
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES, is_sealed_matter, sees_every_ticket, visible_tickets

MOST = 5
ASKED = 12  # terms that are looked up at most
HELD = 200  # tickets that those terms are to hold together, as far as that is known
TOGETHER = 3  # of the rarest terms that must be there together, where each holds more than that
LOOKED_AT = 400  # tickets at most, whatever the statistics promised
COMPARED = 50
LONGEST_WORD = 64
HALF_LIFE_DAYS = 60.0
COLUMNS = (
    "id", "number", "title", "narrative", "address", "state", "created_at", "category_id", "phone_ref",
)  # fmt: skip
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_signature = table_of(TicketSignature)


@dataclass(frozen=True)
class Asked:
    """What is told, as far as it is typed."""

    title: str
    text: str
    address: str = ""
    ticket_type: str = ""
    confidentiality: str = ""
    ticket_id: int | None = None  # the ticket itself, when it is one

    @property
    def enough(self) -> bool:
        """Whether there is enough to go by, and it may be gone by."""
        told = sum(char.isalnum() for char in self.title + self.text)
        return told >= 4 and not is_sealed_matter(self.ticket_type, self.confidentiality)


@dataclass(frozen=True)
class Alike:
    """An open ticket about the same matter. `likeness` 0 … 1; `places` and `words`: what both name."""

    id: int
    number: str
    title: str
    state: str
    created_at: datetime
    lead_unit: str | None
    category_id: int
    same_caller: bool
    likeness: float
    places: tuple[str, ...]
    words: tuple[str, ...]
    callers: int


async def alike(
    session: AsyncSession, actor: Actor, asked: Asked, now: datetime | None, *, caller_ref: int | None = None
) -> list[Alike]:
    """At most `MOST`, the likest first, older ones behind newer ones; merged tickets are in their master."""
    if not sees_every_ticket(actor) or not asked.enough:
        return []
    text = await asyncio.to_thread(features, asked.title, asked.text, asked.address)
    known = await STATISTICS.known(session)
    rarest, together = rare(text, known)
    if not rarest:
        return []
    rows = await _found(session, actor, asked, rarest, together)
    weigher = known.weigher
    best = (await asyncio.to_thread(_compared, text, rows, weigher, now))[:MOST]
    counts = await callers(session, [row.id for _, _, row in best])
    return [
        _alike(row, likeness, asked, text, weigher, caller_ref, counts.get(row.id, 1))
        for _, likeness, row in best
    ]


def _compared(
    text: Features, rows: Sequence[Any], weigher: Weigher, now: datetime | None
) -> list[tuple[float, float, Any]]:
    """Those that are alike: what they rank by, their likeness, the row; the first first."""
    found = []
    for row in rows:
        likeness = between(text, unpacked(row.features), weigher)
        if likeness >= ALIKE:
            found.append((likeness * _freshness(row.created_at, now), likeness, row))
    return sorted(found, key=lambda one: (-one[0], -one[2].id))


def rare(text: Features, known: Known) -> tuple[list[str], bool]:
    """The terms to look up, the rarest first, until they hold enough; and whether all must be there.

    A few common words ("路灯不亮") hold thousands: then only what has the rarest of them together is asked.
    """
    shares = {term: _share(term, known.shares) for term in terms_of(text) if len(term) <= LONGEST_WORD}
    ordered = sorted(shares, key=lambda term: (shares[term], term))
    if ordered and shares[ordered[0]] * known.texts > HELD:
        return ordered[:TOGETHER], True
    chosen: list[str] = []
    held = 0.0
    for term in ordered[:ASKED]:
        held += shares[term] * known.texts
        if chosen and held > HELD:
            break
        chosen.append(term)
    return chosen, False


def _share(term: str, shares: Mapping[str, float]) -> float:
    """What is known of the tickets at hand; else a little of what is known of Chinese."""
    found = shares.get(term)
    return found if found is not None else min(usual_share(term.lstrip("@")), 1.0) * 1e-3


async def _found(
    session: AsyncSession, actor: Actor, asked: Asked, terms: Sequence[str], together: bool
) -> Sequence[Any]:
    listed = sa.literal(list(terms), type_=ARRAY(sa.Text))
    holds = _signature.c.terms.contains(listed) if together else _signature.c.terms.overlap(listed)
    near = sa.select(_signature.c.ticket_id).where(holds).limit(LOOKED_AT).subquery()
    query = (
        sa.select(
            *(_ticket.c[name] for name in COLUMNS),
            _unit.c.short_name.label("lead_unit"),
            _signature.c.features,
        )
        .select_from(
            near.join(_signature, _signature.c.ticket_id == near.c.ticket_id)
            .join(_ticket, _ticket.c.id == _signature.c.ticket_id)
            .outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id)
        )
        .where(
            _ticket.c.state.in_([state.value for state in OPEN]),
            _ticket.c.type != TicketType.REPORT.value,
            _ticket.c.confidentiality.not_in(sorted(SEALED_DEGREES)),
            visible_tickets(actor),
        )
        .order_by(_shared(terms).desc(), _ticket.c.id.desc())
        .limit(COMPARED)
    )
    if asked.ticket_id is not None:
        query = query.where(_ticket.c.id != asked.ticket_id)
    return (await session.execute(query)).all()


def _shared(terms: Sequence[str]) -> Any:
    """How many of the terms a ticket has."""
    one_by_one = [
        sa.cast(_signature.c.terms.contains(sa.literal([term], type_=ARRAY(sa.Text))), sa.Integer)
        for term in terms
    ]
    return reduce(add, one_by_one)


def _freshness(at: datetime, now: datetime | None) -> float:
    days = max((now - at).total_seconds(), 0.0) / 86400 if now is not None else 0.0
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def _alike(
    row: Any,
    likeness: float,
    asked: Asked,
    text: Features,
    weigher: Weigher,
    caller_ref: int | None,
    count: int,
) -> Alike:
    theirs = set(places.names(f"{row.title}，{row.narrative[:200]}，{row.address}"))
    mine = places.names(f"{asked.title}，{asked.text[:200]}，{asked.address}")
    named = tuple(dict.fromkeys(name for name in mine if name in theirs))[:2]
    shared = text.matter.keys() & row.features["matter"].keys()
    words = sorted((word for word in shared if len(word) > 1), key=lambda word: (-weigher.of(word), word))
    return Alike(
        row.id,
        row.number,
        row.title,
        row.state,
        row.created_at,
        row.lead_unit,
        row.category_id,
        caller_ref is not None and row.phone_ref == caller_ref,
        likeness,
        named,
        tuple(words[:3]),
        count,
    )


_CALLERS = sa.text(
    """
    SELECT m.id, count(DISTINCT coalesce(t.phone_ref, -t.id)) AS callers
    FROM unnest(CAST(:ids AS bigint[])) AS m(id) JOIN ticket t ON t.id = m.id OR t.merged_into_id = m.id
    GROUP BY m.id
    """
).bindparams(sa.bindparam("ids", type_=ARRAY(sa.BigInteger)))


async def callers(session: AsyncSession, ids: Sequence[int]) -> dict[int, int]:
    """How many people called about each of these tickets: their own callers and those merged into them."""
    if not ids:
        return {}
    return {row.id: row.callers for row in await session.execute(_CALLERS, {"ids": list(ids)})}
