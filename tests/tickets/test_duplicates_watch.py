"""Clusters in what comes in: judged, proposed by the leader, decided by a person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import HotlineError
from tests.tickets.conftest import City
from tests.tickets.test_duplicates import Led, follow, told
from tests.tickets.test_duplicates_clusters import ELSEWHERE
from tickets.duplicates import clusters, queries
from tickets.duplicates.alike import callers
from tickets.duplicates.warning import Judged, Told, brief, judge, surge
from tickets.duplicates.watch import ClusterWatch
from tickets.states import Action

AT = datetime(2030, 3, 4, 8, 0, tzinfo=UTC)


def group(*callers: int, apart: timedelta = timedelta(hours=1), words: tuple[str, ...] = ()) -> list[Told]:
    return [Told(n, AT + n * apart, caller, words) for n, caller in enumerate(callers)]


def kind(found: Judged | None) -> str | None:
    return found.kind if found else None


def test_five_callers_in_a_day_are_a_warning_and_four_or_five_calls_of_four_are_not() -> None:
    assert kind(judge(group(1, 2, 3, 4, 5))) == "many"
    assert judge(group(1, 2, 3, 4)) is None
    assert judge(group(1, 2, 3, 4, 4)) is None
    assert judge([]) is None


def test_ten_in_seven_days_are_a_warning_and_five_spread_over_days_are_not() -> None:
    slow = timedelta(hours=14)
    assert judge(group(1, 2, 3, 4, 5, apart=slow)) is None
    assert kind(judge(group(*range(10), apart=slow))) == "many"
    assert judge(group(*range(10), apart=timedelta(days=1))) is None  # ten, but not in seven days


def test_a_watched_word_warns_from_the_second_caller_on() -> None:
    assert judge(group(1, words=("讨薪",))) is None
    found = judge(group(1, 2, words=("讨薪",)))
    assert kind(found) == "words"
    assert found is not None
    assert found.words == ("讨薪",)


@pytest.mark.parametrize(
    ("today", "before", "surges"),
    [
        (12, [2, 3, 2, 3], True),
        (4, [0, 0, 0, 0], False),  # too few to matter
        (5, [0, 0, 0, 0], True),
        (30, [20, 30, 25, 28], False),
        (100, [], False),  # nothing known to compare with
        (100, [1, 1], False),
    ],
)
def test_a_surge_is_measured_against_the_same_weekday(today: int, before: list[int], surges: bool) -> None:
    assert (surge(today, before) is not None) is surges


def test_the_brief_tells_figures_and_no_texts() -> None:
    told = judge(group(1, 2, 3, 4, 5, words=("停水",)))
    assert told is not None
    text = brief(told, 6, "栖霞雅苑", ["城管委"])
    assert "5 人反映同一事项，共 6 件" in text
    assert "03-04 16:00" in text  # the city's time
    assert "停水" in text


async def watched(city: City) -> int:
    await follow(city)
    lease: Any = Led()
    return await ClusterWatch(city.db, lease).run()


async def proposed(city: City) -> list[queries.ClusterItem]:
    async with city.db.read() as session:
        return list(await queries.cluster_list(session, ""))


async def five(city: City) -> list[Any]:
    return [await told(city, number) for number in range(5)]


async def test_five_callers_are_proposed_once_and_people_are_told(city: City) -> None:
    made = await five(city)
    await city.ticket()
    assert await watched(city) == 1
    (one,) = await proposed(city)
    assert (one.kind, one.state, one.callers, one.tickets) == ("many", "proposed", 5, 5)
    assert one.place == "栖霞雅苑"
    told_of = "SELECT count(*) FROM notification WHERE kind = 'cluster_found'"
    people = await city.scalar(told_of)
    assert people == 3  # dispatcher, shift leader, supervision
    assert await watched(city) == 0  # a new leader finds the same and says nothing again
    assert await city.scalar(told_of) == people
    assert {made[0].id} <= {one.id for one in (await members(city, one.id))}


async def members(city: City, cluster_id: int, actor: str = "dispatcher") -> list[queries.MemberItem]:
    async with city.db.read() as session:
        return (await queries.cluster_page(session, city.actors[actor], cluster_id))[1]


async def test_sealed_matters_are_in_no_cluster(city: City) -> None:
    for number in range(4):
        await told(city, number)
    await told(city, 4, type="report")
    assert await watched(city) == 0
    assert await proposed(city) == []


async def test_many_who_ask_the_same_are_no_common_complaint(city: City) -> None:
    for number in range(4):
        await told(city, number)
    await told(city, 4, type="consult")
    assert await watched(city) == 0


async def test_a_member_sealed_later_is_neither_shown_nor_merged(city: City) -> None:
    made = await five(city)
    await watched(city)
    (one,) = await proposed(city)
    async with city.db.begin() as uow:
        change = {"confidentiality": "secret"}
        await city.tickets.act(uow, city.actors["agent"], made[2].id, 1, Action.EDIT, change)
    assert made[2].id not in {member.id for member in await members(city, one.id)}
    await confirm(city, one)
    state = await city.scalar("SELECT state FROM ticket WHERE id = :id", id=made[2].id)
    assert state == "waiting_dispatch"


async def confirm(city: City, one: queries.ClusterItem, actor: str = "dispatcher") -> clusters.Joined:
    async with city.db.begin() as uow:
        return await clusters.confirm(uow, city.tickets, city.actors[actor], one.id, "简报")


async def test_confirmed_they_are_one_ticket_with_its_callers_and_a_brief(city: City) -> None:
    made = await five(city)
    await watched(city)
    (one,) = await proposed(city)
    done = await confirm(city, one)
    assert (done.master_id, done.merged, done.left) == (made[0].id, 4, 0)
    async with city.db.read() as session:
        assert await callers(session, [made[0].id]) == {made[0].id: 5}
    note = await city.scalar(
        "SELECT note FROM ticket_history WHERE ticket_id = :id AND action = 'note'", id=made[0].id
    )
    assert note == "简报"
    running = "SELECT count(*) FROM ticket_stage WHERE ended_at IS NULL AND stage = 'dispatch'"
    assert await city.scalar(running) == 1  # counted once in the clock
    again = await confirm(city, one)  # pressed twice
    assert (again.master_id, again.merged) == (made[0].id, 0)


async def test_only_what_a_person_saw_is_merged(city: City) -> None:
    made = await five(city)
    await watched(city)
    (one,) = await proposed(city)
    late = await told(city, 1, phone="13877770000")
    await watched(city)
    seen = {ticket.id for ticket in made}
    async with city.db.begin() as uow:
        done = await clusters.confirm(uow, city.tickets, city.actors["dispatcher"], one.id, "简报", seen=seen)
    assert done.merged == 4
    assert await city.scalar("SELECT state FROM ticket WHERE id = :id", id=late.id) == "waiting_dispatch"


async def test_who_calls_after_the_confirmation_is_joined_by_a_person_too(city: City) -> None:
    await five(city)
    await watched(city)
    (one,) = await proposed(city)
    await confirm(city, one)
    late = await told(city, 1, phone="13877770000")
    assert await watched(city) == 1
    (one,) = await proposed(city)
    assert (one.state, one.callers, one.tickets) == ("confirmed", 6, 6)
    assert await city.scalar("SELECT count(*) FROM notification WHERE kind = 'cluster_grew'") == 3
    done = await confirm(city, one)
    assert done.merged == 1
    assert await city.scalar("SELECT merged_into_id FROM ticket WHERE id = :id", id=late.id) == done.master_id


async def test_what_was_dismissed_is_not_proposed_again_before_twice_as_many_called(city: City) -> None:
    await five(city)
    await watched(city)
    (one,) = await proposed(city)
    async with city.db.begin() as uow:
        await clusters.dismiss(uow, city.actors["supervision"], one.id, "各自不同")
    await told(city, 1, phone="13877770000")
    assert await watched(city) == 0
    for number in range(4):
        await told(city, number, phone=f"1387777000{number + 1}")
    assert await watched(city) == 1
    assert [found.state for found in await proposed(city)] == ["proposed", "dismissed"]


async def test_only_who_dispatches_and_merges_decides_and_only_once(city: City, refused: Any) -> None:
    await five(city)
    await watched(city)
    (one,) = await proposed(city)
    for actor in ("agent", "lights", "callback", "inspector"):
        await refused("forbidden", confirm(city, one, actor))
    async with city.db.begin() as uow:
        with pytest.raises(HotlineError, match="note_required"):
            await clusters.dismiss(uow, city.actors["dispatcher"], one.id, " ")
    async with city.db.begin() as uow:
        await clusters.dismiss(uow, city.actors["dispatcher"], one.id, "不是一件事")
    await refused("cluster_decided", confirm(city, one))


async def test_a_category_with_far_more_than_usual_is_a_surge_of_its_own(city: City) -> None:
    for number, (title, text) in enumerate(ELSEWHERE):
        await city.ticket(title=title, narrative=text, phone=f"1391111000{number}")
    async with city.db.begin() as uow:
        weeks_ago = uow.now - timedelta(days=40)
        first = await uow.fetch("SELECT min(id) AS id FROM ticket")
        await uow.fetch("UPDATE ticket SET created_at = $2 WHERE id = $1", first[0]["id"], weeks_ago)
    assert await watched(city) == 1
    (one,) = await proposed(city)
    assert (one.kind, one.tickets) == ("surge", 5)
    done = await confirm(city, one)
    assert done.merged == 0
    assert await city.scalar("SELECT count(*) FROM ticket WHERE state = 'merged'") == 0
