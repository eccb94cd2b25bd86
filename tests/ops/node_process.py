"""A real node as a process of its own, with people at work over HTTP, for tests that kill it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.helpers import eventually

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class NodeProcess:
    """`commands.py run` with an environment; can be killed and started again."""

    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it serves."""
        self.spawn()
        await eventually(self._serves, within=START_SECONDS, what=f"the node serves, see {self.log}")

    def spawn(self) -> None:
        """Start it and do not wait."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/", **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "commands.py"), "run"],
                env={**environment, "HOTLINE_HTTP__PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _serves(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError("the node ended: " + self.log.read_text(errors="replace")[-3000:])
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + "/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def kill(self) -> None:
        """kill -9, at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def stop(self, *, within: float = 30.0) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return await asyncio.to_thread(self.process.wait, within)


@dataclass
class Kept:
    """What the node said it had stored: it answered, so it must never be missing."""

    tickets: dict[str, str] = field(default_factory=dict)  # number → title
    saves: dict[int, tuple[int, str]] = field(default_factory=dict)  # draft → version, title
    opened: set[int] = field(default_factory=set)  # drafts opened by hand


class Person:
    """An agent who opens, saves and ends drafts as fast as the node answers."""

    def __init__(self, node: NodeProcess, login: str, password: str, category: int) -> None:
        self._node = node
        self._login = login
        self._password = password
        self._category = category
        self._count = 0

    async def work(self, kept: Kept) -> None:
        """Until the connection breaks. Every answer is noted before the next request is made."""
        headers = {"Origin": self._node.url, "HX-Request": "true"}
        try:
            async with aiohttp.ClientSession(
                headers=headers, cookie_jar=aiohttp.CookieJar(unsafe=True)
            ) as http:
                await self._sign_in(http)
                while True:
                    await self._one_draft(http, kept)
        except (aiohttp.ClientError, OSError):
            return  # the node was killed: what it had not answered may or may not be there

    async def _sign_in(self, http: aiohttp.ClientSession) -> None:
        form = {"login": self._login, "password": self._password}
        async with http.post(self._node.url + "/login", data=form, allow_redirects=False) as answer:
            assert answer.status in (200, 204, 302, 303), await answer.text()

    async def _one_draft(self, http: aiohttp.ClientSession, kept: Kept) -> None:
        draft = await self._open(http)
        kept.opened.add(draft)
        self._count += 1
        title = f"{self._login} 的第 {self._count} 件：路灯不亮"
        version = 1
        for words in range(1, 4):
            form = self._form(version, title, "路灯不亮。" * words)
            async with http.post(f"{self._node.url}/drafts/{draft}/form", data=form) as answer:
                assert answer.status == 200, await answer.text()
                version = int(answer.headers["HL-Version"])
                kept.saves[draft] = (version, title)
        form = self._form(version, title, "路灯不亮。")
        async with http.post(f"{self._node.url}/drafts/{draft}/ticket", data=form) as answer:
            said = await answer.text()
            assert answer.status == 200, said
            kept.tickets[number_in(said)] = title

    async def _open(self, http: aiohttp.ClientSession) -> int:
        async with http.post(self._node.url + "/drafts", allow_redirects=False) as answer:
            where = answer.headers.get("HX-Redirect") or answer.headers.get("Location") or ""
            found = re.search(r"draft=(\d+)", where)
            assert found, (answer.status, await answer.text())
            return int(found[1])

    def _form(self, version: int, title: str, narrative: str) -> dict[str, Any]:
        return {
            "version": str(version),
            "type": "help",
            "urgency": "normal",
            "confidentiality": "public",
            "channel": "phone",
            "category_id": str(self._category),
            "title": title,
            "narrative": narrative,
            "phone": "13800000001",
        }


def number_in(page: str) -> str:
    """The ticket's number on the page that shows it in groups."""
    found = re.search(r"\b(\d{4}) (\d{8}) (\d{6})\b", page)
    assert found, page
    return "".join(found.groups())
