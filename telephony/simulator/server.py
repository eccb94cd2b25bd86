"""The manager port: sessions, logins, and the ways a real PBX or its network lets a client down."""

import asyncio
import contextlib
import hmac
from collections.abc import Callable, Coroutine
from typing import Any

from telephony.simulator.actions import answer
from telephony.simulator.floor import Floor
from telephony.simulator.reply import Reply, error, identity, success
from telephony.simulator.wire import BANNERS, ActionReader, Headers, encode, first

# Asterisk drops a reader that has stopped after some 8,500 events; about so many bytes.
DROP_BYTES = 8 * 1024 * 1024


class Session:
    """One connected client."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.logged_in = False
        self.wants_events = True
        self.held: list[bytes] = []  # what a slow or frozen server has not yet sent

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closing already
            self.writer.close()


class Server:
    """Speaks the manager protocol for one floor."""

    def __init__(self, floor: Floor, username: str, secret: str) -> None:
        self.floor = floor
        self.username = username
        self.secret = secret
        self.sessions: set[Session] = set()
        self.frozen = False
        self.refuses_logins = False
        self.down = False
        self.trickle: tuple[int, float] | None = None  # bytes at a time, seconds between
        self.on_action: Callable[[Headers], None] | None = None  # hears every action as it comes
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thawed = asyncio.Event()
        self._thawed.set()

    async def listen(self, port: int = 0) -> int:
        """Open the port (0: any) on the loopback; returns the one in use."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        """Stop listening and drop every client."""
        if self._server is not None:
            self._server.close()
        self.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def drop(self) -> None:
        """Close all connections cleanly, as a network device or a restart does."""
        for session in list(self.sessions):
            session.close()
        self.sessions.clear()

    def up(self) -> None:
        """Take connections again."""
        self.down = False

    def freeze(self) -> None:
        """Neither read nor write, keep the connections: what SIGSTOP does."""
        self.frozen = True
        self._thawed.clear()

    def thaw(self) -> None:
        self.frozen = False
        self._thawed.set()
        for session in list(self.sessions):
            held, session.held = session.held, []
            for data in held:
                self._write(session, data)

    # --- sending

    def broadcast(self, headers: Headers) -> None:
        """An event to every client that is logged in and wants events."""
        listeners = [s for s in self.sessions if s.logged_in and s.wants_events]
        if not listeners:
            return
        data = encode(headers)
        for session in listeners:
            self._write(session, data)

    def _write(self, session: Session, data: bytes) -> None:
        transport = session.writer.transport
        if transport.is_closing():
            self.sessions.discard(session)
        elif self.frozen:
            session.held.append(data)
        elif self.trickle is not None:
            session.held.append(data)
            if len(session.held) == 1:
                self._start(self._drip(session))
        elif transport.get_write_buffer_size() + len(data) > DROP_BYTES:
            transport.abort()
            self.sessions.discard(session)
        else:
            session.writer.write(data)

    async def _drip(self, session: Session) -> None:
        """Send in small pieces, wherever they happen to end."""
        while session.held and self.trickle is not None:
            size, rest = self.trickle
            data = session.held[0]
            for start in range(0, len(data), size):
                if session.writer.transport.is_closing():
                    return
                session.writer.write(data[start : start + size])
                await asyncio.sleep(rest)
            session.held.pop(0)
        held, session.held = session.held, []
        for data in held:
            self._write(session, data)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- receiving

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session, actions = Session(writer), ActionReader()
        if self.down:
            writer.transport.abort()
            return
        self.sessions.add(session)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._write(session, BANNERS[self.floor.pbx.config.version].encode() + b"\r\n")
        try:
            while data := await reader.read(65536):
                await self._thawed.wait()
                for action in actions.feed(data):
                    if not self._take(session, action):
                        return
        except (ConnectionError, ValueError, asyncio.CancelledError):
            return  # the client is gone, or sends what is no action, or we stop
        finally:
            self.sessions.discard(session)
            session.close()

    def _take(self, session: Session, action: Headers) -> bool:
        """Answer one action; False ends the connection."""
        if self.on_action is not None:
            self.on_action(action)
        name = first(action, "Action").lower()
        if name == "login":
            return self._login(session, action)
        if name == "logoff":
            reply = [("Response", "Goodbye"), *identity(action), ("Message", "Thanks for all the fish.")]
            self._write(session, encode(reply))
            return False
        if not session.logged_in:
            self._send(session, error(action, "Permission denied"))
        elif name == "events":
            session.wants_events = first(action, "EventMask").lower() not in ("off", "no", "none", "0", "")
            self._send(session, success(action, [("Events", "On" if session.wants_events else "Off")]))
        else:
            self._send(session, answer(self.floor, action))
        return True

    def _login(self, session: Session, action: Headers) -> bool:
        right = hmac.compare_digest(first(action, "Secret").encode(errors="replace"), self.secret.encode())
        if self.refuses_logins or not right or first(action, "Username") != self.username:
            self._send(session, error(action, "Authentication failed"))
            return False
        session.wants_events = first(action, "Events", "on").lower() not in ("off", "no")
        self._send(session, success(action, message="Authentication accepted"))
        session.logged_in = True
        uptime = str(int(self.floor.pbx.now() - self.floor.pbx.started))
        booted = [
            ("Event", "FullyBooted"),
            ("Privilege", "system,all"),
            ("Uptime", uptime),
            ("LastReload", uptime),
            ("Status", "Fully Booted"),
        ]
        self._write(session, encode(booted))
        return True

    def _send(self, session: Session, reply: Reply) -> None:
        for message in reply.messages:
            self._write(session, encode(message))
        if reply.then is not None:
            reply.then()
