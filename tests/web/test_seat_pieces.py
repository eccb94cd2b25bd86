"""The pieces of the telephone: what changed comes, what did not does not, and nothing of others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from tests.web.agent_rig import Floor, ctx, floor
from tests.web.conftest import Browser

__all__ = ["ctx", "floor"]
NAMES = ("banner", "phone", "figures", "tabs", "state", "head", "controls")


class Page:
    """What a page remembers: the marks of its pieces."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.marks = dict.fromkeys(NAMES, "")

    async def look(self) -> set[str]:
        """The names of what came."""
        have = ",".join(f"{name}.{mark}" for name, mark in self.marks.items())
        found = json.loads((await self.browser.get(f"/seat/pieces?have={have}")).text)["pieces"]
        self.marks |= {name: one["mark"] for name, one in found.items()}
        return set(found)


async def signed_in(floor: Floor) -> Page:
    """A page of an agent whose telephone is signed in, as it stands."""
    async with floor.ctx.db.begin() as uow:
        await uow.session.execute(
            sa.text(
                "INSERT INTO agent_session (user_id, extension, pbx, queues, signed_in_at, wish, missed,"
                " reachable, paused, pause_reason, calls, changed_at, version) VALUES (:user, '1001', 'pbx1',"
                " '[]', :now, 'ready', 0, true, false, '', '{}', :now, 1)"
            ),
            {"user": floor.users["a1001"], "now": uow.now},
        )
        await uow.session.execute(
            sa.text(
                "INSERT INTO agent_interval (agent_session_id, user_id, extension, state, started_at)"
                " SELECT id, user_id, extension, 'ready', signed_in_at FROM agent_session"
            )
        )
    page = Page(await floor.console.signed_in("a1001"))
    assert await page.look() == set(NAMES)
    return page


async def test_what_has_not_changed_does_not_come_again(floor: Floor) -> None:
    page = await signed_in(floor)
    assert await page.look() == set()
    assert isinstance(floor.ctx.clock, ManualClock)
    floor.ctx.clock.advance(40)
    assert await page.look() == set()


async def test_a_ring_an_answer_and_an_end_bring_what_shows_them(floor: Floor) -> None:
    page = await signed_in(floor)
    call = await floor.ring("a1001")
    assert {"banner", "phone"} <= await page.look()
    await floor.answer(call)
    assert {"banner", "phone", "tabs", "figures", "controls"} <= await page.look()
    await floor.end(call, "answered")
    assert {"phone", "tabs", "controls"} <= await page.look()
    assert await page.look() == set()


async def test_a_call_of_another_telephone_brings_nothing(floor: Floor) -> None:
    page = await signed_in(floor)
    call = await floor.ring("a1002")
    await floor.answer(call)
    assert not await page.look() & {"banner", "tabs", "state", "controls"}


CHANGES = {
    "state": "UPDATE agent_session SET version = version + 1 WHERE signed_out_at IS NULL",
    "head": (
        "INSERT INTO wrap_up (agent_session_id, user_id, extension, note, started_at, ends_at, extended,"
        " logged) SELECT id, user_id, extension, '', signed_in_at, signed_in_at, 0, false FROM agent_session"
    ),
    "controls": (
        "INSERT INTO call_mark (session_id, at, kind, data) SELECT id, started_at, 'hold', '{}'"
        " FROM call_session"
    ),
    "tabs": "UPDATE call_session SET state = 'ended'",
}


@pytest.mark.parametrize("name", list(CHANGES))
async def test_each_thing_a_piece_hangs_on_brings_it(floor: Floor, name: str) -> None:
    page = await signed_in(floor)
    call = await floor.ring("a1001")
    await floor.answer(call)
    await page.look()
    async with floor.ctx.db.begin() as uow:
        await uow.session.execute(sa.text(CHANGES[name]))
    assert name in await page.look()


ORDERED = (
    "INSERT INTO call_order (kind, session_id, user_id, extension, token, channel_id, state, ordered_at)"
    " SELECT 'hold', id, :user, '1001', 't', 'ctl-1', 'waiting', :now FROM call_session"
)
REPORTED = (
    "INSERT INTO abuse_report (session_id, user_id, extension, reason, reported_at, state)"
    " SELECT id, :user, '1001', 'insult', :now, 'open' FROM call_session"
)
PROPOSED = (
    "INSERT INTO number_listing (kind, number_ref, reason, state, proposed_by, proposed_at, version)"
    " SELECT 'silent', caller_ref, '', 'proposed', :user, :now, 1 FROM call_session"
)


@pytest.mark.parametrize("statement", [ORDERED, REPORTED, PROPOSED])
async def test_orders_reports_and_proposals_bring_the_buttons(floor: Floor, statement: str) -> None:
    page = await signed_in(floor)
    call = await floor.ring("a1001")
    await floor.answer(call)
    await page.look()
    async with floor.ctx.db.begin() as uow:
        values = {"user": floor.users["a1001"], "now": uow.now}
        await uow.session.execute(sa.text(statement), values)
    assert await page.look() == {"controls"}


async def test_what_was_ordered_is_no_longer_shown_after_a_while(floor: Floor) -> None:
    page = await signed_in(floor)
    call = await floor.ring("a1001")
    await floor.answer(call)
    async with floor.ctx.db.begin() as uow:
        values: dict[str, Any] = {"user": floor.users["a1001"], "now": uow.now}
        await uow.session.execute(sa.text(ORDERED), values)
        await uow.session.execute(
            sa.text("UPDATE call_order SET state = 'done', ended_at = :now"), {"now": uow.now}
        )
    await page.look()
    assert isinstance(floor.ctx.clock, ManualClock)
    floor.ctx.clock.advance(31)
    assert await page.look() == {"controls"}


async def test_who_is_signed_out_is_always_told_what_stands_in_the_way(floor: Floor) -> None:
    page = Page(await floor.console.signed_in("a1001"))
    await page.look()
    assert await page.look() == {"state", "head"}


@pytest.mark.parametrize("have", ["banner.xyz", "a" * 400, "banner;drop", ",", "banner.ab,,tabs"])
async def test_marks_that_are_none_are_refused(floor: Floor, have: str) -> None:
    browser = await floor.console.signed_in("a1001")
    assert (await browser.get("/seat/pieces", headers=None)).status == 200
    assert (await browser.get(f"/seat/pieces?have={have}")).status == 400


async def test_pieces_that_do_not_exist_are_left_out(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    answer = await browser.get("/seat/pieces?have=nothing.12,tabs.")
    assert set(json.loads(answer.text)["pieces"]) == {"tabs"}
