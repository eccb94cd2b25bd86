"""Making and dispatching without locks gives what it gives with them, for one and for many at once."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from tests.tickets.conftest import City
from tickets.making import NewTicket
from tickets.models import Ticket, table_of

_ticket = table_of(Ticket)
OWN = {"id", "number", "query_code_ref", "name_ref", "phone_ref", "phone2_ref", "id_number_ref"}
TABLES = (
    "ticket_stage",
    "ticket_history",
    "ticket_text",
    "ticket_unit",
    "notification",
    "event_log",
    "outbox",
)


async def _open(city: City) -> int:
    async with city.db.begin() as uow:
        return await city.drafts.open_manual(uow, city.actors["agent"])


async def _make(city: City, draft: int, *, hopeful: bool, **over: Any) -> NewTicket:
    def work(uow: UnitOfWork) -> Any:
        return city.tickets.create_from_draft(uow, city.actors["agent"], draft, city.form(**over), 1)

    made: NewTicket = await city.db.retrying(work, hopeful=hopeful)
    return made


async def _dispatch(city: City, ident: int, version: int, *, hopeful: bool, unit: str = "lights") -> int:
    def work(uow: UnitOfWork) -> Any:
        actor = city.actors["dispatcher"]
        return city.tickets.dispatch(uow, actor, ident, version, city.unit(unit))

    done: int = await city.db.retrying(work, hopeful=hopeful)
    return done


async def _counts(city: City) -> dict[str, int]:
    return {name: await city.scalar(f"SELECT count(*) FROM {name}") for name in TABLES}


async def test_both_ways_write_the_same(city: City) -> None:
    rows, grown = [], []
    await city.ticket()  # the day is open, and the phone is known
    for hopeful in (False, True):
        before = await _counts(city)
        made = await _make(city, await _open(city), hopeful=hopeful, phone2="0773-2822222")
        assert await _dispatch(city, made.id, 1, hopeful=hopeful) == 2
        grown.append({name: count - before[name] for name, count in (await _counts(city)).items()})
        async with city.db.read() as session:
            query = sa.select(_ticket).where(_ticket.c.id == made.id)
            row = dict((await session.execute(query)).one()._mapping)
            values = [
                await city.vault.reveal(session, row[name])
                for name in ("name_ref", "phone_ref", "phone2_ref")
            ]
            assert await city.vault.reveal(session, row["query_code_ref"]) == made.query_code
        rows.append({name: value for name, value in row.items() if name not in OWN} | {"values": values})
    assert rows[0] == rows[1]
    assert grown[0] == grown[1]


async def test_twenty_agents_with_one_citizen_make_twenty_tickets_and_keep_one_number(city: City) -> None:
    drafts = [await _open(city) for _ in range(20)]
    made = await asyncio.gather(*(_make(city, draft, hopeful=True, phone="13900000009") for draft in drafts))
    assert len({one.number for one in made}) == 20
    known = "SELECT count(DISTINCT phone_ref) FROM ticket WHERE id = ANY(:ids)"
    assert await city.scalar(known, ids=[one.id for one in made]) == 1
    orphans = "SELECT count(*) FROM personal_value v WHERE kind = 'name' AND NOT EXISTS "
    orphans += "(SELECT 1 FROM ticket t WHERE t.name_ref = v.id)"
    assert await city.scalar(orphans) == 0


async def test_one_draft_sent_many_times_at_once_is_one_ticket(city: City) -> None:
    draft = await _open(city)
    made = await asyncio.gather(*(_make(city, draft, hopeful=True) for _ in range(8)))
    assert len({(one.id, one.number, one.query_code) for one in made}) == 1
    assert await city.scalar("SELECT count(*) FROM ticket") == 1


async def test_two_dispatchers_at_once_are_one_dispatch_and_one_conflict(city: City) -> None:
    made = await city.ticket()
    works = [_dispatch(city, made.id, 1, hopeful=True, unit=unit) for unit in ("lights", "water")]
    done = await asyncio.gather(*works, return_exceptions=True)
    failed = [one for one in done if isinstance(one, HotlineError)]
    assert [one.code for one in failed] == ["version_conflict"]
    assert await city.scalar("SELECT count(*) FROM ticket_unit WHERE until IS NULL") == 1
    assert await city.scalar("SELECT count(*) FROM ticket_history WHERE action = 'dispatch'") == 1


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"category_id": 999_999}, "category_unknown"),
        ({"district_id": 999_999}, "place_unknown"),
        ({"subject_unit_id": 999_999}, "unit_not_found"),
    ],
)
async def test_what_does_not_exist_is_refused_and_nothing_is_kept(
    city: City, over: dict[str, int], code: str
) -> None:
    draft = await _open(city)
    with pytest.raises(HotlineError) as caught:
        await _make(city, draft, hopeful=True, **over)
    assert caught.value.code == code
    assert await city.scalar("SELECT count(*) FROM personal_value") == 0
    assert await city.scalar("SELECT ended_at IS NULL FROM ticket_draft WHERE id = :id", id=draft)
