"""The notice board: who is told what from when to when, and who said it was read.

A broadcast over the floor is a notice as well: with an urgency, to be read at once, for an hour or a shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.catalog.events import FloorNoticeRead, NoticeHung
from core.catalog.models import Notice, NoticeRead
from core.catalog.versions import Copy, touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User, UserRole
from core.people.permissions import Permission, Role

MAX_TITLE = 80
MAX_BODY = 4000
MAX_CALL = 200  # characters of a broadcast: it is read between two calls
MAX_MINUTES = 12 * 60
FLOOR = (Role.AGENT, Role.SHIFT_LEADER)
_ORDER: dict[str | None, int] = {"urgent": 0, "usual": 1}


@dataclass(frozen=True)
class Draft:
    """A notice as it is written; no posts: all posts, no units: all units and what is below them."""

    title: str
    body: str
    starts_at: datetime
    ends_at: datetime
    must_read: bool = False
    posts: tuple[str, ...] = ()
    unit_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A notice on somebody's board."""

    id: int
    title: str
    body: str
    starts_at: datetime
    must_read: bool
    read_at: datetime | None
    urgency: str | None = None


@dataclass(frozen=True)
class Readers:
    """Whom a notice is for, how many of them said it was read, and who did not (login, name)."""

    wanted: int
    read: int
    missing: tuple[tuple[str, str], ...]


async def board(session: AsyncSession, actor: Actor, now: datetime, *, limit: int = 20) -> list[Shown]:
    """What hangs on this person's board now: unread ones that must be read first, then newest first."""
    query = (
        select(Notice, NoticeRead.at)  # type: ignore[call-overload]  # a column here
        .join(
            NoticeRead,
            (col(NoticeRead.notice_id) == col(Notice.id)) & (col(NoticeRead.user_id) == actor.user_id),
            isouter=True,
        )
        .where(col(Notice.withdrawn_at).is_(None), col(Notice.starts_at) <= now, col(Notice.ends_at) > now)
        .order_by(col(Notice.starts_at).desc(), col(Notice.id).desc())
        .limit(200)
    )
    found = [
        Shown(row.id, row.title, row.body, row.starts_at, row.must_read, read_at, row.urgency)
        for row, read_at in await session.execute(query)
        if is_for(actor, row.posts, row.unit_ids)
    ]
    return sorted(found, key=lambda one: not (one.must_read and one.read_at is None))[:limit]


def is_for(actor: Actor, posts: Sequence[str], unit_ids: Sequence[int]) -> bool:
    """Whether a person is among those a notice is for."""
    path = {int(part) for part in actor.unit_path.split(".") if part}
    own = {str(role) for role in actor.roles}
    return (not posts or bool(own & set(posts))) and (not unit_ids or bool(path & set(unit_ids)))


async def _coming(session: AsyncSession) -> list[Notice]:
    rows: list[Notice] = []
    for must in (True, False):
        query = select(Notice).where(col(Notice.must_read) == must, col(Notice.withdrawn_at).is_(None))
        # The newest of each: those of years past must not keep out what is to be read today.
        rows += (await session.execute(query.order_by(col(Notice.id).desc()).limit(500))).scalars()
    for row in rows:
        session.expunge(row)
    return sorted(rows, key=lambda row: row.id)


_copy: Copy[list[Notice]] = Copy("notices", _coming)


@dataclass(frozen=True)
class Unread:
    """What a person has not said to have read: how many, and the first of those that must be."""

    count: int
    must: list[Notice]


async def unread(
    session: AsyncSession, actor: Actor, now: datetime, *, at_once: bool = False, most: int = 3
) -> Unread:
    """What hangs for this person unread: broadcasts first, urgent ones before others, then the oldest.

    Asked on every page, so from a copy that may be a second old unless `at_once`.
    """
    wanted = [
        row
        for row in await _copy.get(session, now=at_once)
        if row.starts_at <= now < row.ends_at and is_for(actor, row.posts, row.unit_ids)
    ]
    if not wanted:
        return Unread(0, [])
    query = select(col(NoticeRead.notice_id)).where(
        col(NoticeRead.user_id) == actor.user_id, col(NoticeRead.notice_id).in_([row.id for row in wanted])
    )
    read = set((await session.execute(query)).scalars())
    left = [row for row in wanted if row.id not in read]
    must = sorted(
        (row for row in left if row.must_read), key=lambda row: _ORDER.get(row.urgency, len(_ORDER))
    )
    return Unread(len(left), must[:most])


async def acknowledge(uow: UnitOfWork, actor: Actor, notice_id: int) -> None:
    """Say that one has read it; once and for all. Raises `not_found` for a notice not for this person."""
    found = {one.id for one in await board(uow.session, actor, uow.now, limit=200)}
    if notice_id not in found or actor.user_id is None:
        raise HotlineError("not_found", notice_id=notice_id)
    await _read(uow, notice_id, actor.user_id)
    called = (await one(uow.session, notice_id)).urgency is not None
    if called:
        await uow.emit(FloorNoticeRead(notice_id, actor.user_id))


async def _read(uow: UnitOfWork, notice_id: int, user_id: int) -> None:
    values = {"notice_id": notice_id, "user_id": user_id, "at": uow.now}
    await uow.session.execute(insert(NoticeRead).values(**values).on_conflict_do_nothing())


async def all_notices(session: AsyncSession, *, before: int | None = None, limit: int = 50) -> list[Notice]:
    """For the editor, newest first, by keyset."""
    query = select(Notice).order_by(col(Notice.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Notice.id) < before)
    return list((await session.execute(query)).scalars())


async def one(session: AsyncSession, notice_id: int) -> Notice:
    """One notice for the editor. Raises `not_found`."""
    found = await session.get(Notice, notice_id)
    if found is None:
        raise HotlineError("not_found", notice_id=notice_id)
    return found


async def readers(session: AsyncSession, notice: Notice) -> Readers:
    """Who has read a notice and who has not (at most 200 names)."""
    query = audience(notice.posts, notice.unit_ids)
    people = (await session.execute(query)).all()
    statement = select(col(NoticeRead.user_id)).where(col(NoticeRead.notice_id) == notice.id)
    read = set((await session.execute(statement)).scalars())
    missing = tuple((row.login, row.name) for row in people if row.id not in read)
    return Readers(len(people), sum(row.id in read for row in people), missing[:200])


def audience(posts: Sequence[str], unit_ids: Sequence[int]) -> Any:
    """The open accounts a notice is for."""
    query = select(col(User.id), col(User.login), col(User.name)).where(col(User.active))
    if posts:
        holders = select(col(UserRole.user_id)).where(col(UserRole.role).in_(posts))
        query = query.where(col(User.id).in_(holders))
    if unit_ids:
        paths = select(col(Unit.path)).where(col(Unit.id).in_(unit_ids)).subquery()
        inside = select(col(Unit.id)).join(paths, col(Unit.path).like(paths.c.path.concat("%")))
        query = query.where(col(User.unit_id).in_(inside))
    return query.order_by(col(User.login))


async def count_audience(session: AsyncSession, posts: Sequence[str], unit_ids: Sequence[int]) -> int:
    """How many open accounts a notice would reach."""
    query = select(func.count()).select_from(audience(posts, unit_ids).order_by(None).subquery())
    return int((await session.execute(query)).scalar_one())


async def publish(uow: UnitOfWork, actor: Actor, draft: Draft) -> int:
    """Hang a notice up; audited. Raises `forbidden`, `notice_span`, `notice_text`, `notice_audience`."""
    actor.require(Permission.NOTICE_WRITE)
    await touch(uow, "notices")
    await _check(uow.session, draft, uow.now)
    values = _values(draft) | {"created_by": actor.user_id, "created_at": uow.now, "version": 1}
    made = await uow.session.execute(insert(Notice).values(**values).returning(col(Notice.id)))
    ident = int(made.scalar_one())
    await _note(uow, actor, "notice.publish", ident, draft)
    return ident


async def change(uow: UnitOfWork, actor: Actor, notice_id: int, version: int, draft: Draft) -> None:
    """Put a notice right; who has read it has read it. Raises `not_found`, `version_conflict`."""
    actor.require(Permission.NOTICE_WRITE)
    await touch(uow, "notices")
    await _check(uow.session, draft, uow.now)
    statement = (
        update(Notice)
        .where(col(Notice.id) == notice_id, col(Notice.version) == version)
        .values(**_values(draft), version=version + 1)
    )
    if (await uow.session.execute(statement.returning(col(Notice.id)))).first() is None:
        found = await one(uow.session, notice_id)
        raise HotlineError("version_conflict", thing="notice", ours=version, theirs=found.version)
    await _note(uow, actor, "notice.change", notice_id, draft)


async def withdraw(uow: UnitOfWork, actor: Actor, notice_id: int) -> None:
    """Take a notice down; it stays in the list. Raises `not_found`."""
    actor.require(Permission.NOTICE_WRITE)
    await touch(uow, "notices")
    statement = (
        update(Notice)
        .where(col(Notice.id) == notice_id, col(Notice.withdrawn_at).is_(None))
        .values(withdrawn_at=uow.now)
    )
    if (await uow.session.execute(statement.returning(col(Notice.id)))).first() is None:
        raise HotlineError("not_found", notice_id=notice_id)
    await audit.record(uow, actor=actor, action="notice.withdraw", object_type="notice", object_id=notice_id)


# ---- over the floor ---------------------------------------------------------------------------


async def call_out(uow: UnitOfWork, actor: Actor, text: str, urgency: str, minutes: int) -> int:
    """Tell every seat of the leader's hotline something at once; audited. Returns the notice's id.

    Raises `forbidden`, `broadcast_text`, `broadcast_minutes`.
    """
    actor.require(Permission.FLOOR_LEAD)
    text = " ".join(text.split())
    if not 0 < len(text) <= MAX_CALL or urgency not in ("usual", "urgent"):
        raise HotlineError("broadcast_text", most=MAX_CALL)
    if not 1 <= minutes <= MAX_MINUTES:
        raise HotlineError("broadcast_minutes")
    await touch(uow, "notices")
    unit = await uow.session.get(Unit, actor.unit_id) if actor.unit_id else None
    units = (unit.id,) if unit is not None and unit.kind == "hotline" else ()
    ends = uow.now + timedelta(minutes=minutes)
    draft = Draft(text[:MAX_TITLE], text, uow.now, ends, True, tuple(map(str, FLOOR)), units)
    values = _values(draft) | {"created_by": actor.user_id, "created_at": uow.now, "version": 1}
    made = insert(Notice).values(**values, urgency=urgency).returning(col(Notice.id))
    ident = int((await uow.session.execute(made)).scalar_one())
    if actor.user_id is not None:
        await _read(uow, ident, actor.user_id)
    await _note(uow, actor, "notice.call_out", ident, draft)
    await uow.emit(NoticeHung(ident, urgency))
    return ident


async def call_back(uow: UnitOfWork, actor: Actor, notice_id: int) -> None:
    """Take a broadcast off every page; it stays in the list. Raises `forbidden`, `not_found`."""
    actor.require(Permission.FLOOR_LEAD)
    await touch(uow, "notices")
    called = col(Notice.urgency).is_not(None)
    statement = (
        update(Notice)
        .where(col(Notice.id) == notice_id, called, col(Notice.withdrawn_at).is_(None))
        .values(withdrawn_at=uow.now)
    )
    if (await uow.session.execute(statement.returning(col(Notice.id)))).first() is None:
        raise HotlineError("not_found", notice_id=notice_id)
    await audit.record(uow, actor=actor, action="notice.withdraw", object_type="notice", object_id=notice_id)
    await uow.emit(NoticeHung(notice_id, "withdrawn"))


async def called_out(session: AsyncSession, since: datetime, *, limit: int = 20) -> list[tuple[Notice, int]]:
    """The broadcasts since then, newest first, with how many have read each."""
    count = (
        select(func.count())
        .where(col(NoticeRead.notice_id) == col(Notice.id), col(NoticeRead.user_id) != col(Notice.created_by))
        .scalar_subquery()
    )
    query = (
        select(Notice, count)
        .where(col(Notice.urgency).is_not(None), col(Notice.created_at) >= since)
        .order_by(col(Notice.id).desc())
        .limit(limit)
    )
    return [(row, int(n)) for row, n in await session.execute(query)]


async def follow_unit(uow: UnitOfWork, from_id: int, to_id: int) -> int:
    """Notices for a unit are for its successor when it goes over into another; returns how many."""
    query = select(col(Notice.id), col(Notice.unit_ids)).where(
        col(Notice.ends_at) > uow.now, col(Notice.withdrawn_at).is_(None)
    )
    rows = [row for row in await uow.session.execute(query.with_for_update()) if from_id in row.unit_ids]
    if rows:
        await touch(uow, "notices")
    for row in rows:
        units = list(dict.fromkeys(to_id if one == from_id else one for one in row.unit_ids))
        await uow.session.execute(update(Notice).where(col(Notice.id) == row.id).values(unit_ids=units))
    return len(rows)


def _values(draft: Draft) -> dict[str, Any]:
    return vars(draft) | {"posts": list(draft.posts), "unit_ids": list(draft.unit_ids)}


async def _check(session: AsyncSession, draft: Draft, now: datetime) -> None:
    if not 0 < len(draft.title) <= MAX_TITLE or not 0 < len(draft.body) <= MAX_BODY:
        raise HotlineError("notice_text")
    if draft.ends_at <= draft.starts_at or draft.ends_at <= now:
        raise HotlineError("notice_span")
    if not set(draft.posts) <= {str(role) for role in Role}:
        raise HotlineError("notice_audience")
    query = select(func.count()).where(col(Unit.id).in_(draft.unit_ids))
    if (await session.execute(query)).scalar_one() != len(set(draft.unit_ids)):
        raise HotlineError("notice_audience")


async def _note(uow: UnitOfWork, actor: Actor, action: str, ident: int, draft: Draft) -> None:
    detail = {"title": draft.title, "posts": list(draft.posts), "unit_ids": list(draft.unit_ids)}
    await audit.record(uow, actor=actor, action=action, object_type="notice", object_id=ident, detail=detail)
