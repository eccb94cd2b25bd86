"""The `asterisk-ami` client, kept for what it does well and replaced where it loses calls.

Kept: the action classes and how they are written to the wire, `login` and `logoff` with their
LoginAction/LogoffAction, the numbering of ActionIDs, one client object with `connect`, `finished`,
a socket and a listening thread. Replaced, because each of these was seen to fail:

* `connect`, `listen`: 3 s without traffic killed the reader. Here a timeout means "go on", a closed
  or silent socket ends the thread, and nothing an event causes can: the thread only hands frames over.
* parsing (`Event.read`): it split at U+2028 and friends, so callers could forge headers.
* `send`: it wrote part of a large action to a slow peer and lost the rest. Here all or the connection.
* `send_action`: its futures leaked when unanswered and waited on after a close; who asks is told by
  `connection` now, by ActionID.
* `AutoReconnect` is not used at all: one client object lives for one connection.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable

from asterisk.ami import Action, AMIClient

from telephony.ami.actions import check_wire
from telephony.ami.frames import FrameReader

CHUNK = 1 << 16
TICK = 0.25  # seconds; how soon a reader notices that it was told to stop


class WrappedClient(AMIClient):  # type: ignore[misc]  # the library publishes no types
    """One connection. `on_frames` and `on_closed` are called from the reader's thread."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        on_frames: Callable[[list[bytes]], None],
        on_closed: Callable[[str], None],
        connect_seconds: float = 5.0,
        send_seconds: float = 5.0,
    ) -> None:
        super().__init__(address=host, port=port, timeout=connect_seconds)
        self._on_frames = on_frames
        self._on_closed = on_closed
        self._send_seconds = send_seconds
        self._send_lock = threading.Lock()
        self.received_at = time.monotonic()

    def connect(self) -> None:
        """Open the socket and start to listen; raises OSError."""
        self._socket = socket.create_connection((self._address, self._port), self._timeout)
        self._socket.setblocking(False)
        self.finished = threading.Event()
        self.received_at = time.monotonic()
        self._thread = threading.Thread(target=self.listen, name="ami-reader", daemon=True)
        self._thread.start()

    def listen(self) -> None:
        """Read until the peer closes, breaks the protocol, or `disconnect` is called."""
        reason = "closed by us"
        try:
            reason = self._read()
        except (OSError, ValueError) as error:
            reason = "closed by us" if self.finished.is_set() else type(error).__name__
        finally:
            self.finished.set()
            self._socket.close()
            self._on_closed(reason)

    def _read(self) -> str:
        reader, poll = FrameReader(), select.poll()
        poll.register(self._socket, select.POLLIN)
        while not self.finished.is_set():
            if not poll.poll(TICK * 1000):
                continue
            data = self._socket.recv(CHUNK)
            if not data:
                return "closed by the peer"
            self.received_at = time.monotonic()
            frames = reader.feed(data)
            if frames:
                self._on_frames(frames)
        return "closed by us"

    def send_action(self, action: Action, callback: None = None) -> str:  # noqa: ARG002 - the library's
        """Write `action` and return its ActionID; raises OSError and then the connection is over."""
        action_id = action.keys.setdefault("ActionID", self.next_action_id())
        self.send(action)
        return str(action_id)

    def send(self, pack: Action) -> None:
        """All of it, or an OSError: half an action must never be followed by another."""
        data = memoryview(check_wire(pack))
        deadline = time.monotonic() + self._send_seconds
        with self._send_lock:
            try:
                while data:
                    data = data[self._write_some(data, deadline) :]
            except OSError:
                self.disconnect()
                raise

    def _write_some(self, data: memoryview, deadline: float) -> int:
        """Write what fits within the deadline; TimeoutError (an OSError) when the peer does not read."""
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLOUT)
        except ValueError:  # the reader has closed the socket
            raise ConnectionAbortedError("the line is closed") from None
        remaining = deadline - time.monotonic()
        if self.finished.is_set() or remaining <= 0 or not poll.poll(remaining * 1000):
            raise TimeoutError("the peer does not read")
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def disconnect(self) -> None:
        """Tell the reader to stop; it closes the socket, so that its descriptor is not reused under it.

        Safe to call from any thread and more than once.
        """
        if self._socket is None:
            return
        self.finished.set()
        with contextlib.suppress(OSError):  # the peer was gone already
            self._socket.shutdown(socket.SHUT_RDWR)
