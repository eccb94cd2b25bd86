"""A changed rule set is tried on the tickets of a month before a person lets it count."""

from typing import Any

import pytest
import sqlalchemy as sa

from core.leadership import Lease
from routing import rule_service, rules, trials
from routing.rules import Conditions, Rule
from routing.trials import Trials
from tests.routing.conftest import City, Refused
from tests.routing.demo_rig import held_lease

LIGHTS = Rule("lights", "路灯归城管", "lights", Conditions(words=("路灯",)))
WATER = Rule("water", "路灯改归供水", "water", Conditions(words=("路灯",)))
NEVER = Rule("never", "无人说的词", "water", Conditions(words=("火星",)))
CLOSED = Rule("closed", "已撤销的单位", "gone", Conditions(words=("路灯",)))


def pass_time(city: City) -> None:
    """What was registered until now belongs to the month before."""
    city.db.clock.advance(1)  # type: ignore[attr-defined]  # a ManualClock


@pytest.fixture
async def lease(city: City) -> Lease:
    return await held_lease(city.db)


async def live(city: City, lease: Lease, *made: Rule) -> int:
    """Draft, try and promote these rules; returns the version's number."""
    edits = await drafted(city, *made)
    await tried(city, lease)
    async with city.db.begin() as uow:
        return await rule_service.promote(uow, city.actors["supervision"], edits, "上线")


async def drafted(city: City, *made: Rule) -> int:
    async with city.db.begin() as uow:
        draft = await rule_service.open_draft(uow, city.actors["supervision"])
        return await rule_service.edit(uow, city.actors["supervision"], draft.edits, lambda _: made, {})


async def tried(city: City, lease: Lease) -> Any:
    pass_time(city)
    async with city.db.begin() as uow:
        draft = await rule_service.in_state(uow.session, "draft")
        assert draft is not None
        ident = await trials.order(uow, city.actors["supervision"], draft.id)
    await Trials(city.db, lease).run()
    async with city.db.read() as session:
        return await trials.one(session, ident)


async def test_a_draft_does_not_count_until_it_was_tried_and_promoted(
    city: City, lease: Lease, refused: Refused
) -> None:
    edits = await drafted(city, LIGHTS)
    actor = city.actors["supervision"]
    async with city.db.begin() as uow:
        await refused("rules_untried", rule_service.promote(uow, actor, edits, "急"))
        assert await rule_service.in_state(uow.session, "live") is None
    assert await live(city, lease, LIGHTS) == 1
    edits = await drafted(city, WATER)
    await tried(city, lease)
    async with city.db.begin() as uow:  # changed after it was tried
        await rule_service.edit(uow, actor, edits, lambda found: rules.put(found, NEVER), {})
    async with city.db.begin() as uow:
        await refused("rules_changed", rule_service.promote(uow, actor, edits, "旧"))
        await refused("rules_untried", rule_service.promote(uow, actor, edits + 1, "新"))
        await refused("forbidden", rule_service.promote(uow, city.actors["dispatcher"], edits + 1, "x"))


async def test_a_trial_tells_the_difference_in_each_units_load_with_tickets(city: City, lease: Lease) -> None:
    sent = [await city.dispatched("lights") for _ in range(3)]
    await live(city, lease, LIGHTS)
    await drafted(city, WATER, NEVER)
    trial = await tried(city, lease)
    assert (trial.state, trial.total, trial.seen, trial.percent) == ("done", 3, 3, 100)
    loads = {line.unit_id: line for line in trials.load_lines(trial.result)}
    assert (loads[city.unit("lights")].before, loads[city.unit("lights")].after) == (3, 0)
    assert loads[city.unit("lights")].sent == 3
    assert (loads[city.unit("water")].difference, trial.result["changed"]) == (3, 3)
    assert [one["ticket_id"] for one in trial.result["samples"]] == [made.id for made in sent]
    assert trials.silent(trial.result, ["water", "never"]) == ["never"]


async def test_a_rule_that_fails_is_counted_with_its_reason(city: City, lease: Lease) -> None:
    await city.ticket()
    await drafted(city, CLOSED, LIGHTS)
    told = (await tried(city, lease)).result["rules"]
    assert (told["closed"]["failed"], told["lights"]["fired"]) == (1, 1)
    assert "没有编码为" in told["closed"]["why"]


async def test_a_trial_goes_on_behind_its_last_batch(
    city: City, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "BATCH", 2)
    for _ in range(5):
        await city.ticket()
    await drafted(city, LIGHTS)
    pass_time(city)
    async with city.db.begin() as uow:
        draft = await rule_service.in_state(uow.session, "draft")
        assert draft is not None
        ident = await trials.order(uow, city.actors["supervision"], draft.id)
        assert await trials.order(uow, city.actors["supervision"], draft.id) == ident  # one is enough
    runner = Trials(city.db, lease)
    assert await runner._step()
    async with city.db.read() as session:
        half = await trials.one(session, ident)
    assert (half.state, half.seen, half.percent) == ("running", 2, 40)
    await Trials(city.db, lease).run()  # another node, after a restart
    async with city.db.read() as session:
        whole = await trials.one(session, ident)
    assert (whole.state, whole.seen, whole.result["rules"]["lights"]["fired"]) == ("done", 5, 5)


async def test_the_live_rules_are_tried_at_night_and_earlier_versions_come_back_as_a_draft(
    city: City, lease: Lease, refused: Refused
) -> None:
    await live(city, lease, LIGHTS, NEVER)
    await live(city, lease, WATER)
    runner = Trials(city.db, lease)
    await runner.nightly()
    await runner.run()
    async with city.db.read() as session:
        now = await rule_service.in_state(session, "live")
        assert now is not None
        found = await trials.latest(session, now.id)
        first = next(one for one in await rule_service.versions(session) if one.number == 1)
    assert found is not None
    assert (found.state, found.asked_by) == ("done", None)
    assert first.state == "past"
    async with city.db.begin() as uow:
        back = await rule_service.restore(uow, city.actors["supervision"], first.id)
        await refused("rules_draft_open", rule_service.restore(uow, city.actors["supervision"], first.id))
    assert [one.code for one in back.rules] == ["lights", "never"]
    assert rule_service.differences(now.rules, back.rules) == [
        ("water", "gone"),
        ("lights", "new"),
        ("never", "new"),
    ]
    audited = "SELECT count(*) FROM audit_log WHERE action = 'rules.promote'"
    async with city.db.read() as session:
        assert (await session.execute(sa.text(audited))).scalar_one() == 2
