"""The tabs that listen: what waits for each, and which of them an event is for. No network here."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from core.event_log import LoggedEvent
from core.events import Audience
from core.people.actor import Actor
from web.security.policy import Recipient, Rights

QUEUE_LIMIT = 256  # frames waiting for one socket before it is told to fetch anew


@dataclass(frozen=True)
class Frame:
    """What goes to a browser: its kind, its number and its text, which is made once for all who get it."""

    kind: str
    seq: int | None
    text: str
    code: str = ""


def frame_of(t: str, /, *, seq: int | None = None, **fields: Any) -> Frame:
    """A frame of kind `t` with these fields."""
    said = {"t": t, **({} if seq is None else {"seq": seq}), **fields}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return Frame(t, seq, text, str(fields.get("code", "")))


class Socket:
    """One tab: who it belongs to and the frames waiting for it."""

    def __init__(self, recipient: Recipient, after: int, transport: asyncio.Transport | None = None) -> None:
        self.recipient = recipient
        self._transport = transport
        self.after = after  # notes up to this number are known to the browser
        self.frames: asyncio.Queue[Frame] = asyncio.Queue(QUEUE_LIMIT)
        self.unanswered: float | None = None  # since when a ping waits for its pong
        self.mistakes = 0

    @property
    def actor(self) -> Actor:
        """The person at the other end."""
        return self.recipient.actor

    def push(self, frame: Frame) -> None:
        """Queue a frame; a full queue is thrown away for one `reset`."""
        if self.frames.full():
            self.clear()
            frame = frame_of("reset", seq=self.after if frame.seq is None else frame.seq)
        self.frames.put_nowait(frame)

    def end(self, code: str) -> None:
        """Say goodbye before anything else that still waits."""
        self.clear()
        self.push(frame_of("bye", code=code))

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
    return frame_of(
        "event",
        seq=event.seq,
        topic=event.topic,
        kind=event.kind,
        ref=event.ref,
        version=event.version,
        data=event.data,
    )


class Listeners:
    """Sockets by who hears: most are of people with the same rights, who are asked about once."""

    def __init__(self) -> None:
        self._by_user: dict[int | None, set[Socket]] = {}
        self._by_rights: dict[Rights, set[Socket]] = {}

    def add(self, socket: Socket) -> None:
        self._by_user.setdefault(socket.actor.user_id, set()).add(socket)
        self._by_rights.setdefault(socket.recipient.rights, set()).add(socket)

    def remove(self, socket: Socket) -> None:
        _drop(self._by_user, socket.actor.user_id, socket)
        _drop(self._by_rights, socket.recipient.rights, socket)

    def of(self, audience: Audience) -> set[Socket]:
        """Those for whom `may_hear` is true."""
        found = {socket for user in audience.users for socket in self._by_user.get(user, ())}
        for rights, sockets in self._by_rights.items():
            if rights.hear(audience):
                found |= sockets
        return found


def _drop(groups: dict[Any, set[Socket]], key: Any, socket: Socket) -> None:
    members = groups.get(key, set())
    members.discard(socket)
    if not members:
        groups.pop(key, None)
