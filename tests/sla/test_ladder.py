"""The ladder: each step at its instant by the kind of limit, across holidays; and every bad table refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import HotlineError
from core.startup import explain
from sla.clocks import Pause, Unit, add, moved, parse_limit
from sla.issuing import issue
from sla.ladder import Ladder, Level
from sla.packs import SHIPPED, named_pack, read_pack
from tests.sla.rig import NATIONAL, PLAIN, at, shown

LADDER = named_pack("guilin").ladder


def steps(limit: str, start: str, *, later: int = 0) -> dict[str, str]:
    """Level → when, for a clock with this limit from this start; `later`: due so many hours later."""
    asked = parse_limit(limit)
    begun = at(start)
    due = add(NATIONAL, begun, asked) + timedelta(hours=later)
    found = {}
    for place, step in enumerate(LADDER.steps(asked)):
        alarm = LADDER.alarm(NATIONAL, asked, begun, due, step=place)
        assert alarm.step == place
        assert alarm.at is not None
        found[step.level.value] = shown(alarm.at)[5:]
    return found


@pytest.mark.parametrize(
    ("limit", "start", "expected"),
    [
        # An ordinary week: 23 November 2026 is a Monday.
        ("1wd", "2026-11-23 10:00", ("11-24 09:30", "11-24 15:00", "11-25 09:00", "11-25 09:00")),
        ("2wd", "2026-11-23 10:00", ("11-24 09:00", "11-24 09:00", "11-26 09:00", "11-26 09:00")),
        ("3wd", "2026-11-23 10:00", ("11-25 09:00", "11-25 09:00", "11-27 09:00", "11-27 09:00")),
        ("4wd", "2026-11-23 10:00", ("11-24 09:00", "11-26 09:00", "11-30 09:00", "11-30 09:00")),
        ("5wd", "2026-11-23 10:00", ("11-25 09:00", "11-27 09:00", "12-01 09:00", "12-01 09:00")),
        ("6wd", "2026-11-23 10:00", ("11-24 09:00", "11-30 09:00", "12-02 09:00", "12-02 09:00")),
        ("10wd", "2026-11-23 10:00", ("11-30 09:00", "12-04 09:00", "12-08 09:00", "12-08 09:00")),
        ("4wh", "2026-11-23 10:00", ("11-23 12:00", "11-23 14:12", "11-24 09:00", "11-24 09:00")),
        # Hours run day and night.
        ("24h", "2026-11-27 20:00", ("11-28 08:00", "11-28 15:12", "11-28 20:00", "11-29 20:00")),
        ("2h", "2026-11-27 23:00", ("11-28 00:00", "11-28 00:36", "11-28 01:00", "11-29 01:00")),
        ("15m", "2026-11-27 23:00", ("11-27 23:07", "11-27 23:12", "11-27 23:15", "11-28 23:15")),
        # Across 国庆: 1 to 7 October is off, Saturday 10 October is worked.
        ("1wd", "2026-09-29 17:00", ("09-30 13:30", "09-30 16:12", "10-08 09:00", "10-08 09:00")),
        ("2wd", "2026-09-29 17:00", ("09-30 09:00", "09-30 09:00", "10-09 09:00", "10-09 09:00")),
        ("3wd", "2026-09-29 17:00", ("10-08 09:00", "10-08 09:00", "10-10 09:00", "10-10 09:00")),
        ("4wd", "2026-09-29 17:00", ("09-30 09:00", "10-09 09:00", "10-12 09:00", "10-12 09:00")),
        ("10wd", "2026-09-28 10:00", ("10-10 09:00", "10-15 09:00", "10-19 09:00", "10-19 09:00")),
    ],
)
def test_each_step_comes_at_its_instant(limit: str, start: str, expected: tuple[str, ...]) -> None:
    found = steps(limit, start)
    wanted = dict(zip(("blue", "yellow", "red", "notice"), expected, strict=True))
    shares = {name: when[:11] for name, when in found.items()}
    assert {name: shares[name] for name in wanted} == wanted


def test_a_bulletin_comes_five_days_after_the_red_card_and_then_supervision_is_proposed() -> None:
    found = steps("10wd", "2026-09-28 10:00")
    assert (found["red"], found["bulletin"], found["proposal"]) == (
        *("10-19 09:00", "10-26 09:00"),
        "10-27 09:00",
    )
    on_sunday = steps("24h", "2026-11-28 12:00")  # due on a Sunday: Monday is the first working day after
    assert (on_sunday["red"], on_sunday["bulletin"]) == ("11-29 12:00", "12-07 09:00")


def test_no_step_of_working_time_comes_at_a_rest_day_or_out_of_hours() -> None:
    for limit in ("1wd", "2wd", "3wd", "5wd", "10wd", "4wh", "30wm"):
        asked = parse_limit(limit)
        for hours in range(0, 24 * 21, 5):
            start = at("2026-09-24 00:30") + timedelta(hours=hours)
            due = add(NATIONAL, start, asked)
            for place in range(len(LADDER.steps(asked))):
                found = LADDER.alarm(NATIONAL, asked, start, due, step=place).at
                assert found is not None
                position = NATIONAL.position(found)
                worked = NATIONAL.worked(position + 1) > NATIONAL.worked(position - 1)
                assert worked, (limit, shown(start), place, shown(found))


def test_the_steps_of_a_clock_come_in_order() -> None:
    for limit in ("15m", "24h", "4wh", "1wd", "2wd", "4wd", "6wd", "45wd"):
        asked = parse_limit(limit)
        for hours in range(0, 24 * 14, 7):
            start = at("2026-09-26 00:30") + timedelta(hours=hours)
            due = add(NATIONAL, start, asked)
            times = [
                LADDER.alarm(NATIONAL, asked, start, due, step=place).at or start
                for place in range(len(LADDER.steps(asked)))
            ]
            assert times == sorted(times), (limit, shown(start))
            assert start <= times[0]


def test_a_new_round_warns_of_nothing_that_is_over_and_issues_what_is_overdue() -> None:
    asked, start, due = parse_limit("10wd"), at("2026-11-23 10:00"), at("2026-12-07 18:00")
    late = LADDER.alarm(NATIONAL, asked, start, due, since=at("2026-12-01 10:00"))
    assert (late.step, late.at) == (1, at("2026-12-04 09:00"))
    over = LADDER.alarm(NATIONAL, asked, start, due, since=at("2026-12-20 10:00"))
    assert (over.step, over.at) == (2, at("2026-12-08 09:00"))


def test_what_was_due_before_the_service_began_is_passed_over() -> None:
    asked, start, due = parse_limit("10wd"), at("2026-11-23 10:00"), at("2026-12-07 18:00")
    found = LADDER.alarm(NATIONAL, asked, start, due, late=at("2026-12-09 10:00"))
    assert (found.step, found.at) == (4, at("2026-12-15 09:00"))
    gone = LADDER.alarm(NATIONAL, asked, start, due, late=at("2027-02-01 10:00"))
    assert (gone.step, gone.at) == (6, None)


def test_everything_that_is_due_is_issued_in_order() -> None:
    asked, start, due = parse_limit("2wd"), at("2026-11-23 10:00"), at("2026-11-25 18:00")
    args = (LADDER, NATIONAL, asked, start, due)
    assert issue(*args, 0, at("2026-11-24 08:59")).cards == ()
    both = issue(*args, 0, at("2026-11-24 09:00"))
    assert [level for level, _ in both.cards] == [Level.BLUE, Level.YELLOW]
    assert (both.step, both.alarm) == (2, at("2026-11-26 09:00"))
    rest = issue(*args, both.step, at("2027-01-11 09:00"))
    assert [level.value for level, _ in rest.cards] == ["red", "notice", "bulletin", "proposal"]
    assert (rest.step, rest.alarm) == (6, None)


@pytest.mark.parametrize(
    ("now", "issued_or_next"),
    [
        ("2026-11-24 09:00", "issued"),
        ("2026-11-24 11:59", "issued"),
        ("2026-11-24 12:30", "2026-11-24 13:00"),
        ("2026-11-24 19:00", "2026-11-25 09:00"),
        ("2026-11-28 10:00", "2026-11-30 09:00"),
    ],
)
def test_what_is_late_waits_for_work_to_begin(now: str, issued_or_next: str) -> None:
    asked, start, due = parse_limit("2wd"), at("2026-11-23 10:00"), at("2026-11-25 18:00")
    found = issue(LADDER, NATIONAL, asked, start, due, 0, at(now))
    if issued_or_next == "issued":
        assert found.cards
    else:
        assert found.cards == ()
        assert found.step == 0
        assert found.alarm is not None
        assert shown(found.alarm) == issued_or_next
    night = issue(LADDER, NATIONAL, parse_limit("24h"), start, start + timedelta(hours=24), 0, at(now))
    assert night.cards  # hours run day and night


def test_what_comes_at_the_last_moment_of_work_comes_in_time() -> None:
    asked, start = parse_limit("4wh"), at("2026-11-23 10:00")
    due = add(NATIONAL, start, asked)
    noon = issue(LADDER, NATIONAL, asked, start, due, 0, at("2026-11-23 12:00"))
    assert [level for level, _ in noon.cards] == [Level.BLUE]


def test_a_due_time_moves_as_a_pause_of_the_calendar_has_it() -> None:
    pause = Pause(at("2026-11-24 11:00"), at("2026-11-27 10:00"))
    for limit in ("1wd", "3wd", "10wd", "4wh", "30wm", "24h", "90m"):
        asked = parse_limit(limit)
        for hours in range(0, 24 * 7, 3):
            start = at("2026-11-20 08:00") + timedelta(hours=hours)
            if start > pause.begin:
                continue
            due = add(PLAIN, start, asked)
            assert moved(PLAIN, due, pause.begin, pause.end, asked.unit) == add(
                PLAIN, start, asked, [pause]
            ), (limit, shown(start))
    assert moved(PLAIN, at("2026-11-24 11:00"), pause.begin, pause.end, Unit.HOUR) == at("2026-11-24 11:00")


# ---- the table of a pack --------------------------------------------------------------------------


def ladder_of(tmp_path: Path, table: str) -> Ladder:
    text = (SHIPPED / "shanghai.toml").read_text(encoding="utf-8")
    file = tmp_path / "pack.toml"
    file.write_text(text[: text.index("[ladder]")] + table, encoding="utf-8")
    return read_pack(file).ladder


RUNG = '[ladder]\nblue = {{ posts = ["officer"], {} }}'
BAD: list[tuple[str, str, str]] = [
    ("", "pack_key_missing", "ladder"),
    ("[ladder]\n", "pack_key_missing", "ladder.blue"),
    ('[ladder]\ngreen = { posts = ["officer"], day = "50%" }', "pack_word_unknown", "ladder.green"),
    ('[ladder]\nblue = { day = "50%" }', "pack_key_missing", "ladder.blue.posts"),
    ('[ladder]\nblue = { posts = [], day = "50%" }', "pack_key_kind", "ladder.blue.posts"),
    ('[ladder]\nblue = { posts = ["mayor"], day = "50%" }', "pack_key_kind", "ladder.blue.posts"),
    ('[ladder]\nblue = { posts = ["head", "head"], day = "50%" }', "pack_key_kind", "ladder.blue.posts"),
    ('[ladder]\nblue = { posts = ["officer"] }', "pack_key_missing", "ladder.blue.2wd"),
    (RUNG.format('day = "0%"'), "pack_key_kind", "ladder.blue.day"),
    (RUNG.format('day = "100%"'), "pack_key_kind", "ladder.blue.day"),
    (RUNG.format('day = "soon"'), "pack_key_kind", "ladder.blue.day"),
    (RUNG.format("day = 50"), "pack_key_kind", "ladder.blue.day"),
    (RUNG.format('1wd = "50%"'), "pack_key_unknown", "ladder.blue.1wd"),
    (RUNG.format('week = "50%"'), "pack_key_unknown", "ladder.blue.week"),
    (RUNG.format('3wd = "-3wd"'), "ladder_too_early", "ladder.blue.3wd"),
    (RUNG.format('day = "-1wd"'), "ladder_too_early", "ladder.blue.day"),
    (RUNG.format('2wd = "+0wd"'), "pack_key_kind", "ladder.blue.2wd"),
    (RUNG.format('2wd = "+999wd"'), "pack_key_kind", "ladder.blue.2wd"),
    (RUNG.format('hours = "+99999h"'), "pack_key_kind", "ladder.blue.hours"),
    (
        RUNG.format('day = "80%"') + '\nyellow = { posts = ["head"], day = "50%" }',
        *("ladder_order", "ladder.yellow.day"),
    ),
    (
        RUNG.format('2wd = "-1wd"') + '\nyellow = { posts = ["head"], 2wd = "-1wd", 4wd = "-3wd" }',
        *("ladder_order", "ladder.yellow.4wd"),
    ),
    (
        RUNG.format('2wd = "+2wd"') + '\nred = { posts = ["head"], 2wd = "+1wd" }',
        *("ladder_order", "ladder.red.2wd"),
    ),
    (
        RUNG.format('hours = "due"') + '\nred = { posts = ["head"], hours = "50%" }',
        *("ladder_order", "ladder.red.hours"),
    ),
]


@pytest.mark.parametrize(("table", "code", "key"), BAD)
def test_a_bad_ladder_is_refused_with_the_key_that_is_wrong(
    tmp_path: Path, table: str, code: str, key: str
) -> None:
    with pytest.raises(HotlineError) as caught:
        ladder_of(tmp_path, table)
    assert (caught.value.code, caught.value.params["key"]) == (code, key)
    assert key in explain(caught.value)[0]


def test_a_level_may_be_left_out_for_some_limits(tmp_path: Path) -> None:
    ladder = ladder_of(tmp_path, '[ladder]\nred = { posts = ["head"], 5wd = "+1wd" }')
    assert ladder.steps(parse_limit("24h")) == ladder.steps(parse_limit("4wd")) == ()
    assert [step.level for step in ladder.steps(parse_limit("5wd"))] == [Level.RED]
