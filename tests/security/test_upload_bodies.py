"""Uploads whose body is no proper one: told in a sentence, never a failure of ours, and nothing stays."""

from __future__ import annotations

import pytest

from tests.security.test_uploads import kept_files, newest, rows
from tests.web.conftest import Answer, Browser, Console

_HEAD = b'--B\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
_WHOLE = _HEAD + b"text\r\n"
_FIELD = b'--B\r\nContent-Disposition: form-data; name="audience"\r\n\r\nhandling\r\n'
MALFORMED = {
    "nothing": b"",
    "another boundary": _WHOLE.replace(b"--B", b"--C") + b"--C--\r\n",
    "no boundary at all": b"text",
    "no final boundary": _WHOLE,
    "cut within the file": _HEAD + b"te",
    "cut within the header": _WHOLE + b"--B\r\nContent-Dispo",
    "cut behind the first boundary": b"--B",
    "no final boundary behind a field": _WHOLE + _FIELD,
    "no file name": _WHOLE.replace(b'; filename="a.txt"', b"") + b"--B--\r\n",
    "no name": _WHOLE.replace(b'name="files"; ', b"") + b"--B--\r\n",
    "no disposition": b"--B\r\n\r\ntext\r\n--B--\r\n",
    "a header that is none": b"--B\r\nnothing here\r\n\r\ntext\r\n--B--\r\n",
    "a huge header": _WHOLE.replace(b"a.txt", b"a" * 20_000 + b".txt") + b"--B--\r\n",
    "many headers": _WHOLE.replace(b"\r\n\r\n", b"\r\nX: y" * 500 + b"\r\n\r\n", 1) + b"--B--\r\n",
    "another charset": _WHOLE + _FIELD.replace(b"handling", b"\xff\xfe") + b"--B--\r\n",
    "a default charset too long": (
        b'--B\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n' + b"x" * 99 + b"\r\n--B--\r\n"
    ),
    "parts within a part": (
        b'--B\r\nContent-Disposition: form-data; name="files"\r\n'
        b"Content-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n\r\ntext\r\n--C--\r\n--B--\r\n"
    ),
}
# Odd, but everything that matters can still be read.
ODD = {
    "an unknown charset": _WHOLE.replace(b'filename="a.txt"', b"filename*=klingon''a.txt"),
    "a length that lies": _WHOLE.replace(b"\r\n\r\n", b"\r\nContent-Length: 999\r\n\r\n", 1),
    "a length that is none": _WHOLE.replace(b"\r\n\r\n", b"\r\nContent-Length: x\r\n\r\n", 1),
}
TYPES = (
    "multipart/form-data",
    "multipart/form-data; boundary=" + "B" * 100,
    "multipart/form-data; boundary=é",
)


async def send_raw(
    browser: Browser, path: str, body: bytes, kind: str = "multipart/form-data; boundary=B"
) -> Answer:
    return await browser.post(path, body or b"\r\n", headers={"Content-Type": kind})


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_upload_is_told_so_and_leaves_nothing(console: Console, name: str) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    answer = await send_raw(officer, f"/tickets/{made.id}/attachments", MALFORMED[name])
    assert answer.status == 400, answer.text[-300:]
    assert "没有保存" in answer.text
    assert await rows(console, "SELECT 1 FROM ticket_attachment") == []
    assert list(console.ctx.attachments.store.folder.rglob("*")) in (
        [],
        [console.ctx.attachments.store.folder / ".incoming"],
    )


@pytest.mark.parametrize("kind", TYPES)
async def test_an_upload_without_a_proper_boundary_is_told_so(console: Console, kind: str) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    answer = await send_raw(officer, f"/tickets/{made.id}/attachments", _WHOLE + b"--B--\r\n", kind)
    assert answer.status == 400
    assert kept_files(console) == []


async def test_a_proper_body_of_the_same_make_comes_in(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    path = f"/tickets/{made.id}/attachments"
    assert (await send_raw(officer, path, _WHOLE + _FIELD + b"--B--\r\n")).status == 303
    assert (await newest(console)).name == "a.txt"


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_part_is_kept_whole_or_not_at_all(console: Console, name: str) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    answer = await send_raw(officer, f"/tickets/{made.id}/attachments", ODD[name] + b"--B--\r\n")
    assert answer.status in (303, 400), answer.text[-300:]
    kept = [path.read_bytes() for path in kept_files(console)]
    assert kept == ([b"text"] if answer.status == 303 else [])


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_form_is_never_a_failure_of_ours(console: Console, name: str) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    for path in (f"/tickets/{made.id}/notes", f"/tickets/{made.id}/do/note", "/search"):
        answer = await send_raw(officer, path, MALFORMED[name].replace(b'"files"', b'"note"'))
        assert answer.status in (303, 400, 413, 422), (path, answer.status)
