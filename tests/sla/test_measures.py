"""What each step counts for; kept counters are what history tells, after any walk."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from core.clock import ManualClock
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.machines import MachineClient, machine_of
from sla.measures import recount
from tests.sla.measures_rig import all_tickets, counted, day, fold, total, wrong
from tests.tickets.conftest import City
from tests.tickets.life import RETURN, Life, life
from tests.tickets.test_walks import ENDINGS, TYPED, WALKERS, inputs, possible
from tickets.states import Action, State

A = Action
GOOD = {"result": "reached", "responded": True, "solved": True, "satisfied": 5}


def clock_of(city: City) -> ManualClock:
    assert isinstance(city.db.clock, ManualClock)
    return city.db.clock


async def checked(city: City) -> dict[str, int]:
    """Fold, compare with history, and return what counts: code → n, without what is zero or apart."""
    await fold(city.db)
    assert await wrong(city) == []
    found: Counter[str] = Counter()
    for (_day, code, apart), n in (await counted(city)).items():
        assert n > 0
        if not apart:
            found[code] += n
    return dict(found)


async def to_callback(one: Life) -> None:
    """As far as the call-back, which is certain for what supervision watches."""
    await one.to_check()
    await one.do("supervision", A.SUPERVISE, note="重点督办")
    await one.do("dispatcher", A.PASS_CHECK)


async def test_a_ticket_that_went_the_whole_way_in_time_counts_once_everywhere(city: City) -> None:
    one = await life(city)
    assert await checked(city) == {"accepted": 1, "open_dispatch": 1}
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    assert await checked(city) == {"accepted": 1, "open_sign": 1, "sent": 1, "due": 1}
    await one.do("lights", A.SIGN)
    await one.do("lights", A.CONTACT, result="reached")
    await one.do("lights", A.CONTACT, result="reached")  # again: it was reached before
    await one.close()
    await one.do("supervision", A.SUPERVISE, note="重点督办")
    await one.do("dispatcher", A.PASS_CHECK)
    await one.do("callback", A.REVISIT, **GOOD | {"satisfied": 2, "reason_code": "slow"})
    asked = {f"asked_{name}": 1 for name in ("responded", "solved", "satisfied")}
    way = {"accepted": 1, "sent": 1, "signed": 1, "contacted": 1, "due": 1, "on_time": 1, "passed": 1}
    assert await checked(city) == way | asked | {"responded": 1, "solved": 1}
    unit = await counted(city, "unit", str(city.unit("lights")))
    assert {code for _day, code, _apart in unit} == {*way, *asked, "responded", "solved"} - {"accepted"}


async def test_what_is_late_is_counted_as_due_and_dispatched_alone(city: City) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    clock_of(city).advance(86_400 * 9)
    await one.do("system", A.SIGN)
    clock_of(city).advance(86_400 * 9)
    await one.close()
    assert await checked(city) == {"accepted": 1, "sent": 1, "due": 1, "open_check": 1}


async def test_a_signature_of_the_clock_is_none_of_the_unit(city: City) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    await one.do("system", A.SIGN)
    assert "signed" not in await checked(city)


async def test_what_a_units_own_platform_does_counts_as_the_units_work(city: City) -> None:
    """Another system that acts for its people is not the clock: it signs, contacts and returns for them."""
    client = MachineClient(
        id=1,
        code="lights",
        name="城管平台",
        kind="platform",
        scopes=["tickets:handle"],
        token_hash=b"",
        created_by=city.user("agent"),
        created_at=city.db.clock.now(),
    )
    city.actors["platform"] = machine_of(client, city.units["lights"]).actor
    one, other = await life(city), await life(city)
    for ticket in (one, other):
        await ticket.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    await one.do("platform", A.SIGN)
    await one.do("platform", A.CONTACT, result="reached")
    signed = next(row for row in await one.history() if row.action == A.SIGN)
    assert (signed.actor_id, signed.actor_name, signed.role) == (None, "城管平台", "machine")
    assert "automatic" not in signed.changes.get("told", {})
    await other.do("platform", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    found = await checked(city)
    assert (found["sent"], found["signed"], found["contacted"], found["returned"]) == (2, 1, 1, 1)


async def test_a_signature_counts_on_the_day_of_the_dispatch(city: City) -> None:
    one = await life(city)
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    sent = day(city.db.clock.now())
    clock_of(city).advance(86_400)
    await one.do("lights", A.SIGN)
    await checked(city)
    found = await counted(city)
    assert (sent, "signed", False) in found
    assert (sent, "sent", False) in found


async def test_the_check_that_rejects_takes_the_closing_back(city: City) -> None:
    one = await life(city)
    await one.to_check()
    assert (await checked(city))["on_time"] == 1
    await one.do("dispatcher", A.REJECT_CHECK, reason_code="no_basis", note="重新答复")
    assert "on_time" not in await checked(city)
    clock_of(city).advance(86_400 * 30)
    await one.close()
    found = await checked(city)
    assert (found["due"], found.get("on_time")) == (1, None)


async def test_a_due_time_that_moves_takes_its_count_along(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="情况复杂", days=2)
    before = day((await one.row()).due_at)
    await one.do("supervision", A.APPROVE_EXTENSION)
    after = day((await one.row()).due_at)
    assert before != after
    assert (await checked(city))["due"] == 1
    assert (after, "due", False) in await counted(city)
    await one.do("agent", A.EDIT, urgency="urgent")
    assert (await checked(city))["due"] == 1


async def test_a_return_takes_the_due_round_to_the_next_unit(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意")
    await checked(city)
    assert not [
        code for _day, code, _apart in await counted(city, "unit", str(city.unit("lights"))) if code == "due"
    ]
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("water"))
    found = await checked(city)
    assert (found["sent"], found["returned"], found["due"]) == (2, 1, 1)
    assert {code for _day, code, _apart in await counted(city, "unit", str(city.unit("water")))} == {
        *("sent", "due", "open_sign")
    }


async def test_a_redo_is_due_once_more(city: City) -> None:
    one = await life(city)
    await to_callback(one)
    again = {"solved": False, "satisfied": 1, "redo": True, "reason_code": "not_solved"}
    await one.do("callback", A.REVISIT, **GOOD | again)
    found = await checked(city)
    assert (found["due"], found["on_time"], found["redone"], found["sent"]) == (2, 1, 1, 2)
    assert (found["asked_solved"], found.get("solved")) == (1, None)


async def test_nobody_answers_and_it_is_said(city: City) -> None:
    one = await life(city)
    await to_callback(one)
    for _ in range(3):
        await one.do("callback", A.REVISIT, result="no_answer")
    found = await checked(city)
    assert found["unreached"] == 1
    assert "asked_solved" not in found


@pytest.mark.parametrize("ending", [A.VOID, A.WITHDRAW, A.MERGE])
async def test_what_ends_without_the_unit_is_due_no_more(city: City, ending: Action) -> None:
    one, other = await life(city), await life(city, phone="13800000009")
    await one.to_handling()
    data = {"reason_code": "test"} if ending is A.VOID else {}
    more = {"master_id": other.id} if ending is A.MERGE else {}
    await one.do("leader", ending, note="说明", **data, **more)
    found = await checked(city)
    assert "due" not in found
    assert "open_handle" not in found
    if ending is A.MERGE:
        await one.do("leader", A.UNMERGE, note="不是一回事")
        found = await checked(city)
        assert (found["due"], found["open_handle"]) == (1, 1)


async def test_what_is_left_out_is_counted_apart(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.APPLY_EXCLUSION, reason_code="against_law", note="诉求违法")
    await fold(city.db)
    await one.do("supervision", A.APPROVE_EXCLUSION)
    await one.close()
    assert await checked(city) == {}
    for code in ("sent", "signed", "contacted", "due", "on_time", "accepted"):
        assert await total(city, code, left_out=True) == 1, code


async def test_an_answer_on_the_line_is_accepted_and_answered(city: City) -> None:
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, city.actors["agent"])
        await city.drafts.end_as_record(uow, city.actors["agent"], draft, 1, "direct_answer", "问路，已答")
        wrong_number = await city.drafts.open_manual(uow, city.actors["agent"])
        await city.drafts.end_as_record(uow, city.actors["agent"], wrong_number, 1, "wrong_number")
    one = await life(city)
    await one.do("agent", A.ANSWER, public_reply="已答复。")
    assert await checked(city) == {"accepted": 2, "direct": 2}
    async with city.db.read() as session:
        assert await recount.compare(session, [1, 2], record=True) == []


async def test_steps_of_one_ticket_fold_the_same_in_any_batch(city: City) -> None:
    one = await life(city)
    await to_callback(one)
    await fold(city.db, 1)
    single = await counted(city)
    async with city.db.begin() as uow:
        await recount.start_over(uow)
        while await recount.step(uow):
            pass
    await fold(city.db)
    assert await counted(city) == single


async def test_what_nobody_counted_is_counted_from_history(city: City) -> None:
    one = await life(city)
    await to_callback(one)
    async with city.db.begin() as uow:
        await city.drafts.end_as_record(
            uow,
            city.actors["agent"],
            await city.drafts.open_manual(uow, city.actors["agent"]),
            1,
            "direct_answer",
            "问路，已答",
        )
    before = await checked(city)
    async with city.db.begin() as uow:
        for table in ("measure_fact", "measure_sum", "measure_delta"):
            await uow.fetch(f"DELETE FROM {table}")
        await recount.start_over(uow)
        while await recount.step(uow):
            pass
    assert await checked(city) == before


async def test_a_fact_that_went_wrong_is_found_and_mended(city: City) -> None:
    one = await life(city)
    await one.to_handling()
    await fold(city.db)
    async with city.db.begin() as uow:
        await uow.fetch("UPDATE measure_fact SET day = day - 3 WHERE code = 'due'")
        await uow.fetch("UPDATE measure_sum SET start = start - 3 WHERE code = 'due' AND grain = 'd'")
    assert [(found.ref_id, found.key) for found in await wrong(city)] == [(one.id, ("due", 1))]
    async with city.db.begin() as uow:
        await recount.start_over(uow)
        while await recount.step(uow):
            pass
    assert (await checked(city))["due"] == 1


# How often each action is drawn among those that are possible: lives should get far, and turn.
OFTEN: dict[Action, float] = {
    A.DISPATCH: 9,
    A.SIGN: 6,
    A.CLOSE: 6,
    A.PASS_CHECK: 6,
    A.REVISIT: 9,
    A.CONTACT: 4,
    A.REDO: 3,
}
OFTEN |= {A.APPROVE_CLOSING: 6, A.UNMERGE: 4, A.ACCEPT: 6, A.APPLY_EXCLUSION: 0.1}
SELDOM = frozenset({A.NOTE, A.ADD, A.URGE, A.ASK_RELAY, A.ANSWER_RELAY, A.SUPERVISE, A.ADD_CO, A.CO_OPINION})


async def step_on(city: City, one: Life, other: int, draw: random.Random) -> None:
    """One step anybody may do; what was typed may be refused, and then nothing has happened."""
    pairs = [(login, action) for login in WALKERS for action in await possible(city, one, login)]
    if not pairs:
        return
    weights = [
        0.15 if action in ENDINGS else 0.2 if action in SELDOM else OFTEN.get(action, 1)
        for _, action in pairs
    ]
    ((login, action),) = draw.choices(pairs, weights)
    try:
        await one.do(login, action, **inputs(city, action, draw.randrange(100), other))
    except HotlineError as error:
        if error.code not in TYPED:
            raise


@pytest.mark.parametrize("seed", range(4))
async def test_a_month_of_walks_is_counted_as_history_tells_it(city: City, seed: int) -> None:
    """Some tickets, walked in turn over a month, folded now and then in small batches."""
    draw = random.Random(seed)
    first = day(city.db.clock.now())
    lives = [
        await life(city, phone=f"1380000001{n}", type=draw.choice(("help", "consult")), channel=channel)
        for n, channel in enumerate(("phone", "web", "phone", "phone"))
    ]
    other = await life(city, phone="13800000008")
    for _ in range(30):
        for one in lives:
            await step_on(city, one, other.id, draw)
        clock_of(city).advance(draw.choice((0, 60, 600, 3_600, 3_600, 20_000, 60_000, 250_000)))
        if draw.random() < 0.3:
            await fold(city.db, 3)
    await fold(city.db)
    assert await wrong(city) == []
    async with city.db.read() as session:
        told = await recount.from_history(session, await all_tickets(city))
    period = first - timedelta(days=400), first + timedelta(days=400)
    kept = await counted(city)
    assert dict(recount.sums(told.values(), *period)) == kept
    reached = {code for _day, code, _apart in kept}
    assert {"accepted", "sent", "due"} <= reached, reached


async def test_a_past_week_is_told_by_history_alone(city: City) -> None:
    """The figures of a period are recomputed without a look at what is kept."""
    clock, first = clock_of(city), day(city.db.clock.now())
    for number in range(4):
        one = await life(city, phone=f"1380000001{number}")
        await one.to_handling()
        clock.advance(86_400 * 3)
        if number % 2:
            await one.close()
    await fold(city.db)
    week = first + timedelta(days=3), first + timedelta(days=9)
    async with city.db.read() as session:
        told = recount.sums((await recount.from_history(session, await all_tickets(city))).values(), *week)
    kept = {key: n for key, n in (await counted(city)).items() if week[0] <= key[0] <= week[1]}
    assert dict(told) == kept
    assert {code for _day, code, _apart in kept} >= {"accepted", "sent", "signed", "due"}


async def test_days_weeks_and_months_say_the_same(city: City) -> None:
    for _ in range(3):
        await (await life(city)).to_handling()
        clock_of(city).advance(86_400 * 8)
    await fold(city.db)
    days = await counted(city)
    for grain, begins in (
        ("w", lambda at: at - timedelta(days=at.weekday())),
        ("m", lambda at: date(at.year, at.month, 1)),
    ):
        told: Counter[tuple[date, str, bool]] = Counter()
        for (at, code, apart), n in days.items():
            if not code.startswith("open_"):
                told[begins(at), code, apart] += n
        assert dict(told) == await counted(city, grain=grain)


def test_states_of_the_rules_exist() -> None:
    from sla.measures.steps import HANDED_IN, LET_GO

    assert {State(code) for code in HANDED_IN | LET_GO} <= set(State)
    assert not HANDED_IN & LET_GO
    assert Actor.system("x").user_id is None
