"""The list of accounts and of open sessions, as the administrators' pages ask for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.people.models import AdminProposal, Unit, User, UserRole, UserTotp, WebSession
from core.people.sessions import living
from core.settings import Security

State = Literal["open", "closed", "locked", "waiting"]


@dataclass(frozen=True)
class Wanted:
    """What of the list is wanted; `after` is the login the page before ended with."""

    text: str = ""
    unit_id: int | None = None
    post: str = ""
    state: State | None = None
    after: str = ""


@dataclass(frozen=True)
class Entry:
    """One account."""

    id: int
    login: str
    name: str
    unit_name: str
    unit_code: str
    extension: str | None
    active: bool
    locked_until: datetime | None
    posts: tuple[str, ...]
    waiting: bool
    totp: bool
    last_login: datetime | None


def _escaped(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _waiting() -> Any:
    return exists().where(
        col(AdminProposal.state) == "waiting",
        col(AdminProposal.subject_type) == "user",
        col(AdminProposal.subject_id) == col(User.id),
    )


def _statement(wanted: Wanted, now: datetime) -> Select[Any]:
    posts = select(func.array_agg(col(UserRole.role))).where(col(UserRole.user_id) == col(User.id))
    factor = exists().where(col(UserTotp.user_id) == col(User.id), col(UserTotp.confirmed_at).is_not(None))
    last = select(func.max(col(WebSession.created_at))).where(col(WebSession.user_id) == col(User.id))
    query: Select[Any] = (
        select(User.id, User.login, User.name, Unit.name, User.extension, User.active, User.locked_until)  # type: ignore[call-overload]  # columns here
        .add_columns(posts.scalar_subquery(), _waiting(), factor, last.scalar_subquery(), Unit.code)
        .join(Unit, col(Unit.id) == col(User.unit_id))
        .order_by(col(User.login))
    )
    if wanted.text:
        like = _escaped(wanted.text)
        query = query.where(
            or_(col(User.login).ilike(like), col(User.name).ilike(like), col(User.extension) == wanted.text)
        )
    if wanted.unit_id is not None:
        query = query.where(col(User.unit_id) == wanted.unit_id)
    if wanted.post:
        held = exists().where(col(UserRole.user_id) == col(User.id), col(UserRole.role) == wanted.post)
        query = query.where(held)
    if wanted.state is not None:
        query = query.where(_is(wanted.state, now))
    if wanted.after:
        query = query.where(col(User.login) > wanted.after)
    return query


def _is(state: State, now: datetime) -> Any:
    return {
        "open": col(User.active),
        "closed": ~col(User.active),
        "locked": col(User.locked_until) > now,
        "waiting": _waiting(),
    }[state]


async def people(session: AsyncSession, wanted: Wanted, now: datetime, *, limit: int) -> list[Entry]:
    """Accounts by login, at most `limit`."""
    rows = await session.execute(_statement(wanted, now).limit(limit))
    return [
        Entry(
            id=row[0], login=row[1], name=row[2], unit_name=row[3], extension=row[4], active=row[5],
            locked_until=row[6], posts=tuple(row[7] or ()), waiting=row[8], totp=row[9], last_login=row[10],
            unit_code=row[11],
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Seat:
    """One open session and whose it is."""

    id: int
    user_id: int
    login: str
    name: str
    unit_name: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    source: str | None
    agent: str | None


async def seats(
    session: AsyncSession,
    now: datetime,
    security: Security,
    *,
    user_id: int | None = None,
    text: str = "",
    before: int | None = None,
    limit: int,
) -> list[Seat]:
    """Sessions alive at `now`, newest first, at most `limit`; `before` is an id of the page above."""
    query: Select[Any] = (
        select(WebSession.id, User.id, User.login, User.name, Unit.name, WebSession.created_at)  # type: ignore[call-overload]  # columns here
        .add_columns(
            col(WebSession.seen_at),
            col(WebSession.expires_at),
            col(WebSession.source),
            col(WebSession.agent),
        )
        .join(User, col(User.id) == col(WebSession.user_id))
        .join(Unit, col(Unit.id) == col(User.unit_id))
        .where(living(now, security))
        .order_by(col(WebSession.id).desc())
        .limit(limit)
    )
    if user_id is not None:
        query = query.where(col(WebSession.user_id) == user_id)
    if text:
        like = _escaped(text)
        query = query.where(
            or_(col(User.login).ilike(like), col(User.name).ilike(like), col(WebSession.source) == text)
        )
    if before is not None:
        query = query.where(col(WebSession.id) < before)
    return [Seat(*row) for row in await session.execute(query)]
