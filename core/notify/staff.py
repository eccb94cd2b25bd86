"""Notices to staff: written with the change itself, shown in the console, sent on where a person wants it.

One statement writes everything an event causes: messages to the outside, the notices of all its
recipients, and the copies by e-mail or webhook. Recipients are the active holders of posts, of named
units or of the whole house, at most sixty per notice.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.db import UnitOfWork
from core.events import Audience, LiveEvent, LiveNote
from core.notify.mail import check_address
from core.notify.models import Notification, NotificationAddress, NotificationPreference
from core.people.permissions import ROLE_PERMISSIONS, Permission
from core.privacy import Vault
from core.writes import Parts

CHANNELS = ("console", "email", "webhook")
USUAL = frozenset(
    {"console"}
)  # a notice is shown unless one says otherwise, and sent nowhere unless one says so
MOST_PEOPLE = 60
COUNT_CAP = 99


@dataclass(frozen=True)
class Notice:
    """Who is to know what: holders of `roles` in `units` (None: everywhere); ids and codes only.

    With `deputies` also those who decide for an absent holder at the moment.
    """

    kind: str
    ticket_id: int | None
    roles: tuple[str, ...]
    units: tuple[int, ...] | None = None
    deputies: bool = False


class OutgoingLetter(Protocol):
    """A row for the outbox."""

    @property
    def dedup(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Noticed(LiveEvent):
    """People have a new notice."""

    users: tuple[int, ...]

    @property
    def live(self) -> LiveNote:
        return LiveNote("notification", "new", 0, 1, Audience(users=self.users))


def roles_with(*permissions: Permission) -> tuple[str, ...]:
    """The posts that carry any of `permissions`."""
    return tuple(role.value for role, held in ROLE_PERMISSIONS.items() if held & set(permissions))


# $1 now, $2 letters, $3 notices, $4 who did it, $5 most
_PARTS: Parts = (
    (
        "letters",
        """
        INSERT INTO outbox (dedup, kind, payload, created_at, next_at, attempts)
        SELECT l.dedup, l.kind, l.payload, $1::timestamptz, $1::timestamptz, 0
        FROM jsonb_to_recordset($2::text::jsonb) AS l(dedup text, kind text, payload jsonb) WHERE {valid}
        ON CONFLICT (dedup) DO NOTHING
        """,
    ),
    (
        "people",
        """
        SELECT DISTINCT n.kind, n.ticket_id, u.id AS user_id
        FROM jsonb_to_recordset($3::text::jsonb)
            AS n(kind text, ticket_id bigint, roles text[], units bigint[], deputies boolean)
        CROSS JOIN LATERAL (
            (SELECT a.id FROM unnest(n.units) AS w(unit_id) JOIN user_account a ON a.unit_id = w.unit_id
             WHERE a.active AND EXISTS (
                 SELECT 1 FROM user_role r WHERE r.user_id = a.id AND r.role = ANY(n.roles))
             ORDER BY a.id LIMIT $5::int)
            UNION ALL
            (SELECT DISTINCT a.id FROM user_role r JOIN user_account a ON a.id = r.user_id
             WHERE n.units IS NULL AND a.active AND r.role = ANY(n.roles)
             ORDER BY a.id LIMIT $5::int)
            UNION ALL
            (SELECT a.id FROM delegation d JOIN user_account a ON a.id = d.deputy_id
             WHERE n.deputies AND a.active AND d.post = ANY(n.roles)
               AND (n.units IS NULL OR d.unit_id = ANY(n.units))
               AND d.starts_at <= $1::timestamptz AND d.ends_at > $1::timestamptz
               AND (d.ended_at IS NULL OR d.ended_at > $1::timestamptz)
             ORDER BY a.id LIMIT $5::int)
        ) AS u
        WHERE u.id IS DISTINCT FROM $4::bigint AND {valid}
        """,
    ),
    (
        "made",
        """
        INSERT INTO notification (user_id, kind, ticket_id, at, times, read_at)
        SELECT e.user_id, e.kind, e.ticket_id, $1::timestamptz, 1,
            CASE WHEN p.wanted IS FALSE THEN $1::timestamptz END
        FROM people e LEFT JOIN notification_preference p
            ON p.user_id = e.user_id AND p.kind = e.kind AND p.channel = 'console'
        ORDER BY e.user_id, e.kind
        ON CONFLICT (user_id, kind, coalesce(ticket_id, 0)) WHERE read_at IS NULL
            DO UPDATE SET at = excluded.at, times = notification.times + 1
        RETURNING id, user_id, kind, times, read_at
        """,
    ),
    (
        "copies",
        """
        INSERT INTO outbox (dedup, kind, payload, created_at, next_at, attempts)
        SELECT format('notice:%s:%s:%s', m.id, p.channel, m.times), 'notice.' || p.channel,
            jsonb_build_object('notification_id', m.id), $1::timestamptz, $1::timestamptz, 0
        FROM made m JOIN notification_preference p
            ON p.user_id = m.user_id AND p.kind = m.kind AND p.wanted AND p.channel <> 'console'
        ON CONFLICT (dedup) DO NOTHING
        """,
    ),
    (
        "told",  # the same row as that of `Noticed`
        """
        INSERT INTO event_log (at, topic, kind, ref, version, audience, data)
        SELECT $1::timestamptz, 'notification', 'new', 0, 1,
            jsonb_build_object('users', jsonb_agg(user_id ORDER BY user_id),
                'units', '[]'::jsonb, 'permissions', '[]'::jsonb), '{}'::jsonb
        FROM (SELECT DISTINCT user_id FROM made WHERE read_at IS NULL) AS users
        HAVING count(*) > 0
        """,
    ),
)


# The same for people who are known: $3 is [{"kind", "ticket_id", "users"}]
_NAMED = """
    SELECT DISTINCT n.kind, n.ticket_id, u.id AS user_id
    FROM jsonb_to_recordset($3::text::jsonb) AS n(kind text, ticket_id bigint, users bigint[])
    CROSS JOIN LATERAL unnest(n.users) AS u(id)
    WHERE u.id IS DISTINCT FROM $4::bigint AND $5::int > 0 AND {valid}
"""
_TO_PEOPLE: Parts = tuple((name, _NAMED if name == "people" else text) for name, text in _PARTS)


async def tell_people(uow: UnitOfWork, kind: str, users: Sequence[int], ticket_id: int | None = None) -> None:
    """A notice to each of `users`, with the caller's other writes."""
    wanted = [{"kind": kind, "ticket_id": ticket_id, "users": list(users)}]
    await uow.include(_TO_PEOPLE, uow.now, "[]", json.dumps(wanted), None, MOST_PEOPLE)
    uow.logged = True


async def write(
    uow: UnitOfWork,
    notices: Sequence[Notice],
    letters: Sequence[OutgoingLetter] = (),
    *,
    done_by: int | None = None,
) -> None:
    """Write notices and letters with the caller's other writes, and tell the screens of who has a new one.

    `done_by` did what happened, and is not told of it. The same notice again while it is unread counts up.
    """
    packed = [{"dedup": one.dedup, "kind": one.kind, "payload": one.payload} for one in letters]
    wanted = [asdict(notice) for notice in notices]
    values = (uow.now, json.dumps(packed), json.dumps(wanted), done_by, MOST_PEOPLE)
    await uow.include(_PARTS, *values)
    uow.logged = True


# ---- what a person sees and wants -------------------------------------------------------------


async def count_unread(session: AsyncSession, user_id: int) -> int:
    """How many notices wait, at most one more than `COUNT_CAP`."""
    mine = (col(Notification.user_id) == user_id, col(Notification.read_at).is_(None))
    some = sa.select(sa.literal(1)).select_from(Notification).where(*mine).limit(COUNT_CAP + 1).subquery()
    return int((await session.execute(sa.select(sa.func.count()).select_from(some))).scalar_one())


async def read_by_all(uow: UnitOfWork) -> None:
    """Take every notice as read, those of this transaction too: of a past that is made up, nobody is told."""
    unread = col(Notification.read_at).is_(None)
    await uow.session.execute(sa.update(Notification).where(unread).values(read_at=uow.now))


async def mark_read(uow: UnitOfWork, user_id: int, ids: Collection[int] | None) -> int:
    """Mark notices of one's own as read, all of them with None; returns how many were unread."""
    statement = sa.update(Notification).where(
        col(Notification.user_id) == user_id, col(Notification.read_at).is_(None)
    )
    if ids is not None:
        statement = statement.where(col(Notification.id).in_(ids))
    done = await uow.session.execute(statement.values(read_at=uow.now).returning(col(Notification.id)))
    found = len(done.all())
    if found:
        await uow.emit(Noticed((user_id,)))
    return found


async def preferences(session: AsyncSession, user_id: int) -> dict[tuple[str, str], bool]:
    """What differs from the usual: (kind, channel) → wanted."""
    query = sa.select(
        col(NotificationPreference.kind),
        col(NotificationPreference.channel),
        col(NotificationPreference.wanted),
    ).where(col(NotificationPreference.user_id) == user_id)
    return {(row.kind, row.channel): row.wanted for row in await session.execute(query)}


async def prefer(uow: UnitOfWork, user_id: int, kinds: Collection[str], on: Collection[str]) -> None:
    """Set one's wishes for `kinds`; `on` holds `kind.channel` for everything that is wanted."""
    rows = [
        {"user_id": user_id, "kind": kind, "channel": channel, "wanted": f"{kind}.{channel}" in on}
        for kind in sorted(kinds)
        for channel in CHANNELS
    ]
    statement = insert(NotificationPreference).values(rows)
    await uow.session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "kind", "channel"], set_={"wanted": statement.excluded.wanted}
        )
    )


async def address(session: AsyncSession, vault: Vault, user_id: int) -> str:
    """Where this person wants e-mail; "" for nowhere."""
    found = await session.get(NotificationAddress, user_id)
    return vault.unseal(found.sealed, aad=_aad(user_id)).decode() if found is not None else ""


async def set_address(uow: UnitOfWork, vault: Vault, user_id: int, email: str) -> None:
    """Keep, change or forget ("") one's address. Raises `email_invalid`."""
    if not email:
        statement = sa.delete(NotificationAddress).where(col(NotificationAddress.user_id) == user_id)
        await uow.session.execute(statement)
        return
    sealed = vault.seal(check_address(email).encode(), aad=_aad(user_id))
    new = insert(NotificationAddress).values(user_id=user_id, sealed=sealed, at=uow.now)
    await uow.session.execute(
        new.on_conflict_do_update(index_elements=["user_id"], set_={"sealed": sealed, "at": uow.now})
    )


async def prune(uow: UnitOfWork, before: datetime) -> None:
    """Forget notices older than `before`, read or not."""
    await uow.session.execute(sa.delete(Notification).where(col(Notification.at) < before))


def _aad(user_id: int) -> str:
    return f"notification_address:sealed:{user_id}"
