"""Text snippets: one's own before everybody's, kept by who may; shared ones are audited."""

from typing import Any

import pytest

from tests.tickets.conftest import City, Refused
from tickets import snippets


async def _save(city: City, who: str, code: str, **more: Any) -> int:
    values = {"title": "路灯", "body": "来电人反映路灯____。"} | more
    async with city.db.begin() as uow:
        return await snippets.save(uow, city.actors[who], code=code, **values)


async def _usable(city: City, who: str) -> dict[str, str]:
    async with city.db.read() as session:
        return {item.code: item.body for item in await snippets.usable(session, city.actors[who])}


async def test_an_own_snippet_goes_before_a_shared_one_of_the_same_code(city: City) -> None:
    assert "fy" in await _usable(city, "agent")  # a city begins with some
    await _save(city, "agent", " FY ", body="我的说法")
    assert (await _usable(city, "agent"))["fy"] == "我的说法"
    assert (await _usable(city, "agent2"))["fy"] != "我的说法"


async def test_shared_snippets_are_kept_by_the_shift_leader_and_audited(city: City, refused: Refused) -> None:
    await refused("forbidden", _save(city, "agent", "ld", shared=True))
    made = await _save(city, "leader", "ld", shared=True)
    assert "ld" in await _usable(city, "agent")
    await refused("snippet_not_found", _save(city, "agent", "ld", snippet_id=made, version=1))
    count = "SELECT count(*) FROM audit_log WHERE object_type = 'snippet' AND action = :a"
    assert await city.scalar(count, a="snippet.save") == 1
    async with city.db.begin() as uow:
        await refused("snippet_not_found", snippets.remove(uow, city.actors["agent"], made))
    async with city.db.begin() as uow:
        await snippets.remove(uow, city.actors["leader"], made)
    assert "ld" not in await _usable(city, "agent")
    assert await city.scalar(count, a="snippet.remove") == 1


async def test_a_colleague_neither_sees_nor_touches_an_own_snippet(city: City, refused: Refused) -> None:
    made = await _save(city, "agent", "mine")
    assert "mine" not in await _usable(city, "leader")
    async with city.db.begin() as uow:
        await refused("snippet_not_found", snippets.remove(uow, city.actors["leader"], made))


async def test_a_change_goes_over_the_version_that_was_seen(city: City, refused: Refused) -> None:
    made = await _save(city, "agent", "ld")
    await _save(city, "agent", "ld", snippet_id=made, version=1, body="第二版")
    await refused("version_conflict", _save(city, "agent", "ld", snippet_id=made, version=1))
    assert (await _usable(city, "agent"))["ld"] == "第二版"


async def test_a_code_is_taken_once_and_a_refusal_keeps_what_there_was(city: City, refused: Refused) -> None:
    await _save(city, "agent", "ld")
    await refused("snippet_code_taken", _save(city, "agent", "LD", body="另一条"))
    assert (await _usable(city, "agent"))["ld"] == "来电人反映路灯____。"


@pytest.mark.parametrize(
    ("code", "more", "error"),
    [
        ("路灯", {}, "snippet_code"),
        ("", {}, "snippet_code"),
        ("a b", {}, "snippet_code"),
        ("a" * 13, {}, "snippet_code"),
        ("ld", {"body": " \n"}, "snippet_incomplete"),
        ("ld", {"title": ""}, "snippet_incomplete"),
        ("ld", {"body": "长" * 2001}, "snippet_too_long"),
    ],
)
async def test_what_is_no_snippet_is_refused(
    city: City, refused: Refused, code: str, more: dict[str, Any], error: str
) -> None:
    await refused(error, _save(city, "agent", code, **more))


async def test_nobody_keeps_more_than_a_hundred(
    city: City, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snippets, "MAX_OWN", 2)
    await _save(city, "agent", "a")
    await _save(city, "agent", "b")
    await refused("too_many_snippets", _save(city, "agent", "c"))
