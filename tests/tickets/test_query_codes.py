"""Number and query code: wrong tries lock, a resend goes to the phone on file and opens the lock."""

import pytest

from core.clock import ManualClock
from core.errors import HotlineError
from tests.tickets.conftest import City, Refused
from tests.tickets.post_rig import Post
from tickets import query_codes
from tickets.messages.upkeep import MessageUpkeep


@pytest.fixture
def post(city: City, clock: ManualClock) -> Post:
    return Post(city, clock)


async def attempt(post: Post, number: str, code: str, source: str = "203.0.113.1") -> int | str | None:
    try:
        async with post.city.db.begin() as uow:
            return await query_codes.look_up(uow, post.city.vault, number=number, code=code, source=source)
    except HotlineError as error:
        return error.code


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "000001"


async def test_number_and_code_together_find_the_ticket(post: Post) -> None:
    made = await post.city.ticket()
    assert await attempt(post, f" {made.number} ", made.query_code) == made.id
    assert await attempt(post, made.number, wrong(made.query_code)) is None
    assert await attempt(post, made.number, "") is None
    assert await attempt(post, "9" * 18, made.query_code) is None


async def test_five_wrong_tries_lock_the_number_for_their_source_for_thirty_minutes(
    post: Post, clock: ManualClock
) -> None:
    made = await post.city.ticket()
    for _ in range(5):
        assert await attempt(post, made.number, wrong(made.query_code)) is None
    assert await attempt(post, made.number, made.query_code) == "query_locked"
    assert await attempt(post, made.number, made.query_code, "198.51.100.7") == made.id
    clock.advance(29 * 60)
    assert await attempt(post, made.number, made.query_code) == "query_locked"
    clock.advance(2 * 60)
    assert await attempt(post, made.number, made.query_code) == made.id


async def test_a_right_code_forgets_the_wrong_ones_and_so_does_time(post: Post, clock: ManualClock) -> None:
    made = await post.city.ticket()
    for _ in range(4):
        await attempt(post, made.number, wrong(made.query_code))
    assert await attempt(post, made.number, made.query_code) == made.id
    for _ in range(4):
        await attempt(post, made.number, wrong(made.query_code))
    clock.advance(31 * 60)
    assert await attempt(post, made.number, wrong(made.query_code)) is None
    assert await attempt(post, made.number, made.query_code) == made.id


async def test_a_number_that_does_not_exist_locks_in_the_same_way(post: Post) -> None:
    answers = [await attempt(post, "450320261123999999", "123456") for _ in range(6)]
    assert answers == [None] * 5 + ["query_locked"]


async def test_fifty_wrong_tries_lock_it_for_everybody_and_warn_until_the_hotline_resends(
    post: Post, clock: ManualClock
) -> None:
    city = post.city
    made = await city.ticket()
    for place in range(10):
        for _ in range(5):
            assert await attempt(post, made.number, wrong(made.query_code), f"203.0.113.{place}") is None
    assert await attempt(post, made.number, made.query_code, "198.51.100.7") == "query_locked"
    clock.advance(10 * 86400)
    await MessageUpkeep(city.db).sweep()
    assert await attempt(post, made.number, made.query_code, "198.51.100.7") == "query_locked"
    assert await city.scalar("SELECT count(*) FROM audit_log WHERE action = 'query_code.locked'") == 1
    told = "SELECT count(*) FROM notification WHERE kind = 'code_locked' AND user_id = :u"
    assert await city.scalar(told, u=city.user("leader")) == 1
    async with city.db.begin() as uow:
        await query_codes.resend(uow, city.actors["agent"], city.vault, made.id)
    assert await attempt(post, made.number, made.query_code, "198.51.100.7") == made.id


async def test_neither_numbers_nor_sources_are_kept_in_the_clear(post: Post) -> None:
    made = await post.city.ticket()
    await attempt(post, made.number, wrong(made.query_code))
    kept = await post.city.scalar("SELECT (SELECT json_agg(t) FROM query_try t)::text")
    assert made.number not in kept
    assert "203.0.113.1" not in kept


async def test_a_resend_goes_to_the_phone_on_file_is_audited_and_limited(
    post: Post, refused: Refused
) -> None:
    city = post.city
    made = await city.ticket()
    await post.deliver()
    for _ in range(5):
        async with city.db.begin() as uow:
            await query_codes.resend(uow, city.actors["agent"], city.vault, made.id)
    texts = await post.deliver()
    assert len(texts) == 5
    assert all(made.query_code in text for text in texts)
    assert {message.to for message in post.gateway.sent} == {"13800000001"}
    async with city.db.begin() as uow:
        await refused("code_resend_limit", query_codes.resend(uow, city.actors["agent"], city.vault, made.id))
    assert await city.scalar("SELECT count(*) FROM audit_log WHERE action = 'query_code.resend'") == 5
    assert made.query_code not in await city.scalar("SELECT json_agg(a)::text FROM audit_log a")


async def test_who_asked_for_no_contact_gets_no_code_and_units_cannot_ask_for_one(
    post: Post, refused: Refused
) -> None:
    city = post.city
    hidden = await city.dispatched("lights", confidentiality="anonymous", wants_reply=False)
    for who, code in (("agent", "contact_unwanted"), ("lights", "forbidden"), ("inspector", "forbidden")):
        async with city.db.begin() as uow:
            await refused(code, query_codes.resend(uow, city.actors[who], city.vault, hidden.id))
