"""The believable day: when citizens call, how long they talk, who they are."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean

from core.clock import ManualClock
from core.settings import load_settings
from telephony.simulator import Simulator, city_pbx
from telephony.simulator.callers import citizen, draw_caller
from telephony.simulator.day import DayShape, draw_plan, rate, talk_seconds
from telephony.simulator.wire import Headers

MORNING = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # 09:30 in the city
NIGHT = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)  # 03:00 in the city


def play(seed: int, hours: float, **options: object) -> tuple[Simulator, list[tuple[str, Headers]]]:
    simulator = Simulator(clock=ManualClock(MORNING), calls_per_hour=120, seed=seed, **options)  # type: ignore[arg-type]  # options of a test
    events: list[tuple[str, Headers]] = []
    simulator.tap(lambda name, headers: events.append((name, headers)))
    simulator.begin_day()
    simulator.advance(hours * 3600)
    return simulator, events


def test_morning_peak_is_many_times_the_night() -> None:
    shape = DayShape(calls_per_hour=90)
    assert rate(MORNING, shape) > 0.9 * 90 / 3600
    assert 0 < rate(NIGHT, shape) < 0.05 * 90 / 3600


def test_arrival_curve_has_no_jumps() -> None:
    shape = DayShape(calls_per_hour=100)
    minutes = [rate(MORNING + timedelta(minutes=number), shape) for number in range(24 * 60)]
    steps = [abs(later - earlier) for earlier, later in itertools.pairwise(minutes)]
    assert max(steps) < 100 / 3600 / 60


def test_talk_times_average_two_and_a_half_minutes() -> None:
    draw = random.Random(1)
    talks = [talk_seconds(draw) for _ in range(20_000)]
    assert 140 < mean(talks) < 156
    assert min(talks) >= 8
    assert max(talks) <= 1800


def test_speed_shortens_every_duration_of_a_plan() -> None:
    slow = draw_plan(random.Random(5), DayShape(speed=1.0))
    fast = draw_plan(random.Random(5), DayShape(speed=4.0))
    assert fast.talk * 4 == slow.talk
    assert fast.menu * 4 == slow.menu


def test_citizens_are_invented_and_always_the_same() -> None:
    assert citizen(7) == citizen(7)
    assert len({citizen(index).number for index in range(400)}) == 400
    assert all(citizen(index).number.startswith("1380773") for index in range(400))


def test_trunk_delivers_all_forms_of_numbers() -> None:
    draw = random.Random(3)
    numbers = {draw_caller(draw).number for _ in range(3_000)}
    assert "anonymous" in numbers
    assert any(number.startswith("+86138") for number in numbers)
    assert any(number.startswith("0086138") for number in numbers)
    assert any(number.startswith("0773-") for number in numbers)


def test_an_hour_has_answers_abandons_transfers_and_missed_rings() -> None:
    simulator, events = play(11, 2.0, agents=12)
    names = [name for name, _ in events]
    assert names.count("AgentConnect") > 120
    assert names.count("QueueCallerAbandon") > 0
    assert names.count("BlindTransfer") > 0
    assert names.count("AgentRingNoAnswer") > 0
    assert names.count("Hold") > 0
    words = {line.split("|")[4] for line in simulator.queue_log.lines}
    assert {"CONNECT", "COMPLETECALLER", "COMPLETEAGENT", "ABANDON", "RINGNOANSWER"} <= words


def test_the_same_seed_plays_the_same_day() -> None:
    assert play(4, 0.5)[1] == play(4, 0.5)[1]
    assert play(4, 0.5)[1] != play(5, 0.5)[1]


def test_every_channel_that_came_has_gone_when_the_day_is_over() -> None:
    simulator, events = play(9, 1.0)
    simulator.shape = DayShape(calls_per_hour=0)
    simulator.advance(3 * 3600)
    names = [name for name, _ in events]
    assert names.count("Newchannel") == names.count("Hangup")
    assert names.count("BridgeEnter") == names.count("BridgeLeave")
    assert simulator.calls == []
    assert not simulator.pbx.channels


def test_silent_simulator_calls_nobody() -> None:
    simulator = Simulator(clock=ManualClock(MORNING), config=city_pbx(agents=2), calls_per_hour=0)
    simulator.begin_day()
    simulator.advance(3600)
    assert simulator.calls == []


def test_node_s_simulator_is_made_from_its_settings(tmp_path: Path) -> None:
    settings = load_settings(
        environ={
            "HOTLINE_PATHS__VAR": str(tmp_path),
            "HOTLINE_TELEPHONY__SIMULATOR__AGENTS": "3",
            "HOTLINE_TELEPHONY__SIMULATOR__CALLS_PER_HOUR": "7",
        }
    )
    simulator = Simulator.from_settings(settings)
    assert sorted(simulator.pbx.queues["hotline"].members) == ["PJSIP/1001", "PJSIP/1002", "PJSIP/1003"]
    assert simulator.shape.calls_per_hour == 7
    assert simulator.queue_log_path is not None
    assert simulator.queue_log_path.read_text(encoding="utf-8").endswith("|NONE|NONE|NONE|QUEUESTART|\n")
