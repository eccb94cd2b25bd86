"""Open tickets about the same matter: found while typing, by who may see them, and joined in one step."""

from datetime import timedelta
from typing import Any

import pytest

from core.db import UnitOfWork
from tests.tickets.conftest import City
from tests.tickets.test_duplicates_clusters import PLANT
from tickets.duplicates.alike import Alike, Asked, alike
from tickets.duplicates.joining import Repeat, add_as_repeat
from tickets.duplicates.signatures import Signatures, refresh
from tickets.states import Action


class Led:
    """A lease that is held."""

    is_leader = True
    epoch = 1

    async def fence(self, uow: UnitOfWork) -> None:
        """Nothing stands between."""


async def number_events(city: City) -> None:
    """What the relay does."""
    async with city.db.begin() as uow:
        await uow.fetch(
            "UPDATE event_log SET seq = e.id + (SELECT coalesce(max(seq), 0) FROM event_log) "
            "FROM event_log e WHERE event_log.id = e.id AND event_log.seq IS NULL"
        )


async def follow(city: City) -> int:
    await number_events(city)
    lease: Any = Led()
    return await Signatures(city.db, lease).run()


async def told(city: City, number: int, **over: Any) -> Any:
    title, text = PLANT[number]
    values = {"title": title, "narrative": text, "phone": f"1380000100{number}"} | over
    return await city.ticket(**values)


async def found(city: City, actor: str = "agent", **over: Any) -> list[Alike]:
    values = {"title": PLANT[1][0], "text": PLANT[1][1]} | over
    async with city.db.read() as session:
        return await alike(session, city.actors[actor], Asked(**values), city.db.clock.now())


async def test_an_open_ticket_about_the_same_matter_is_found_with_the_reason(city: City) -> None:
    made = await told(city, 0)
    await city.ticket()
    assert await found(city) == []  # the leader has not seen it yet
    await follow(city)
    (one,) = await found(city)
    assert one.id == made.id
    assert "栖霞雅苑" in one.places
    assert "搅拌" in "".join(one.words)
    assert one.callers == 1


async def test_the_same_place_alone_or_the_same_trouble_alone_is_not_the_same_matter(city: City) -> None:
    await told(city, 0)
    await follow(city)
    assert await found(city, title="栖霞雅苑物业费涨价", text="物业没有征求意见就涨价，还停了门禁卡") == []
    assert await found(city, title="青竹花园烧烤店油烟", text="青竹花园楼下烧烤店油烟直排") == []


async def test_what_is_too_little_asks_nothing(city: City) -> None:
    await told(city, 0)
    await follow(city)
    for title, text in (("", ""), ("栖", ""), ("🙂🙂🙂🙂🙂", "。，！？…"), ("x" * 5000, "a" * 100_000)):
        assert await found(city, title=title, text=text) == []


async def test_who_does_not_see_every_ticket_is_suggested_none(city: City) -> None:
    await told(city, 0)
    await follow(city)
    for actor in ("water", "lights", "district", "admin"):
        assert await found(city, actor) == []
    for actor in ("agent2", "dispatcher", "supervision"):
        assert len(await found(city, actor)) == 1


@pytest.mark.parametrize(
    "over", [{"type": "report"}, {"confidentiality": "secret"}, {"confidentiality": "anonymous"}]
)
async def test_a_sealed_matter_neither_asks_nor_is_found(city: City, over: dict[str, str]) -> None:
    await told(city, 0, **over)
    await follow(city)
    assert await found(city) == []
    assert await city.scalar("SELECT count(*) FROM ticket_signature") == 0
    await told(city, 2)
    await follow(city)
    assert len(await found(city)) == 1
    asked = {"ticket_type": over.get("type", ""), "confidentiality": over.get("confidentiality", "")}
    assert await found(city, **asked) == []


async def test_a_ticket_that_becomes_sealed_is_found_no_more_even_before_the_leader_saw_it(
    city: City,
) -> None:
    made = await told(city, 0)
    await follow(city)
    async with city.db.begin() as uow:
        change = {"confidentiality": "secret"}
        await city.tickets.act(uow, city.actors["agent"], made.id, made.version, Action.EDIT, change)
    assert await found(city) == []
    await follow(city)
    assert await city.scalar("SELECT count(*) FROM ticket_signature") == 0


async def test_signatures_follow_what_is_edited_and_what_ends(city: City) -> None:
    made = await told(city, 0)
    await follow(city)
    async with city.db.begin() as uow:
        change = {"title": "咨询医保报销", "narrative": "退休后在外地看病怎么报销"}
        await city.tickets.act(uow, city.actors["agent"], made.id, made.version, Action.EDIT, change)
    assert await follow(city) == 1
    assert await found(city) == []
    async with city.db.begin() as uow:
        data = {"reason_code": "other", "note": "重复登记"}
        code = await uow.fetch("SELECT code FROM reason_code WHERE kind = 'void' LIMIT 1")
        data["reason_code"] = code[0]["code"]
        await city.tickets.act(uow, city.actors["leader"], made.id, made.version + 1, Action.VOID, data)
    await follow(city)
    assert await city.scalar("SELECT count(*) FROM ticket_signature") == 0


async def test_following_twice_changes_nothing_and_a_pruned_log_is_made_good(city: City) -> None:
    await told(city, 0)
    await follow(city)
    assert await follow(city) == 0
    made = await told(city, 2)
    await number_events(city)
    async with city.db.begin() as uow:
        await uow.fetch("DELETE FROM event_log")
        await uow.fetch("UPDATE signature_progress SET seq = 0")
    later = await told(city, 3)
    await number_events(city)
    async with city.db.begin() as uow:
        await uow.fetch("UPDATE event_log SET seq = seq + 1000")
    await follow(city)
    ids = {one.id for one in await found(city)}
    assert {made.id, later.id} <= ids


async def repeat(city: City, ticket_id: int, form: dict[str, Any], call: str = "") -> tuple[int, Repeat]:
    agent = city.actors["agent2"]
    async with city.db.begin() as uow:
        if call:
            session_id, caller = await city.call(call)
            draft = await city.drafts.open_for_call(uow, session_id, agent.user_id, caller)
        else:
            draft = await city.drafts.open_manual(uow, agent)
        made = await add_as_repeat(uow, city.drafts, city.tickets, agent, draft, 1, form, ticket_id)
    return draft, made


async def test_another_caller_is_merged_and_counts_though_little_was_typed(city: City) -> None:
    first = await told(city, 0)
    await follow(city)
    draft, made = await repeat(city, first.id, {"phone": "13900000002"})
    assert made.made is not None
    state = await city.scalar("SELECT state FROM ticket WHERE id = :id", id=made.made.id)
    assert state == "merged"
    assert await city.scalar("SELECT urges FROM ticket WHERE id = :id", id=first.id) == 1
    (one,) = await found(city)  # the member is found in its master
    assert (one.id, one.callers) == (first.id, 2)
    agent, form = city.actors["agent2"], {"phone": "13900000002"}
    async with city.db.begin() as uow:  # pressed twice
        again = await add_as_repeat(uow, city.drafts, city.tickets, agent, draft, 1, form, first.id)
    assert again.made is not None
    assert again.made.id == made.made.id
    assert await city.scalar("SELECT urges FROM ticket WHERE id = :id", id=first.id) == 1


async def test_the_same_caller_again_is_an_urge(city: City) -> None:
    first = await told(city, 0, phone="13900000009")
    _, made = await repeat(city, first.id, {"narrative": "还在响"}, call="13900000009")
    assert made.made is None
    assert await city.scalar("SELECT urges FROM ticket WHERE id = :id", id=first.id) == 1
    assert await city.scalar("SELECT count(*) FROM ticket") == 1


async def test_a_sealed_matter_is_not_joined_to_another(city: City, refused: Any) -> None:
    first = await told(city, 0)
    sealed = await told(city, 1, type="report")
    await refused("repeat_sealed", repeat(city, first.id, {"type": "report", "phone": "13900000002"}))
    await refused("repeat_sealed", repeat(city, sealed.id, {"phone": "13900000002"}))
    assert await city.scalar("SELECT count(*) FROM ticket") == 2


async def test_closed_tickets_keep_their_signature_a_week_and_no_longer(city: City) -> None:
    made = await told(city, 0)
    async with city.db.begin() as uow:
        await uow.fetch("UPDATE ticket SET state = 'closed', stage = NULL WHERE id = $1", made.id)
        await refresh(uow, [made.id])
    assert await city.scalar("SELECT count(*) FROM ticket_signature") == 1
    assert await found(city) == []
    async with city.db.begin() as uow:
        long_ago = uow.now - timedelta(days=9)
        await uow.fetch("UPDATE ticket SET created_at = $2 WHERE id = $1", made.id, long_ago)
        await refresh(uow, [made.id])
    assert await city.scalar("SELECT count(*) FROM ticket_signature") == 0
