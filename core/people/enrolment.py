"""How a kiosk gets its token: a code of twelve digits that opens once, within half an hour.

The token itself is never shown to anybody: it is made when the code is used and goes into the device's
cookie. Whatever the client's token was before opens nothing from then on, so that a client is one device.
"""

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Column, LargeBinary, select, update
from sqlmodel import Field, col

from core import audit
from core.db import Table, UnitOfWork, id_column, ref_column, time_column
from core.errors import HotlineError
from core.ids import digits, new_token
from core.people.actor import Actor
from core.people.machines import Machine, MachineClient, Scope, hash_of, machine_of
from core.people.models import Unit
from core.people.permissions import Permission

DIGITS = 12
LIVES = timedelta(minutes=30)


class MachineEnrolment(Table, table=True):
    """A code that was given out; of a client only the newest one opens."""

    __tablename__: ClassVar[str] = "machine_enrolment"
    id: int = Field(default=None, sa_column=id_column())
    client_id: int = Field(sa_column=ref_column("machine_client.id", index=True))
    code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    made_by: int = Field(sa_column=ref_column("user_account.id"))
    made_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
    used_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


def _hash(code: str) -> bytes:
    return hashlib.sha256(b"enrolment:" + code.encode()).digest()


async def invite(uow: UnitOfWork, actor: Actor, client_id: int) -> str:
    """A code for a client that may be a kiosk and nothing else; ends the one before. Audited.

    Raises `forbidden`, `not_found`.
    """
    actor.require(Permission.MACHINE_MANAGE)
    assert actor.user_id is not None, "people invite devices"
    alive = (col(MachineClient.id) == client_id, col(MachineClient.revoked_at).is_(None))
    query = select(col(MachineClient.scopes)).where(*alive).with_for_update()
    if (await uow.session.execute(query)).scalar_one_or_none() != [Scope.KIOSK.value]:
        raise HotlineError("not_found", client_id=client_id)
    open_ones = (col(MachineEnrolment.client_id) == client_id, col(MachineEnrolment.expires_at) > uow.now)
    await uow.session.execute(update(MachineEnrolment).where(*open_ones).values(expires_at=uow.now))
    code = digits(DIGITS)
    uow.session.add(
        MachineEnrolment(
            client_id=client_id,
            code_hash=_hash(code),
            made_by=actor.user_id,
            made_at=uow.now,
            expires_at=uow.now + LIVES,
        )
    )
    await audit.record(uow, actor=actor, action="machine.invite", object_type="machine", object_id=client_id)
    return code


async def invite_named(uow: UnitOfWork, actor: Actor, code: str) -> str:
    """`invite` for the client of this code."""
    query = select(col(MachineClient.id)).where(col(MachineClient.code) == code)
    return await invite(uow, actor, (await uow.session.execute(query)).scalar_one_or_none() or 0)


async def enrol(uow: UnitOfWork, code: str) -> tuple[str, Machine]:
    """Use a code up; returns the client's new token, and the client. Audited.

    Raises `kiosk_code` for one that opens nothing: unknown, used, too old, of a client that was revoked.
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        raise HotlineError("kiosk_code")
    mine = col(MachineEnrolment.code_hash) == _hash(code)
    named = select(col(MachineEnrolment.client_id)).where(mine)
    client = select(col(MachineClient.id)).where(col(MachineClient.id).in_(named))
    await uow.session.execute(client.with_for_update())  # first, as `invite` does
    statement = update(MachineEnrolment).where(
        mine, col(MachineEnrolment.used_at).is_(None), col(MachineEnrolment.expires_at) > uow.now
    )
    used = statement.values(used_at=uow.now).returning(col(MachineEnrolment.client_id))
    client_id = (await uow.session.execute(used)).scalar_one_or_none()
    token = new_token()
    alive = (col(MachineClient.id) == client_id, col(MachineClient.revoked_at).is_(None))
    renewed = update(MachineClient).where(*alive).values(token_hash=hash_of(token), last_used_at=uow.now)
    if (await uow.session.execute(renewed.returning(col(MachineClient.id)))).first() is None:
        raise HotlineError("kiosk_code")
    query = (
        select(MachineClient, Unit)
        .outerjoin(Unit, col(Unit.id) == col(MachineClient.unit_id))
        .where(col(MachineClient.id) == client_id)
    )
    client, unit = (await uow.session.execute(query)).one()
    found = machine_of(client, unit)
    await audit.record(
        uow, actor=found.actor, action="machine.enrol", object_type="machine", object_id=found.id
    )
    return token, found
