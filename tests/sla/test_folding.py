"""Folding is the leader's: fenced, in batches, told to screens; whoever moves units moves figures along."""

import pytest

from core.clock import SystemClock
from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.settings import Leadership
from sla.measures import folding
from sla.measures.folding import Folding
from tests.helpers import eventually
from tests.sla.measures_rig import counted, fold, wrong
from tests.tickets.conftest import City
from tests.tickets.life import life
from tickets import handover
from tickets.handover import Handovers
from tickets.measures import seen, seen_of

SHORT = Leadership(heartbeat_seconds=0.05, lease_seconds=0.3, self_fence_seconds=0.2)


def lease_of(db: Database, owner: str) -> Lease:
    return Lease(db, "scheduler", owner, SHORT, SystemClock())


async def folded_events(city: City) -> int:
    return int(await city.scalar("SELECT count(*) FROM event_log WHERE topic = 'measure'"))


async def test_the_leader_folds_and_screens_hear_of_it_once(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "BATCH", 5)
    lease = lease_of(city.db, "a")
    assert await lease.try_take()
    work = Folding(city.db, lease)
    while await work._uncounted():
        await work.run()
    assert await folded_events(city) == 0
    for number in range(4):
        await (await life(city, phone=f"1380000000{number}")).to_handling()
    waiting = int(await city.scalar("SELECT count(*) FROM measure_delta"))
    assert await work.run() == waiting
    assert await folded_events(city) <= 2  # once, and once more when the last batch was full
    assert await wrong(city) == []
    assert await work.run() == 0


async def test_a_leader_that_froze_folds_nothing_when_it_wakes(city: City) -> None:
    old, new = lease_of(city.db, "a"), lease_of(city.db, "b")
    assert await old.try_take()
    assert await eventually(new.try_take)
    await life(city)
    with pytest.raises(HotlineError, match="lease_lost"):
        await Folding(city.db, old).run()
    assert await counted(city) == {}
    assert await Folding(city.db, new).run() > 0
    assert await counted(city) != {}


async def test_what_was_there_before_is_counted_beside_the_work(city: City) -> None:
    """Tickets move while they are counted from history, and are counted once."""
    lives = [await life(city, phone=f"1380000000{number}") for number in range(3)]
    for one in lives:
        await one.to_handling()
    async with city.db.begin() as uow:
        for table in ("measure_fact", "measure_sum", "measure_delta"):
            await uow.fetch(f"DELETE FROM {table}")
    await lives[0].close()
    lease = lease_of(city.db, "a")
    assert await lease.try_take()
    work = Folding(city.db, lease)
    await work.run()
    await lives[1].close()
    while await work._uncounted() or await work.run():
        pass
    assert await wrong(city) == []
    assert sum(n for (_d, code, _a), n in (await counted(city)).items() if code == "accepted") == 3


async def test_the_tickets_of_a_closed_unit_count_for_its_heir(city: City) -> None:
    """What is due and where it stands goes along; what was counted before stays whose it was."""
    one, handed_in = await life(city), await life(city, phone="13800000009")
    await one.to_handling("lights")
    await handed_in.to_check("lights")
    async with city.db.begin() as uow:
        await handover.start(
            uow,
            city.actors["admin"],
            city.unit("lights"),
            city.unit("water"),
            reason="机构改革",
            move_users=True,
        )
    await Handovers(city.db, city.tickets).run()
    await fold(city.db)
    assert await wrong(city) == []
    heir = {code for _day, code, _apart in await counted(city, "unit", str(city.unit("water")))}
    left = {code for _day, code, _apart in await counted(city, "unit", str(city.unit("lights")))}
    assert {"due", "open_handle"} <= heir
    assert {"sent", "signed", "on_time"} <= left
    assert "open_handle" not in left


async def test_a_row_of_either_way_to_the_database_is_seen_alike(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    (row,) = await city.db.fetch("SELECT * FROM ticket WHERE id = $1", one.id)
    assert seen_of(row) == seen(await one.row())
