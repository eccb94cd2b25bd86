"""Live screens: one WebSocket per tab, fed from the event log.

The hub follows the numbered log of `core.event_log` and offers each note to each socket whose
person may hear of it. A browser that comes back says the last number it saw and gets what it
missed; one that missed too much, or reads too slowly, is told to fetch its page anew (`reset`).
A socket lives no longer than its session: the log brings revocations at once, and a sweep finds
sessions that ended by themselves. Client frames are never echoed, whatever they hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import WSMsgType, web

from core import metrics
from core.errors import HotlineError
from core.event_log import LoggedEvent
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Permission
from web.context import WebContext
from web.security.policy import Recipient, may_hear
from web.security.sessions import living_sessions

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 256  # frames waiting for one socket before it is told to fetch anew
MAX_FRAME = 1024  # bytes a client may send in one frame; a pong has twelve
MAX_MISTAKES = 20  # frames that are not understood before the socket is closed
SOCKETS_PER_SESSION = 24
SEND_SECONDS = 10.0  # a frame the peer does not take for so long ends the socket
SWEEP_SECONDS = 5.0
CLOSE_ENDED, CLOSE_AWAY, CLOSE_REFUSED = 4401, 1001, 1008

Frame = dict[str, Any]


class Socket:
    """One tab: who it belongs to and the frames waiting for it."""

    def __init__(self, recipient: Recipient, after: int, transport: asyncio.Transport | None = None) -> None:
        self.recipient = recipient
        self._transport = transport
        self.after = after  # notes up to this number are known to the browser
        self.frames: asyncio.Queue[Frame] = asyncio.Queue(QUEUE_LIMIT)
        self.heard_at = 0.0
        self.mistakes = 0

    @property
    def actor(self) -> Actor:
        """The person at the other end."""
        return self.recipient.actor

    def offer(self, event: LoggedEvent) -> None:
        """Queue the note if its audience includes this person and the browser does not know it yet."""
        if event.seq <= self.after or not may_hear(self.recipient, event.audience):
            return
        self.push(event_frame(event))

    def push(self, frame: Frame) -> None:
        """Queue a frame; a full queue is thrown away for one `reset`."""
        if self.frames.full():
            self.clear()
            frame = {"t": "reset", "seq": frame.get("seq", self.after)}
        self.frames.put_nowait(frame)

    def end(self, code: str) -> None:
        """Say goodbye before anything else that still waits."""
        self.clear()
        self.push({"t": "bye", "code": code})

    def abort(self) -> None:
        """Cut a connection whose peer does not take what it is sent."""
        if self._transport is not None:
            self._transport.abort()

    def clear(self) -> None:
        """Forget what waits."""
        while not self.frames.empty():
            self.frames.get_nowait()


def event_frame(event: LoggedEvent) -> Frame:
    """What a browser is told: small, and without the audience."""
    return {
        "t": "event",
        "seq": event.seq,
        "topic": event.topic,
        "kind": event.kind,
        "ref": event.ref,
        "version": event.version,
        "data": event.data,
    }


class LiveHub:
    """All sockets of this node."""

    def __init__(self, ctx: WebContext) -> None:
        self._ctx = ctx
        self._live = ctx.settings.live
        self._delivered = 0
        self.sockets: set[Socket] = set()
        ctx.tail.listen(self.deliver)

    @property
    def position(self) -> int:
        """The last number offered to the sockets of this node; a page rendered now knows all up to it."""
        return self._delivered or self._ctx.tail.position

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """The hub's own work while the application runs: a `cleanup_ctx` of aiohttp."""
        sweeper = asyncio.create_task(self._sweep(), name="live-sweep")
        try:
            yield
        finally:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper

    async def close_all(self, _app: web.Application) -> None:
        """Tell every tab that this node goes away, before the server waits for its requests to end."""
        for socket in self.sockets:
            socket.end("going_away")

    async def deliver(self, batch: Sequence[LoggedEvent]) -> None:
        """Offer new notes to every socket; revocations of access are acted upon, not forwarded."""
        for event in batch:
            if event.topic == "access" and event.kind == "tree":
                self._ask_anew()
            elif event.topic == "access":
                self._revoke(event.ref, event.data.get("session_id"))
            else:
                for socket in self.sockets:
                    socket.offer(event)
            self._delivered = event.seq

    def _revoke(self, user_id: int, session_id: int | None) -> None:
        for socket in self.sockets:
            actor = socket.actor
            if actor.user_id == user_id and session_id in (None, actor.session_id):
                socket.end("session_ended")

    def _ask_anew(self) -> None:
        """Units moved: browsers that hear by their unit come back and hear by where it stands now."""
        for socket in self.sockets:
            if socket.actor.may(Permission.TICKET_READ_UNIT):
                socket.end("tree_changed")

    async def _sweep(self) -> None:
        """Close the sockets of sessions that ran out, and of those whose revocation got lost."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            ids = {socket.actor.session_id for socket in self.sockets if socket.actor.session_id}
            try:
                living = await living_sessions(self._ctx, ids)
            except Exception:  # a database out of reach must not end the sweep; sockets stay until it answers
                logger.exception("live sweep failed")
                continue
            for socket in self.sockets:
                if socket.actor.session_id not in living:
                    socket.end("session_ended")

    # ---- one socket -------------------------------------------------------------------------

    async def serve(self, request: web.Request, actor: Actor, after: int | None) -> web.WebSocketResponse:
        """Serve one tab until it goes. `after` is the last number it saw; None: from now on."""
        mine = sum(socket.actor.session_id == actor.session_id for socket in self.sockets)
        if mine >= SOCKETS_PER_SESSION:
            raise HotlineError("too_many_requests")
        recipient = await self._recipient(actor)
        socket = Socket(recipient, self.position if after is None else after, request.transport)
        socket.heard_at = self._ctx.clock.monotonic()
        ws = web.WebSocketResponse(max_msg_size=MAX_FRAME, timeout=1.0)
        await ws.prepare(request)
        position = self.position  # what comes later is offered, what came before is caught up
        self.sockets.add(socket)
        metrics.SOCKETS.inc()
        writer = asyncio.create_task(self._write(ws, socket, position), name="live-write")
        try:
            await self._read(ws, socket)
        finally:
            self.sockets.discard(socket)
            metrics.SOCKETS.dec()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return ws

    async def _recipient(self, actor: Actor) -> Recipient:
        if actor.unit_id is None:
            return Recipient(actor, frozenset())
        async with self._ctx.db.read() as session:
            return Recipient(actor, frozenset(await org.subtree_ids(session, actor.unit_id)))

    async def _read(self, ws: web.WebSocketResponse, socket: Socket) -> None:
        async for message in ws:
            if message.type is WSMsgType.TEXT and message.data == '{"t":"pong"}':
                socket.heard_at = self._ctx.clock.monotonic()
                continue
            socket.mistakes += 1
            if socket.mistakes > MAX_MISTAKES:
                await ws.close(code=CLOSE_REFUSED)
                return
            socket.push({"t": "error", "code": "bad_frame"})

    async def _write(self, ws: web.WebSocketResponse, socket: Socket, position: int) -> None:
        """Send hello, what was missed, then what comes; close when told to, or when the peer is gone."""
        heartbeat = self._live.heartbeat_seconds
        try:
            await self._send(ws, {"t": "hello", "seq": socket.after, "heartbeat": heartbeat})
            await self._catch_up(ws, socket, position)
            while (frame := await self._next(socket, 2 * heartbeat)) is not None:
                await self._send(ws, frame)
                if frame["t"] == "bye":
                    break
            ended = frame is not None and frame["code"] == "session_ended"
            async with asyncio.timeout(SEND_SECONDS):
                await ws.close(code=CLOSE_ENDED if ended else CLOSE_AWAY)
        except (ConnectionError, TimeoutError, RuntimeError):
            socket.abort()

    async def _next(self, socket: Socket, patience: float) -> Frame | None:
        """The next frame for the browser, a ping after a quiet heartbeat, None for a dead peer."""
        try:
            async with asyncio.timeout(self._live.heartbeat_seconds):
                return await socket.frames.get()
        except TimeoutError:
            if self._ctx.clock.monotonic() - socket.heard_at > patience:
                return None
            return {"t": "ping", "seq": max(socket.after, self.position)}

    async def _send(self, ws: web.WebSocketResponse, frame: Frame) -> None:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        async with asyncio.timeout(SEND_SECONDS):
            await ws.send_str(text)

    async def _catch_up(self, ws: web.WebSocketResponse, socket: Socket, position: int) -> None:
        """Send what happened between the browser's last number and the moment it was registered."""
        if socket.after >= position:
            return
        limit = self._live.catch_up_limit
        missed = await self._ctx.tail.read(socket.after, limit + 1)
        if not missed or missed[0].seq != socket.after + 1 or len(missed) > limit:  # too many, or forgotten
            await self._send(ws, {"t": "reset", "seq": position})
            return
        for event in missed:
            if (
                event.seq <= position
                and event.topic != "access"
                and may_hear(socket.recipient, event.audience)
            ):
                await self._send(ws, event_frame(event))
        await self._send(ws, {"t": "ping", "seq": position})


HUB = web.AppKey("hub", LiveHub)
