"""The names people gave, gathered from their tickets after the fact and found again by a blind index.

Making a ticket does not wait for this: a tick follows the tickets, and opening a record catches up at
once. A name is unsealed only to compute its index and never leaves this module.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from core.db import Database, UnitOfWork
from core.leadership import Lease
from core.privacy import Vault
from tickets.citizens import records
from tickets.citizens.models import CitizenName, CitizenProgress
from tickets.citizens.terms import MAX_NAMES
from tickets.models import Ticket, table_of

_ticket = table_of(Ticket)
_name = table_of(CitizenName)
_progress = table_of(CitizenProgress)
_phone = records.phone
BATCH = 200
# An id is taken before its row is committed: the newest tickets are left for the next tick.
SETTLED = timedelta(seconds=40)


def blind_name(vault: Vault, name: str) -> bytes:
    """The index of a name; blanks between its characters do not tell people apart."""
    return vault.blind("name", "".join(name.split()).casefold())


async def learn(uow: UnitOfWork, vault: Vault, refs: Collection[int]) -> None:
    """Add the names that tickets of these numbers gave since the last look."""
    query = (
        sa.select(_ticket.c.id, _ticket.c.phone_ref, _ticket.c.name_ref, _phone.c.citizen_id)
        .join(_phone, _phone.c.phone_ref == _ticket.c.phone_ref)
        .where(
            _ticket.c.phone_ref.in_(refs),
            _ticket.c.id > _phone.c.names_up_to,
            _ticket.c.name_ref.is_not(None),
        )
        .order_by(_ticket.c.id)
        .limit(BATCH)
    )
    rows = (await uow.session.execute(query)).all() if refs else []
    if not rows:
        return
    plain = await vault.plain(uow.session, {row.name_ref for row in rows})
    given = [
        (row.citizen_id, blind_name(vault, plain[row.name_ref]), row.name_ref, row.phone_ref)
        for row in rows
        if row.name_ref in plain  # not destroyed, nor sealed with a key that is not here
    ]
    await _add_new(uow, given)
    seen = {row.phone_ref: row.id for row in rows}  # in order of id: the last one stays
    newer = sa.update(_phone).where(
        _phone.c.phone_ref == sa.bindparam("ref"), _phone.c.names_up_to < sa.bindparam("up_to")
    )
    await (await uow.session.connection()).execute(
        newer.values(names_up_to=sa.bindparam("up_to")),
        [{"ref": ref, "up_to": up_to} for ref, up_to in sorted(seen.items())],
    )


async def _add_new(uow: UnitOfWork, given: Sequence[tuple[int, bytes, int, int]]) -> None:
    """Those of (record, index, name, phone) that are new to their record, as long as it has room."""
    citizens = {citizen_id for citizen_id, *_ in given}
    known: dict[int, list[bytes | None]] = {citizen_id: [] for citizen_id in citizens}
    query = sa.select(_name.c.citizen_id, _name.c.blind).where(_name.c.citizen_id.in_(citizens))
    for row in await uow.session.execute(query):
        known[row.citizen_id].append(row.blind)
    rows = []
    added = {"added_at": uow.now, "added_by": None}
    for citizen_id, blind, name_ref, phone_ref in given:
        if blind not in known[citizen_id] and len(known[citizen_id]) < MAX_NAMES:
            known[citizen_id].append(blind)
            names = {"name_ref": name_ref, "blind": blind, "phone_ref": phone_ref}
            rows.append({"citizen_id": citizen_id, **names, **added})
    if rows:
        await uow.session.execute(_once(insert(_name)), rows)


async def add(
    uow: UnitOfWork, citizen_id: int, name_ref: int, blind: bytes, *, phone_ref: int | None, by: int | None
) -> bool:
    """One more name of a record; False when it has this one, or too many, already."""
    count = sa.select(sa.func.count()).where(_name.c.citizen_id == citizen_id)
    if int((await uow.session.execute(count)).scalar_one()) >= MAX_NAMES:
        return False
    statement = insert(_name).values(
        citizen_id=citizen_id,
        name_ref=name_ref,
        blind=blind,
        phone_ref=phone_ref,
        added_at=uow.now,
        added_by=by,
    )
    return (await uow.session.execute(_once(statement).returning(_name.c.id))).first() is not None


def _once(statement: Insert) -> Insert:
    """A record has each name once, whoever adds it at the same time."""
    return statement.on_conflict_do_nothing(
        index_elements=["citizen_id", "blind"], index_where=_name.c.blind.is_not(None)
    )


async def follow(uow: UnitOfWork, vault: Vault, *, limit: int = BATCH) -> int:
    """Make records of the next tickets and learn their names; returns how many were looked at."""
    mark = sa.select(_progress.c.ticket_id).where(_progress.c.step == "names").with_for_update()
    start = (await uow.session.execute(mark)).scalar_one()
    query = sa.select(_ticket.c.id, _ticket.c.phone_ref, _ticket.c.name_ref).where(
        _ticket.c.id > start, _ticket.c.created_at < uow.now - SETTLED
    )
    rows = (await uow.session.execute(query.order_by(_ticket.c.id).limit(limit))).all()
    if not rows:
        return 0
    named = {row.phone_ref for row in rows if row.phone_ref is not None and row.name_ref is not None}
    await records.ensure_all(uow, named)
    await learn(uow, vault, named)
    passed = sa.update(_progress).where(_progress.c.step == "names").values(ticket_id=rows[-1].id)
    await uow.session.execute(passed)
    return len(rows)


class NameFollower:
    """The tick that follows the tickets; only the leader's node writes."""

    def __init__(self, db: Database, vault: Vault, lease: Lease) -> None:
        self._db = db
        self._vault = vault
        self._lease = lease

    async def tick(self) -> None:
        """One batch: what a city writes in a day is followed within minutes, at little cost."""
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            await follow(uow, self._vault)
