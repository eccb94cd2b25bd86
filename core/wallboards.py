"""Addresses of wallboards (大屏): a secret in the address opens one read-only page without a session.

Only the hash of the secret is kept, as with sessions; it is shown once, to whoever made it. Who has an
address sees figures without names of people, and nothing else of the product.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Column, LargeBinary, String, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from core import audit
from core.db import Database, Table, UnitOfWork, id_column, ref_column, time_column
from core.errors import HotlineError
from core.ids import new_token
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission

LENGTH = 43  # characters of a secret of 256 bits
MOST = 50  # addresses in use at once
LONGEST_NAME = 40
SEEN_EVERY = timedelta(minutes=1)


class WallboardAddress(Table, table=True):
    """One address; it is revoked, never deleted."""

    __tablename__: ClassVar[str] = "wallboard_address"
    id: int = Field(default=None, sa_column=id_column())
    name: str = Field(sa_column=Column(String(LONGEST_NAME), nullable=False))
    secret_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    created_by: int = Field(sa_column=ref_column("user_account.id"))
    created_at: datetime = Field(sa_column=time_column())
    seen_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    revoked_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


@dataclass(frozen=True)
class Listed:
    """A line of the list of addresses."""

    id: int
    name: str
    created_by: str
    created_at: datetime
    seen_at: datetime | None
    revoked_at: datetime | None


def hash_of(secret: str) -> bytes:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).digest()


async def create(uow: UnitOfWork, actor: Actor, name: str) -> str:
    """A new address; returns its secret, which nobody can read again.

    Errors: wallboard_name, wallboard_many.
    """
    actor.require(Permission.WALLBOARD_MANAGE)
    assert actor.user_id is not None, "people make addresses"
    named = " ".join(name.split())
    if not named or len(named) > LONGEST_NAME or not named.isprintable():
        raise HotlineError("wallboard_name", longest=LONGEST_NAME)
    alive = select(func.count()).where(col(WallboardAddress.revoked_at).is_(None))
    if (await uow.session.execute(alive)).scalar_one() >= MOST:
        raise HotlineError("wallboard_many", most=MOST)
    secret = new_token()
    made = WallboardAddress(
        name=named, secret_hash=hash_of(secret), created_by=actor.user_id, created_at=uow.now
    )
    uow.session.add(made)
    await uow.session.flush()
    await audit.record(
        uow, actor=actor, action="wallboard.create", object_type="wallboard", object_id=made.id
    )
    return secret


async def revoke(uow: UnitOfWork, actor: Actor, ident: int) -> None:
    """End an address: screens that show it go out with their next question. Errors: not_found."""
    actor.require(Permission.WALLBOARD_MANAGE)
    alive = (col(WallboardAddress.id) == ident, col(WallboardAddress.revoked_at).is_(None))
    statement = update(WallboardAddress).where(*alive).values(revoked_at=uow.now, revoked_by=actor.user_id)
    done = await uow.session.execute(statement.returning(col(WallboardAddress.id)))
    if done.first() is None:
        raise HotlineError("not_found")
    await audit.record(uow, actor=actor, action="wallboard.revoke", object_type="wallboard", object_id=ident)


async def listed(session: AsyncSession) -> list[Listed]:
    """Every address, those in use first."""
    fields = [name for name in Listed.__dataclass_fields__ if name != "created_by"]
    query = (
        select(*(getattr(WallboardAddress, name) for name in fields), col(User.name).label("created_by"))
        .join(User, col(User.id) == col(WallboardAddress.created_by))
        .order_by(col(WallboardAddress.revoked_at).is_not(None), col(WallboardAddress.id).desc())
        .limit(4 * MOST)
    )
    return [Listed(**row) for row in (await session.execute(query)).mappings()]


async def opens(db: Database, secret: str) -> bool:
    """Whether `secret` is that of an address in use; notes, once a minute, that it was looked at."""
    if len(secret) != LENGTH or not secret.isascii():
        return False
    query = select(col(WallboardAddress.id), col(WallboardAddress.seen_at)).where(
        col(WallboardAddress.secret_hash) == hash_of(secret), col(WallboardAddress.revoked_at).is_(None)
    )
    async with db.read() as session:
        found = (await session.execute(query)).first()
    if found is None:
        return False
    now = db.clock.now()
    if found.seen_at is None or now - found.seen_at >= SEEN_EVERY:
        async with db.begin() as uow:
            seen = update(WallboardAddress).where(col(WallboardAddress.id) == found.id)
            await uow.session.execute(seen.values(seen_at=now))
    return True
