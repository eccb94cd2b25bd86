"""A scripted manager: it answers as told, writes what it is told, and misbehaves on demand."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from telephony.ami.connection import AmiConnection, LineHandler, PbxAddress, Timings
from telephony.ami.messages import AmiEvent

QUICK = Timings(
    ping=0.05,
    dead=0.4,
    connect=1.0,
    action=0.5,
    send=0.5,
    backoff_first=0.01,
    backoff_max=0.05,
    refused=0.3,
    stable=60.0,
)
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
Action = dict[str, str]
Answer = Callable[["ScriptedPeer", Action], Awaitable[None] | None]


class ScriptedPeer:
    """Listens on a free port. `answers` maps an action's name to what happens; `None` is silence."""

    def __init__(self) -> None:
        self.connected_at: list[float] = []
        self.actions: list[Action] = []
        self.answers: dict[str, Answer | None] = {}
        self.reading = asyncio.Event()
        self.reading.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def connections(self) -> int:
        return len(self.connected_at)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 23)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.reading.set()
        self.hang_up()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected_at.append(time.monotonic())
        self._writers.append(writer)
        writer.write(BANNER)
        try:
            while True:
                await self.reading.wait()
                frame = await reader.readuntil(b"\r\n\r\n")
                action = dict(
                    line.split(": ", 1) for line in frame.decode().strip().split("\r\n") if ": " in line
                )
                self.actions.append(action)
                await self._answer(action)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            return
        finally:
            writer.close()

    async def _answer(self, action: Action) -> None:
        answer = self.answers.get(action["Action"], ScriptedPeer.success)
        if answer is not None and (waiting := answer(self, action)) is not None:
            await waiting

    def success(self, action: Action, **headers: str) -> None:
        self.reply("Success", action, **headers)

    def reply(self, status: str, action: Action, **headers: str) -> None:
        lines = {"Response": status, "ActionID": action["ActionID"], **headers}
        self.write("".join(f"{k}: {v}\r\n" for k, v in lines.items()).encode() + b"\r\n")

    def event(self, name: str, *pairs: tuple[str, str | bytes], **headers: str) -> None:
        """Write one event; `pairs` keep repeats and raw bytes."""
        parts = [b"Event: " + name.encode()]
        for key, value in [*pairs, *headers.items()]:
            raw = value if isinstance(value, bytes) else value.encode()
            parts.append(key.encode() + b": " + raw)
        self.write(b"\r\n".join(parts) + b"\r\n\r\n")

    def write(self, data: bytes) -> None:
        for writer in self._writers[-1:]:
            writer.write(data)

    def stall(self) -> None:
        """Stop taking bytes from the socket, as a process does that was stopped."""
        for writer in self._writers:
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it

    def hang_up(self) -> None:
        for writer in self._writers:
            with contextlib.suppress(OSError):
                writer.transport.abort()
        self._writers.clear()

    def count(self, name: str) -> int:
        return sum(action["Action"] == name for action in self.actions)


class Recorder(LineHandler):
    """Keeps everything a handler is told."""

    def __init__(self) -> None:
        self.ups = 0
        self.downs: list[str] = []
        self.events: list[AmiEvent] = []
        self.batches = 0
        self.fail_on: str | None = None
        self.gate: asyncio.Event | None = None

    async def line_up(self, line: AmiConnection) -> None:
        self.ups += 1

    async def line_events(self, events: list[AmiEvent]) -> None:
        self.batches += 1
        if self.gate is not None:
            await self.gate.wait()
        self.events += events
        if self.fail_on and any(event.name == self.fail_on for event in events):
            raise RuntimeError("a handler that breaks")

    async def line_down(self, reason: str) -> None:
        self.downs.append(reason)

    def names(self) -> list[str]:
        return [event.name for event in self.events]


def address(peer: ScriptedPeer) -> PbxAddress:
    return PbxAddress("pbx1", "127.0.0.1", peer.port, "hotline", "secret")


@contextlib.asynccontextmanager
async def running(line: AmiConnection) -> AsyncIterator[None]:
    """Run the supervisor for the length of a test."""
    task = asyncio.create_task(line.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
