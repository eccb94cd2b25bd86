"""A session for reading does not write: nothing would undo it."""

import pytest
from sqlalchemy import text

from core.db import Database

WRITES = [
    "DELETE FROM lease",
    "\n  update lease SET epoch = 1",
    "INSERT INTO lease DEFAULT VALUES",
    "TRUNCATE lease",
]


@pytest.mark.parametrize("statement", WRITES)
async def test_a_session_for_reading_refuses_to_write(database: Database, statement: str) -> None:
    async with database.read() as session:
        with pytest.raises(RuntimeError, match="was asked to write"):
            await session.execute(text(statement))


async def test_a_session_for_reading_reads_what_was_written_meanwhile(database: Database) -> None:
    seen = text("SELECT version FROM catalog_version WHERE name = 'reading'")
    async with database.read() as session:
        assert (await session.execute(seen)).first() is None
        async with database.begin() as uow:
            await uow.session.execute(
                text("INSERT INTO catalog_version (name, version) VALUES ('reading', 1)")
            )
        assert (await session.execute(seen)).scalar_one() == 1
