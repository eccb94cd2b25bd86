"""Deciding for an absent head: who may be named, for how long, and what ends it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.people import delegation, org
from core.people.actor import Actor
from core.people.delegation import Behalf
from core.people.permissions import Role
from core.people.service import PeopleService

SYSTEM = Actor.system("test")
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)

PEOPLE = (
    ("head", "water", Role.DEPT_HEAD),
    ("officer", "water", Role.DEPT_OFFICER),
    ("other_officer", "water", Role.DEPT_OFFICER),
    ("station_head", "station", Role.DEPT_HEAD),
    ("station_officer", "station", Role.DEPT_OFFICER),
    ("road_officer", "road", Role.DEPT_OFFICER),
    ("inspector", "water", Role.INSPECTOR),
    ("supervision", "hotline", Role.SUPERVISION_OFFICER),
    ("dispatcher", "hotline", Role.DISPATCHER),
    ("agent", "hotline", Role.AGENT),
)


@pytest.fixture
async def folk(database: Database, people: PeopleService) -> dict[str, Actor]:
    """People of a bureau, a station below it, another bureau and the hotline."""
    found: dict[str, Actor] = {}
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="c")
        units = {
            "hotline": await org.create_unit(uow, SYSTEM, kind="hotline", name="热线", code="h", parent=city)
        }
        for code in ("water", "road"):
            units[code] = await org.create_unit(uow, SYSTEM, kind="bureau", name=code, code=code, parent=city)
        units["station"] = await org.create_unit(
            uow, SYSTEM, kind="bureau", name="站", code="station", parent=units["water"]
        )
        for login, unit, role in PEOPLE:
            ident = await people.create_user(
                uow, SYSTEM, login=login, name=f"张{login}", password="correct horse 12345",
                unit_id=units[unit].id, roles=frozenset({role}),
            )  # fmt: skip
            actor = await people.actor_for_user(uow.session, ident)
            assert actor is not None
            found[login] = actor
    return found


async def _give(
    database: Database, head: Actor, deputy: Actor, first: date = TODAY, last: date = TODAY + DAY
) -> int:
    assert deputy.user_id is not None
    async with database.begin() as uow:
        return await delegation.create(
            uow, head, deputy_id=deputy.user_id, first_day=first, last_day=last, reason="外出培训"
        )


async def _held(database: Database, actor: Actor, clock: ManualClock) -> tuple[Behalf, ...]:
    async with database.read() as session:
        return await delegation.units_approved_for(session, actor, clock.now())


async def test_a_deputy_approves_for_the_unit_of_the_head_within_the_span_only(
    database: Database, folk: dict[str, Actor], clock: ManualClock
) -> None:
    head, officer = folk["head"], folk["officer"]
    await _give(database, head, officer, TODAY + DAY, TODAY + 2 * DAY)
    assert await _held(database, officer, clock) == ()
    clock.advance(14 * 3600 - 1)  # it is 10:00 in the city; one second before midnight
    assert await _held(database, officer, clock) == ()
    clock.advance(1)
    wanted = Behalf(head.unit_id or 0, head.user_id or 0, head.name, Role.DEPT_HEAD)
    assert await _held(database, officer, clock) == (wanted,)
    assert await _held(database, folk["other_officer"], clock) == ()
    clock.advance(48 * 3600 - 1)
    assert await _held(database, officer, clock) == (wanted,)
    clock.advance(1)
    assert await _held(database, officer, clock) == ()


async def test_a_supervision_officer_names_somebody_of_the_desk(
    database: Database, folk: dict[str, Actor], clock: ManualClock
) -> None:
    await _give(database, folk["supervision"], folk["dispatcher"])
    (held,) = await _held(database, folk["dispatcher"], clock)
    assert (held.post, held.of_user_id) == (Role.SUPERVISION_OFFICER, folk["supervision"].user_id)


@pytest.mark.parametrize(
    ("principal", "deputy"),
    [
        ("head", "road_officer"),  # another bureau
        ("head", "station_officer"),  # below, not above
        ("head", "inspector"),  # reads, never decides
        ("head", "dispatcher"),
        ("head", "head"),
        ("supervision", "agent"),
    ],
)
async def test_who_cannot_stand_in_is_refused(
    database: Database, folk: dict[str, Actor], principal: str, deputy: str
) -> None:
    with pytest.raises(HotlineError, match="deputy_unfit"):
        await _give(database, folk[principal], folk[deputy])


async def test_the_head_above_may_stand_in(
    database: Database, folk: dict[str, Actor], clock: ManualClock
) -> None:
    await _give(database, folk["station_head"], folk["head"])
    (held,) = await _held(database, folk["head"], clock)
    assert held.unit_id == folk["station_head"].unit_id


@pytest.mark.parametrize("who", ["officer", "agent", "inspector"])
async def test_only_heads_and_supervision_may_delegate(
    database: Database, folk: dict[str, Actor], who: str
) -> None:
    with pytest.raises(HotlineError, match="forbidden"):
        await _give(database, folk[who], folk["other_officer"])


@pytest.mark.parametrize(
    ("first", "last"),
    [(TODAY - DAY, TODAY), (TODAY + DAY, TODAY), (TODAY, TODAY + 92 * DAY)],
)
async def test_days_that_are_past_turned_round_or_too_many_are_refused(
    database: Database, folk: dict[str, Actor], first: date, last: date
) -> None:
    with pytest.raises(HotlineError, match="delegation_days"):
        await _give(database, folk["head"], folk["officer"], first, last)


async def test_spans_of_one_head_do_not_overlap_and_a_deputy_is_not_absent_himself(
    database: Database, folk: dict[str, Actor]
) -> None:
    await _give(database, folk["head"], folk["officer"], TODAY, TODAY + 2 * DAY)
    with pytest.raises(HotlineError, match="delegation_overlaps"):
        await _give(database, folk["head"], folk["other_officer"], TODAY + 2 * DAY, TODAY + 3 * DAY)
    await _give(database, folk["head"], folk["other_officer"], TODAY + 3 * DAY, TODAY + 3 * DAY)
    with pytest.raises(HotlineError, match="deputy_absent"):
        await _give(database, folk["station_head"], folk["head"], TODAY, TODAY)


async def test_ending_it_early_works_at_once_for_the_giver_and_nobody_else(
    database: Database, folk: dict[str, Actor], clock: ManualClock
) -> None:
    ident = await _give(database, folk["head"], folk["officer"])
    for other in ("officer", "station_head", "supervision"):
        with pytest.raises(HotlineError, match="delegation_not_found"):
            async with database.begin() as uow:
                await delegation.end(uow, folk[other], ident)
    async with database.begin() as uow:
        await delegation.end(uow, folk["head"], ident)
    assert await _held(database, folk["officer"], clock) == ()
    with pytest.raises(HotlineError, match="delegation_over"):
        async with database.begin() as uow:
            await delegation.end(uow, folk["head"], ident)
    await _give(database, folk["head"], folk["other_officer"])  # the days are free again
    async with database.read() as session:
        trail = await session.execute(text("SELECT action FROM audit_log WHERE object_type = 'delegation'"))
        assert sorted(trail.scalars()) == ["delegation.create", "delegation.create", "delegation.end"]


async def test_it_ends_with_the_post_the_unit_or_the_account_of_the_head(
    database: Database, people: PeopleService, folk: dict[str, Actor], clock: ManualClock
) -> None:
    head = folk["head"].user_id
    assert head is not None
    await _give(database, folk["head"], folk["officer"])
    async with database.begin() as uow:
        await people.set_roles(uow, SYSTEM, head, frozenset({Role.DEPT_OFFICER}))
    assert await _held(database, folk["officer"], clock) == ()
    async with database.begin() as uow:
        await people.set_roles(uow, SYSTEM, head, frozenset({Role.DEPT_HEAD}))
    assert len(await _held(database, folk["officer"], clock)) == 1
    async with database.begin() as uow:
        await people.disable_user(uow, SYSTEM, head)
    assert await _held(database, folk["officer"], clock) == ()


async def test_a_deputy_who_lost_the_post_decides_for_nobody(
    database: Database, people: PeopleService, folk: dict[str, Actor], clock: ManualClock
) -> None:
    await _give(database, folk["head"], folk["officer"])
    ident = folk["officer"].user_id
    assert ident is not None
    async with database.begin() as uow:
        await people.set_roles(uow, SYSTEM, ident, frozenset({Role.KNOWLEDGE_EDITOR}))
        now = await people.actor_for_user(uow.session, ident)
    assert now is not None
    assert await _held(database, now, clock) == ()


async def test_a_deputy_who_went_to_another_unit_decides_for_nobody(
    database: Database, people: PeopleService, folk: dict[str, Actor], clock: ManualClock
) -> None:
    head, officer = folk["head"], folk["officer"]
    await _give(database, head, officer)
    assert officer.user_id is not None
    assert len(await _held(database, officer, clock)) == 1
    road = folk["road_officer"].unit_id
    assert road is not None
    async with database.begin() as uow:
        await people.edit_user(uow, SYSTEM, officer.user_id, name="张officer", unit_id=road, extension=None)
    async with database.read() as session:
        moved = await people.actor_for_user(session, officer.user_id)
    assert moved is not None
    assert await _held(database, moved, clock) == ()
