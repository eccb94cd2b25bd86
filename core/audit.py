"""The audit log: append-only, linked into a hash chain.

The row is written in the business transaction; a relay links the chain within a second, because a
chain inside the transactions would make every writer wait for the one before. `link_no` is the
place in the chain, `hash = SHA-256(previous hash ‖ canonical row)`. `verify` names the first row
that does not fit and counts those not linked yet. A trigger refuses every change of a row but its
linking, and every deletion.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from core import log
from core.db import Table, UnitOfWork, id_column, json_column, time_column
from core.people.actor import Actor

GENESIS = b"\0" * 32


class AuditRow(Table, table=True):
    """Who did what to which thing, when, from where, and why."""

    __tablename__: ClassVar[str] = "audit_log"
    __table_args__: ClassVar[Any] = (
        Index("ix_audit_log_unlinked", "id", postgresql_where=text("link_no IS NULL")),
        Index("ix_audit_log_object", "object_type", "object_id"),
        Index("ix_audit_log_actor_id_at", "actor_id", "at"),
        # What an auditor looks for, newest first (core.audit_search).
        Index("ix_audit_log_actor_login", "actor_login", "id"),
        Index("ix_audit_log_action", "action", "id"),
        Index("ix_audit_log_request_id", "request_id"),
        Index("ix_audit_log_at", "at", postgresql_using="brin"),
    )
    id: int = Field(default=None, sa_column=id_column())
    at: datetime = Field(sa_column=time_column())
    actor_id: int | None = Field(default=None, sa_type=BigInteger)
    actor_login: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    object_type: str = Field(sa_type=Text)
    object_id: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None = Field(default=None, sa_type=Text)
    detail: dict[str, Any] = Field(sa_column=json_column())
    source: str | None = Field(default=None, sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=Text)
    link_no: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True, nullable=True))
    hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found: `broken_at` is the id of the first row that does not fit."""

    linked: int
    unlinked: int
    broken_at: int | None
    head: str

    @property
    def ok(self) -> bool:
        return self.broken_at is None


async def record(
    uow: UnitOfWork,
    *,
    actor: Actor | None,
    action: str,
    object_type: str,
    object_id: int | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one audit row within `uow`. `actor` None is an unknown person (a refused login).

    `detail` holds ids and codes, never personal values. Source address and request id are taken
    from the logging context.
    """
    made = row(
        uow,
        actor=actor,
        action=action,
        object_type=object_type,
        object_id=object_id,
        reason=reason,
        detail=detail,
    )
    await write(uow, [made])


def row(
    uow: UnitOfWork,
    *,
    actor: Actor | None = None,
    action: str,
    object_type: str,
    object_id: int | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One audit row as `write` takes it; see `record`."""
    return {
        "at": uow.now,
        "actor_id": actor.user_id if actor else None,
        "actor_login": actor.login if actor else "-",
        "action": action,
        "object_type": object_type,
        "object_id": object_id,
        "reason": reason,
        "detail": detail or {},
        "source": log.source_ip.get(),
        "request_id": log.request_id.get(),
    }


async def write(uow: UnitOfWork, rows: list[dict[str, Any]]) -> None:
    """Write rows within `uow`, in this order, with one statement."""
    await uow.session.execute(insert(AuditRow).values(rows))


def canonical(row: Any) -> bytes:
    """The row as bytes that are the same on every machine; everything but its place in the chain."""
    parts = {
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat(),
        "actor_id": row.actor_id,
        "actor_login": row.actor_login,
        "action": row.action,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "reason": row.reason,
        "detail": row.detail,
        "source": row.source,
        "request_id": row.request_id,
    }
    return json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def chained(previous: bytes, row: Any) -> bytes:
    """The hash of `row` when it follows a row whose hash is `previous`."""
    return hashlib.sha256(previous + canonical(row)).digest()


async def _head(session: AsyncSession) -> tuple[int, bytes]:
    query = (
        select(col(AuditRow.link_no), col(AuditRow.hash))
        .where(col(AuditRow.link_no).is_not(None))
        .order_by(col(AuditRow.link_no).desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return (int(row[0] or 0), bytes(row[1] or GENESIS)) if row else (0, GENESIS)


async def link(uow: UnitOfWork, *, limit: int) -> int:
    """Link at most `limit` new rows, in order of id; returns how many. Fence before calling."""
    query = select(AuditRow).where(col(AuditRow.link_no).is_(None)).order_by(col(AuditRow.id)).limit(limit)
    rows = (await uow.session.execute(query)).scalars().all()
    if not rows:
        return 0
    number, previous = await _head(uow.session)
    updates: list[dict[str, Any]] = []
    for row in rows:
        number, previous = number + 1, chained(previous, row)
        updates.append({"id": row.id, "link_no": number, "hash": previous})
    await uow.session.execute(update(AuditRow), updates)
    return len(rows)


async def verify(session: AsyncSession, *, batch: int = 2000) -> VerifyReport:
    """Recompute the whole chain; memory stays at `batch` rows."""
    expected, previous, broken = 0, GENESIS, None
    while broken is None:
        query = (
            select(AuditRow)
            .where(col(AuditRow.link_no) > expected)
            .order_by(col(AuditRow.link_no))
            .limit(batch)
        )
        rows = (await session.execute(query)).scalars().all()
        if not rows:
            break
        for row in rows:
            expected, previous = expected + 1, chained(previous, row)
            if row.link_no != expected or row.hash != previous:
                broken = row.id
                break
        session.expunge_all()
    unlinked = await session.execute(text("SELECT count(*) FROM audit_log WHERE link_no IS NULL"))
    return VerifyReport(expected, unlinked.scalar_one(), broken, previous.hex())
