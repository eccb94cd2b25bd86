"""Machine clients (接入系统): who may call this hotline without a person, and what for.

A client is a system with a name, a code and scopes; its token is shown once and only the hash is kept. A
client with a unit sees what that unit sees, one without what the hotline sees: the same conditions on
queries as for a person (`tickets/visibility.py`), because the client acts as an `Actor`.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Column, LargeBinary, String, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from core import audit
from core.db import Database, Table, UnitOfWork, id_column, json_column, ref_column, time_column
from core.errors import HotlineError
from core.ids import new_token
from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission

LENGTH = 43  # characters of a token of 256 bits
MOST = 500  # clients in use at once
LONGEST_NAME = 40
SEEN_EVERY = timedelta(minutes=1)
CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")


class Scope(StrEnum):
    """What a client may do; a route names one (`web.routes.route`)."""

    TICKETS_SUBMIT = "tickets:submit"
    TICKETS_READ = "tickets:read"
    TICKETS_HANDLE = "tickets:handle"
    OPEN311 = "open311"
    CTI = "cti"
    KIOSK = "kiosk"
    WEBHOOKS = "webhooks"


class Kind(StrEnum):
    """What sort of system it is: for people who look at the list."""

    HALL = "hall"
    POLICE = "police"
    PLATFORM = "platform"
    OPEN311 = "open311"
    PBX = "pbx"
    KIOSK = "kiosk"
    NOTICE = "notice"


# What a client outside any unit may do, and one inside a unit.
_HELD: dict[Scope, tuple[frozenset[Permission], frozenset[Permission]]] = {
    Scope.TICKETS_READ: (
        frozenset({Permission.TICKET_READ_HOTLINE}),
        frozenset({Permission.TICKET_READ_UNIT}),
    ),
    Scope.TICKETS_HANDLE: (
        frozenset({Permission.TICKET_READ_HOTLINE, Permission.TICKET_NOTE}),
        frozenset({Permission.TICKET_READ_UNIT, Permission.TICKET_HANDLE, Permission.TICKET_NOTE}),
    ),
}


class MachineClient(Table, table=True):
    """One client; it is revoked, never deleted."""

    __tablename__: ClassVar[str] = "machine_client"
    id: int = Field(default=None, sa_column=id_column())
    code: str = Field(sa_column=Column(String(32), nullable=False, unique=True))
    name: str = Field(sa_column=Column(String(LONGEST_NAME), nullable=False))
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    scopes: list[str] = Field(sa_column=json_column())
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    created_by: int = Field(sa_column=ref_column("user_account.id"))
    created_at: datetime = Field(sa_column=time_column())
    last_used_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    revoked_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


@dataclass(frozen=True)
class Machine:
    """A client that has shown its token."""

    id: int
    code: str
    name: str
    kind: Kind
    scopes: frozenset[str]
    actor: Actor

    def require(self, *scopes: Scope) -> None:
        """Raise `scope_missing` unless the client has one of the scopes."""
        if self.scopes.isdisjoint(scope.value for scope in scopes):
            raise HotlineError("scope_missing", scopes=sorted(scope.value for scope in scopes))


@dataclass(frozen=True)
class Listed:
    """A line of the list of clients."""

    id: int
    code: str
    name: str
    kind: str
    scopes: list[str]
    unit: str | None
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def hash_of(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


async def create(
    uow: UnitOfWork,
    actor: Actor,
    *,
    name: str,
    code: str,
    kind: Kind,
    scopes: frozenset[Scope],
    unit_id: int | None = None,
) -> str:
    """A new client; returns its token, which nobody can read again. Audited.

    `code` names it in other systems' records: 2 to 31 of a–z, 0–9 and -. `unit_id` None: it sees what the
    hotline sees. Errors: machine_name, machine_code, machine_scopes, machine_many, unit_closed.
    """
    actor.require(Permission.MACHINE_MANAGE)
    assert actor.user_id is not None, "people make clients"
    named = " ".join(name.split())
    if not named or len(named) > LONGEST_NAME or not named.isprintable():
        raise HotlineError("machine_name", longest=LONGEST_NAME)
    if not scopes:
        raise HotlineError("machine_scopes")
    await _check_code(uow, code)
    await _check_unit(uow, unit_id)
    token = new_token()
    made = MachineClient(
        code=code,
        name=named,
        kind=kind.value,
        scopes=sorted(scope.value for scope in scopes),
        unit_id=unit_id,
        token_hash=hash_of(token),
        created_by=actor.user_id,
        created_at=uow.now,
    )
    uow.session.add(made)
    await uow.session.flush()
    detail = {"code": code, "scopes": made.scopes, "unit_id": unit_id}
    await _note(uow, actor, "create", made.id, detail)
    return token


async def _check_code(uow: UnitOfWork, code: str) -> None:
    if not CODE.fullmatch(code):
        raise HotlineError("machine_code")
    taken = select(col(MachineClient.id)).where(col(MachineClient.code) == code)
    if (await uow.session.execute(taken)).first() is not None:
        raise HotlineError("machine_code")
    alive = select(func.count()).where(col(MachineClient.revoked_at).is_(None))
    if (await uow.session.execute(alive)).scalar_one() >= MOST:
        raise HotlineError("machine_many", most=MOST)


async def _check_unit(uow: UnitOfWork, unit_id: int | None) -> None:
    if unit_id is None:
        return
    query = select(col(Unit.id)).where(col(Unit.id) == unit_id, col(Unit.active))
    if (await uow.session.execute(query)).first() is None:
        raise HotlineError("unit_closed", unit_id=unit_id)


async def renew(uow: UnitOfWork, actor: Actor, ident: int) -> str:
    """A new token for a client; the old one opens nothing from now on. Errors: not_found. Audited."""
    actor.require(Permission.MACHINE_MANAGE)
    token = new_token()
    alive = (col(MachineClient.id) == ident, col(MachineClient.revoked_at).is_(None))
    statement = update(MachineClient).where(*alive).values(token_hash=hash_of(token))
    if (await uow.session.execute(statement.returning(col(MachineClient.id)))).first() is None:
        raise HotlineError("not_found")
    await _note(uow, actor, "renew", ident)
    return token


async def revoke(uow: UnitOfWork, actor: Actor, ident: int) -> None:
    """End a client: its next question is refused. Errors: not_found. Audited."""
    actor.require(Permission.MACHINE_MANAGE)
    alive = (col(MachineClient.id) == ident, col(MachineClient.revoked_at).is_(None))
    statement = update(MachineClient).where(*alive).values(revoked_at=uow.now, revoked_by=actor.user_id)
    if (await uow.session.execute(statement.returning(col(MachineClient.id)))).first() is None:
        raise HotlineError("not_found")
    await _note(uow, actor, "revoke", ident)


async def _note(
    uow: UnitOfWork, actor: Actor, act: str, ident: int, detail: dict[str, Any] | None = None
) -> None:
    await audit.record(
        uow, actor=actor, action=f"machine.{act}", object_type="machine", object_id=ident, detail=detail
    )


async def listed(session: AsyncSession) -> list[Listed]:
    """Every client, those in use first."""
    names = [name for name in Listed.__dataclass_fields__ if name not in ("created_by", "unit")]
    query = (
        select(
            *(getattr(MachineClient, name) for name in names),
            col(User.name).label("created_by"),
            col(Unit.name).label("unit"),
        )
        .join(User, col(User.id) == col(MachineClient.created_by))
        .outerjoin(Unit, col(Unit.id) == col(MachineClient.unit_id))
        .order_by(col(MachineClient.revoked_at).is_not(None), col(MachineClient.id).desc())
        .limit(2 * MOST)
    )
    return [Listed(**row) for row in (await session.execute(query)).mappings()]


async def enter(db: Database, token: str) -> Machine | None:
    """The client behind a token, None for a token that opens nothing; notes, once a minute, its use."""
    if len(token) != LENGTH or not token.isascii():
        return None
    query = (
        select(MachineClient, Unit)
        .outerjoin(Unit, col(Unit.id) == col(MachineClient.unit_id))
        .where(col(MachineClient.token_hash) == hash_of(token), col(MachineClient.revoked_at).is_(None))
    )
    async with db.read() as session:
        found = (await session.execute(query)).first()
    if found is None:
        return None
    client: MachineClient = found[0]
    now = db.clock.now()
    if client.last_used_at is None or now - client.last_used_at >= SEEN_EVERY:
        async with db.begin() as uow:
            used = update(MachineClient).where(col(MachineClient.id) == client.id)
            await uow.session.execute(used.values(last_used_at=now))
    return machine_of(client, found[1])


def machine_of(client: MachineClient, unit: Unit | None) -> Machine:
    """The client as it acts: with the rights of its scopes, inside its unit if it has one."""
    scopes = frozenset(client.scopes)
    held = [both[unit is not None] for scope, both in _HELD.items() if scope.value in scopes]
    actor = Actor(
        user_id=None,
        login=f"machine:{client.code}",
        name=client.name,
        roles=frozenset(),
        permissions=frozenset().union(*held),
        unit_id=unit.id if unit else None,
        unit_path=unit.path if unit else "",
        unit_name=unit.name if unit else "",
    )
    return Machine(client.id, client.code, client.name, Kind(client.kind), scopes, actor)
