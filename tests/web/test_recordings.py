"""Recordings on the ticket page: who may listen, why, for how long, and how it is served."""

from __future__ import annotations

import io
import json
import struct
import wave
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from telephony.controls import marks
from telephony.recordings import SIMULATED_PBX
from tests.web.conftest import Browser, Console


def wav(samples: int = 490, *, length: int | None = None, loud: int = 9000) -> bytes:
    """A telephone's WAV; `length` is what its header claims."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{samples}h", *(loud if at % 2 else -loud for at in range(samples))))
    made = out.getvalue()
    return made if length is None else made[:40] + struct.pack("<I", length) + made[44:]


SOUND = wav()  # 1024 bytes
CALL = (
    "INSERT INTO call_session (pbx, session_key, direction, caller_kind, state, queues, transfers, "
    "linkedids, recording, started_at, version) VALUES (:pbx, :key, 'inbound', 'mobile', :state, '[]', "
    "'[]', '[]', :recording, :at, 1) RETURNING id"
)
HX = {"HX-Request": "true"}


async def call_of(
    console: Console,
    ticket: int | None,
    *,
    key: str = "1.1",
    pbx: str = SIMULATED_PBX,
    state: str = "ended",
    recording: str | None = "rec-1.1.wav",
) -> int:
    """A call, the one that made `ticket` if one is given."""
    async with console.ctx.db.begin() as uow:
        values = {"pbx": pbx, "key": key, "state": state, "recording": recording, "at": uow.now}
        ident: int = (await uow.session.execute(text(CALL), values)).scalar_one()
        update = text("UPDATE ticket SET call_session_id = :call WHERE id = :ticket")
        await uow.session.execute(update, {"call": ident, "ticket": ticket})
    return ident


def recorded(console: Console, name: str = "rec-1.1.wav") -> Path:
    """A recording in the PBX's folder."""
    folder = console.ctx.settings.var / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(SOUND)
    return path


async def listen(browser: Browser, ticket: int, call: int, reason: str = "核对来电内容") -> int:
    return (await browser.post(f"/tickets/{ticket}/calls/{call}/listen", {"reason": reason})).status


async def fetch(browser: Browser, ticket: int, call: int, **headers: str) -> tuple[int, bytes, Any]:
    url = f"{browser.base}/tickets/{ticket}/calls/{call}/recording"
    async with browser.session.get(url, headers={"Accept": "*/*", **headers}) as answer:
        return answer.status, await answer.read(), answer.headers


async def listened(console: Console, action: str = "recording.listen") -> list[Any]:
    query = "SELECT actor_login, object_id, reason, detail FROM audit_log WHERE action = :action"
    async with console.ctx.db.read() as session:
        return [tuple(row) for row in await session.execute(text(query), {"action": action})]


@pytest.mark.parametrize("login", ["dept_officer", "agent", "dispatcher"])
async def test_who_sees_the_ticket_listens_after_a_reason_that_is_audited(
    console: Console, login: str
) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    browser = await console.signed_in(login)
    page = (await browser.get(f"/tickets/{made.id}")).text
    assert "收听原因" in page
    assert "<audio" not in page
    assert (await fetch(browser, made.id, call))[0] == 403
    assert await listen(browser, made.id, call, "  ") == 422
    assert (await fetch(browser, made.id, call))[0] == 403
    assert await listened(console) == []
    assert await listen(browser, made.id, call) == 303
    assert (await fetch(browser, made.id, call))[:2] == (200, SOUND)
    assert (
        f'src="/tickets/{made.id}/calls/{call}/recording"' in (await browser.get(f"/tickets/{made.id}")).text
    )
    assert await listened(console) == [(login, call, "核对来电内容", {"ticket": made.id})]


async def test_the_player_takes_the_place_of_the_form(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    browser = await console.signed_in("dept_officer")
    path = f"/tickets/{made.id}/calls/{call}/listen"
    answer = await browser.post(path, {"reason": "核对"}, headers=HX)
    assert answer.status == 200
    assert "<audio controls" in answer.text
    assert f'wave="/tickets/{made.id}/calls/{call}/waveform"' in answer.text
    assert "<html" not in answer.text


async def test_a_reason_opens_one_recording_to_one_person_for_half_an_hour(
    console: Console, clock: ManualClock
) -> None:
    made = await console.ticket("water")
    first = await call_of(console, made.id)
    recorded(console)
    other = await console.ticket("water")
    second = await call_of(console, other.id, key="2.2", recording="rec-2.2.wav")
    recorded(console, "rec-2.2.wav")
    officer, head = await console.signed_in("dept_officer"), await console.signed_in("dept_head")
    assert await listen(officer, made.id, first) == 303
    assert (await fetch(officer, made.id, first))[0] == 200
    assert (await fetch(officer, other.id, second))[0] == 403
    assert (await fetch(head, made.id, first))[0] == 403
    clock.step(29 * 60)
    assert (await fetch(officer, made.id, first))[0] == 200
    clock.step(2 * 60)
    again = await console.signed_in("dept_officer")
    assert (await fetch(again, made.id, first))[0] == 403


@pytest.mark.parametrize(
    "sealed", [{"type": "report"}, {"confidentiality": "secret"}, {"confidentiality": "anonymous"}]
)
async def test_a_unit_never_hears_a_sealed_reporter(console: Console, sealed: dict[str, str]) -> None:
    made = await console.ticket("water", **sealed)
    call = await call_of(console, made.id)
    recorded(console)
    officer = await console.signed_in("dept_officer")
    page = (await officer.get(f"/tickets/{made.id}")).text
    assert "不向承办单位开放" in page
    assert "收听原因" not in page
    assert await listen(officer, made.id, call) == 403
    assert (await fetch(officer, made.id, call))[0] == 403
    assert await listened(console) == []
    assert await listened(console, "recording.refused") == [
        ("dept_officer", call, "核对来电内容", {"ticket": made.id})
    ]
    leader = await console.signed_in("shift_leader")
    assert await listen(leader, made.id, call) == 303
    assert (await fetch(leader, made.id, call))[0] == 200


async def test_a_recording_opened_before_the_ticket_was_sealed_is_closed_with_it(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    officer = await console.signed_in("dept_officer")
    assert await listen(officer, made.id, call) == 303
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE ticket SET confidentiality = 'secret'"))
    assert (await fetch(officer, made.id, call))[0] == 403


async def test_another_ticket_of_the_same_call_does_not_let_a_sealed_reporter_be_heard(
    console: Console,
) -> None:
    report = await console.ticket("road", type="report")
    made = await console.ticket("water")
    call = await call_of(console, report.id)
    async with console.ctx.db.begin() as uow:
        update = text("UPDATE ticket SET call_session_id = :call WHERE id = :ticket")
        await uow.session.execute(update, {"call": call, "ticket": made.id})
    recorded(console)
    officer = await console.signed_in("dept_officer")
    assert "收听原因" not in (await officer.get(f"/tickets/{made.id}")).text
    assert await listen(officer, made.id, call) == 403


async def test_a_call_of_another_ticket_and_a_foreign_ticket_are_not_found(console: Console) -> None:
    made, other = await console.ticket("water"), await console.ticket("road")
    call, foreign = await call_of(console, made.id), await call_of(console, other.id, key="2.2")
    loose = await call_of(console, None, key="3.3")
    recorded(console)
    officer = await console.signed_in("dept_officer")
    for ticket, ident in ((made.id, foreign), (made.id, loose), (other.id, foreign), (other.id, call)):
        assert await listen(officer, ticket, ident) == 404
        assert (await fetch(officer, ticket, ident))[0] == 404
    assert await listened(console) == []


async def test_a_call_that_was_about_the_ticket_is_heard_as_well(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, None)
    recorded(console)
    async with console.ctx.db.begin() as uow:
        insert = (
            "INSERT INTO ticket_contact (ticket_id, round, at, purpose, means, result, note, "
            "call_session_id) VALUES (:ticket, 1, :at, 'handling', 'phone', 'reached', '', :call)"
        )
        await uow.session.execute(text(insert), {"ticket": made.id, "at": uow.now, "call": call})
    officer = await console.signed_in("dept_officer")
    assert await listen(officer, made.id, call) == 303
    assert (await fetch(officer, made.id, call))[:2] == (200, SOUND)


async def test_where_nothing_can_be_heard_a_sentence_says_why(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    cases = {
        "这次通话没有录音": (410, "录音不在了", {"recording": None}),
        "通话结束后可听录音": (409, "通话还没有结束", {"state": "talking"}),
        "没有设置录音目录": (410, "录音不在了", {"pbx": "pbx-elsewhere"}),
    }
    for number, (sentence, (status, code, call)) in enumerate(cases.items()):
        ident = await call_of(console, made.id, key=f"{number}.9", **call)  # type: ignore[arg-type]  # a case
        assert sentence in (await browser.get(f"/tickets/{made.id}")).text
        answer = await browser.post(f"/tickets/{made.id}/calls/{ident}/listen", {"reason": "核对"})
        assert answer.status == status
        assert code in answer.text


async def test_a_file_that_is_gone_or_lies_elsewhere_is_missed_calmly(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    call = await call_of(console, made.id)
    path = recorded(console)
    assert await listen(browser, made.id, call) == 303
    path.unlink()
    assert (await fetch(browser, made.id, call))[0] == 410
    assert await listen(browser, made.id, call) == 410
    secret = path.parent.parent / "secret.wav"
    secret.write_bytes(b"secret")
    path.symlink_to(secret)
    assert (await fetch(browser, made.id, call))[0] == 410
    climbing = await call_of(console, made.id, key="9.9", recording="../secret.wav")
    assert await listen(browser, made.id, climbing) == 410


RANGES: dict[str, tuple[int, bytes, str | None]] = {
    "bytes=0-": (206, SOUND, "bytes 0-1023/1024"),
    "bytes=0-0": (206, SOUND[:1], "bytes 0-0/1024"),
    "bytes=1000-": (206, SOUND[1000:], "bytes 1000-1023/1024"),
    "bytes=100-199": (206, SOUND[100:200], "bytes 100-199/1024"),
    "bytes=1000-9999": (206, SOUND[1000:], "bytes 1000-1023/1024"),
    "bytes=-24": (206, SOUND[-24:], "bytes 1000-1023/1024"),
    "bytes=-9999": (206, SOUND, "bytes 0-1023/1024"),
    "bytes=1024-": (416, b"", "bytes */1024"),
    "bytes=0-1,5-6": (200, SOUND, None),
    "bytes=9-3": (200, SOUND, None),
    "lines=0-3": (200, SOUND, None),
}


async def test_the_player_may_seek(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    browser = await console.signed_in("dept_officer")
    await listen(browser, made.id, call)
    for asked, (status, body, place) in RANGES.items():
        answer = await fetch(browser, made.id, call, Range=asked)
        assert answer[:2] == (status, body), asked
        assert answer[2].get("Content-Range") == place, asked
    tag = (await fetch(browser, made.id, call))[2]["ETag"]
    headers = {"Range": "bytes=0-9", "If-Range": tag}
    assert (await fetch(browser, made.id, call, **headers))[:2] == (206, SOUND[:10])
    assert (await fetch(browser, made.id, call, **{**headers, "If-Range": '"old"'}))[:2] == (200, SOUND)


async def test_the_sound_is_served_as_nothing_but_sound(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    browser = await console.signed_in("dept_officer")
    path = recorded(console)
    await listen(browser, made.id, call)
    path.write_bytes(b"<script>alert(1)</script>")
    _status, _body, headers = await fetch(browser, made.id, call)
    assert headers["Content-Type"] == "audio/wav"
    assert headers["Content-Disposition"] == f'inline; filename="call-{call}.wav"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


SILENT = {
    "empty": (wav(0), "没有声音"),
    "a header cut off": (wav()[:30], "录音文件损坏"),
    "nothing of a sound": (b"<html>" * 20, "录音文件损坏"),
    "only a start": (b"RIFF", "录音文件损坏"),
}


@pytest.mark.parametrize("name", SILENT)
async def test_a_file_without_sound_is_told_before_a_reason_is_kept(console: Console, name: str) -> None:
    body, sentence = SILENT[name]
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console).write_bytes(body)
    browser = await console.signed_in("dept_officer")
    path = f"/tickets/{made.id}/calls/{call}/listen"
    answer = await browser.post(path, {"reason": "核对来电内容"})
    assert (answer.status, sentence in answer.text) == (410, True)
    piece = await browser.post(path, {"reason": "核对来电内容"}, headers=HX)
    assert (piece.status, sentence in piece.text, "<audio" in piece.text) == (200, True, False)
    assert await listened(console) == []


async def test_a_recording_that_was_never_finished_plays_all_the_same(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console).write_bytes(wav(8000, length=0))
    browser = await console.signed_in("dept_officer")
    assert await listen(browser, made.id, call) == 303
    shape = await shape_of(browser, f"/tickets/{made.id}/calls/{call}")
    assert (shape["state"], shape["seconds"]) == ("sound", 1.0)


async def shape_of(browser: Browser, place: str) -> Any:
    async with browser.session.get(f"{browser.base}{place}/waveform") as answer:
        return await answer.json() if answer.status == 200 else answer.status


async def test_the_shape_and_the_marks_are_open_as_long_as_the_sound_is(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    marks = [
        {"kind": "agent", "at": 0.0, "until": 4.0, "who": "1001", "to": ""},
        {"kind": "blind", "at": 4.0, "until": None, "who": "1001", "to": "1002"},
    ]
    async with console.ctx.db.begin() as uow:
        update = text("UPDATE call_session SET marks = CAST(:marks AS jsonb) WHERE id = :id")
        await uow.session.execute(update, {"marks": json.dumps(marks), "id": call})
    browser = await console.signed_in("dept_officer")
    assert await shape_of(browser, f"/tickets/{made.id}/calls/{call}") == 403
    await listen(browser, made.id, call)
    shape = await shape_of(browser, f"/tickets/{made.id}/calls/{call}")
    assert len(shape["peaks"]) == 490
    assert set(shape["peaks"]) == {27}
    assert [(mark["word"], mark["who"]) for mark in shape["marks"]] == [
        ("通话", "1001"),
        ("盲转", "1001 → 1002"),
    ]


async def test_a_call_without_a_ticket_is_heard_by_who_took_it_and_the_shift_leader_alone(
    console: Console,
) -> None:
    call = await call_of(console, None)
    recorded(console)
    async with console.ctx.db.begin() as uow:
        leg = (
            "INSERT INTO call_leg (session_id, leg_key, extension, user_id, state, ring_seconds, "
            "talk_seconds, hold_seconds) VALUES (:call, '1', '1', :user, 'ended', 1, 1, 0)"
        )
        await uow.session.execute(text(leg), {"call": call, "user": console.users["agent"]})
    place, reason = f"/calls/{call}", {"reason": "质检"}
    for login, status in (("dept_officer", 403), ("system_admin", 403), ("dispatcher", 403)):
        browser = await console.signed_in(login)
        assert (await browser.post(f"{place}/listen", reason)).status == status, login
    for login in ("agent", "shift_leader", "supervision_officer"):
        browser = await console.signed_in(login)
        assert "收听原因" in (await browser.get(place)).text
        assert await shape_of(browser, place) == 403
        answer = await browser.post(f"{place}/listen", reason)
        assert (answer.status, answer.headers["Location"]) == (303, f"{place}#call-{call}")
        assert (await shape_of(browser, place))["state"] == "sound"
        async with browser.session.get(f"{browser.base}{place}/recording") as sound:
            assert await sound.read() == SOUND
    assert {row[0] for row in await listened(console)} == {"agent", "shift_leader", "supervision_officer"}
    foreign = await call_of(console, None, key="3.3")
    agent = await console.signed_in("agent")
    assert (await agent.post(f"/calls/{foreign}/listen", reason)).status == 404


async def test_a_recording_that_retention_took_away_is_told_so(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE call_session SET recording_gone_at = :at"), {"at": uow.now})
    browser = await console.signed_in("dept_officer")
    assert "已按保留期限清理" in (await browser.get(f"/tickets/{made.id}")).text
    answer = await browser.post(f"/tickets/{made.id}/calls/{call}/listen", {"reason": "核对"})
    assert (answer.status, "已过保留期限" in answer.text) == (410, True)


async def test_the_ticket_tells_that_its_call_was_passed_on_to_the_police(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id, recording=None)
    async with console.ctx.db.begin() as uow:
        await marks.add(uow, call, "emergency", None, {"target": "110"})
        await marks.add(uow, call, "hold", None)
    page = (await (await console.signed_in("dept_officer")).get(f"/tickets/{made.id}")).text
    assert "转紧急 110（公安）" in page
    assert "保持" not in page
