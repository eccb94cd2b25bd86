"""Documents of supervision that are somebody else's, and texts in them that want to be scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from sla.supervision.inputs import NewOrder
from sla.supervision.terms import Kind
from tests.security.rules import ALLOWED, FORMS
from tests.security.test_foreign_ids import EVIL
from tests.web.conftest import Browser, Console


async def issued(console: Console, unit: str, ticket: Any = None, **over: Any) -> int:
    """A document of the supervision officer's."""
    asked: dict[str, Any] = {
        "kind": Kind.ORDER,
        "unit_id": console.units[unit],
        "subject": "限期办理",
        "requirement": "请限期办理并反馈",
        "ticket_id": ticket.id if ticket else None,
    }
    async with console.ctx.db.begin() as uow:
        actor = await console.ctx.people.actor_for_user(uow.session, console.users["supervision_officer"])
        assert actor is not None
        return await console.ctx.supervision.issue(uow, actor, NewOrder(**(asked | over)))


def routes() -> list[tuple[str, str]]:
    return [key for key in ALLOWED if key[1].startswith("/orders/{order_id}")]


async def call(browser: Browser, method: str, path: str, ident: int) -> int:
    address = re.sub(r"{[^}]*}", str(ident), path.replace("{form}", "document"))
    if method == "GET":
        return (await browser.get(address)).status
    return (await browser.post(address, FORMS[path])).status


@pytest.mark.parametrize("login", ["road_officer", "town_officer", "nobody", "system_admin", "dispatcher"])
async def test_every_route_of_a_document_refuses_who_may_not_see_it(console: Console, login: str) -> None:
    order = await issued(console, "water")
    browser = await console.signed_in(login)
    for method, path in routes():
        assert await call(browser, method, path, order) in (403, 404), path
    async with console.ctx.db.read() as session:
        assert (await session.execute(text("SELECT version, state FROM supervision_order"))).one() == (
            1,
            "issued",
        )


@pytest.mark.parametrize("login", ["dept_officer", "dept_head", "dispatcher", "agent", "shift_leader"])
async def test_a_hand_over_is_closed_to_the_unit_and_to_the_hotline(console: Console, login: str) -> None:
    made = await console.ticket("water")
    order = await issued(console, "water", made, kind=Kind.HANDOVER, recipient="纪检监察组")
    browser = await console.signed_in(login)
    for method, path in routes():
        assert await call(browser, method, path, order) in (403, 404), path
    shown = [f"/tickets/{made.id}", "/orders"]
    for path in shown:
        answer = await browser.get(path)
        assert answer.status == 200, path
        assert "督〔" not in answer.text, path
        assert "移送" not in answer.text, path


async def test_an_inspector_reads_everything_and_changes_nothing(console: Console) -> None:
    order = await issued(console, "water")
    browser = await console.signed_in("inspector")
    for method, path in routes():
        wanted = 200 if method == "GET" else 403
        assert await call(browser, method, path, order) == wanted, path


async def test_no_text_of_a_document_becomes_markup_anywhere(console: Console) -> None:
    made = await console.ticket("water")
    order = await issued(console, "water", made, subject=EVIL, requirement=EVIL)
    officer = await console.signed_in("dept_officer")
    boss = await console.signed_in("supervision_officer")
    assert (await officer.post(f"/orders/{order}/report", {"version": "1", "note": EVIL})).status == 303
    pages = [
        (boss, "/orders"),
        (boss, f"/orders/{order}"),
        (boss, f"/orders/{order}/print/document"),
        (boss, f"/tickets/{made.id}"),
        (boss, f"/supervision/new?kind=raised&parent={order}"),
        (officer, f"/orders/{order}"),
    ]
    for browser, path in pages:
        answer = await browser.get(path)
        assert answer.status == 200, path
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path
