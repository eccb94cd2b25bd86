"""The telephone's figures: kept by the write of each call, equal to what its rows say, by one definition."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from core import migrate
from core.db import Database, UnitOfWork
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from telephony import agent_store
from telephony.ami.messages import AmiEvent
from telephony.calls import Leg, Session, Tracker, Transfer
from telephony.calls.counts import COUNTERS
from telephony.calls.roster import Standing
from telephony.figures import Figures, day_figures, floor_now
from telephony.models import CallInterval, CallLeg, CallSession, PbxState
from telephony.service import TelephonyService
from tests.telephony.test_queue_log import session
from tests.telephony.test_service import rig  # noqa: F401 - the fixture

INTERVAL: Any = CallInterval.__table__  # type: ignore[attr-defined]  # set by SQLModel
SESSION: Any = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
LEG: Any = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel
PBX: Any = PbxState.__table__  # type: ignore[attr-defined]  # set by SQLModel
MONDAY = date(2026, 11, 23)  # what the tests' clock shows, 10:00 in the city
TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp()
NUMBER = iter(range(10**9))


@pytest.fixture
def service(database: Database, vault: Vault, people: PeopleService, settings: Settings) -> TelephonyService:
    return TelephonyService(database, database.clock, vault, people, settings)


def call(
    outcome: str, *, at: float = TEN, wait: float = 4.0, talk: float = 60.0, queue: str = "hotline"
) -> Session:
    """A call that entered `queue` at `at` and is over."""
    key = f"k{next(NUMBER)}"
    answered = at + wait if outcome == "answered" else None
    ended = at + wait + (talk if answered else 0.0)
    legs = (Leg("1001", "ended", 2.0, talk, talk / 4, "citizen", at, answered, ended),) if answered else ()
    return session(
        outcome, key=key, citizen=key, linkedids=(key,), queues=(queue,), wait_seconds=wait,
        started=at - 5, queued=at, answered=answered, ended=ended, legs=legs,
    )  # fmt: skip


def going_on(whole: Session) -> Session:
    """The same call before it ended."""
    legs = tuple(replace(leg, state="talking", talk_seconds=0.0, ended_at=None) for leg in whole.legs)
    state = "talking" if whole.answered else "waiting"
    return replace(whole, state=state, outcome="in_progress", ended=None, legs=legs)


async def write(service: TelephonyService, *sessions: Session) -> None:
    async def work(uow: UnitOfWork) -> None:
        await service.apply_changes(uow, "pbx1", sessions)

    await service._db.retrying(work)


async def kept(service: TelephonyService) -> dict[tuple[datetime, str], dict[str, int]]:
    """The rows of call_interval, without those whose counts came back to nothing."""
    async with service._db.read() as reader:
        rows = (await reader.execute(select(INTERVAL))).mappings().all()
    found = {(row["starts_at"], row["queue"]): {name: row[name] for name in COUNTERS} for row in rows}
    return {place: counts for place, counts in found.items() if any(counts.values())}


async def recounted(service: TelephonyService) -> dict[tuple[datetime, str], dict[str, int]]:
    """The same from the calls themselves, written down a second time and in other words."""
    async with service._db.read() as reader:
        calls = (
            (await reader.execute(select(SESSION).where(SESSION.c.ended_at.is_not(None)))).mappings().all()
        )
        legs = (await reader.execute(select(LEG))).mappings().all()
    found: dict[tuple[datetime, str], Counter[str]] = {}
    for one in calls:
        if one["direction"] != "inbound" or one["queued_at"] is None:
            continue
        seconds = int(one["queued_at"].timestamp()) // 900 * 900
        sums = found.setdefault((datetime.fromtimestamp(seconds, UTC), one["queues"][0]), Counter())
        sums["offered"] += 1
        sums["missed"] += sum(leg["missed"] for leg in legs if leg["session_id"] == one["id"])
        sums["transferred"] += len([move for move in one["transfers"] if move["kind"] != "conference"])
        outcome, wait = one["outcome"], one["wait_seconds"]
        if outcome == "answered":
            mine = [leg for leg in legs if leg["session_id"] == one["id"]]
            sums["answered"] += 1
            sums["answered_in_15"] += wait is not None and wait <= 15
            sums["waits"] += wait is not None
            sums["wait_ms"] += round((wait or 0) * 1000)
            sums["talk_ms"] += sum(round(leg["talk_seconds"] * 1000) for leg in mine)
            sums["hold_ms"] += sum(round(leg["hold_seconds"] * 1000) for leg in mine)
        elif outcome == "abandoned":
            sums["short_abandoned" if wait < 5 else "abandoned"] += 1
        else:
            names = {"exit_key": "left_by_key", "ended_unknown": "unknown"}
            sums[names.get(outcome, outcome)] += 1
    return {place: {name: int(sums[name]) for name in COUNTERS} for place, sums in found.items()}


OUTCOMES = ["answered", "abandoned", "timeout", "withdrawn", "empty", "exit_key", "ended_unknown"]


def a_day(seed: int) -> Iterator[list[Session]]:
    """Writes of a day in which calls begin, go on, are told twice, late, and better known afterwards."""
    draw = random.Random(seed)
    for _ in range(40):
        batch = []
        for _ in range(draw.randrange(1, 6)):
            outcome = draw.choice([*OUTCOMES, "answered", "answered"])
            whole = call(
                outcome,
                at=TEN + draw.uniform(-20_000, 20_000),
                wait=draw.choice([0.2, 4.999, 5.0, 14.9, 15.0, 15.001, 90.25]),
                talk=draw.uniform(1, 600),
                queue=draw.choice(["hotline", "expert"]),
            )
            if whole.legs:
                missed = draw.choice([0, 0, 1, 2])
                kinds = draw.choice([(), (), ("blind",), ("attended", "conference")])
                whole = replace(
                    whole,
                    legs=(replace(whole.legs[0], missed=missed),),
                    transfers=tuple(Transfer(kind, "1001", "1002") for kind in kinds),
                )
            stages = [going_on(whole), whole, whole]
            if outcome == "ended_unknown":
                stages.append(replace(whole, outcome="timeout"))
            batch.append(stages[: draw.randrange(1, len(stages) + 1)])
        for number in range(4):
            step = [stages[number] for stages in batch if number < len(stages)]
            draw.shuffle(step)
            if step:
                yield step


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_kept_figures_are_what_the_calls_say(service: TelephonyService, seed: int) -> None:
    for step in a_day(seed):
        await write(service, *step)
    found = await recounted(service)
    assert len(found) > 20
    assert await kept(service) == found


async def test_a_call_is_counted_where_it_entered_the_queue_though_it_ended_much_later(
    service: TelephonyService,
) -> None:
    await write(service, call("answered", at=TEN - 1, wait=1800, talk=3600))
    async with service._db.read() as reader:
        figures = await day_figures(reader, MONDAY, MONDAY)
    assert [hour.starts_at for hour in figures.hours] == [datetime.fromtimestamp(TEN - 3600, UTC)]


async def test_a_transaction_that_is_given_up_counted_nothing(service: TelephonyService) -> None:
    with pytest.raises(RuntimeError):
        async with service._db.begin() as uow:
            await service.apply_changes(uow, "pbx1", [call("answered")])
            raise RuntimeError
    assert await kept(service) == {}


async def test_internal_and_outgoing_calls_are_no_part_of_it(service: TelephonyService) -> None:
    for direction in ("internal", "outbound"):
        await write(service, replace(call("answered"), direction=direction))
    assert await kept(service) == {}


async def test_the_rates_are_those_of_the_definitions(service: TelephonyService) -> None:
    await write(
        service,
        *(call("answered", wait=10, talk=100) for _ in range(5)),
        *(call("answered", wait=40, talk=200) for _ in range(1)),
        *(call("abandoned", wait=30) for _ in range(2)),
        *(call("abandoned", wait=2) for _ in range(7)),  # short: apart
        call("timeout"), call("withdrawn"), call("exit_key"), call("ended_unknown"),
    )  # fmt: skip
    async with service._db.read() as reader:
        day = (await day_figures(reader, MONDAY, MONDAY)).total
    assert (day.offered, day.counted, day.short_abandoned) == (19, 10, 7)
    assert (day.answer_rate, day.prompt_rate, day.abandon_rate) == (0.6, 0.5, 0.2)
    assert day.asa_seconds == pytest.approx((5 * 10 + 40) / 6)
    assert day.talk_seconds == pytest.approx((5 * 100 + 200) / 6)
    assert day.hold_seconds == pytest.approx((5 * 100 + 200) / 24)


def test_what_is_not_kept_is_not_guessed() -> None:
    assert Figures(answered=3, talk_ms=9000).aht_seconds is None
    assert Figures(answered=3, talk_ms=9000).occupancy is None


def test_nothing_has_no_rate() -> None:
    assert (Figures().answer_rate, Figures().asa_seconds, Figures().talk_seconds) == (None, None, None)


async def test_a_day_is_the_city_s_day(service: TelephonyService) -> None:
    midnight = datetime(2026, 11, 22, 16, 0, tzinfo=UTC).timestamp()  # 00:00 of Monday in the city
    await write(service, call("answered", at=midnight - 1), call("timeout", at=midnight))
    async with service._db.read() as reader:
        sunday = await day_figures(reader, MONDAY - timedelta(days=1), MONDAY - timedelta(days=1))
        both = await day_figures(reader, MONDAY - timedelta(days=1), MONDAY)
        now = await floor_now(reader, service._clock.now())
    assert (sunday.total.answered, sunday.total.timeout) == (1, 0)
    assert [day.figures.offered for day in both.days] == [1, 1]
    assert (now.today.answered, now.today.timeout) == (0, 1)


async def test_queues_are_told_apart_and_an_unknown_one_is_empty(service: TelephonyService) -> None:
    await write(service, call("answered"), call("answered", queue="expert"), call("answered", queue="expert"))
    async with service._db.read() as reader:
        found = [
            (await day_figures(reader, MONDAY, MONDAY, queue=queue)).total.offered
            for queue in ("hotline", "expert", "none", None)
        ]
    assert found == [1, 2, 0, 3]


async def test_the_floor_tells_who_waits_and_what_goes_on(service: TelephonyService) -> None:
    now = service._clock.now().timestamp()
    await write(
        service,
        going_on(call("abandoned", at=now - 42)),
        going_on(call("abandoned", at=now - 7, queue="expert")),
        going_on(call("answered", at=now - 300, wait=12)),
        call("answered", at=now - 600, wait=16),
    )
    async with service._db.read() as reader:
        floor = await floor_now(reader, service._clock.now())
    assert (floor.waiting, floor.longest_wait_seconds) == (2, 42)
    assert (floor.today.offered, floor.today.answered, floor.today.answered_in_15) == (4, 2, 1)
    assert {queue.queue: queue.waiting for queue in floor.queues} == {"hotline": 1, "expert": 1}


async def test_past_figures_do_not_read_the_calls(service: TelephonyService) -> None:
    await write(service, call("answered"), call("timeout"))
    async with service._db.begin() as uow:
        await uow.session.execute(delete(LEG))
        await uow.session.execute(delete(SESSION))
    async with service._db.read() as reader:
        assert (await day_figures(reader, MONDAY, MONDAY)).total.offered == 2


async def test_calls_from_before_the_figures_are_counted_by_the_migration(
    service: TelephonyService, database_url: str
) -> None:
    for step in a_day(4):
        await write(service, *step)
    before = await kept(service)
    for counts in before.values():
        counts["missed"] = 0  # not told of any call before
    await migrate.downgrade(database_url, "0012")
    await migrate.upgrade(database_url)
    assert await kept(service) == before


# ---- agents ---------------------------------------------------------------------------------------


def member(name: str, queue: str, stamp: float, **more: str) -> AmiEvent:
    fields = {"Event": name, "Timestamp": f"{stamp:.6f}", "Queue": queue, "MemberName": "m", **more}
    fields.setdefault("Interface", "PJSIP/1001")
    fields.setdefault("Status", "1")
    return AmiEvent(name, "\r\n".join(f"{key}: {value}" for key, value in fields.items()))


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        ([("QueueMemberAdded", "a", {})], ("ready", None, ("a",))),
        ([("QueueMemberAdded", "a", {}), ("QueueMemberRemoved", "a", {})], ("out", None, ())),
        ([("QueueMemberPause", "a", {"Paused": "1", "PausedReason": "培训"})], ("paused", "培训", ("a",))),
        (
            [("QueueMemberPause", "a", {"Paused": "1", "PausedReason": "WrapUp"})],
            ("wrap_up", "WrapUp", ("a",)),
        ),
        (
            [("QueueMemberPause", "a", {"Paused": "1"}), ("QueueMemberAdded", "b", {})],
            ("ready", None, ("a", "b")),
        ),
        ([("QueueMemberStatus", "a", {"Status": "5"})], ("unreachable", None, ("a",))),
    ],
)
def test_how_a_telephone_stands(events: list[Any], standing: Standing) -> None:
    tracker = Tracker()
    for number, (name, queue, more) in enumerate(events):
        tracker.apply(member(name, queue, 1000 + number, **more))
    assert tracker.roster.standings() == {"1001": standing}


def test_late_news_of_a_member_change_nothing() -> None:
    tracker = Tracker()
    tracker.apply(member("QueueMemberPause", "a", 2000, Paused="1", PausedReason="会议"))
    tracker.apply(member("QueueMemberPause", "a", 1000, Paused="0"))
    assert tracker.roster.standings()["1001"].state == "paused"


def test_a_member_that_a_whole_list_does_not_name_has_left() -> None:
    roster = Tracker().roster
    tracker = Tracker()
    tracker.roster = roster
    tracker.apply(member("QueueMemberAdded", "a", 1000))
    tracker.apply(member("QueueMemberAdded", "a", 1001, Interface="PJSIP/1002"))
    roster.begin_list()
    tracker.apply(member("QueueMember", "a", 1002))
    roster.end_list()
    assert {name: found.state for name, found in roster.standings().items()} == {
        "1001": "ready",
        "1002": "out",
    }


async def _pbx(
    service: TelephonyService, *, updated: Callable[[datetime], datetime] = lambda now: now
) -> None:
    async with service._db.begin() as uow:
        await uow.session.execute(delete(PBX))
        values = {"pbx": "pbx1", "connected": True, "generation": 1, "updated_at": updated(uow.now)}
        await uow.session.execute(insert(PBX).values(values))


async def test_agents_are_counted_by_what_they_do(service: TelephonyService) -> None:
    await _pbx(service)
    async with service._db.begin() as uow:
        standings = {
            "1001": Standing("ready", None, ("hotline",)),
            "1002": Standing("ready", None, ("hotline",)),
            "1003": Standing("paused", "培训", ("hotline",)),
            "1004": Standing("out"),
        }
        await agent_store.save(uow, "pbx1", standings)
    await write(service, going_on(call("answered", at=TEN - 100)))  # 1001 talks
    async with service._db.read() as reader:
        floor = await floor_now(reader, service._clock.now())
    assert floor.agents is not None
    assert {state: n for state, n in floor.agents.items() if n} == {
        "talking": 1, "ready": 1, "paused": 1, "out": 1,
    }  # fmt: skip
    assert floor.pauses == {"培训": 1}
    assert (floor.connected, floor.gap) == (True, False)


async def test_a_pbx_that_is_silent_tells_nothing_of_its_agents(service: TelephonyService) -> None:
    async with service._db.begin() as uow:
        await agent_store.save(uow, "pbx1", {"1001": Standing("ready", None, ("hotline",))})
    await _pbx(service, updated=lambda now: now - timedelta(minutes=1))
    async with service._db.read() as reader:
        floor = await floor_now(reader, service._clock.now())
    assert (floor.agents, floor.connected) == (None, False)


async def test_a_state_keeps_its_beginning_until_it_changes(service: TelephonyService, clock: Any) -> None:
    seen = []
    steps = [("ready", None, ("a",)), ("ready", None, ("a", "b")), ("paused", "小休", ("a", "b"))]
    for step in steps:
        async with service._db.begin() as uow:
            await agent_store.save(uow, "pbx1", {"1001": Standing(*step)})
        async with service._db.read() as reader:
            seen.append((await reader.execute(select(agent_store.AGENT.c.since))).scalar_one())
        clock.advance(60)
    assert seen[0] == seen[1]
    assert seen[2] == seen[0] + timedelta(seconds=120)
