"""A second, independent manager client: it records what Asterisk says and presses buttons.

It shares no code with the product on purpose: the tests compare the product with it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.rig.asterisk import Asterisk


class Manager:
    """One logged-in manager connection; everything received is kept as raw bytes."""

    def __init__(self, pbx: Asterisk) -> None:
        host, port, user, secret = pbx.ami
        self._socket = socket.create_connection((host, port), timeout=5)
        self._received = bytearray()
        self._parsed = 0  # how much of it has become events
        self._events: list[dict[str, str]] = []
        self._responses: dict[str, dict[str, str]] = {}
        self._changed = threading.Condition()  # re-entrant: a wait asks for events() within
        self._reader = threading.Thread(target=self._read, name="rig-manager", daemon=True)
        self._socket.settimeout(None)
        self._reader.start()
        self._actions = 0
        answer = self.action("Login", Username=user, Secret=secret)
        if answer["Response"] != "Success":
            raise RuntimeError(f"the manager refused the login: {answer}")

    def action(self, name: str, **headers: str) -> dict[str, str]:
        """Send one action, return its response."""
        self._actions += 1
        ident = f"rig-{self._actions}"
        lines = [f"Action: {name}", f"ActionID: {ident}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        with self._changed:
            if not self._changed.wait_for(lambda: ident in self._responses, 10.0):
                raise TimeoutError(f"no answer to {name}")
            return self._responses[ident]

    def clock(self) -> float:
        """The PBX's own time, in seconds since 1970."""
        return float(self.action("Ping")["Timestamp"])

    def listing(self, name: str, item: str, done: str, **headers: str) -> list[dict[str, str]]:
        """The items of an action that is answered by a list."""
        ident = self.action(name, **headers)["ActionID"]
        self.wait_for(done, ActionID=ident)
        return self.events(item, ActionID=ident)

    def events(self, name: str, **wanted: str) -> list[dict[str, str]]:
        """The events of one name with these values; of a repeated header the first one counts."""
        with self._changed:
            return [event for event in self._events if event.get("Event") == name and _has(event, wanted)]

    def wait_for(self, name: str, deadline: float = 20.0, **wanted: str) -> dict[str, str]:
        """The first event with these values, waiting for it if need be."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.events(name, **wanted), deadline):
                raise TimeoutError(f"no {name} with {wanted}")
            return self.events(name, **wanted)[0]

    def save(self, path: Path) -> Path:
        """Write everything received so far as a recording."""
        path.write_bytes(bytes(self._received))
        return path

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._reader.join(5)

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self._changed:
                self._received += data
                self._parse()
                self._changed.notify_all()

    def _parse(self) -> None:
        while (end := self._received.find(b"\r\n\r\n", self._parsed)) >= 0:
            lines = bytes(self._received[self._parsed : end]).split(b"\r\n")
            self._parsed = end + 4
            pairs = [line.decode("utf-8", "replace").partition(":") for line in lines]
            message = {key: value.strip() for key, _, value in reversed(pairs)}
            if "Event" in message:
                self._events.append(message)
            elif "Response" in message:
                self._responses[message.get("ActionID", "")] = message


def _has(event: dict[str, str], wanted: dict[str, str]) -> bool:
    return all(event.get(key) == value for key, value in wanted.items())


@contextlib.contextmanager
def manager(pbx: Asterisk) -> Iterator[Manager]:
    """A manager connection for the length of a with block."""
    connection = Manager(pbx)
    try:
        yield connection
    finally:
        connection.close()
