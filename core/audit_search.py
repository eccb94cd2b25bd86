"""Looking through the audit log: by person, act, object, time, reason, request; and how its chain stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.audit import AuditRow

EXPORT_ROWS = 20_000


@dataclass(frozen=True)
class Wanted:
    """What is looked for; empty fields do not count. Instants are UTC, `until` is exclusive."""

    login: str = ""
    action: str = ""
    object_type: str = ""
    object_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Chain:
    """How far the log is linked: the last link, its hash, and how many rows wait."""

    linked: int
    head: str
    waiting: int
    last_at: datetime | None


def _query(wanted: Wanted) -> Select[Any]:
    query = select(AuditRow).order_by(col(AuditRow.id).desc())
    exact = (
        (AuditRow.actor_login, wanted.login),
        (AuditRow.action, wanted.action),
        (AuditRow.object_type, wanted.object_type),
        (AuditRow.object_id, wanted.object_id),
        (AuditRow.request_id, wanted.request_id),
    )
    for column, value in exact:
        if value not in ("", None):
            query = query.where(col(column) == value)
    if wanted.since is not None:
        query = query.where(col(AuditRow.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditRow.at) < wanted.until)
    if wanted.reason:
        query = query.where(col(AuditRow.reason).icontains(wanted.reason, autoescape=True))
    return query


async def found(
    session: AsyncSession, wanted: Wanted, *, before: int | None = None, limit: int = 50
) -> list[AuditRow]:
    """Rows, newest first; the next page begins below the last id of this one."""
    query = _query(wanted).limit(limit)
    if before is not None:
        query = query.where(col(AuditRow.id) < before)
    return list((await session.execute(query)).scalars())


async def chain(session: AsyncSession) -> Chain:
    """The state of the chain as the relay left it; `audit verify` recomputes the whole of it."""
    query = (
        select(col(AuditRow.link_no), col(AuditRow.hash), col(AuditRow.at))
        .where(col(AuditRow.link_no).is_not(None))
        .order_by(col(AuditRow.link_no).desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    waiting = select(func.count()).where(col(AuditRow.link_no).is_(None))
    count = int((await session.execute(waiting)).scalar_one())
    if row is None:
        return Chain(0, "", count, None)
    return Chain(int(row[0]), bytes(row[1]).hex(), count, row[2])
