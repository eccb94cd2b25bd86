"""What screens ask: the papers of a matter with what was verified, the consents, the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.privacy import PersonalValue
from tickets.certificates.models import CertificateCheck, CertificateConsent, CertificateWithdrawal
from tickets.certificates.papers import Needed, needed
from tickets.certificates.terms import VALID, Paper
from tickets.models import Category, Ticket, TicketDraft, table_of
from tickets.visibility import Condition, is_sealed, visible_drafts, visible_tickets

_consent = table_of(CertificateConsent)
_back = table_of(CertificateWithdrawal)
_check = table_of(CertificateCheck)
_ticket = table_of(Ticket)
_draft = table_of(TicketDraft)
_category = table_of(Category)
_user = table_of(User)
_value = table_of(PersonalValue)


@dataclass(frozen=True)
class Consent:
    """A consent with whose number it is about, masked, and whether it was taken back."""

    id: int
    subject_ref: int
    masked: str
    kinds: tuple[str, ...]
    purpose: str
    channel: str
    given_at: datetime
    by: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Answer:
    """The last answer about a kind."""

    kind: str
    result: str
    why: str
    issuer: str
    valid_from: date | None
    valid_to: date | None
    at: datetime


@dataclass(frozen=True)
class PaperState:
    """A paper that is needed; `spared`: the registry has verified it, so nobody asks for it."""

    paper: Paper
    answer: Answer | None

    @property
    def spared(self) -> bool:
        return self.answer is not None and self.answer.result == VALID


@dataclass(frozen=True)
class Matter:
    """Papers and consents of a ticket or a draft, as this person may see them."""

    needed: Needed
    papers: tuple[PaperState, ...]
    consents: tuple[Consent, ...]
    id_number: str | None  # masked, of the ticket
    sealed: bool = False

    @property
    def spared(self) -> int:
        return sum(one.spared for one in self.papers)

    @property
    def standing(self) -> tuple[Consent, ...]:
        """Consents that were not taken back."""
        return tuple(one for one in self.consents if one.withdrawn_at is None)


def about_ticket(ticket_id: int, id_number_ref: int | None) -> Condition:
    """Consents of a ticket and of the draft it came from; only of the person the ticket is of, if known."""
    from_draft = sa.select(_draft.c.id).where(_draft.c.ticket_id == ticket_id, _draft.c.ended_as == "ticket")
    mine = sa.or_(_consent.c.ticket_id == ticket_id, _consent.c.draft_id.in_(from_draft))
    return mine if id_number_ref is None else sa.and_(mine, _consent.c.subject_ref == id_number_ref)


async def of_ticket(session: AsyncSession, actor: Actor, ticket_id: int) -> Matter:
    """The papers of a ticket. Raises `ticket_not_found`."""
    query = sa.select(
        _ticket.c.category_id,
        _ticket.c.id_number_ref,
        _ticket.c.type,
        _ticket.c.confidentiality,
        _value.c.masked,
    ).outerjoin(_value, _value.c.id == _ticket.c.id_number_ref)
    row = (await session.execute(query.where(_ticket.c.id == ticket_id, visible_tickets(actor)))).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    sealed = is_sealed(actor, ticket_type=row.type, confidentiality=row.confidentiality)
    wanted = await needed(session, row.category_id)
    found = await _matter(session, wanted, about_ticket(ticket_id, row.id_number_ref), sealed=sealed)
    masked = None if sealed else row.masked
    return Matter(found.needed, found.papers, found.consents, masked, sealed)


async def of_draft(session: AsyncSession, actor: Actor, draft_id: int, category_id: int | None) -> Matter:
    """The papers for what is being written down. Raises `draft_not_found`."""
    query = sa.select(_draft.c.id).where(_draft.c.id == draft_id, visible_drafts(actor))
    if (await session.execute(query)).first() is None:
        raise HotlineError("draft_not_found", draft_id=draft_id)
    return await _matter(session, await needed(session, category_id), _consent.c.draft_id == draft_id)


async def _matter(session: AsyncSession, wanted: Needed, about: Condition, *, sealed: bool = False) -> Matter:
    consents = await _consents(session, about)
    standing = [one.id for one in consents if one.withdrawn_at is None]
    answers = await latest(session, standing)
    papers = tuple(PaperState(paper, answers.get(paper.kind)) for paper in wanted.papers)
    if sealed:  # whether, not by whom: an issuer says where somebody lives
        papers = tuple(PaperState(one.paper, one.answer if one.spared else None) for one in papers)
        return Matter(wanted, papers, (), None, sealed=True)
    return Matter(wanted, papers, tuple(consents), None)


async def _consents(session: AsyncSession, about: Condition) -> list[Consent]:
    query = (
        sa.select(_consent, _value.c.masked, _user.c.name.label("by"), _back.c.at.label("withdrawn_at"))
        .join(_value, _value.c.id == _consent.c.subject_ref)
        .outerjoin(_user, _user.c.id == _consent.c.recorded_by)
        .outerjoin(_back, _back.c.consent_id == _consent.c.id)
        .where(about)
        .order_by(_consent.c.id.desc())
    )
    return [
        Consent(
            *(row.id, row.subject_ref, row.masked, tuple(row.kinds), row.purpose, row.channel),
            *(row.given_at, row.by, row.withdrawn_at),
        )
        for row in await session.execute(query)
    ]


async def latest(session: AsyncSession, consents: Sequence[int]) -> dict[str, Answer]:
    """The last answer about each kind under these consents."""
    if not consents:
        return {}
    query = (
        sa.select(_check)
        .where(_check.c.consent_id.in_(consents))
        .distinct(_check.c.kind)
        .order_by(_check.c.kind, _check.c.id.desc())
    )
    names = Answer.__dataclass_fields__
    return {
        row.kind: Answer(**{name: getattr(row, name) for name in names})
        for row in await session.execute(query)
    }


# ---- figures -------------------------------------------------------------------------------------

FORMULA = "一个诉求中，一种所需证照经核验有效、同意未撤回的，计免交 1 份；同一诉求同一种只计一次"


def _saved() -> sa.Subquery:
    """One row per matter and kind that was verified: when first, for which ticket if it became one."""
    ticket = sa.func.coalesce(_consent.c.ticket_id, _draft.c.ticket_id)
    query = (
        sa.select(
            _check.c.kind,
            sa.func.min(_check.c.at).label("at"),
            ticket.label("ticket_id"),
            sa.func.min(_consent.c.id).label("consent_id"),
        )
        .join(_consent, _consent.c.id == _check.c.consent_id)
        .outerjoin(_draft, _draft.c.id == _consent.c.draft_id)
        .outerjoin(_back, _back.c.consent_id == _consent.c.id)
        .where(_check.c.result == VALID, _back.c.id.is_(None))
        # A call that was answered on the line has no ticket and is one matter by its draft.
        .group_by(_check.c.kind, ticket, sa.case((ticket.is_(None), _consent.c.draft_id)))
    )
    return query.subquery()


async def saved_since(session: AsyncSession, start: datetime) -> int:
    """How many papers nobody had to bring since `start` (FORMULA)."""
    saved = _saved()
    query = sa.select(sa.func.count()).select_from(saved).where(saved.c.at >= start)
    return int((await session.execute(query)).scalar_one())


@dataclass(frozen=True)
class SavedMonth:
    """A month of the city, as its first day: papers spared, and checks made by result."""

    month: date
    saved: int
    valid: int
    invalid: int
    unknown: int


async def saved_by_month(session: AsyncSession, start: datetime) -> list[SavedMonth]:
    """Month by month since `start`, the oldest first."""
    saved = _saved()
    month = sa.cast(sa.func.date_trunc("month", sa.func.timezone("Asia/Shanghai", saved.c.at)), sa.Date)
    query = sa.select(month.label("month"), sa.func.count().label("n")).where(saved.c.at >= start)
    spared = {row.month: row.n for row in await session.execute(query.group_by(month))}
    when = sa.cast(sa.func.date_trunc("month", sa.func.timezone("Asia/Shanghai", _check.c.at)), sa.Date)
    asked = sa.select(when.label("month"), _check.c.result, sa.func.count().label("n"))
    made: dict[date, dict[str, int]] = {}
    for row in await session.execute(asked.where(_check.c.at >= start).group_by(when, _check.c.result)):
        made.setdefault(row.month, {})[row.result] = row.n
    return [
        SavedMonth(one, spared.get(one, 0), **{name: made.get(one, {}).get(name, 0) for name in _RESULTS})
        for one in sorted(set(spared) | set(made))
    ]


_RESULTS = ("valid", "invalid", "unknown")


async def saved_by_kind(session: AsyncSession, start: datetime) -> list[tuple[str, int]]:
    """How many of each kind were spared since `start`, the most first."""
    saved, count = _saved(), sa.func.count()
    query = sa.select(saved.c.kind, count).where(saved.c.at >= start).group_by(saved.c.kind)
    return [
        (row[0], int(row[1])) for row in await session.execute(query.order_by(count.desc(), saved.c.kind))
    ]


async def saved_list(session: AsyncSession, actor: Actor, start: datetime, most: int = 200) -> list[Any]:
    """The tickets behind the figure that this person may see, the newest first."""
    saved = _saved()
    query = (
        sa.select(
            saved.c.at, saved.c.kind, _ticket.c.id, _ticket.c.number, _category.c.full_name.label("category")
        )
        .join(_ticket, _ticket.c.id == saved.c.ticket_id)
        .join(_category, _category.c.id == _ticket.c.category_id)
        .where(saved.c.at >= start, visible_tickets(actor))
        .order_by(saved.c.at.desc(), _ticket.c.id)
        .limit(most)
    )
    return list((await session.execute(query)).all())
