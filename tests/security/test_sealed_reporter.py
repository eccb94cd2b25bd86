"""A sealed reporter stays unknown to the handling unit, wherever the name and the numbers were written."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from tests.security.test_exports import lines
from tests.security.test_orders import issued as ordered
from tests.security.test_uploads import send
from tests.tickets import files
from tests.web.conftest import Browser, Console
from tests.web.test_card_pages import issued as carded
from tickets.queries.veils import veils

NAME, PHONE, SECOND, ID_NUMBER = "覃卓尔", "13877365544", "0773-2867788", "450303199001012346"
SECRETS = (NAME, "覃 卓尔", PHONE, "138 7736 5544", "2867788", ID_NUMBER, "覃卓", "卓尔")
TOLD = f"{NAME}（覃 卓尔）反映，电话{PHONE}、138 7736 5544、{SECOND}，身份证{ID_NUMBER}。"
FORM = {
    "citizen_name": NAME,
    "phone": PHONE,
    "phone2": SECOND,
    "id_number": ID_NUMBER,
    "title": f"{NAME}举报偷排",
    "narrative": f"开头。{TOLD}" + "河边夜里偷排污水。" * 5,
    "expected": f"请回复{NAME}",
    "address": f"{NAME}家门前的河边",
    "subject_name": f"某厂（{NAME}的邻居）",
}
SEALED = [{"type": "report"}, {"type": "complaint", "confidentiality": "secret"}]
_ROWS = {
    "ticket_reply (ticket_id, round, at, handling, public_reply)": "(:t, 1, :at, :told, :told)",
    "ticket_contact (ticket_id, round, at, purpose, means, result, note)": (
        "(:t, 1, :at, 'handling', 'phone', 'reached', :told)"
    ),
    "ticket_request (ticket_id, kind, state, unit_id, requested_by, requested_at, note, basis, "
    "decision_note)": ("(:t, 'closing', 'pending', :unit, :user, :at, :told, :told, :told)"),
}


async def sealed_ticket(console: Console, **form: Any) -> int:
    """A ticket with the water bureau whose reporter is named in everything that was ever written."""
    made = await console.ticket("water", **{**FORM, **form})
    unit, user = console.units["water"], console.users["dept_officer"]
    async with console.ctx.db.begin() as uow:
        values = {"t": made.id, "at": uow.now, "told": TOLD, "unit": unit, "user": user}
        for table, row in _ROWS.items():
            await uow.session.execute(text(f"INSERT INTO {table} VALUES {row}"), values)
        held = "UPDATE ticket_unit SET asked = :told, opinion = :told WHERE ticket_id = :t"
        await uow.session.execute(text(held), values)
        leader = await console.ctx.people.actor_for_user(uow.session, console.users["shift_leader"])
        assert leader is not None
        await console.ctx.tickets.add_note(uow, leader, made.id, TOLD)
    browser = await console.signed_in("shift_leader")
    answer = await send(browser, made.id, f"{NAME}{PHONE}.jpg", files.picture(), audience="handling")
    assert answer.status == 303, answer.text[-400:]
    return made.id


async def whole(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status == 200, (path, answer.status, answer.text[-300:])
    return answer.text


def names_nobody(shown: str, where: str) -> None:
    for secret in SECRETS:
        assert secret not in shown, (where, secret)


@pytest.mark.parametrize("sealed", SEALED)
@pytest.mark.parametrize("login", ["dept_officer", "dept_head"])
async def test_no_page_of_the_unit_names_the_reporter(
    console: Console, sealed: dict[str, str], login: str
) -> None:
    ident = await sealed_ticket(console, **sealed)
    browser = await console.signed_in(login)
    own = f"/tickets/{ident}"
    pages = [own, *(f"{own}/{part}" for part in ("timeline", "head", "process", "replies", "bar"))]
    pages += [
        f"{own}/attachments",
        f"{own}/attachments/list",
        f"{own}/print/transfer",
        f"{own}/print/closing",
    ]
    pages += [f"{own}/do/close", f"{own}/print/transfer?copy_for=third"]
    pages += ["/unit", "/workbench", "/search?text=偷排", "/search?text=开头", "/unit?text=偷排"]
    pages += ["/approvals", "/notifications"]
    for path in pages:
        shown = await whole(browser, path)
        names_nobody(shown, path)
    assert "覃**" in await whole(browser, own)
    assert "偷排" in await whole(browser, "/search?text=偷排")


@pytest.mark.parametrize("login", ["dept_officer", "dept_head"])
async def test_no_card_and_no_document_of_supervision_names_the_reporter_to_the_unit(
    console: Console, clock: ManualClock, login: str
) -> None:
    ident = await sealed_ticket(console, type="report")
    order = await ordered(console, "water", SimpleNamespace(id=ident))
    await carded(console, clock, 30)
    async with console.ctx.db.begin() as uow:
        noted = "UPDATE card_receipt SET note = :told, acknowledged_at = :at WHERE post = 'dept_head'"
        await uow.session.execute(text(noted), {"told": TOLD, "at": uow.now})
        written = "UPDATE supervision_order SET subject = :told, requirement = :asked WHERE id = :id"
        await uow.session.execute(text(written), {"told": TOLD, "asked": TOLD, "id": order})
    browser = await console.signed_in(login)
    pages = ["/cards", "/cards?state=mine", "/cards/waiting", f"/tickets/{ident}/cards", "/workbench"]
    pages += ["/orders", f"/orders/{order}", f"/orders/{order}/print/document", "/notifications"]
    pages += [f"/tickets/{ident}"]
    for path in pages:
        names_nobody(await whole(browser, path), path)
    for path in ("/cards", f"/tickets/{ident}/cards", f"/orders/{order}"):
        assert "覃**" in await whole(browser, path), path
    for path in ("/supervision", "/dashboard", "/monitor", "/supervision/proposals"):
        assert (await browser.get(path)).status == 403, path


async def test_the_name_of_an_attachment_is_veiled_on_the_page_and_at_the_download(console: Console) -> None:
    ident = await sealed_ticket(console, type="report")
    officer = await console.signed_in("dept_officer")
    query = text("SELECT id, name FROM ticket_attachment")
    async with console.ctx.db.read() as session:
        row = (await session.execute(query)).one()
    assert NAME in row.name
    names_nobody(await whole(officer, f"/tickets/{ident}/attachments/{row.id}"), "page")
    answer = await officer.get(f"/tickets/{ident}/attachments/{row.id}/file")
    assert "%E8%A6%83__" in answer.headers["Content-Disposition"]
    assert "%E5%8D%93" not in answer.headers["Content-Disposition"]


async def test_an_export_of_the_unit_names_nobody(console: Console) -> None:
    await sealed_ticket(console, type="report")
    officer = await console.signed_in("dept_officer")
    for asked in ({"source": "unit"}, {"source": "unit", "text": "偷排"}):
        found = await lines(officer, **asked)
        assert len(found) == 5, asked
        out = io.StringIO()
        csv.writer(out).writerows(found)
        names_nobody(out.getvalue(), "export")


async def test_who_sees_every_ticket_reads_what_was_written(console: Console) -> None:
    ident = await sealed_ticket(console, type="report")
    leader = await console.signed_in("shift_leader")
    shown = await whole(leader, f"/tickets/{ident}")
    assert NAME in shown
    assert "举报偷排" in await whole(leader, f"/search?text={NAME}")


async def test_an_ordinary_ticket_is_read_by_the_unit_as_it_was_written(console: Console) -> None:
    made = await console.ticket("water", narrative=f"{NAME}称路灯不亮")
    officer = await console.signed_in("dept_officer")
    assert NAME in await whole(officer, f"/tickets/{made.id}")
    assert f"/tickets/{made.id}" in await whole(officer, f"/search?text={NAME}")


@pytest.mark.parametrize("phrase", [NAME, "覃卓", "卓尔", f"{NAME}举报", "覃 卓尔", "138 7736", "7736 5544"])
async def test_looking_for_the_reporter_does_not_say_which_ticket_it_is(
    console: Console, phrase: str
) -> None:
    await sealed_ticket(console, type="report")
    plain = await console.ticket("water", narrative="别的事情")
    officer = await console.signed_in("dept_officer")
    for path in (f"/search?text={phrase}", f"/unit?text={phrase}", f"/search/count?text={phrase}"):
        shown = await whole(officer, path)
        assert "偷排" not in shown, path
        assert "/tickets/" not in shown.replace(f"/tickets/{plain.id}", ""), path
    count = await whole(officer, f"/search/count?text={phrase}")
    assert count == await whole(officer, "/search/count?text=没有这样的话")


async def test_a_page_of_results_is_full_although_a_sealed_ticket_was_left_out(console: Console) -> None:
    made = [(await console.ticket("water", narrative=f"{NAME}第{number}件")).id for number in range(3)]
    await sealed_ticket(console, type="report")
    made += [(await console.ticket("water", narrative=f"{NAME}第{number}件")).id for number in range(3)]
    officer = await console.signed_in("dept_officer")
    shown = await whole(officer, f"/search?text={NAME}")
    assert all(f"/tickets/{ident}" in shown for ident in made)
    assert "偷排" not in shown


async def test_more_tickets_than_a_statement_has_parameters_are_asked_about_at_once(console: Console) -> None:
    ident = await sealed_ticket(console, type="report")
    async with console.ctx.db.read() as session:
        officer = await console.ctx.people.actor_for_user(session, console.users["dept_officer"])
        assert officer is not None
        assert list(await veils(session, officer, range(1, 70_000))) == [ident]
