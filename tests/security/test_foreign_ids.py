"""Ids of things that are somebody else's, and texts that want to be scripts."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from core.people.permissions import Role
from tests.security.rules import ALLOWED, FORMS
from tests.web.conftest import PASSWORD, SYSTEM, Browser, Console

EVIL = "\"'><script>alert(4711)</script><img src=x onerror=a()>"


def _routes(prefix: str) -> list[tuple[str, str]]:
    return [key for key in ALLOWED if key[1].startswith(prefix) and "_id}" in key[1]]


def _address(path: str, ident: int) -> str:
    """A path with this id in it; where it names an action, a note."""
    return re.sub(r"{[^}]*}", str(ident), path.replace("{action}", "note"))


async def _call(browser: Browser, method: str, path: str, ident: int) -> int:
    address = _address(path, ident)
    if method == "GET":
        return (await browser.get(address)).status
    return (await browser.post(address, FORMS[path])).status


@pytest.mark.parametrize("login", ["road_officer", "town_officer", "nobody", "system_admin"])
async def test_every_route_of_a_ticket_refuses_who_may_not_see_it(console: Console, login: str) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in(login)
    for method, path in _routes("/tickets/"):
        assert await _call(browser, method, path, made.id) in (403, 404), path
    async with console.ctx.db.read() as session:
        count = "SELECT version FROM ticket WHERE id = :id"
        assert (await session.execute(text(count), {"id": made.id})).scalar_one() == 2


async def test_a_foreign_ticket_is_answered_exactly_like_one_that_does_not_exist(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("road_officer")
    foreign = await browser.get(f"/tickets/{made.id}")
    absent = await browser.get("/tickets/987654321")
    mask = re.compile(r"/tickets/\d+")
    assert foreign.status == absent.status == 404
    assert mask.sub("#", foreign.text) == mask.sub("#", absent.text)


async def test_a_draft_is_closed_to_other_agents(console: Console) -> None:
    people, drafts = console.ctx.people, console.ctx.drafts
    async with console.ctx.db.begin() as uow:
        await people.create_user(
            uow, SYSTEM, login="agent2", name="李四", password=PASSWORD, unit_id=console.units["hotline"],
            roles=frozenset({Role.AGENT}),
        )  # fmt: skip
        owner = await people.actor_for_user(uow.session, console.users["agent"])
        assert owner is not None
        ident = await drafts.open_manual(uow, owner)
    stranger = await console.signed_in("agent2")
    for method, path in _routes("/drafts/"):
        assert await _call(stranger, method, path, ident) in (403, 404), path
    async with console.ctx.db.read() as session:
        row = (await session.execute(text("SELECT owner_id, ended_at, version FROM ticket_draft"))).one()
        assert tuple(row) == (console.users["agent"], None, 1)


@pytest.mark.parametrize("login", ["dept_officer", "system_admin", "audit_admin", "nobody"])
async def test_callback_tasks_are_closed_to_everybody_but_the_floor(console: Console, login: str) -> None:
    async with console.ctx.db.begin() as uow:
        ref = (await console.ctx.vault.put(uow, "phone", "13812345678")).id
        session_id = (
            await uow.session.execute(
                text(
                    "INSERT INTO call_session (pbx, session_key, direction, caller_ref, caller_kind, did, "
                    "state, queues, transfers, linkedids, started_at, version) "
                    "VALUES ('p', 's', 'inbound', :ref, 'mobile', '12345', 'ended', '[]', '[]', '[]', "
                    "now(), 1) RETURNING id"
                ),
                {"ref": ref},
            )
        ).scalar_one()
        task = await console.ctx.callbacks.open_for_abandoned(uow, session_id, ref, uow.now)
    assert task is not None
    browser = await console.signed_in(login)
    for method, path in _routes("/callbacks/"):
        assert await _call(browser, method, path, task) in (403, 404), path


def somebody_who_may(path: str) -> str:
    """The login of a post that may write there; the shift leader where he may."""
    allowed = ALLOWED["POST", path]
    assert not isinstance(allowed, str)
    return (Role.SHIFT_LEADER if Role.SHIFT_LEADER in allowed else min(allowed)).value


@pytest.mark.parametrize("path", sorted(FORMS))
async def test_a_field_nobody_asked_for_is_refused_everywhere(console: Console, path: str) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in(somebody_who_may(path))
    address = _address(path, made.id)
    for extra in ("state", "owner_id", "created_by", "lead_unit_id", "id"):
        if extra not in FORMS[path]:
            answer = await browser.post(address, {**FORMS[path], extra: "1"})
            assert answer.status == 400, (path, extra)


async def test_no_text_field_of_a_ticket_becomes_markup_anywhere(console: Console) -> None:
    fields = ("title", "narrative", "expected", "address", "subject_name", "citizen_name")
    evil = dict.fromkeys(fields, EVIL)
    made = await console.ticket("water", **evil)
    waiting = await console.ticket(**evil)
    leader = await console.signed_in("shift_leader")
    officer = await console.signed_in("dept_officer")
    await leader.post(f"/tickets/{made.id}/notes", {"note": EVIL})
    await leader.post(f"/tickets/{made.id}/reveal", {"field": "citizen", "reason": EVIL})
    inspector = await console.signed_in("inspector")
    pages = [
        (leader, f"/tickets/{made.id}"),
        (leader, f"/tickets/{made.id}/timeline"),
        (leader, f"/tickets/{made.id}/head"),
        (leader, "/tickets?text=script"),
        (leader, f"/dispatch?ticket={waiting.id}"),
        (leader, "/dispatch/waiting"),
        (officer, f"/tickets/{made.id}"),
        (officer, "/unit"),
        (inspector, "/admin/audit"),
    ]
    for browser, path in pages:
        answer = await browser.get(path)
        assert answer.status == 200, path
        assert "alert(4711)" in answer.text, path
        _no_markup(answer.text, path)
    shown = await leader.post(f"/tickets/{made.id}/reveal", {"field": "citizen", "reason": "check"})
    _no_markup(shown.text, "reveal")
    _no_markup((await leader.post("/search", {"q": EVIL[:60]})).text, "search")
    _no_markup((await leader.post("/search", {"q": "13800001234"})).text, "search")


async def test_what_was_typed_at_the_door_is_not_markup_either(console: Console) -> None:
    answer = await console.browser().post("/login", {"login": EVIL[:64], "password": "x"})
    _no_markup(answer.text, "/login")
    _no_markup((await console.browser().get("/login?next=/" + EVIL)).text, "/login")


async def test_the_text_of_a_draft_is_not_markup_in_its_form(console: Console) -> None:
    drafts = console.ctx.drafts
    async with console.ctx.db.begin() as uow:
        owner = await console.ctx.people.actor_for_user(uow.session, console.users["agent"])
        assert owner is not None
        ident = await drafts.open_manual(uow, owner)
        fields = ("title", "narrative", "expected", "address", "subject_name", "citizen_name", "phone")
        await drafts.save(uow, owner, ident, 1, dict.fromkeys(fields, EVIL))
    browser = await console.signed_in("agent")
    for path in (f"/agent?draft={ident}", f"/drafts/{ident}/panel"):
        answer = await browser.get(path)
        assert answer.status == 200
        assert "alert(4711)" in answer.text
        _no_markup(answer.text, path)


def _no_markup(text_of_page: str, where: str) -> None:
    assert "<script>alert" not in text_of_page, where
    assert "<img src=x" not in text_of_page, where
    assert "\"'><" not in text_of_page, where
