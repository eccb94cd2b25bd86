"""Who really sits at a browser: the people with a session that is alive."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import User, UserRole, WebSession
from core.people.permissions import Role
from core.people.sessions import living
from core.settings import Security
from tickets.models import table_of

_browser = table_of(WebSession)
_role = table_of(UserRole)
_user = table_of(User)


@dataclass(frozen=True)
class Present:
    """The people who are signed in, and the posts they hold between them."""

    users: frozenset[int]
    posts: frozenset[Role]


async def signed_in(session: AsyncSession, now: datetime, security: Security) -> Present:
    """Everybody whose session would still be accepted at `now`."""
    query = sa.select(_browser.c.user_id, _role.c.role).outerjoin(
        _role, _role.c.user_id == _browser.c.user_id
    )
    rows = (await session.execute(query.where(living(now, security)).distinct())).all()
    posts = frozenset(Role(row.role) for row in rows if row.role is not None)
    return Present(frozenset(row.user_id for row in rows), posts)


async def busy_extensions(session: AsyncSession, now: datetime, rest: timedelta) -> frozenset[str]:
    """The telephones of everybody who did something at a browser within `rest`."""
    query = sa.select(_user.c.extension).join(_browser, _browser.c.user_id == _user.c.id)
    active = (
        _browser.c.ended_at.is_(None),
        _browser.c.expires_at > now,
        _browser.c.seen_at > now - rest,
        _user.c.extension.is_not(None),
    )
    found = await session.execute(query.where(*active))
    return frozenset(found.scalars())
