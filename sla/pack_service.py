"""Policy packs in versions: drafted, compared, published with the day from which they count.

Versions and publications are appended, never changed. The pack of a day is that of the latest
publication effective by then; a clock keeps what it was promised on the day it started.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.versions import touch
from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from sla.pack import Book, Pack
from sla.packs import named_pack, named_text, parse_pack
from sla.version_models import PackPublication, PackVersion
from tickets.models import table_of

PART = "packs"  # its name in catalog_version
LONGEST_NAME = 40
LONGEST_TEXT = 200_000  # characters; the shipped ones have some four thousand
_version, _publication = table_of(PackVersion), table_of(PackPublication)
_user = table_of(User)


@dataclass(frozen=True)
class Line:
    """A version without its text, for lists."""

    id: int
    number: int
    name: str
    note: str
    base_id: int | None
    author: str | None
    made_at: datetime


@dataclass(frozen=True)
class Version(Line):
    """A version with its text."""

    content: str

    @property
    def pack(self) -> Pack:
        """What it says; its name tells the version, so that a promise can name it."""
        return _pack(self.content, self.number)


@lru_cache(maxsize=64)
def _pack(content: str, number: int) -> Pack:
    found = parse_pack("", content)
    return replace(found, name=f"{found.name} 第{number}版")


@dataclass(frozen=True)
class Publication:
    """From `effective` on version `number` counts."""

    id: int
    version_id: int
    number: int
    name: str
    effective: date
    note: str
    published_by: str | None
    published_at: datetime


# ---- writing -------------------------------------------------------------------------------------


async def seed(uow: UnitOfWork, name: str) -> bool:
    """Take the pack of the settings as the first version, published, once. Errors: those of `named_pack`."""
    await touch(uow, PART)
    if await _last_number(uow.session):
        return False
    pack = named_pack(name)
    ident = await _insert(uow, None, 1, pack, named_text(name), f"配置 sla.pack：{name}", None)
    await _publish(uow, None, ident, pack.effective, "系统初始时限")
    return True


async def draft(uow: UnitOfWork, actor: Actor, base_id: int, name: str, text: str, *, note: str) -> Version:
    """Keep a text as a new version made from `base_id`; `name` is how refusals call it.

    Errors: forbidden, pack_text_long, pack_name_long, pack_unchanged, pack_version_missing, those of
    `parse_pack`.
    """
    actor.require(Permission.POLICY_EDIT)
    pack = checked(name, text)
    await touch(uow, PART)
    base = await version(uow.session, base_id)
    if base.content == text:
        raise HotlineError("pack_unchanged")
    number = await _last_number(uow.session) + 1
    ident = await _insert(uow, actor, number, pack, text, note, base_id)
    await audit.record(
        uow, actor=actor, action="policy.draft", object_type="policy", object_id=ident,
        reason=note or None, detail={"number": number, "base": base.number},
    )  # fmt: skip
    return await version(uow.session, ident)


def checked(name: str, text: str) -> Pack:
    """The pack of a text somebody wrote. Errors: pack_text_long, pack_name_long, those of `parse_pack`."""
    if len(text) > LONGEST_TEXT:
        raise HotlineError("pack_text_long", most=LONGEST_TEXT)
    pack = parse_pack(name, text)
    if len(pack.name) > LONGEST_NAME:
        raise HotlineError("pack_name_long", most=LONGEST_NAME)
    return pack


async def publish(uow: UnitOfWork, actor: Actor, version_id: int, effective: date, note: str) -> int:
    """Let a version count from a day on; who may is in the table of duties.

    Errors: pack_version_missing, pack_effective_past, pack_published.
    """
    await touch(uow, PART)
    found = await check(uow.session, version_id, effective, uow.now)
    ident = await _publish(uow, actor, version_id, effective, note)
    await audit.record(
        uow, actor=actor, action="policy.publish", object_type="policy", object_id=version_id,
        reason=note or None, detail={"number": found.number, "effective": effective.isoformat()},
    )  # fmt: skip
    return ident


async def check(session: AsyncSession, version_id: int, effective: date, now: datetime) -> Version:
    """Raise what `publish` would, before anybody is asked to approve it."""
    found = await version(session, version_id)
    if effective < to_city(now).date():
        raise HotlineError("pack_effective_past", effective=effective.isoformat())
    counts = in_force(await publications(session), effective)
    if counts is not None and counts.version_id == version_id:
        raise HotlineError("pack_published", number=found.number)
    return found


async def _insert(
    uow: UnitOfWork, actor: Actor | None, number: int, pack: Pack, text: str, note: str, base: int | None
) -> int:
    values = {
        "number": number,
        "name": pack.name[:80],
        "content": text,
        "note": note[:500],
        "base_id": base,
        "author_id": actor.user_id if actor else None,
        "made_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_version).values(**values).returning(_version.c.id))
    return int(made.scalar_one())


async def _publish(uow: UnitOfWork, actor: Actor | None, ident: int, effective: date, note: str) -> int:
    values = {
        "version_id": ident,
        "effective": effective,
        "note": note[:500],
        "published_by": actor.user_id if actor else None,
        "published_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_publication).values(**values).returning(_publication.c.id))
    return int(made.scalar_one())


# ---- questions -----------------------------------------------------------------------------------


async def _last_number(session: AsyncSession) -> int:
    return int((await session.execute(sa.select(sa.func.max(_version.c.number)))).scalar_one() or 0)


_COLUMNS = (
    *(_version.c[name] for name in ("id", "number", "name", "note", "base_id")),
    _user.c.name.label("author"),
    _version.c.made_at,
)


def _versions(*more: Any) -> Any:
    query = sa.select(*_COLUMNS, *more).select_from(_version)
    return query.outerjoin(_user, _user.c.id == _version.c.author_id)


async def versions(session: AsyncSession, limit: int = 100) -> list[Line]:
    """The latest versions, newest first."""
    query = _versions().order_by(_version.c.number.desc()).limit(limit)
    return [Line(*row) for row in (await session.execute(query)).all()]


async def version(session: AsyncSession, ident: int) -> Version:
    """One version. Errors: pack_version_missing."""
    row = (await session.execute(_versions(_version.c.content).where(_version.c.id == ident))).one_or_none()
    if row is None:
        raise HotlineError("pack_version_missing")
    return Version(*row)


async def publications(session: AsyncSession) -> list[Publication]:
    """Every publication in the order in which they count: by day, then as they were published."""
    query = (
        sa.select(
            _publication.c.id,
            _publication.c.version_id,
            _version.c.number,
            _version.c.name,
            _publication.c.effective,
            _publication.c.note,
            _user.c.name.label("published_by"),
            _publication.c.published_at,
        )
        .select_from(_publication.join(_version, _version.c.id == _publication.c.version_id))
        .outerjoin(_user, _user.c.id == _publication.c.published_by)
        .order_by(_publication.c.effective, _publication.c.id)
    )
    return [Publication(*row) for row in (await session.execute(query)).all()]


def in_force(published: Sequence[Publication], day: date) -> Publication | None:
    """Which of them counts on a day; before the first, the first."""
    counting = [one for one in published if one.effective <= day]
    return counting[-1] if counting else next(iter(published), None)


async def book(session: AsyncSession) -> Book | None:
    """The packs of every day; None before the first publication."""
    published = await publications(session)
    last: Mapping[date, Publication] = {one.effective: one for one in published}
    packs = {one.version_id: (await version(session, one.version_id)).pack for one in last.values()}
    if not last:
        return None
    return Book(tuple(last), tuple(packs[one.version_id] for one in last.values()))
