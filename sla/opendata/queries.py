"""Releases read: what anybody may see (published), and every version for who decides."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from sla.opendata.models import OpenDecision, OpenRelease
from sla.opendata.service import PUBLISHED
from tickets.models import table_of

_release, _decision, _user = table_of(OpenRelease), table_of(OpenDecision), table_of(User)
MOST = 240  # versions in the catalogue, newest first


@dataclass(frozen=True)
class Published:
    """A version that anybody may see."""

    month: date
    version: int
    as_of: datetime
    published_at: datetime
    content: dict[str, Any]

    @property
    def tables(self) -> list[dict[str, Any]]:
        """Its tables as data."""
        found: list[dict[str, Any]] = self.content["tables"]
        return found

    def table(self, code: str) -> dict[str, Any]:
        """One of them. Raises `not_found`."""
        for table in self.tables:
            if table["code"] == code:
                return table
        raise HotlineError("not_found")


@dataclass(frozen=True)
class Version:
    """A version as who decides sees it in the list."""

    id: int
    month: date
    version: int
    made_at: datetime
    made_by: str | None
    reason: str
    decision: str | None
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
    mine: bool


def _published(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(_release.join(_decision, _decision.c.release_id == _release.c.id))
        .where(_decision.c.decision == PUBLISHED)
    )


async def listed(session: AsyncSession) -> list[Published]:
    """Every published version with its content, the newest month and version first."""
    columns = [_release.c[name] for name in ("month", "version", "as_of", "content")]
    query = (
        _published(*columns, _decision.c.at.label("published_at"))
        .order_by(_release.c.month.desc(), _release.c.version.desc())
        .limit(MOST)
    )
    return [Published(**row._mapping) for row in await session.execute(query)]


async def months(session: AsyncSession) -> list[tuple[date, int]]:
    """Months with the number of their newest published version, the newest month first."""
    newest = sa.func.max(_release.c.version).label("version")
    query = _published(_release.c.month, newest).group_by(_release.c.month)
    rows = await session.execute(query.order_by(_release.c.month.desc()))
    return [(row.month, row.version) for row in rows]


async def one(session: AsyncSession, month: date, version: int | None = None) -> Published:
    """A published version, the newest one of its month unless it is named. Raises `not_found`."""
    columns = [_release.c[name] for name in ("month", "version", "as_of", "content")]
    query = _published(*columns, _decision.c.at.label("published_at")).where(_release.c.month == month)
    if version is not None:
        query = query.where(_release.c.version == version)
    row = (await session.execute(query.order_by(_release.c.version.desc()).limit(1))).first()
    if row is None:
        raise HotlineError("not_found")
    return Published(**row._mapping)


async def versions_of(session: AsyncSession, month: date) -> list[int]:
    """The published versions of a month, oldest first."""
    query = _published(_release.c.version).where(_release.c.month == month).order_by(_release.c.version)
    return list((await session.execute(query)).scalars())


async def every(session: AsyncSession, actor: Actor) -> list[Version]:
    """All versions with what became of them, newest first."""
    actor.require(Permission.REPORT_READ)
    decider = _user.alias("decider")
    columns = [_release.c[name] for name in ("id", "month", "version", "made_at", "reason")]
    query = (
        sa.select(
            *columns,
            _user.c.name.label("made_by"),
            _decision.c.decision,
            _decision.c.at.label("decided_at"),
            decider.c.name.label("decided_by"),
            _decision.c.note,
            sa.func.coalesce(_release.c.made_by == actor.user_id, False).label("mine"),
        )
        .select_from(_release)
        .outerjoin(_user, _user.c.id == _release.c.made_by)
        .outerjoin(_decision, _decision.c.release_id == _release.c.id)
        .outerjoin(decider, decider.c.id == _decision.c.by)
        .order_by(_release.c.month.desc(), _release.c.version.desc())
        .limit(MOST)
    )
    return [Version(**row._mapping) for row in await session.execute(query)]


async def preview(session: AsyncSession, actor: Actor, release_id: int) -> Published:
    """A version as it would be published, for who decides. Raises `not_found`."""
    actor.require(Permission.REPORT_READ)
    columns = [_release.c[name] for name in ("month", "version", "as_of", "content")]
    query = sa.select(*columns, _release.c.made_at.label("published_at")).where(_release.c.id == release_id)
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("not_found", release_id=release_id)
    return Published(**row._mapping)
