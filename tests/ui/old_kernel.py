"""A Chromium of 2020 without a screen, spoken to by its own protocol: today's drivers do not know it.

Only what a smoke run takes: pages in a context of their own, what went wrong in their scripts, a value
computed in them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--single-process", "--no-zygote",
    "--disable-dev-shm-usage", "--remote-debugging-port=0", "--window-size=1366,768",
)  # fmt: skip
PATIENCE = 60.0  # seconds: a slow machine is no broken one


class OldPage:
    """One page; `mistakes`: what its scripts and the content policy complained of."""

    def __init__(self, kernel: OldKernel, session_id: str) -> None:
        self._kernel = kernel
        self._session = session_id
        self.mistakes: list[str] = []
        self.loaded = asyncio.Event()

    async def open(self, address: str) -> None:
        """Go there and wait until everything has been loaded."""
        async with self.another():
            await self._ask("Page.navigate", url=address)

    @asynccontextmanager
    async def another(self) -> AsyncIterator[None]:
        """What is done in here leads to another page: left once that has been loaded.

        A script that waits is lost with the page it waits in.
        """
        self.loaded.clear()
        yield
        async with asyncio.timeout(PATIENCE):
            await self.loaded.wait()

    async def value(self, script: str) -> Any:
        """What a script gives; promises are waited for."""
        answer = await self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(str(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until a script says true."""
        look = f"const look = () => (({script}) ? done(true) : setTimeout(look, 50)); look();"
        await self.value(f"new Promise((done) => {{ {look} }})")

    async def resize(self, width: int, height: int) -> None:
        """Make the window as large as a telephone, or anything else."""
        await self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def begin(self) -> None:
        for domain in ("Page", "Runtime", "Log"):
            await self._ask(f"{domain}.enable")

    def hear(self, method: str, told: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self.loaded.set()
        elif method == "Runtime.exceptionThrown":
            found = told["exceptionDetails"]
            self.mistakes.append(
                f"{found.get('url', '')}: {found.get('exception', {}).get('description', found)}"
            )
        elif method == "Log.entryAdded":
            entry = told["entry"]  # an answer of 4xx (network) is not the script's mistake
            if entry["level"] == "error" and entry["source"] != "network":
                self.mistakes.append(entry["text"])

    async def _ask(self, method: str, **given: Any) -> dict[str, Any]:
        return await self._kernel.ask(method, self._session, **given)


class OldKernel:
    """The browser behind its socket."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, OldPage] = {}

    async def ask(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        """One command and its answer."""
        ident = next(self._ids)
        waiting = self._waiting[ident] = asyncio.get_running_loop().create_future()
        told = {"id": ident, "method": method, "params": given}
        await self._socket.send_json(told | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(PATIENCE):
            answer = await waiting
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        found: dict[str, Any] = answer["result"]
        return found

    async def listen(self) -> None:
        """Hand answers and events to whom they are for, until the socket ends."""
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            told = json.loads(message.data)
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
            elif told.get("sessionId") in self._pages:
                self._pages[told["sessionId"]].hear(told["method"], told.get("params", {}))

    async def page(self) -> OldPage:
        """A new page with cookies of its own."""
        target = await self.ask("Target.createTarget", url="about:blank")
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        found = OldPage(self, attached["sessionId"])
        self._pages[attached["sessionId"]] = found
        await found.begin()
        return found

    async def version(self) -> str:
        """Its name and number."""
        return str((await self.ask("Browser.getVersion"))["product"])


@asynccontextmanager
async def old_kernel(program: str, folder: Path) -> AsyncIterator[OldKernel]:
    """The browser, started and ended. `folder`: for its profile."""
    process = await asyncio.create_subprocess_exec(
        program, *FLAGS, f"--user-data-dir={folder}", "about:blank",
        cwd=Path(program).parent, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        env={"LD_LIBRARY_PATH": "", "HOME": str(folder), "FONTCONFIG_PATH": "/etc/fonts"},
    )  # fmt: skip
    try:
        address = await _address(process)
        async with ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
            kernel = OldKernel(socket)
            listening = asyncio.create_task(kernel.listen())
            yield kernel
            listening.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(PATIENCE):
        while line := await process.stderr.readline():
            said += line
            found = re.search(rb"DevTools listening on (ws://\S+)", line)
            if found:
                return found[1].decode()
    raise AssertionError(f"the old browser did not start: {said.decode(errors='replace')[-600:]}")
