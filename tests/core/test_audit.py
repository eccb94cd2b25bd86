"""The audit log cannot be changed unseen, nor changed at all through the product's own role."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import audit
from core.db import Database
from core.people.actor import Actor

ACTOR = Actor.system("test")


async def _write(db: Database, count: int) -> None:
    async with db.begin() as uow:
        for number in range(count):
            await audit.record(
                uow,
                actor=ACTOR,
                action="test",
                object_type="thing",
                object_id=number,
                reason="理由",
                detail={"b": 1, "a": [1.5, None]},
            )


async def _link(db: Database) -> int:
    async with db.begin() as uow:
        return await audit.link(uow, limit=100)


async def test_a_linked_log_verifies(database: Database) -> None:
    await _write(database, 5)
    assert await _link(database) == 5
    await _write(database, 2)
    async with database.read() as session:
        report = await audit.verify(session, batch=2)
    assert (report.ok, report.linked, report.unlinked) == (True, 5, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'other' WHERE object_id = 2",
        "UPDATE audit_log SET hash = NULL, link_no = NULL WHERE object_id = 2",
        "DELETE FROM audit_log WHERE object_id = 2",
        "TRUNCATE audit_log",
    ],
)
async def test_the_database_refuses_to_change_a_row(database: Database, statement: str) -> None:
    await _write(database, 3)
    await _link(database)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as uow:
            await uow.session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_log SET reason = 'x' WHERE object_id = 2", 2),
        ("DELETE FROM audit_log WHERE object_id = 2", 3),
        ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE object_id = 0", 0),
    ],
)
async def test_a_change_behind_the_triggers_is_found_at_its_row(
    database: Database, statement: str, broken: int
) -> None:
    await _write(database, 5)
    await _link(database)
    async with database.begin() as uow:
        await uow.session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        await uow.session.execute(text(statement))
    async with database.read() as session:
        report = await audit.verify(session)
        place = await session.execute(
            text("SELECT object_id FROM audit_log WHERE id = :id"), {"id": report.broken_at}
        )
    assert place.scalar_one() == broken
