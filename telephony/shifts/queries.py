"""The rota, its versions and swaps as screens read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.permissions import Permission, Role
from core.tables import table_of
from telephony.shifts.grid import Kind, Kinds, Person, Planned, Rows
from telephony.shifts.hours import Hours
from telephony.shifts.models import RotaShift, RotaVersion, RotaWeek, ShiftKind, ShiftSwap

ROSTERED = (Role.AGENT, Role.SHIFT_LEADER, Role.CALLBACK_OFFICER)
_kind, _week, _shift = table_of(ShiftKind), table_of(RotaWeek), table_of(RotaShift)
_version, _swap = table_of(RotaVersion), table_of(ShiftSwap)
_user, _role = table_of(User), table_of(UserRole)
SWAP_WORDS = {
    "asked": "待同事答复",
    "agreed": "待班长批准",
    "approved": "已批准",
    "refused": "班长未批准",
    "declined": "同事未同意",
    "withdrawn": "已撤回",
}


async def kinds(session: AsyncSession) -> Kinds:
    """Every kind of shift, closed ones too, in their order."""
    rows = await session.execute(sa.select(_kind).order_by(_kind.c.sort, _kind.c.id))
    return Kinds(
        Kind(row.id, row.code, row.name, Hours(row.starts, row.ends, _breaks(row.breaks)), row.active)
        for row in rows
    )


def _breaks(value: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((begin, end) for begin, end in value)


async def people(session: AsyncSession, first: date, last: date) -> list[Person]:
    """Who can be rostered, and who was in these days although the account or the post is gone: by login."""
    posts = sa.select(_role.c.user_id).where(_role.c.role.in_([role.value for role in ROSTERED]))
    there = sa.select(_shift.c.user_id).where(_shift.c.day.between(first, last))
    query = sa.select(_user.c.id, _user.c.login, _user.c.name).where(
        sa.or_(sa.and_(_user.c.active, _user.c.id.in_(posts)), _user.c.id.in_(there))
    )
    return [(row.id, row.login, row.name) for row in await session.execute(query.order_by(_user.c.login))]


async def rows(session: AsyncSession, first: date, last: date, user_id: int | None = None) -> Rows:
    """The shifts of these days by person and day."""
    query = sa.select(_shift, _kind.c.code).join(_kind, _kind.c.id == _shift.c.kind_id)
    query = query.where(_shift.c.day.between(first, last))
    if user_id is not None:
        query = query.where(_shift.c.user_id == user_id)
    return {(row.user_id, row.day): _planned(row) for row in await session.execute(query)}


def _planned(row: Any) -> Planned:
    hours = Hours(row.starts, row.ends, _breaks(row.breaks))
    return Planned(row.kind_id, row.code, hours, tuple(row.queues))


async def version_of(session: AsyncSession, monday: date) -> int:
    """How often the week was changed; 0: never."""
    query = sa.select(_week.c.version).where(_week.c.monday == monday)
    return (await session.execute(query)).scalar_one_or_none() or 0


@dataclass(frozen=True)
class VersionItem:
    """A change of a week, with what it changed: person, day, code before, code after."""

    version: int
    at: datetime
    by: str
    cause: str
    note: str
    changes: tuple[tuple[str, date, str, str], ...]


async def versions(session: AsyncSession, actor: Actor, monday: date) -> list[VersionItem]:
    """The versions of a week, newest first."""
    actor.require(Permission.ROTA_READ)
    query = (
        sa.select(_version, _user.c.name)
        .select_from(_version.outerjoin(_user, _user.c.id == _version.c.by))
        .where(_version.c.monday == monday)
        .order_by(_version.c.version)
    )
    found, before = [], dict[tuple[int, date], str]()
    every = (await session.execute(query)).all()
    names = await _names(session, {row[0] for version in every for row in version.rows})
    for one in every:
        after = {(row[0], date.fromisoformat(row[1])): str(row[2]) for row in one.rows}
        keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        changes = tuple(
            (names.get(who, "?"), day, before.get((who, day), "休"), after.get((who, day), "休"))
            for who, day in keys
        )
        found.append(VersionItem(one.version, one.at, one.name or "系统", one.cause, one.note, changes))
        before = after
    return found[::-1]


async def _names(session: AsyncSession, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    query = sa.select(_user.c.id, _user.c.name).where(_user.c.id.in_(ids))
    return {row.id: row.name for row in await session.execute(query)}


@dataclass(frozen=True)
class SwapItem:
    """A swap with the names of both and the codes of the shifts."""

    id: int
    state: str
    asker_id: int
    asker: str
    asker_day: date
    asker_code: str
    taker_id: int
    taker: str
    taker_day: date | None
    taker_code: str | None
    reason: str
    asked_at: datetime
    decided_at: datetime | None
    decision_note: str

    @property
    def word(self) -> str:
        return SWAP_WORDS[self.state]


def visible_swaps(actor: Actor) -> sa.ColumnElement[bool]:
    """A leader sees all, an agent those of his own."""
    if actor.may(Permission.ROTA_READ):
        return sa.true()
    return sa.or_(_swap.c.asker_id == actor.user_id, _swap.c.taker_id == actor.user_id)


async def swaps(
    session: AsyncSession, actor: Actor, *, mine: bool = False, open_only: bool = False, limit: int = 50
) -> list[SwapItem]:
    """Swaps this person may see, newest first; `mine`: only those he takes part in."""
    asker, taker = _user.alias("asker"), _user.alias("taker")
    first, second = _kind.alias("first"), _kind.alias("second")
    plain = ("id", "state", "asker_id", "asker_day", "taker_id", "taker_day", "reason", "asked_at")
    query = (
        sa.select(
            *(_swap.c[name] for name in (*plain, "decided_at", "decision_note")),
            asker.c.name.label("asker"),
            taker.c.name.label("taker"),
            first.c.code.label("asker_code"),
            second.c.code.label("taker_code"),
        )
        .select_from(
            _swap.join(asker, asker.c.id == _swap.c.asker_id)
            .join(taker, taker.c.id == _swap.c.taker_id)
            .join(first, first.c.id == _swap.c.asker_kind_id)
            .outerjoin(second, second.c.id == _swap.c.taker_kind_id)
        )
        .where(visible_swaps(actor))
        .order_by(_swap.c.id.desc())
        .limit(limit)
    )
    if mine:
        query = query.where(sa.or_(_swap.c.asker_id == actor.user_id, _swap.c.taker_id == actor.user_id))
    if open_only:
        query = query.where(_swap.c.state.in_(["asked", "agreed"]))
    return [SwapItem(**row._mapping) for row in await session.execute(query)]


@dataclass(frozen=True)
class OwnShift:
    """A shift as its person sees it."""

    day: date
    planned: Planned
    kind: str
    begins: datetime
    ends: datetime


async def own(session: AsyncSession, actor: Actor, first: date, days: int) -> list[OwnShift]:
    """This person's shifts of some days from `first` on."""
    actor.require(Permission.SHIFT_OWN)
    last = first + timedelta(days=days - 1)
    found = await rows(session, first, last, actor.user_id)
    words = {kind.id: kind.name for kind in (await kinds(session)).every}
    return [
        OwnShift(day, one, words[one.kind_id], one.hours.span(day).begin, one.hours.span(day).end)
        for (_, day), one in sorted(found.items(), key=lambda item: item[0][1])
    ]


def shift_missing(user_id: int, day: date) -> HotlineError:
    """The error of a shift that is not there."""
    return HotlineError("shift_not_found", user_id=user_id, day=day.isoformat())
