"""The rota in the database: versions, conflicts, copies, swaps, attendance, handover notes."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.errors import HotlineError
from core.tables import table_of
from telephony.shifts import figures, grid, notes, queries, service, swaps
from telephony.shifts.attendance import Presence, Rules, minutes
from telephony.shifts.hours import instant
from telephony.shifts.models import RotaVersion, ShiftNote
from telephony.shifts.notes import Matter
from tests.shifts.conftest import WEEK, Floor

SUNDAY = WEEK + timedelta(days=6)
NEXT = WEEK + timedelta(days=7)


async def codes(floor: Floor, login: str, week: date = WEEK) -> str:
    async with floor.db.read() as session:
        rows = await queries.rows(session, week, week + timedelta(days=6), floor.id(login))
    found = [rows.get((floor.id(login), day)) for day in grid.week(week)]
    return "".join(one.code if one else "-" for one in found)


async def test_a_week_is_saved_as_versions_that_say_what_changed(floor: Floor) -> None:
    assert await floor.roster({("agent01", n): "A" for n in range(5)}, version=0) == 1
    assert await floor.roster({("agent01", 0): "", ("agent01", 6): "n"}, version=1) == 2
    assert await codes(floor, "agent01") == "-AAAA-N"
    assert await floor.roster({("agent01", 6): "N"}, version=2) == 2  # the same again is no version
    async with floor.db.read() as session:
        newest, first = await queries.versions(session, floor.actors["inspector"], WEEK)
    assert [change[1:] for change in newest.changes] == [(WEEK, "A", "休"), (SUNDAY, "休", "N")]
    assert len(first.changes) == 5


async def test_who_saves_over_anothers_version_is_told(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A"}, version=0)
    with pytest.raises(HotlineError, match="version_conflict"):
        await floor.roster({("agent02", 0): "A"}, version=0, by="leader2")
    assert await codes(floor, "agent02") == "-------"


async def test_cells_that_are_no_kind_are_named_and_nothing_is_saved(floor: Floor) -> None:
    with pytest.raises(HotlineError) as caught:
        await floor.roster({("agent01", 0): "A", ("agent01", 1): "??"}, version=0)
    assert caught.value.params["cells"] == [(floor.id("agent01"), (WEEK + timedelta(days=1)).isoformat())]
    assert await codes(floor, "agent01") == "-------"


async def test_only_who_may_is_rostered_by_who_may(floor: Floor) -> None:
    with pytest.raises(HotlineError, match="rota_person"):
        await floor.roster({("dispatcher", 0): "A"}, version=0)
    for login in ("agent01", "inspector", "dispatcher"):
        with pytest.raises(HotlineError, match="forbidden"):
            await floor.roster({("agent01", 0): "A"}, version=0, by=login)


async def test_a_night_does_not_run_into_the_next_weeks_morning(floor: Floor) -> None:
    async with floor.db.begin() as uow:
        leader = floor.actors["leader"]
        await service.save_kind(uow, leader, code="E", name="清早班", hours="06:00-12:00")
    await floor.roster({("agent01", 0): "E"}, version=0, week=NEXT)
    with pytest.raises(HotlineError, match="rota_clash"):
        await floor.roster({("agent01", 6): "N"}, version=0)
    await floor.roster({("agent02", 6): "N"}, version=0)


async def test_a_changed_kind_leaves_what_was_rostered(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A"}, version=0)
    async with floor.db.begin() as uow:
        await service.save_kind(uow, floor.actors["leader"], code="a", name="早班", hours="07:00-15:00")
    await floor.roster({("agent01", 1): "A"}, version=1)
    async with floor.db.read() as session:
        rows = await queries.rows(session, WEEK, SUNDAY)
    hours = [rows[floor.id("agent01"), WEEK + timedelta(days=n)].hours.starts for n in range(2)]
    assert hours == [480, 420]


async def test_last_week_fills_only_who_has_nothing(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A", ("agent02", 1): "N"}, version=0)
    await floor.roster({("agent02", 5): "C"}, version=0, week=NEXT)
    async with floor.db.begin() as uow:
        assert await service.copy_week(uow, floor.actors["leader"], NEXT, 1) == 1
    assert (await codes(floor, "agent01", NEXT), await codes(floor, "agent02", NEXT)) == (
        "A------",
        "-----C-",
    )
    with pytest.raises(HotlineError, match="rota_nothing_to_copy"):
        async with floor.db.begin() as uow:
            await service.copy_week(uow, floor.actors["leader"], NEXT, 2)


async def test_an_older_version_comes_back_as_a_new_one(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A"}, version=0)
    await floor.roster({("agent01", 0): "N", ("agent02", 3): "C"}, version=1)
    async with floor.db.begin() as uow:
        assert await service.restore(uow, floor.actors["leader"], WEEK, 2, 1) == 3
    assert (await codes(floor, "agent01"), await codes(floor, "agent02")) == ("A------", "-------")
    with pytest.raises(HotlineError, match="rota_version_missing"):
        async with floor.db.begin() as uow:
            await service.restore(uow, floor.actors["leader"], WEEK, 3, 9)


async def test_versions_cannot_be_edited(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A"}, version=0)
    with pytest.raises(DBAPIError):
        async with floor.db.begin() as uow:
            await uow.session.execute(sa.update(table_of(RotaVersion)).values(note="x"))


@pytest.mark.parametrize("monday", [date(2026, 11, 24), date(2031, 1, 6)])
async def test_a_week_that_is_none_or_far_away_is_refused(floor: Floor, monday: date) -> None:
    with pytest.raises(HotlineError, match="rota_week"):
        await floor.roster({("agent01", 0): "A"}, version=0, week=monday)


# ---- swaps ----------------------------------------------------------------------------------


async def asked(
    floor: Floor, day: date, other: date | None, *, by: str = "agent01", to: str = "agent02"
) -> int:
    async with floor.db.begin() as uow:
        return await swaps.ask(uow, floor.actors[by], swaps.Asked(day, floor.id(to), other, "家中有事"))


async def answered(floor: Floor, swap: int, *, agree: bool = True, by: str = "agent02") -> None:
    async with floor.db.begin() as uow:
        await swaps.answer(uow, floor.actors[by], swap, agree=agree)


async def decided(
    floor: Floor, swap: int, *, approve: bool = True, by: str = "leader", note: str = ""
) -> None:
    async with floor.db.begin() as uow:
        await swaps.decide(uow, floor.actors[by], swap, approve=approve, note=note)


async def test_a_swap_agreed_and_approved_changes_hands_in_both_weeks(floor: Floor) -> None:
    await floor.roster({("agent01", 3): "A"}, version=0)
    await floor.roster({("agent02", 2): "N"}, version=0, week=NEXT)
    swap = await asked(floor, WEEK + timedelta(days=3), NEXT + timedelta(days=2))
    await answered(floor, swap)
    await decided(floor, swap)
    assert (await codes(floor, "agent02"), await codes(floor, "agent01", NEXT)) == ("---A---", "--N----")
    assert (await codes(floor, "agent01"), await codes(floor, "agent02", NEXT)) == ("-------", "-------")
    with pytest.raises(HotlineError, match="swap_closed"):  # a second click
        await decided(floor, swap)


async def test_a_shift_of_the_same_day_is_exchanged_for_the_others(floor: Floor) -> None:
    await floor.roster({("agent01", 3): "A", ("agent02", 3): "C"}, version=0)
    day = WEEK + timedelta(days=3)
    swap = await asked(floor, day, day)
    await answered(floor, swap)
    await decided(floor, swap)
    assert (await codes(floor, "agent01"), await codes(floor, "agent02")) == ("---C---", "---A---")


async def test_nobody_decides_before_both_agree_and_nobody_for_another(floor: Floor) -> None:
    await floor.roster({("agent01", 3): "A"}, version=0)
    swap = await asked(floor, WEEK + timedelta(days=3), None)
    with pytest.raises(HotlineError, match="swap_closed"):
        await decided(floor, swap)
    with pytest.raises(HotlineError, match="swap_not_found"):
        await answered(floor, swap, by="agent03")
    with pytest.raises(HotlineError, match="forbidden"):
        await decided(floor, swap, by="agent02")
    await answered(floor, swap, agree=False)
    assert await codes(floor, "agent01") == "---A---"


async def test_a_leader_does_not_approve_the_swap_of_his_own_shift(floor: Floor) -> None:
    await floor.roster({("leader", 3): "A"}, version=0, by="leader2")
    swap = await asked(floor, WEEK + timedelta(days=3), None, by="leader")
    await answered(floor, swap)
    with pytest.raises(HotlineError, match="swap_own"):
        await decided(floor, swap)
    await decided(floor, swap, by="leader2")


async def test_a_swap_of_a_rota_that_changed_is_not_approved(floor: Floor) -> None:
    await floor.roster({("agent01", 3): "A"}, version=0)
    swap = await asked(floor, WEEK + timedelta(days=3), None)
    await answered(floor, swap)
    await floor.roster({("agent01", 3): "N"}, version=1)
    with pytest.raises(HotlineError, match="swap_changed"):
        await decided(floor, swap)
    await decided(floor, swap, approve=False, note="排班已调整")


@pytest.mark.parametrize(
    ("day", "to", "other", "code"),
    [
        (3, "agent01", None, "swap_self"),
        (3, "dispatcher", None, "swap_person"),
        (4, "agent02", None, "shift_not_found"),
        (3, "agent02", 5, "shift_not_found"),
        (-3, "agent02", None, "swap_past"),
        (0, "agent02", None, "swap_past"),
        (3, "agent03", None, "swap_busy"),
    ],
)
async def test_what_cannot_be_swapped_is_said_at_once(
    floor: Floor, day: int, to: str, other: int | None, code: str
) -> None:
    await floor.roster({("agent01", 0): "A", ("agent01", 3): "A", ("agent03", 3): "C"}, version=0)
    other_day = None if other is None else WEEK + timedelta(days=other)
    with pytest.raises(HotlineError, match=code):
        await asked(floor, WEEK + timedelta(days=day), other_day, to=to)


async def test_a_shift_is_asked_for_once_and_can_be_asked_for_again(floor: Floor) -> None:
    await floor.roster({("agent01", 3): "A"}, version=0)
    day = WEEK + timedelta(days=3)
    swap = await asked(floor, day, None)
    with pytest.raises(HotlineError, match="swap_open"):
        await asked(floor, day, None, to="agent03")
    async with floor.db.begin() as uow:
        await swaps.withdraw(uow, floor.actors["agent01"], swap)
    await asked(floor, day, None, to="agent03")


async def test_an_agent_sees_swaps_of_his_own_only(floor: Floor) -> None:
    await floor.roster({("agent01", 3): "A"}, version=0)
    await asked(floor, WEEK + timedelta(days=3), None)
    async with floor.db.read() as session:
        seen = {login: len(await queries.swaps(session, actor)) for login, actor in floor.actors.items()}
    assert seen == {
        "agent01": 1, "agent02": 1, "agent03": 0, "leader": 1, "leader2": 1, "inspector": 1, "dispatcher": 0,
    }  # fmt: skip


# ---- attendance -----------------------------------------------------------------------------


async def test_attendance_and_adherence_are_read_from_sessions_and_intervals(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A", ("agent02", 0): "A", ("agent03", 0): "N"}, version=0)
    begin = instant(WEEK, 480)
    await floor.signed_in(
        "agent01", begin + timedelta(minutes=10), begin + timedelta(hours=8),
        ("ready", None, begin + timedelta(minutes=10), begin + timedelta(hours=2)),
        ("talking", None, begin + timedelta(hours=2), begin + timedelta(hours=4)),  # until the break
        ("not_ready", "break", begin + timedelta(hours=4), begin + timedelta(hours=5)),
        ("not_ready", "training", begin + timedelta(hours=5), begin + timedelta(hours=6)),
        ("ready", None, begin + timedelta(hours=6), begin + timedelta(hours=8)),
    )  # fmt: skip
    await floor.signed_in("agent03", instant(WEEK, 1315), instant(WEEK, 1920))
    now = instant(WEEK + timedelta(days=2), 0)
    async with floor.db.read() as session:
        found = await figures.shifts(session, floor.actors["leader"], WEEK, SUNDAY, now, Rules())
        own = await figures.shifts(session, floor.actors["agent02"], WEEK, SUNDAY, now, Rules())
    by_login = {
        login: one.attendance
        for one in found
        for login, actor in floor.actors.items()
        if actor.user_id == one.user_id
    }
    first = by_login["agent01"]
    assert (minutes(first.late), minutes(first.early), minutes(first.present)) == (10, 0, 440)
    assert minutes(first.wanted) == 110 + 120 + 60 + 120
    assert first.adherence == pytest.approx(410 / 450)
    assert by_login["agent02"].presence is Presence.ABSENT
    assert by_login["agent03"].presence is Presence.PRESENT
    assert by_login["agent03"].adherence == 0  # signed in all night, in no state at all
    assert [one.user_id for one in own] == [floor.id("agent02")]


async def test_an_open_session_counts_until_now(floor: Floor) -> None:
    await floor.roster({("agent01", 0): "A"}, version=0)
    begin = instant(WEEK, 480)
    await floor.signed_in("agent01", begin, None, ("ready", None, begin, None))
    now = begin + timedelta(hours=2)
    async with floor.db.read() as session:
        (one,) = await figures.shifts(session, floor.actors["agent01"], WEEK, WEEK, now, Rules())
    assert (one.attendance.presence, one.attendance.adherence) == (Presence.RUNNING, 1)
    with pytest.raises(HotlineError, match="forbidden"):
        async with floor.db.read() as session:
            await figures.shifts(session, floor.actors["dispatcher"], WEEK, WEEK, now, Rules())


# ---- notes ----------------------------------------------------------------------------------


async def written(floor: Floor, key: str = "a-form-of-ours", **more: Any) -> int:
    given: dict[str, Any] = {
        "day": WEEK,
        "kind_id": None,
        "summary": "平稳",
        "matters": [Matter("市政抢修未完")],
        **more,
    }
    async with floor.db.begin() as uow:
        return await notes.hand_over(uow, floor.actors["leader"], key=key, **given)


async def test_a_note_is_read_taken_over_and_its_matters_ticked_off(floor: Floor) -> None:
    note = await written(floor)
    assert await written(floor) == note  # a double click makes one
    second = floor.actors["leader2"]
    async with floor.db.begin() as uow:
        (seen,) = await notes.notes(uow.session, second)
        assert (seen.unread, seen.open_items, seen.taken_at) == (True, 1, None)
        await notes.mark_read(uow, second, [note])
        await notes.take_over(uow, second, note)
        await notes.take_over(uow, second, note)
        await notes.tick_off(uow, second, seen.items[0].id)
        await notes.tick_off(uow, floor.actors["leader"], seen.items[0].id)
        (after,) = await notes.notes(uow.session, second)
    assert (after.unread, after.open_items, after.taker) == (False, 0, second.name)
    assert (after.readers, after.items[0].done_by) == ((second.name,), second.name)


async def test_nobody_takes_over_his_own_note_and_words_stay(floor: Floor) -> None:
    note = await written(floor)
    with pytest.raises(HotlineError, match="handover_own"):
        async with floor.db.begin() as uow:
            await notes.take_over(uow, floor.actors["leader"], note)
    with pytest.raises(DBAPIError):
        async with floor.db.begin() as uow:
            await uow.session.execute(sa.update(table_of(ShiftNote)).values(summary="别的"))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"summary": " ", "matters": []}, "handover_empty"),
        ({"summary": "x" * 2001}, "handover_long"),
        ({"matters": [Matter("x")] * 21}, "handover_long"),
        ({"matters": [Matter("x", call_id=999)]}, "handover_call"),
        ({"kind_id": 999}, "shift_kind_unknown"),
    ],
)
async def test_a_note_that_makes_no_sense_is_refused(floor: Floor, more: dict[str, Any], code: str) -> None:
    with pytest.raises(HotlineError, match=code):
        await written(floor, **more)
