"""Writing without a lock: whoever was overtaken has written nothing and does it again with locks."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from core.db import Database, Overtaken, UnitOfWork
from core.leadership import LeaseRow
from core.outbox import OutboxRow
from core.people.models import Unit
from core.writes import Batch, Parts, _Shape, statement
from tests.core.test_writes import _kept, _row
from tests.helpers import eventually

OUTBOX: sa.Table = OutboxRow.__table__  # type: ignore[attr-defined]  # set by SQLModel
UNIT: sa.Table = Unit.__table__  # type: ignore[attr-defined]  # set by SQLModel
LEASE: sa.Table = LeaseRow.__table__  # type: ignore[attr-defined]  # set by SQLModel
# The product's versioned rows belong to rooms above; any table with an id and a version will do here.
TABLE = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("word", sa.String(5), nullable=False),
)
LOOK = "SELECT version FROM thing WHERE id = 1"
Work = Callable[[UnitOfWork], Awaitable[int]]


@pytest.fixture
async def thing(database: Database) -> Database:
    async with database.begin() as uow:
        await uow.session.execute(
            sa.text(
                "CREATE TABLE thing (id bigint PRIMARY KEY, version int NOT NULL, word varchar(5) NOT NULL)"
            )
        )
        await uow.session.execute(sa.text("INSERT INTO thing VALUES (1, 1, 'one')"))
    return database


async def _move(uow: UnitOfWork, letter: str, between: Callable[[], Awaitable[None]] | None = None) -> int:
    """Read the thing, change it with a message beside it; `between` happens while nobody holds a lock."""
    ask, text = (uow.look, LOOK) if uow.hopeful else (uow.fetch, LOOK + " FOR UPDATE")
    version = int((await ask(text))[0]["version"])
    if uow.hopeful:
        uow.looked_at(TABLE, 1)
        if between is not None:
            await between()
    await uow.put(OUTBOX, _row(uow, letter))
    await uow.change_seen(TABLE, 1, version, version=version + 1, word=letter)
    return version + 1


async def _version(database: Database) -> int:
    return int((await database.fetch(LOOK))[0]["version"])


async def test_alone_it_is_one_look_and_one_statement_without_a_transaction(thing: Database) -> None:
    assert await thing.retrying(lambda uow: _move(uow, "a"), hopeful=True) == 2
    assert await _version(thing) == 2
    assert await _kept(thing) == [("a", 0)]
    async with thing.begin(hopeful=True) as uow:
        await _move(uow, "b")
        alone = "SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'idle in transaction'"
        assert (await thing.fetch(alone + " AND datname = current_database()"))[0]["n"] == 0


async def test_who_was_overtaken_has_written_nothing(thing: Database) -> None:
    async def other() -> None:
        await thing.retrying(lambda uow: _move(uow, "other"))

    with pytest.raises(Overtaken):
        async with thing.begin(hopeful=True) as uow:
            await _move(uow, "mine", other)
    assert await _kept(thing) == [("other", 0)]
    assert await _version(thing) == 2


async def test_who_was_overtaken_does_it_again_with_a_lock(thing: Database) -> None:
    async def other() -> None:
        await thing.retrying(lambda uow: _move(uow, "other"))

    assert await thing.retrying(lambda uow: _move(uow, "mine", other), hopeful=True) == 3
    assert sorted(await _kept(thing)) == [("mine", 0), ("other", 0)]
    assert await _version(thing) == 3


async def test_fifty_at_once_are_fifty_changes(thing: Database) -> None:
    works = [thing.retrying(lambda uow, n=n: _move(uow, f"w{n}"), hopeful=True) for n in range(50)]  # type: ignore[misc]  # a default binds it
    assert sorted(await asyncio.gather(*works)) == list(range(2, 52))
    assert len(await _kept(thing)) == 50


async def test_a_row_that_was_looked_at_must_be_changed(thing: Database) -> None:
    with pytest.raises(AssertionError, match="without a lock"):
        async with thing.begin(hopeful=True) as uow:
            uow.looked_at(TABLE, 1)
            await uow.put(OUTBOX, _row(uow, "a"))
    assert await _kept(thing) == []


async def test_within_a_transaction_the_guard_is_asked_before_anything_else(thing: Database) -> None:
    async def other() -> None:
        await thing.retrying(lambda uow: _move(uow, "other"))

    with pytest.raises(Overtaken):
        async with thing.begin(hopeful=True) as uow:
            await _move(uow, "mine", other)
            await uow.fetch("SELECT 1")
    assert await _kept(thing) == [("other", 0)]


async def test_one_who_waits_for_a_lock_is_overtaken_when_it_comes_free(thing: Database) -> None:
    holder = thing.begin()
    held = await holder.__aenter__()
    await _move(held, "first")
    await held.send()
    waiting = asyncio.create_task(thing.retrying(lambda uow: _move(uow, "later"), hopeful=True))
    blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await eventually(lambda: thing.fetch(blocked))
    await holder.__aexit__(None, None, None)
    assert await waiting == 3


def test_a_text_too_long_is_refused_and_not_cut() -> None:
    batch = Batch()
    assert batch.insert(TABLE, [{"id": 2, "version": 1, "word": "a word"}])
    assert batch.update(OUTBOX, {"id": 1}, {"attempts": 1}, guard=True)
    assert "::TEXT" in batch.take()[0]


def test_every_write_of_a_guarded_statement_hangs_on_the_guard() -> None:
    parts: Parts = (("note", "INSERT INTO lease SELECT $1, $2 WHERE {valid}"),)
    shapes = (
        _Shape("insert", UNIT, ("id", "name")),
        _Shape("update", LEASE, ("epoch",), where=(("role", "="),)),
        _Shape("guard", TABLE, ("version",), where=(("id", "="), ("version", "="))),
        _Shape("parts", None, (), parts=parts, size=2),
    )
    text = statement(shapes)
    valid = "EXISTS (SELECT 1 FROM w2)"
    assert text.startswith(
        "WITH w2 AS (UPDATE thing SET version = $5 WHERE id = $6 AND version = $7 RETURNING 1), "
    )
    assert (
        f"INSERT INTO unit (id, name) SELECT * FROM (VALUES ($1::BIGINT, $2::TEXT)) AS r WHERE {valid}"
        in text
    )
    assert f"UPDATE lease SET epoch = $3 WHERE role = $4 AND {valid}" in text
    assert f"note AS (INSERT INTO lease SELECT $8, $9 WHERE {valid})" in text
    assert text.endswith("SELECT count(*) AS met FROM w2")
