"""The wording for an emergency (突发口径): on every page of every agent at once, until it ends.

A changed text is a new edition that has to be read anew. Who read which edition is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify.staff import roles_with
from core.people.actor import Actor
from core.people.models import Unit, User, UserRole
from core.people.permissions import Permission
from tickets.errors import conflict
from tickets.forms import clean
from tickets.knowledge.events import BannerChanged, BannerRead
from tickets.knowledge.models import KnowledgeBanner, KnowledgeBannerEdition, KnowledgeBannerRead
from tickets.models import table_of

_banner = table_of(KnowledgeBanner)
_edition = table_of(KnowledgeBannerEdition)
_read = table_of(KnowledgeBannerRead)
_user = table_of(User)
_role = table_of(UserRole)
_unit = table_of(Unit)
MAX_TITLE, MAX_BODY, MAX_REASON = 80, 1000, 200
AGENTS = roles_with(Permission.DRAFT_WRITE)
MOST = 5  # on one page


@dataclass(frozen=True)
class Shown:
    """A banner as an agent's page shows it; `read` when this person has read this edition."""

    id: int
    edition: int
    title: str
    body: str
    changed_at: datetime
    ends_at: datetime
    read: bool


@dataclass(frozen=True)
class Reader:
    """A person a banner is for; `read_at` None: not yet."""

    login: str
    name: str
    read_at: datetime | None


async def present(session: AsyncSession, actor: Actor, now: datetime) -> list[Shown]:
    """What is in force for an agent now: unread ones first, then the newest."""
    if not actor.may(Permission.DRAFT_WRITE):
        return []
    names = ("id", "edition", "title", "body", "changed_at", "ends_at")
    mine = sa.and_(
        _read.c.banner_id == _banner.c.id,
        _read.c.number == _banner.c.edition,
        _read.c.user_id == actor.user_id,
    )
    read = _read.c.user_id.is_not(None)
    query = (
        sa.select(*(_banner.c[name] for name in names), read.label("read"))
        .select_from(_banner.outerjoin(_read, mine))
        .where(_banner.c.withdrawn_at.is_(None), _banner.c.ends_at > now)
        .order_by(read, _banner.c.changed_at.desc(), _banner.c.id.desc())
        .limit(MOST)
    )
    return [Shown(**row._mapping) for row in await session.execute(query)]


@dataclass(frozen=True)
class Announced:
    """A banner as anybody may see it; the unit that is responsible stands first."""

    unit: str
    title: str
    body: str
    changed_at: datetime
    ends_at: datetime


async def public(session: AsyncSession, now: datetime) -> list[Announced]:
    """What is in force and was released for everybody, the newest first."""
    names = ("title", "body", "changed_at", "ends_at")
    query = (
        sa.select(_unit.c.name.label("unit"), *(_banner.c[name] for name in names))
        .select_from(_banner.join(_unit, _unit.c.id == _banner.c.unit_id))
        .where(_banner.c.public, _banner.c.withdrawn_at.is_(None), _banner.c.ends_at > now)
        .order_by(_banner.c.changed_at.desc(), _banner.c.id.desc())
        .limit(MOST)
    )
    return [Announced(**row._mapping) for row in await session.execute(query)]


async def listed(session: AsyncSession, *, limit: int = 50) -> list[Any]:
    """Every banner, the newest first, with how many have read its text: (row, readers)."""
    count = (
        sa.select(sa.func.count())
        .where(_read.c.banner_id == _banner.c.id, _read.c.number == _banner.c.edition)
        .scalar_subquery()
    )
    query = sa.select(_banner, count.label("readers")).order_by(_banner.c.id.desc()).limit(limit)
    return list((await session.execute(query)).all())


async def one(session: AsyncSession, banner_id: int) -> Any:
    """The row of a banner. Raises `not_found`."""
    row = (await session.execute(sa.select(_banner).where(_banner.c.id == banner_id))).first()
    if row is None:
        raise HotlineError("not_found", banner_id=banner_id)
    return row


async def editions(session: AsyncSession, banner_id: int) -> list[Any]:
    """The texts it had, the newest first, with who wrote them."""
    query = (
        sa.select(_edition, _user.c.name.label("author"))
        .outerjoin(_user, _user.c.id == _edition.c.made_by)
        .where(_edition.c.banner_id == banner_id)
        .order_by(_edition.c.number.desc())
        .limit(50)
    )
    return list((await session.execute(query)).all())


async def readers(session: AsyncSession, banner_id: int, number: int) -> list[Reader]:
    """Everybody an edition is for, who has not read it first."""
    held = sa.select(_role.c.user_id).where(_role.c.role.in_(AGENTS))
    mine = sa.and_(_read.c.user_id == _user.c.id, _read.c.banner_id == banner_id, _read.c.number == number)
    query = (
        sa.select(_user.c.login, _user.c.name, _read.c.at.label("read_at"))
        .select_from(_user.outerjoin(_read, mine))
        .where(sa.or_(sa.and_(_user.c.active, _user.c.id.in_(held)), _read.c.at.is_not(None)))
        .order_by(_read.c.at.is_not(None), _read.c.at, _user.c.login)
        .limit(2000)
    )
    return [Reader(**row._mapping) for row in await session.execute(query)]


# ---- writing ----------------------------------------------------------------------------------


async def issue(
    uow: UnitOfWork,
    actor: Actor,
    title: str,
    body: str,
    ends_at: datetime,
    public_unit: int | None = None,
) -> int:
    """Show a wording to every agent at once; audited. Returns its id.

    `public_unit`: it is shown on the public pages too, with this unit as the responsible one.
    Raises `forbidden`, `banner_text`, `banner_ends`, `unit_closed`.
    """
    actor.require(Permission.KNOWLEDGE_PUBLISH)
    text = _checked(uow, title, body, ends_at)
    values = text | await _release(uow, public_unit)
    values |= {
        "edition": 1,
        "issued_by": actor.user_id,
        "issued_at": uow.now,
        "changed_at": uow.now,
        "reason": "",
    }
    made = await uow.session.execute(sa.insert(_banner).values(**values).returning(_banner.c.id))
    ident = int(made.scalar_one())
    await _keep(uow, actor, ident, 1, text, "issued")
    return ident


async def change(
    uow: UnitOfWork,
    actor: Actor,
    banner_id: int,
    edition: int,
    title: str,
    body: str,
    ends_at: datetime,
    public_unit: int | None = None,
) -> int:
    """A new text, which has to be read anew; returns its number. Raises `banner_over` besides the usual."""
    actor.require(Permission.KNOWLEDGE_PUBLISH)
    text = _checked(uow, title, body, ends_at)
    row = await _locked(uow, banner_id, edition)
    number = int(row.edition) + 1
    values = text | await _release(uow, public_unit) | {"edition": number, "changed_at": uow.now}
    await uow.session.execute(sa.update(_banner).where(_banner.c.id == banner_id).values(**values))
    await _keep(uow, actor, banner_id, number, text, "changed")
    return number


async def withdraw(uow: UnitOfWork, actor: Actor, banner_id: int, edition: int, reason: str) -> None:
    """Take it off every page. Raises `forbidden`, `not_found`, `banner_over`, `knowledge_reason`."""
    actor.require(Permission.KNOWLEDGE_PUBLISH)
    reason = clean(reason)[:MAX_REASON]
    row = await _locked(uow, banner_id, edition)
    if not reason:
        raise HotlineError("knowledge_reason")
    values = {"withdrawn_at": uow.now, "withdrawn_by": actor.user_id, "reason": reason}
    await uow.session.execute(sa.update(_banner).where(_banner.c.id == banner_id).values(**values))
    await _audit(uow, actor, "banner.withdraw", banner_id, row.edition, reason)
    await uow.emit(BannerChanged(banner_id, row.edition, "withdrawn"))


async def acknowledge(uow: UnitOfWork, actor: Actor, banner_id: int, edition: int) -> None:
    """Say that one has read this edition; once and for all. Raises `not_found` when it shows no more."""
    shown = {one.id: one for one in await present(uow.session, actor, uow.now)}
    if banner_id not in shown or actor.user_id is None:
        raise HotlineError("not_found", banner_id=banner_id)
    if shown[banner_id].edition != edition:
        raise conflict("banner", banner_id, ours=edition, theirs=shown[banner_id].edition)
    values = {"banner_id": banner_id, "number": edition, "user_id": actor.user_id, "at": uow.now}
    made = insert(_read).values(**values).on_conflict_do_nothing().returning(_read.c.user_id)
    if (await uow.session.execute(made)).first() is not None:
        await uow.emit(BannerRead(banner_id, edition, actor.user_id))


def _checked(uow: UnitOfWork, title: str, body: str, ends_at: datetime) -> dict[str, Any]:
    text = {"title": clean(title), "body": clean(body, lines=True)}
    if not 0 < len(text["title"]) <= MAX_TITLE or not 0 < len(text["body"]) <= MAX_BODY:
        raise HotlineError("banner_text", title=MAX_TITLE, body=MAX_BODY)
    if ends_at <= uow.now:
        raise HotlineError("banner_ends")
    return {**text, "ends_at": ends_at}


async def _release(uow: UnitOfWork, unit_id: int | None) -> dict[str, Any]:
    """Whether everybody may see it; then some open unit is responsible for it."""
    if unit_id is not None:
        query = sa.select(_unit.c.id).where(_unit.c.id == unit_id, _unit.c.active)
        if (await uow.session.execute(query)).first() is None:
            raise HotlineError("unit_closed", unit_id=unit_id)
    return {"public": unit_id is not None, "unit_id": unit_id}


async def _locked(uow: UnitOfWork, banner_id: int, edition: int) -> Any:
    query = sa.select(_banner).where(_banner.c.id == banner_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("not_found", banner_id=banner_id)
    if row.withdrawn_at is not None or row.ends_at <= uow.now:
        raise HotlineError("banner_over", banner_id=banner_id)
    if row.edition != edition:
        raise conflict("banner", banner_id, ours=edition, theirs=row.edition)
    return row


async def _keep(
    uow: UnitOfWork, actor: Actor, banner_id: int, number: int, text: dict[str, Any], kind: str
) -> None:
    values = {"banner_id": banner_id, "number": number, "made_by": actor.user_id, "made_at": uow.now}
    await uow.session.execute(sa.insert(_edition).values(**values, **text))
    await _audit(uow, actor, f"banner.{'issue' if kind == 'issued' else 'change'}", banner_id, number)
    await uow.emit(BannerChanged(banner_id, number, kind))


async def _audit(
    uow: UnitOfWork, actor: Actor, action: str, banner_id: int, edition: int, reason: str = ""
) -> None:
    await audit.record(
        uow,
        actor=actor,
        action=action,
        object_type="banner",
        object_id=banner_id,
        reason=reason or None,
        detail={"edition": edition},
    )
