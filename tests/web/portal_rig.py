"""A citizen with a browser, for the tests of the portal."""

from __future__ import annotations

import io
import re
from typing import Any

from aiohttp import FormData

from tests.web.conftest import Answer, Browser, Console

PHONE = "13800001234"


def hidden(text: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, text[-2000:]
    return found[1]


class Citizen:
    """Somebody at the portal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.browser: Browser = console.browser()

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.browser.get(path, **options)

    async def post(self, path: str, data: Any = None, **options: Any) -> Answer:
        return await self.browser.post(path, data, **options)

    async def form(self, **over: str) -> dict[str, str]:
        """A complete form with the key of a fresh page."""
        page = await self.get("/portal/submit")
        return {
            "key": hidden(page.text, "key"),
            "narrative": "中山路路灯不亮。已经三个晚上了。",
            "phone": PHONE,
            "name": "王小明",
            "wants_reply": "1",
            "agree": "1",
        } | over

    async def submit(self, **over: str) -> tuple[str, str]:
        """Send a form; returns number and code of what was shown."""
        answer = await self.post("/portal/submit", await self.form(**over))
        assert answer.status == 303, answer.text[-2000:]
        return await self.slip()

    async def slip(self) -> tuple[str, str]:
        """Number and code of the page after a submission."""
        page = (await self.get("/portal/done")).text
        found = re.findall(r"<dd>(\d{18}|\d{6})</dd>", page)
        assert len(found) == 2, page[-1500:]
        return found[0], found[1]

    async def look(self, number: str, code: str, **headers: str) -> Answer:
        return await self.post("/portal/track", {"number": number, "code": code}, headers=headers)

    async def act(self, act: str, text: str = "", key: str | None = None) -> Answer:
        page = (await self.get("/portal/track")).text
        key = key or hidden(page, "key")
        return await self.post("/portal/track/act", {"key": key, "act": act, "text": text})


def multipart(form: dict[str, str], *files: tuple[str, bytes]) -> FormData:
    """The form as a browser sends it with files."""
    data = FormData(quote_fields=False)
    for name, value in form.items():
        data.add_field(name, value)
    for name, body in files:
        data.add_field("files", io.BytesIO(body), filename=name, content_type="application/octet-stream")
    if not files:
        data.add_field("files", b"", filename="", content_type="application/octet-stream")
    return data
