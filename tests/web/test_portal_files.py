"""Files of the portal's form: what cannot be taken is named, or made harmless; nothing typed is lost."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from core.settings import Portal, Settings, Uploads
from tests.web.conftest import Answer, Console
from tests.web.portal_rig import Citizen, multipart
from tickets.public import waiting
from web.sentences.portal import FILES
from web.views._uploads import MOST_REFUSED

SCRIPT = b"<html><script>alert(1)</script></html>"


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    uploads = Uploads(image_megabytes=1, document_megabytes=1)
    return settings.model_copy(
        update={"portal": Portal(submissions_per_hour=30, submissions_per_second=30), "uploads": uploads}
    )


@pytest.fixture
async def citizen(console: Console) -> Citizen:
    await console.category()
    return Citizen(console)


async def scalar(console: Console, statement: str) -> Any:
    async with console.ctx.db.read() as session:
        return (await session.execute(sa.text(statement))).scalar_one()


def picture(kind: str = "JPEG", color: str = "red", **more: Any) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(data, kind, **more)
    return data.getvalue()


def several(count: int) -> list[tuple[str, bytes]]:
    """Pictures that are not each other."""
    return [(f"{number}.jpg", picture(color=f"hsl({number * 30}, 80%, 50%)")) for number in range(count)]


def archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        packed.writestr("run.js", "alert(1)")
    return data.getvalue()


def told(answer: Answer) -> list[str]:
    """The sentences beside the files."""
    return re.findall(r'<p class="pt-wrong">(.*?)</p>', answer.text)


def kept(answer: Answer, form: dict[str, str]) -> bool:
    """Whether everything typed is in the page that came back."""
    return all(form[name] in answer.text for name in ("narrative", "phone", "name", "key"))


REFUSED = {
    "over the limit": ("a.jpg", b"\xff\xd8\xff" + b"0" * 1_100_000, "attachment_too_large"),
    "over the limit of documents": ("a.txt", b"a" * 1_100_000, "attachment_too_large"),
    "empty": ("a.jpg", b"", "attachment_empty"),
    "another picture": ("a.png", picture(), "attachment_content"),
    "a program as a picture": ("a.jpg", b"MZ\x90" + b"0" * 200, "attachment_content"),
    "a page as a picture": ("a.jpg", SCRIPT, "attachment_content"),
    "a page as text": ("a.txt", SCRIPT, "attachment_active"),
    "a page before a document": ("a.pdf", SCRIPT + b"%PDF-1.4\n%%EOF", "attachment_content"),
    "an archive behind a document": ("a.pdf", b"%PDF-1.4\n%%EOF\n" + archive(), "attachment_broken"),
    "an archive with a script as a document": ("a.docx", archive(), "attachment_active"),
    "a picture cut off": ("a.png", picture("PNG")[:60], "attachment_broken"),
    "a page behind its name": ("a.jpg.html", SCRIPT, "attachment_kind"),
    "a program behind its name": ("照片.jpg.exe", picture(), "attachment_kind"),
    "a script behind its name": ("照片.jpg.svg", b"<svg onload='alert(1)'/>", "attachment_kind"),
    "a picture by its last name only": ("run.php.jpg", b"<?php phpinfo(); ?>", "attachment_content"),
    "no name of a kind": ("README", b"text", "attachment_kind"),
    "a dot at its end": ("a.exe.", b"MZ", "attachment_kind"),
    "a stream of a disk": ("a.jpg::$DATA", picture(), "attachment_kind"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_cannot_be_taken_is_named_and_nothing_typed_is_lost(
    citizen: Citizen, name: str
) -> None:
    file_name, body, code = REFUSED[name]
    form = await citizen.form()
    answer = await citizen.post("/portal/submit", multipart(form, (file_name, body)))
    assert answer.status == 422
    assert told(answer) == [f"{file_name}：{FILES[code]}"]
    assert kept(answer, form)
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == 0
    assert await scalar(citizen.console, "SELECT count(*) FROM waiting_file") == 0
    # The rest goes on its way without it.
    assert (await citizen.post("/portal/submit", form)).status == 303
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket_attachment") == 0


@pytest.mark.parametrize("behind", [SCRIPT, archive(), b"%PDF-1.4\n/JavaScript\n%%EOF"])
@pytest.mark.parametrize(
    ("kind", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp")]
)
async def test_what_hides_behind_or_in_a_picture_is_gone_once_it_is_kept(
    citizen: Citizen, kind: str, ending: str, behind: bytes
) -> None:
    form = await citizen.form()
    more: dict[str, Any] = {"comment": SCRIPT} if kind in ("JPEG", "GIF") else {}
    body = picture(kind, **more) + behind
    answer = await citizen.post("/portal/submit", multipart(form, (f"photo.php.{ending}", body)))
    assert answer.status == 303
    key = await scalar(citizen.console, "SELECT key FROM ticket_attachment")
    content = citizen.console.ctx.attachments.store.path(key).read_bytes()
    for mark in (b"<script", b"PK\x03\x04", b"%PDF", b"JavaScript"):
        assert mark not in content
    with Image.open(io.BytesIO(content)) as opened:
        assert (opened.format, opened.size) == (kind, (40, 30))


async def test_too_many_files_are_refused_by_name_and_the_first_are_kept(citizen: Citizen) -> None:
    form = await citizen.form()
    files = several(waiting.MOST + 2)
    # The fields behind the files are still read.
    answer = await citizen.post("/portal/submit", multipart(form | {"agree": "1"}, *files))
    assert answer.status == 422
    assert told(answer) == [f"{number}.jpg：{FILES['attachment_too_many']}" for number in (9, 10)]
    assert kept(answer, form)
    assert answer.text.count("已收到，不用再选") == waiting.MOST
    assert (await citizen.post("/portal/submit", multipart(form))).status == 303
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket_attachment") == waiting.MOST


async def test_what_waits_counts_too(citizen: Citizen) -> None:
    form = await citizen.form(phone="")
    first = several(waiting.MOST - 1)
    assert (await citizen.post("/portal/submit", multipart(form, *first))).status == 422
    form |= {"phone": "13800001234"}
    second = [("x.jpg", picture(color="white")), ("y.jpg", picture(color="black"))]
    answer = await citizen.post("/portal/submit", multipart(form, *second))
    assert answer.status == 422
    assert told(answer) == [f"y.jpg：{FILES['attachment_too_many']}"]
    assert kept(answer, form)


async def test_what_waits_and_is_chosen_again_takes_no_room(citizen: Citizen) -> None:
    form = await citizen.form(phone="")
    files = several(6)
    assert (await citizen.post("/portal/submit", multipart(form, *files))).status == 422
    form |= {"phone": "13800001234"}
    answer = await citizen.post("/portal/submit", multipart(form, *files, *files[:3]))
    assert answer.status == 303, told(answer)
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket_attachment") == 6
    assert await scalar(citizen.console, "SELECT count(*) FROM waiting_file") == 6


async def test_a_form_that_is_nothing_but_files_ends(citizen: Citizen) -> None:
    form = await citizen.form()
    files = [(f"{number}.txt", b"a") for number in range(waiting.MOST + MOST_REFUSED + 1)]
    answer = await citizen.post("/portal/submit", multipart(form, *files))
    assert answer.status == 409
    assert await scalar(citizen.console, "SELECT count(*) FROM ticket") == 0
