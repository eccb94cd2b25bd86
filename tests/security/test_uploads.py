"""Files from outside: what may come in, what must not, and who may fetch what came in."""

from __future__ import annotations

import asyncio
import io
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image
from sqlalchemy import text

from core.settings import Settings
from tests.tickets import files
from tests.web.conftest import Answer, Browser, Console
from tickets.attachments import pictures, scanner, sniff
from tickets.attachments.names import MAX_NAME, clean_name

NAMES = {
    "../../etc/passwd.jpg": "passwd.jpg",
    "..\\..\\windows\\system.jpg": "system.jpg",
    "C:\\temp\\现场.JPG": "现场.jpg",
    "a\x00.html\x00.jpg": "a.html.jpg",
    "\u202egpj.exe.jpg": "gpj.exe.jpg",
    "line\r\nbreak.jpg": "linebreak.jpg",
    "王小明13800001234.jpg": "王小明138____1234.jpg",
    '<img src=x>"|.jpg': "_img src=x___.jpg",
    "....jpg": "附件.jpg",
    " .jpg": "附件.jpg",
}


def form(name: str, content: bytes, **fields: str) -> FormData:
    data = FormData(fields, quote_fields=False)  # as browsers do
    data.add_field("files", io.BytesIO(content), filename=name, content_type="application/octet-stream")
    return data


async def send(browser: Browser, ticket: int, name: str, content: bytes, **fields: str) -> Answer:
    return await browser.post(f"/tickets/{ticket}/attachments", form(name, content, **fields))


async def rows(console: Console, statement: str, **values: Any) -> list[Any]:
    async with console.ctx.db.read() as session:
        return list((await session.execute(text(statement), values)).all())


async def newest(console: Console) -> Any:
    return (await rows(console, "SELECT * FROM ticket_attachment ORDER BY id DESC LIMIT 1"))[0]


def kept_files(console: Console) -> list[Path]:
    folder = console.ctx.attachments.store.folder
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("given", "kept"), NAMES.items())
def test_a_name_becomes_harmless(given: str, kept: str) -> None:
    assert clean_name(given, "jpg") == kept


def test_a_name_of_300_characters_is_cut_and_keeps_its_ending() -> None:
    name = clean_name("长" * 300 + ".jpg", "jpg")
    assert len(name) == MAX_NAME
    assert name.endswith("长.jpg")


@pytest.mark.parametrize("name", files.BAD)
def test_what_is_not_what_it_says_or_acts_is_refused(name: str, tmp_path: Path) -> None:
    content, code = files.BAD[name]
    path = tmp_path / "file"
    path.write_bytes(content)

    def look() -> None:
        kind = sniff.kind_of(name)
        sniff.check(path, kind)
        if kind.family == "image":
            pictures.remake(path, tmp_path / "made", tmp_path / "thumb", kind.code, megapixels=50)

    with pytest.raises(Exception, match=code):
        look()


async def test_every_kind_of_the_list_comes_in_and_goes_out_as_it_should(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    for name, content in files.GOOD.items():
        assert (await send(browser, made.id, name, content)).status == 303, name
        item = await newest(console)
        assert item.name == name
        answer = await browser.get(f"/tickets/{made.id}/attachments/{item.id}/file?view=inline")
        way = answer.headers["Content-Disposition"].split(";")[0]
        assert way == ("inline" if item.kind in pictures.FORMATS else "attachment"), name
        assert answer.headers["Content-Type"].split(";")[0] == sniff.KINDS[item.kind].mime
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        download = await browser.get(f"/tickets/{made.id}/attachments/{item.id}/file")
        assert download.headers["Content-Disposition"].startswith("attachment;")
    page = await browser.get(f"/tickets/{made.id}/attachments")
    assert all(name in page.text for name in files.GOOD)
    leader = await console.signed_in("shift_leader")
    for item in await rows(console, "SELECT id, name, sha256 FROM ticket_attachment"):
        for reader in (browser, leader):
            one = await reader.get(f"/tickets/{made.id}/attachments/{item.id}")
            assert one.status == 200
            assert item.sha256 in one.text


async def test_a_refused_file_is_kept_nowhere_and_audited(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    names = ("page.html", "picture.svg", "script.pdf", "page.jpg", "macro.docx", "bomb.xlsx")
    for name in names:
        answer = await send(browser, made.id, name, files.BAD[name][0])
        assert answer.status == 422
        assert "没有保存" in answer.text
    assert kept_files(console) == []
    assert await rows(console, "SELECT 1 FROM ticket_attachment") == []
    query = "SELECT object_id, detail FROM audit_log WHERE action = 'attachment.refuse' ORDER BY id"
    found = await rows(console, query)
    expected = [(made.id, files.BAD[name][1]) for name in names]
    assert [(row.object_id, row.detail["code"]) for row in found] == expected
    assert not any(name in str(row.detail) for name, row in zip(names, found, strict=True))


async def test_one_refused_file_does_not_take_the_others_with_it(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    data = form("好.txt", "好".encode())
    data.add_field("files", b"MZ", filename="bad.exe")
    data.add_field("files", files.picture(), filename="好.jpg")
    answer = await browser.post(f"/tickets/{made.id}/attachments", data)
    assert answer.status == 422
    assert "bad.exe" in answer.text
    assert {row.name for row in await rows(console, "SELECT name FROM ticket_attachment")} == {
        "好.txt",
        "好.jpg",
    }


async def test_place_camera_and_comment_are_gone_from_a_photo(console: Console) -> None:
    sent = files.photo_with_place()
    assert b"SecretCamera" in sent
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    await send(browser, made.id, "现场.jpg", sent + b"<script>alert(1)</script>")
    item = await newest(console)
    path = console.ctx.attachments.store.path(item.key)
    content = path.read_bytes()
    for secret in (b"SecretCamera", b"secret-comment", b"Exif", b"<script"):
        assert secret not in content
    with Image.open(io.BytesIO(content)) as again:
        assert again.size == (64, 48)
        assert not again.getexif()
    assert path.name == item.key
    assert "现场" not in str(path)


async def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    answer = await send(browser, made.id, "a.png", out.getvalue())
    assert "展开后过大" in answer.text
    assert kept_files(console) == []


async def test_a_file_above_its_limit_is_refused_while_it_comes(console: Console) -> None:
    limits = console.ctx.settings.uploads.model_copy(update={"document_megabytes": 1})
    console.ctx.attachments.limits = limits
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    answer = await send(browser, made.id, "a.txt", b"a" * (1024 * 1024 + 1))
    assert "文件过大" in answer.text
    assert kept_files(console) == []
    assert (await send(browser, made.id, "a.txt", b"a" * (1024 * 1024))).status == 303


async def test_an_empty_file_and_no_file_are_refused(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    assert "没有内容" in (await send(browser, made.id, "a.txt", b"")).text
    data = FormData({"audience": "handling"}, default_to_multipart=True)
    assert (await browser.post(f"/tickets/{made.id}/attachments", data)).status == 422


async def test_unknown_fields_and_odd_uploads_are_refused(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    assert (await send(browser, made.id, "a.txt", b"a", key="x")).status == 400
    assert (await send(browser, made.id, "a.txt", b"a", audience="everybody")).status == 400
    data = FormData()
    data.add_field("other", b"a", filename="a.txt")
    assert (await browser.post(f"/tickets/{made.id}/attachments", data)).status == 400
    broken = {"Content-Type": "multipart/form-data"}
    assert (await browser.post(f"/tickets/{made.id}/attachments", b"x", headers=broken)).status == 400
    assert kept_files(console) == []


async def test_an_attachment_is_found_only_under_its_own_ticket_and_by_who_sees_it(console: Console) -> None:
    made, other = await console.ticket("water"), await console.ticket("road")
    officer = await console.signed_in("dept_officer")
    await send(officer, made.id, "a.jpg", files.picture())
    item = await newest(console)
    stranger = await console.signed_in("road_officer")
    for browser, ticket in ((stranger, made.id), (stranger, other.id), (officer, other.id)):
        for path in ("", "/file", "/file?view=thumb"):
            answer = await browser.get(f"/tickets/{ticket}/attachments/{item.id}{path}")
            assert answer.status == 404, (ticket, path)
        for act, data in (("withdraw", {"reason": "x"}), ("audience", {"audience": "public"})):
            answer = await browser.post(f"/tickets/{ticket}/attachments/{item.id}/{act}", data)
            assert answer.status in (403, 404), (ticket, act)
    assert (await send(stranger, made.id, "b.txt", b"b")).status == 404
    assert (await newest(console)).withdrawn_at is None
    assert (await officer.get(f"/tickets/{made.id}/attachments/{item.id}/file")).status == 200


async def test_what_may_tell_who_reported_is_hidden_from_the_handling_unit(console: Console) -> None:
    made = await console.ticket("water", confidentiality="secret")
    hotline, officer = await console.signed_in("dispatcher"), await console.signed_in("dept_officer")
    await send(hotline, made.id, "证据.jpg", files.picture(), identifies="1")
    item = await newest(console)
    assert (item.audience, item.identifies) == ("hotline", True)
    base = f"/tickets/{made.id}/attachments"
    assert "证据" not in (await officer.get(base)).text
    assert (await officer.get(f"{base}/{item.id}/file")).status == 404
    assert (await hotline.post(f"{base}/{item.id}/audience", {"audience": "handling"})).status == 422
    await send(
        hotline,
        made.id,
        "副本.jpg",
        files.picture(size=(30, 30)),
        audience="handling",
        redacted_of=str(item.id),
    )
    copy = await newest(console)
    assert copy.redacted_of_id == item.id
    assert "副本" in (await officer.get(base)).text
    assert (await officer.get(f"{base}/{copy.id}/file")).status == 200


async def test_a_mark_that_comes_too_late_still_hides_the_file(console: Console) -> None:
    made = await console.ticket("water")
    hotline, officer = await console.signed_in("dispatcher"), await console.signed_in("dept_officer")
    await send(hotline, made.id, "a.jpg", files.picture(), identifies="1", audience="handling")
    item = await newest(console)
    path = f"/tickets/{made.id}/attachments/{item.id}/file"
    assert (await officer.get(path)).status == 200
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE ticket SET confidentiality = 'secret'"))
    assert (await officer.get(path)).status == 404


async def test_what_is_for_the_public_is_looked_through_first(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    public = {"audience": "public", "checked": "1"}
    for name, content in {
        "a.txt": "请致电13800001234".encode(),
        "b.docx": files.docx("请致电13800001234"),
        "d.docx": files.docx("请致电&#49;3800001&#x32;34"),
    }.items():
        assert "个人信息" in (await send(officer, made.id, name, content, **public)).text
    assert "请先核对" in (await send(officer, made.id, "c.txt", b"ok", audience="public")).text
    assert (await send(officer, made.id, "c.txt", b"ok", **public)).status == 303


async def test_a_withdrawn_attachment_stays_with_its_reason_and_is_handed_out_no_more(
    console: Console,
) -> None:
    made = await console.ticket("water")
    officer, hotline = await console.signed_in("dept_officer"), await console.signed_in("dispatcher")
    await send(officer, made.id, "错.txt", b"wrong")
    item = await newest(console)
    base = f"/tickets/{made.id}/attachments"
    assert (await officer.post(f"{base}/{item.id}/withdraw", {"reason": " "})).status in (400, 422)
    assert (await officer.post(f"{base}/{item.id}/withdraw", {"reason": "传错了"})).status == 303
    assert (await officer.get(f"{base}/{item.id}/file")).status == 404
    assert (await hotline.get(f"{base}/{item.id}/file")).status == 404
    inspector = await console.signed_in("inspector")
    assert (await inspector.get(f"{base}/{item.id}/file")).status == 200
    assert "传错了" in (await hotline.get(base)).text
    found = await rows(console, "SELECT reason FROM audit_log WHERE action = 'attachment.withdraw'")
    assert [row.reason for row in found] == ["传错了"]
    with pytest.raises(Exception, match="ticket_attachment"):
        await rows(console, "DELETE FROM ticket_attachment")


async def test_the_same_file_twice_is_one_attachment(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    for _ in range(2):
        assert (await send(officer, made.id, "a.jpg", files.picture())).status == 303
    assert len(await rows(console, "SELECT 1 FROM ticket_attachment")) == 1
    assert len(kept_files(console)) == 2  # the picture and its thumb


async def test_inspectors_fetch_and_add_nothing(console: Console) -> None:
    made = await console.ticket("water")
    inspector = await console.signed_in("inspector")
    assert (await send(inspector, made.id, "a.txt", b"a")).status == 403
    assert "选择文件" not in (await inspector.get(f"/tickets/{made.id}/attachments")).text


async def test_a_scanner_has_the_last_word(console: Console, tmp_path: Path) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    script = tmp_path / "scanner.py"
    command = shlex.join([sys.executable, "-S", str(script)])
    console.ctx.attachments.limits = console.ctx.settings.uploads.model_copy(update={"scanner": command})
    for status, expected in ((1, 422), (2, 422), (0, 303)):
        script.write_text(
            f"import sys\nwith open(sys.argv[1]) as file: sys.exit({status} if file.read() == 'text' else 3)"
        )
        assert (await send(officer, made.id, "a.txt", b"text")).status == expected
    query = "SELECT detail FROM audit_log WHERE action = 'attachment.refuse' ORDER BY id"
    codes = [row.detail["code"] for row in await rows(console, query)]
    assert codes == ["attachment_infected", "attachment_unscanned"]
    assert (await newest(console)).scanned


async def test_a_scanner_that_does_not_exist_lets_nothing_in(console: Console) -> None:
    limits = console.ctx.settings.uploads.model_copy(update={"scanner": "/no/such/scanner"})
    console.ctx.attachments.limits = limits
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    assert "安全检查" in (await send(officer, made.id, "a.txt", b"text")).text
    assert kept_files(console) == []


async def test_a_file_whose_row_could_not_be_written_does_not_stay(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object) -> None:
        raise RuntimeError("the database went away")

    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    monkeypatch.setattr(console.ctx.attachments, "_insert", broken)
    assert (await send(officer, made.id, "a.jpg", files.picture())).status == 500
    assert kept_files(console) == []


async def test_a_copy_is_of_an_attachment_of_the_same_ticket(console: Console) -> None:
    made, other = await console.ticket("water"), await console.ticket("road")
    officer, stranger = await console.signed_in("dept_officer"), await console.signed_in("road_officer")
    await send(stranger, other.id, "a.txt", b"theirs")
    foreign = str((await newest(console)).id)
    assert (await send(officer, made.id, "b.txt", b"ours", redacted_of=foreign)).status == 422
    assert len(await rows(console, "SELECT 1 FROM ticket_attachment")) == 1


async def test_files_without_a_row_are_swept_and_others_stay(console: Console, settings: Settings) -> None:
    import os

    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await send(officer, made.id, "a.txt", b"text")
    service = console.ctx.attachments
    orphan, fresh = service.store.path("ab" + "0" * 38), service.store.path("ab" + "1" * 38)
    entrance = service.store.folder / ".incoming" / "crashed"
    entrance.mkdir(parents=True)
    orphan.parent.mkdir(exist_ok=True)
    for path in (orphan, fresh, entrance / "half"):
        path.write_bytes(b"x")
    known = service.store.path((await newest(console)).key)
    thumb = service.store.thumb("ab" + "2" * 38)
    thumb.write_bytes(b"x")  # the crash came between the thumb and its picture
    for path in (orphan, thumb, known, entrance):
        os.utime(path, (1, 1))
    assert await service.sweep() == 3
    assert not orphan.exists()
    assert not thumb.exists()
    assert not entrance.exists()
    assert fresh.exists()
    assert known.exists()


async def test_a_hundred_attachments_are_not_added_to_one_ticket(console: Console) -> None:
    console.ctx.attachments.limits = console.ctx.settings.uploads.model_copy(update={"per_ticket": 2})
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    for number in range(2):
        assert (await send(officer, made.id, "a.txt", b"%d" % number)).status == 303
    assert "数量已满" in (await send(officer, made.id, "a.txt", b"more")).text


# ---- while a file is looked at --------------------------------------------------------------


async def ticket_is_free(console: Console, ticket: int) -> bool:
    """Whether another transaction could write the ticket at this moment."""
    query = text("SELECT 1 FROM ticket WHERE id = :id FOR UPDATE SKIP LOCKED")
    async with console.ctx.db.begin() as uow:
        return (await uow.session.execute(query, {"id": ticket})).first() is not None


async def test_nobody_waits_for_the_ticket_while_a_file_is_scanned(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    free: list[bool] = []

    async def scan(*_args: object) -> bool:
        free.append(await ticket_is_free(console, made.id))
        return True

    monkeypatch.setattr(scanner, "scan", scan)
    assert (await send(officer, made.id, "a.txt", b"text")).status == 303
    assert free == [True]
    assert (await newest(console)).scanned


async def test_nobody_waits_for_the_ticket_while_a_file_is_read_before_it_is_published(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await console.ticket("water")
    leader = await console.signed_in("shift_leader")
    await send(leader, made.id, "a.txt", b"text", audience="handling")
    free: list[bool] = []

    async def check(*_args: object) -> None:
        free.append(await ticket_is_free(console, made.id))

    monkeypatch.setattr(console.ctx.attachments, "_check_words", check)
    path = f"/tickets/{made.id}/attachments/{(await newest(console)).id}/audience"
    assert (await leader.post(path, {"audience": "public", "checked": "true"})).status == 303
    assert free == [True]
    assert (await newest(console)).audience == "public"


async def test_a_ticket_that_is_closed_while_a_file_is_scanned_does_not_get_it(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")

    async def scan(*_args: object) -> bool:
        async with console.ctx.db.begin() as uow:
            await uow.session.execute(text("UPDATE ticket SET state = 'archived', stage = NULL"))
        return True

    monkeypatch.setattr(scanner, "scan", scan)
    assert "不能添加附件" in (await send(officer, made.id, "a.txt", b"text")).text
    assert kept_files(console) == []


async def test_a_double_click_is_one_attachment(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    sent = [send(officer, made.id, "a.jpg", files.picture()) for _ in range(4)]
    assert [answer.status for answer in await asyncio.gather(*sent)] == [303] * 4
    assert len(await rows(console, "SELECT 1 FROM ticket_attachment")) == 1
    assert len(kept_files(console)) == 2  # the picture and its thumb
    added = "SELECT 1 FROM audit_log WHERE action = 'attachment.add'"
    assert len(await rows(console, added)) == 1
