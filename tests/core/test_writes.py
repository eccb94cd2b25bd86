"""Writes that are taken down and sent together: in order, in one transaction, with honest errors."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.db import Database, UnitOfWork, constraint_of, sqlstate
from core.errors import HotlineError
from core.outbox import OutboxRow
from core.writes import MANY, Among, Batch, Other

TABLE: sa.Table = OutboxRow.__table__  # type: ignore[attr-defined]  # set by SQLModel


def _row(uow: UnitOfWork, dedup: str, **over: Any) -> dict[str, Any]:
    base = {"dedup": dedup, "kind": "k", "payload": {"名": 1}, "created_at": uow.now, "next_at": uow.now}
    return base | {"attempts": 0} | over


async def _kept(database: Database) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.execute(sa.select(TABLE.c.dedup, TABLE.c.attempts).order_by(TABLE.c.id))
        return [(row.dedup, row.attempts) for row in rows]


async def test_what_was_put_is_there_after_the_commit_in_its_order(database: Database) -> None:
    async with database.begin() as uow:
        await uow.put(TABLE, _row(uow, "a"), _row(uow, "b"))
        await uow.put(TABLE, _row(uow, "c"))
        assert await _kept(database) == []
    assert await _kept(database) == [("a", 0), ("b", 0), ("c", 0)]


async def test_whoever_asks_within_the_transaction_sees_what_was_put(database: Database) -> None:
    async with database.begin() as uow:
        await uow.put(TABLE, _row(uow, "a"))
        assert (await uow.session.execute(sa.select(TABLE.c.payload))).scalar_one() == {"名": 1}
        await uow.change(TABLE, {"dedup": "a", "done_at": None, "kind": Other("x")}, attempts=3)
        found = await uow.fetch("SELECT attempts FROM outbox WHERE dedup = $1", "a")
        assert found[0]["attempts"] == 3
        await uow.change(TABLE, {"dedup": "a", "kind": Other("k")}, attempts=9)
    assert await _kept(database) == [("a", 3)]


async def test_a_failure_undoes_everything_that_was_sent_and_put(database: Database) -> None:
    with pytest.raises(HotlineError):
        async with database.begin() as uow:
            await uow.put(TABLE, _row(uow, "a"))
            await uow.send()
            await uow.put(TABLE, _row(uow, "b"))
            raise HotlineError("x")
    assert await _kept(database) == []


async def test_a_refused_row_is_told_like_any_other(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with database.begin() as uow:
            await uow.put(TABLE, _row(uow, "a"), _row(uow, "a"))
    assert sqlstate(caught.value) == "23505"
    assert constraint_of(caught.value) == "uq_outbox_dedup"
    assert await _kept(database) == []


async def test_a_savepoint_undoes_only_its_own(database: Database) -> None:
    async with database.begin() as uow:
        await uow.put(TABLE, _row(uow, "kept"))
        with pytest.raises(HotlineError):
            async with uow.savepoint():
                await uow.put(TABLE, _row(uow, "sent"))
                await uow.send()
                await uow.put(TABLE, _row(uow, "only put"))
                raise HotlineError("x")
        async with uow.savepoint():
            await uow.put(TABLE, _row(uow, "too"))
    assert await _kept(database) == [("kept", 0), ("too", 0)]


async def test_a_row_given_up_makes_room_for_its_successor_in_the_same_statement(database: Database) -> None:
    async with database.begin() as uow:
        await uow.put(TABLE, _row(uow, "place"))
    async with database.begin() as uow:
        await uow.change(TABLE, {"dedup": "place"}, dedup="old")
        await uow.put(TABLE, _row(uow, "place", attempts=1), _row(uow, "next", attempts=2))
    assert await _kept(database) == [("old", 0), ("place", 1), ("next", 2)]


def test_what_depends_on_the_order_is_not_put_into_one_statement() -> None:
    batch = Batch()
    assert batch.insert(TABLE, [{"dedup": "a"}])
    assert not batch.update(TABLE, {"id": 1}, {"attempts": 1})
    assert not batch.insert(TABLE, [{"kind": "k"}])
    text, values = batch.take()
    assert (text, values) == ("INSERT INTO outbox (dedup) VALUES ($1)", ["a"])
    assert not batch


async def test_very_many_rows_go_as_arrays_and_are_the_same(database: Database) -> None:
    rows = 3 * MANY
    async with database.begin() as uow:
        await uow.put(TABLE, _row(uow, "first"))
        await uow.put(TABLE, *(_row(uow, f"{place:04}", attempts=place) for place in range(rows)))
        await uow.put(TABLE, _row(uow, "last"))
        assert (await uow.session.execute(sa.select(sa.func.count()).select_from(TABLE))).scalar_one() == (
            rows + 2
        )
    kept = await _kept(database)
    assert kept[1:-1] == [(f"{place:04}", place) for place in range(rows)]
    async with database.read() as session:
        payloads = (await session.execute(sa.select(TABLE.c.payload).distinct())).scalars().all()
    assert payloads == [{"名": 1}]


async def test_very_many_rows_come_after_a_change_of_the_same_table(
    database: Database,
) -> None:
    async with database.begin() as uow:
        await uow.put(TABLE, _row(uow, "0001"))
    async with database.begin() as uow:
        await uow.change(TABLE, {"dedup": "0001"}, dedup="old")
        await uow.put(TABLE, *(_row(uow, f"{place:04}") for place in range(MANY)))
    assert len(await _kept(database)) == MANY + 1


def test_very_many_rows_are_a_statement_of_constant_length() -> None:
    texts = set()
    for count in (MANY, 5 * MANY):
        batch = Batch()
        assert batch.insert(TABLE, [{"dedup": str(place), "payload": {}} for place in range(count)])
        text, values = batch.take()
        assert [len(column) for column in values] == [count, count]
        texts.add(text)
    assert texts == {
        "INSERT INTO outbox (dedup, payload) SELECT c0, c1::JSONB "
        "FROM unnest($1::TEXT[], $2::TEXT[]) AS r (c0, c1)"
    }


async def test_a_change_meets_any_of_several_values(database: Database) -> None:
    async with database.begin() as uow:
        await uow.put(TABLE, *(_row(uow, name) for name in "abc"))
    async with database.begin() as uow:
        await uow.change(TABLE, {"dedup": Among(("a", "c", "x")), "done_at": None}, attempts=7)
    assert await _kept(database) == [("a", 7), ("b", 0), ("c", 7)]


def test_a_column_named_like_a_word_of_sql_stands_in_quotes() -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("limit", sa.Text), sa.Column("id", sa.BigInteger))
    batch = Batch()
    batch.insert(table, [{"limit": "1wd"}])
    assert batch.take()[0] == 'INSERT INTO t ("limit") VALUES ($1)'
    batch.update(table, {"id": 1}, {"limit": "2wd"})
    assert batch.take()[0] == 'UPDATE t SET "limit" = $1 WHERE id = $2'
