"""What screens ask of the market: the register, one intermediary, cases, the blacklist, qualifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from tickets.intermediaries.models import (
    BlacklistEntry,
    Intermediary,
    IntermediaryAccount,
    IntermediaryCase,
    IntermediaryStep,
    Qualification,
    Rating,
)
from tickets.intermediaries.scope import Market, own, within
from tickets.intermediaries.terms import OPEN, Listing, Shares, name_key
from tickets.models import Ticket, table_of
from tickets.visibility import Condition, visible_tickets

_one = table_of(Intermediary)
_qualification = table_of(Qualification)
_step = table_of(IntermediaryStep)
_case = table_of(IntermediaryCase)
_entry = table_of(BlacklistEntry)
_rating = table_of(Rating)
_account = table_of(IntermediaryAccount)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_user = table_of(User)
PAGE = 50


@dataclass(frozen=True)
class Known:
    """A registered intermediary, for who meets its name."""

    id: int
    name: str
    uscc: str
    trade: str
    unit_id: int


@dataclass(frozen=True)
class Item:
    """A line of the register. `worst` are the qualifications' numbers by how they stand."""

    id: int
    version: int
    uscc: str
    name: str
    trade: str
    unit_id: int
    unit: str
    address: str
    phone: str
    state: str
    ratings: int
    stars: int
    listed_until: date | None
    licences: int
    bad_licences: int
    first_end: date | None

    @property
    def shares(self) -> Shares:
        return Shares(self.ratings, self.stars)


async def of_subject(session: AsyncSession, name: str, uscc: str | None) -> Known | None:
    """The open intermediary a complaint is about: by its code, else by its whole name if only one has it."""
    columns = [_one.c[column] for column in Known.__dataclass_fields__]
    active = _one.c.state == "active"
    if uscc:
        row = (await session.execute(sa.select(*columns).where(_one.c.uscc == uscc, active))).first()
        if row is not None:
            return Known(*row)
    key = name_key(name)
    if len(key) < 4:
        return None
    query = sa.select(*columns).where(_one.c.name_key == key, active).limit(2)
    rows = (await session.execute(query)).all()
    return Known(*rows[0]) if len(rows) == 1 else None


# ---- the register --------------------------------------------------------------------------------


def _items(today: date) -> sa.Select[Any]:
    listed = (
        sa.select(sa.func.max(_entry.c.ends_on))
        .where(_entry.c.intermediary_id == _one.c.id, *_in_force(today))
        .scalar_subquery()
    )
    mine = _qualification.c.intermediary_id == _one.c.id
    bad = sa.or_(_qualification.c.revoked_on.is_not(None), _qualification.c.valid_to < today)
    licences = sa.select(sa.func.count()).select_from(_qualification).where(mine)
    first = sa.select(sa.func.min(_qualification.c.valid_to)).where(
        mine, _qualification.c.revoked_on.is_(None)
    )
    names = ("id", "version", "uscc", "name", "trade", "unit_id")
    more = ("address", "phone", "state", "ratings", "stars")
    return sa.select(
        *(_one.c[name] for name in names),
        _unit.c.name.label("unit"),
        *(_one.c[name] for name in more),
        listed.label("listed_until"),
        licences.scalar_subquery().label("licences"),
        licences.where(bad).scalar_subquery().label("bad_licences"),
        first.scalar_subquery().label("first_end"),
    ).join(_unit, _unit.c.id == _one.c.unit_id)


def _in_force(today: date) -> tuple[Condition, ...]:
    return (_entry.c.state == Listing.LISTED.value, _entry.c.listed_on <= today, _entry.c.ends_on > today)


async def register(
    session: AsyncSession,
    today: date,
    *,
    words: str = "",
    trade: str = "",
    unit_id: int | None = None,
    state: str = "active",
    before: int = 0,
) -> tuple[list[Item], int]:
    """A page of the register from place `before` on, by name, and how many there are."""
    where: list[Condition] = []
    if words:
        named = [_one.c.uscc == words.strip().upper(), _one.c.name.contains(words, autoescape=True)]
        if key := name_key(words):
            named.append(_one.c.name_key.contains(key, autoescape=True))
        where.append(sa.or_(*named))
    if trade:
        where.append(_one.c.trade == trade)
    if unit_id is not None:
        where.append(_one.c.unit_id == unit_id)
    if state:
        where.append(_one.c.state == state)
    count = sa.select(sa.func.count()).select_from(_one).where(*where)
    total = int((await session.execute(count)).scalar_one())
    query = _items(today).where(*where).order_by(_one.c.name, _one.c.id).offset(before).limit(PAGE)
    return [Item(*row) for row in await session.execute(query)], total


async def item(session: AsyncSession, intermediary_id: int, today: date) -> Item:
    """One of them. Raises `intermediary_unknown`."""
    row = (await session.execute(_items(today).where(_one.c.id == intermediary_id))).first()
    if row is None:
        raise HotlineError("intermediary_unknown", intermediary_id=intermediary_id)
    return Item(*row)


async def trades(session: AsyncSession) -> list[tuple[str, int]]:
    """The trades there are, with how many open intermediaries each has."""
    query = sa.select(_one.c.trade, sa.func.count()).where(_one.c.state == "active").group_by(_one.c.trade)
    return [(row[0], int(row[1])) for row in await session.execute(query.order_by(_one.c.trade))]


async def licences(session: AsyncSession, intermediary_id: int) -> list[Any]:
    """The qualifications of one, those that end first at the top."""
    query = sa.select(_qualification).where(_qualification.c.intermediary_id == intermediary_id)
    ordered = query.order_by(_qualification.c.valid_to.asc().nulls_last(), _qualification.c.id)
    return list((await session.execute(ordered)).all())


async def stars_of(session: AsyncSession, intermediary_id: int) -> dict[int, int]:
    """How many ratings of each level, 5 … 1."""
    query = sa.select(_rating.c.stars, sa.func.count()).where(_rating.c.intermediary_id == intermediary_id)
    found = {row[0]: int(row[1]) for row in await session.execute(query.group_by(_rating.c.stars))}
    return {level: found.get(level, 0) for level in (5, 4, 3, 2, 1)}


async def steps(session: AsyncSession, intermediary_id: int, most: int = 100) -> list[Any]:
    """The history of one, the newest first."""
    query = sa.select(_step).where(_step.c.intermediary_id == intermediary_id)
    return list((await session.execute(query.order_by(_step.c.id.desc()).limit(most))).all())


async def linked(session: AsyncSession, intermediary_id: int) -> list[Any]:
    """The accounts that work for one."""
    query = (
        sa.select(_user.c.login, _user.c.name, _account.c.since)
        .join(_user, _user.c.id == _account.c.user_id)
        .where(_account.c.intermediary_id == intermediary_id, _account.c.until.is_(None))
    )
    return list((await session.execute(query.order_by(_account.c.id))).all())


async def qualifications(
    session: AsyncSession, today: date, *, kind: str, warn_days: int, most: int = 300
) -> list[Any]:
    """Those of one kind: expiring, expired or revoked, with whose they are."""
    ends, revoked = _qualification.c.valid_to, _qualification.c.revoked_on
    which = {
        "expiring": sa.and_(revoked.is_(None), ends.between(today, today + timedelta(days=warn_days))),
        "expired": sa.and_(revoked.is_(None), ends < today),
        "revoked": revoked.is_not(None),
    }[kind]
    query = (
        sa.select(
            _qualification,
            _one.c.name.label("holder"),
            _one.c.trade,
            _one.c.uscc,
            _unit.c.short_name.label("unit"),
        )
        .join(_one, _one.c.id == _qualification.c.intermediary_id)
        .join(_unit, _unit.c.id == _one.c.unit_id)
        .where(which, _one.c.state == "active")
        .order_by(revoked.desc() if kind == "revoked" else ends, _qualification.c.id)
        .limit(most)
    )
    return list((await session.execute(query)).all())


# ---- cases ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnCase:
    """A complaint as the intermediary sees it: no ticket, no complainant, the department's own words."""

    id: int
    version: int
    summary: str
    served_at: datetime
    department: str
    answer: str
    answered_at: datetime | None
    verdict: str | None
    finding: str | None
    verdict_at: datetime | None


async def own_cases(session: AsyncSession, actor: Actor) -> list[OwnCase]:
    """What was put to the intermediary this account works for. Raises `forbidden`, `account_unlinked`."""
    mine = await own(session, actor)
    lead = sa.select(_unit.c.name).where(_unit.c.id == _one.c.unit_id).scalar_subquery()
    standing = _case.c.cancelled_at.is_(None)
    query = (
        sa.select(
            *(_case.c[name] for name in ("id", "version", "summary", "served_at")),
            lead.label("department"),
            *(_case.c[name] for name in ("answer", "answered_at")),
            *(
                sa.case((standing, _case.c[name])).label(name)
                for name in ("verdict", "finding", "verdict_at")
            ),
        )
        .join(_one, _one.c.id == _case.c.intermediary_id)
        .where(_case.c.intermediary_id == mine, _case.c.served_at.is_not(None))
        .order_by(_case.c.id.desc())
    )
    return [OwnCase(*row) for row in await session.execute(query)]


async def case_of(session: AsyncSession, ticket_id: int) -> Any | None:
    """The case of a ticket; who may see the ticket has been asked."""
    return (await session.execute(sa.select(_case).where(_case.c.ticket_id == ticket_id))).first()


async def case_list(session: AsyncSession, actor: Actor, most: int = 100) -> list[Any]:
    """Cases of tickets this person may see, the newest first."""
    query = (
        sa.select(_case, _one.c.name.label("holder"), _one.c.trade, _ticket.c.number, _ticket.c.state)
        .join(_one, _one.c.id == _case.c.intermediary_id)
        .join(_ticket, _ticket.c.id == _case.c.ticket_id)
        .where(visible_tickets(actor))
        .order_by(_case.c.id.desc())
        .limit(most)
    )
    return list((await session.execute(query)).all())


# ---- the blacklist -------------------------------------------------------------------------------


def _entries() -> sa.Select[Any]:
    names = (_one.c.name.label("holder"), _one.c.uscc, _one.c.trade, _unit.c.name.label("unit"))
    return (
        sa.select(_entry, *names)
        .join(_one, _one.c.id == _entry.c.intermediary_id)
        .join(_unit, _unit.c.id == _one.c.unit_id)
    )


async def entries(
    session: AsyncSession, actor: Actor, market: Market, *, state: str = "", most: int = 200
) -> list[Any]:
    """Entries this person may see, by state ("": those still open)."""
    wanted = _entry.c.state == state if state else _entry.c.state.in_([one.value for one in OPEN])
    query = _entries().where(wanted, within(actor, market)).order_by(_entry.c.id.desc()).limit(most)
    return list((await session.execute(query)).all())


async def entries_of(session: AsyncSession, actor: Actor, market: Market, intermediary_id: int) -> list[Any]:
    """Every entry of one intermediary, for who may see its inner side."""
    query = _entries().where(_entry.c.intermediary_id == intermediary_id, within(actor, market))
    return list((await session.execute(query.order_by(_entry.c.id.desc()))).all())


async def own_entries(session: AsyncSession, actor: Actor) -> list[Any]:
    """Entries of the intermediary this account works for, from the notice on."""
    mine = await own(session, actor)
    query = _entries().where(_entry.c.intermediary_id == mine, _entry.c.approved_at.is_not(None))
    return list((await session.execute(query.order_by(_entry.c.id.desc()))).all())


async def public_list(session: AsyncSession, today: date) -> list[Any]:
    """The blacklist everybody may read: in force today, the latest first."""
    query = _entries().where(*_in_force(today))
    return list((await session.execute(query.order_by(_entry.c.listed_on.desc(), _entry.c.id))).all())


async def counts(session: AsyncSession, today: date) -> Mapping[str, int]:
    """The market in four figures: open intermediaries, ratings, verified complaints that stand, listed."""
    verified = sa.and_(_case.c.verdict == "verified", _case.c.cancelled_at.is_(None))
    query = sa.select(
        sa.select(sa.func.count()).select_from(_one).where(_one.c.state == "active").scalar_subquery(),
        sa.select(sa.func.count()).select_from(_rating).scalar_subquery(),
        sa.select(sa.func.count()).select_from(_case).where(verified).scalar_subquery(),
        sa.select(sa.func.count()).select_from(_entry).where(*_in_force(today)).scalar_subquery(),
    )
    row = (await session.execute(query)).one()
    return dict(zip(("open", "ratings", "verified", "listed"), map(int, row), strict=True))


async def by_trade(session: AsyncSession) -> list[Any]:
    """Each trade: open intermediaries, ratings and their sum, the most ratings first."""
    query = (
        sa.select(
            _one.c.trade,
            sa.func.count().label("houses"),
            sa.func.sum(_one.c.ratings).label("ratings"),
            sa.func.sum(_one.c.stars).label("stars"),
        )
        .where(_one.c.state == "active")
        .group_by(_one.c.trade)
        .order_by(sa.func.sum(_one.c.ratings).desc(), _one.c.trade)
    )
    return list((await session.execute(query)).all())
