"""Messages of the mailbox, answers and questions by keys, on the pages of the ticket and of the call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.web.conftest import Browser, Console
from tests.web.test_recordings import SOUND, call_of, fetch, listen, recorded, wav

NAME = "vm-1.1.wav"


async def left(console: Console, ticket: int | None, **columns: Any) -> int:
    """A call that left a message, and its file."""
    call = await call_of(console, ticket, recording=None)
    recorded(console, NAME).write_bytes(wav(loud=12_000))
    values = {"voicemail": NAME, "voicemail_ms": 9000, **columns}
    sets = ", ".join(f"{name} = :{name}" for name in values)
    async with console.ctx.db.begin() as uow:
        update = text(f"UPDATE call_session SET {sets} WHERE id = :id")
        await uow.session.execute(update, values | {"id": call})
    return call


async def heard(browser: Browser, ticket: int, call: int) -> tuple[int, bytes]:
    url = f"{browser.base}/tickets/{ticket}/calls/{call}/message/recording"
    async with browser.session.get(url) as answer:
        return answer.status, await answer.read()


async def ask(browser: Browser, ticket: int, call: int) -> int:
    path = f"/tickets/{ticket}/calls/{call}/message/listen"
    return (await browser.post(path, {"reason": "核实诉求"})).status


@pytest.mark.parametrize("login", ["dept_officer", "dispatcher"])
async def test_a_message_is_heard_as_recordings_are(console: Console, login: str) -> None:
    made = await console.ticket("water")
    call = await left(console, made.id)
    browser = await console.signed_in(login)
    page = (await browser.get(f"/tickets/{made.id}")).text
    assert "听留言" in page
    assert "这次通话没有录音" not in page
    assert (await heard(browser, made.id, call))[0] == 403
    assert await ask(browser, made.id, call) == 303
    assert await heard(browser, made.id, call) == (200, wav(loud=12_000))
    shown = (await browser.get(f"/tickets/{made.id}")).text
    assert f'src="/tickets/{made.id}/calls/{call}/message/recording"' in shown


async def test_a_talk_and_a_message_of_one_call_are_two_sounds(console: Console) -> None:
    made = await console.ticket("water")
    call = await left(console, made.id, recording="rec-1.1.wav")
    recorded(console)
    browser = await console.signed_in("dispatcher")
    assert await listen(browser, made.id, call) == 303
    assert (await fetch(browser, made.id, call))[:2] == (200, SOUND)
    assert (await heard(browser, made.id, call))[1] != SOUND


async def test_a_unit_never_hears_the_message_of_a_sealed_reporter(console: Console) -> None:
    made = await console.ticket("water", confidentiality="anonymous")
    call = await left(console, made.id)
    officer = await console.signed_in("dept_officer")
    assert "听留言" not in (await officer.get(f"/tickets/{made.id}")).text
    assert await ask(officer, made.id, call) == 403
    assert (await heard(officer, made.id, call))[0] == 403


async def test_a_foreign_ticket_s_message_is_not_found(console: Console) -> None:
    made, other = await console.ticket("water"), await console.ticket("road")
    call = await left(console, other.id)
    officer = await console.signed_in("dept_officer")
    assert await ask(officer, made.id, call) == 404
    assert await ask(officer, other.id, call) == 404


async def test_only_files_of_the_mailbox_s_own_folder_are_messages(console: Console, tmp_path: Path) -> None:
    made = await console.ticket("water")
    call = await left(console, made.id, voicemail="../secret.wav")
    browser = await console.signed_in("dispatcher")
    assert await ask(browser, made.id, call) == 410


@pytest.mark.parametrize(
    ("survey", "solved", "words"),
    [("4", True, "满意，已解决或受理"), ("1", False, "非常不满意，未解决"), (None, None, "未作评价")],
)
async def test_answers_by_keys_stand_with_the_ticket_the_call_made(
    console: Console, survey: str | None, solved: bool | None, words: str
) -> None:
    made = await console.ticket("water")
    call = await left(console, made.id, voicemail=None, survey=survey, survey_solved=solved)
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE call_session SET survey_asked_at = started_at"))
    browser = await console.signed_in("shift_leader")
    assert f"按键评价：{words}" in (await browser.get(f"/tickets/{made.id}")).text
    assert words in (await browser.get(f"/calls/{call}")).text


async def test_a_question_by_keys_stands_with_the_ticket_and_with_the_call(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, None, recording=None)
    async with console.ctx.db.begin() as uow:
        insert = text(
            "INSERT INTO phone_enquiry (pbx, session_key, attempt, ticket_id, answer, at) "
            "SELECT pbx, session_key, 1, :ticket, 'handling', started_at FROM call_session"
        )
        await uow.session.execute(insert, {"ticket": made.id})
    leader = await console.signed_in("shift_leader")
    assert f'<a href="/tickets/{made.id}">{made.number}</a>' in (await leader.get(f"/calls/{call}")).text
    assert "电话按键查询" in (await leader.get(f"/tickets/{made.id}")).text
