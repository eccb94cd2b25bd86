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
import logging
from collections.abc import AsyncIterator, Sequence

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
from web.sockets import Frame, Listeners, Socket, event_frame, frame_of

logger = logging.getLogger(__name__)

MAX_FRAME = 1024  # bytes a client may send in one frame; a pong has twelve
MAX_MISTAKES = 20  # frames that are not understood before the socket is closed
SOCKETS_PER_SESSION = 24
SEND_SECONDS = 10.0  # a frame the peer does not take for so long ends the socket
SWEEP_SECONDS = 5.0
CLOSE_ENDED, CLOSE_AWAY, CLOSE_REFUSED = 4401, 1001, 1008


class LiveHub:
    """All sockets of this node."""

    def __init__(self, ctx: WebContext) -> None:
        self._ctx = ctx
        self._live = ctx.settings.live
        self._delivered = 0
        self.sockets: set[Socket] = set()
        self._listeners = Listeners()
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
                self.offer(event)
            self._delivered = event.seq

    def offer(self, event: LoggedEvent) -> None:
        """Queue the note for everybody who may hear of it and whose browser does not know it yet."""
        hearers = [one for one in self._listeners.of(event.audience) if event.seq > one.after]
        if hearers:
            frame = event_frame(event)
            for socket in hearers:
                socket.push(frame)

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
            ended = ids - living  # sockets that came while the database answered were not asked about
            for socket in self.sockets:
                if socket.actor.session_id in ended:
                    socket.end("session_ended")

    # ---- one socket -------------------------------------------------------------------------

    async def serve(self, request: web.Request, actor: Actor, after: int | None) -> web.WebSocketResponse:
        """Serve one tab until it goes. `after` is the last number it saw; None: from now on."""
        mine = sum(socket.actor.session_id == actor.session_id for socket in self.sockets)
        if mine >= SOCKETS_PER_SESSION:
            raise HotlineError("too_many_requests")
        recipient = await self._recipient(actor)
        socket = Socket(recipient, self.position if after is None else after, request.transport)
        ws = web.WebSocketResponse(max_msg_size=MAX_FRAME, timeout=1.0)
        await ws.prepare(request)
        position = self.position  # what comes later is offered, what came before is caught up
        self.sockets.add(socket)
        self._listeners.add(socket)
        metrics.SOCKETS.inc()
        writer = asyncio.create_task(self._write(ws, socket, position), name="live-write")
        try:
            await self._read(ws, socket)
        finally:
            self.sockets.discard(socket)
            self._listeners.remove(socket)
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
                socket.unanswered = None
                continue
            socket.mistakes += 1
            if socket.mistakes > MAX_MISTAKES:
                await ws.close(code=CLOSE_REFUSED)
                return
            socket.push(frame_of("error", code="bad_frame"))

    async def _write(self, ws: web.WebSocketResponse, socket: Socket, position: int) -> None:
        """Send hello, what was missed, then what comes; close when told to, or when the peer is gone."""
        heartbeat = self._live.heartbeat_seconds
        try:
            await self._send(ws, frame_of("hello", seq=socket.after, heartbeat=heartbeat))
            await self._catch_up(ws, socket, position)
            while (frame := await self._next(socket)) is not None:
                await self._send(ws, frame)
                if frame.kind == "bye":
                    break
            ended = frame is not None and frame.code == "session_ended"
            async with asyncio.timeout(SEND_SECONDS):
                await ws.close(code=CLOSE_ENDED if ended else CLOSE_AWAY)
        except (ConnectionError, TimeoutError, RuntimeError):
            socket.abort()

    async def _next(self, socket: Socket) -> Frame | None:
        """The next frame for the browser, a ping after a quiet heartbeat, None for a dead peer."""
        if not socket.frames.empty():
            return socket.frames.get_nowait()
        try:
            async with asyncio.timeout(self._live.heartbeat_seconds):
                return await socket.frames.get()
        except TimeoutError:
            now = self._ctx.clock.monotonic()
            if socket.unanswered is None:
                socket.unanswered = now  # events need no answer: a busy peer is asked when it grows quiet
            elif now - socket.unanswered > self._live.heartbeat_seconds:
                return None
            return frame_of("ping", seq=max(socket.after, self.position))

    async def _send(self, ws: web.WebSocketResponse, frame: Frame) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await ws.send_str(frame.text)

    async def _catch_up(self, ws: web.WebSocketResponse, socket: Socket, position: int) -> None:
        """Send what happened between the browser's last number and the moment it was registered."""
        if socket.after >= position:
            return
        limit = self._live.catch_up_limit
        missed = await self._ctx.tail.read(socket.after, limit + 1)
        if not missed or missed[0].seq != socket.after + 1 or len(missed) > limit:  # too many, or forgotten
            await self._send(ws, frame_of("reset", seq=position))
            return
        for event in missed:
            if (
                event.seq <= position
                and event.topic != "access"
                and may_hear(socket.recipient, event.audience)
            ):
                await self._send(ws, event_frame(event))
        await self._send(ws, frame_of("ping", seq=position))


HUB = web.AppKey("hub", LiveHub)
