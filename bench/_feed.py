"""A manager port in a process of its own that sends one recorded block again and again.

Each repetition lies 100,000 seconds after the one before: stamps and Uniqueids differ, nothing else.
The measured side grants credit over a second connection, so that no more than so many events are on
their way: what is measured is the reader, not the size of a socket's buffer.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from core.clock import ManualClock
from telephony.simulator import Simulator, city_pbx
from telephony.simulator.day import DayShape
from telephony.simulator.wire import encode, first, parse

EPOCH = 1_795_400_000  # 10:13 in the city; a block stays below the next 100,000 s
PREFIX = 17_954
SECRET = "bench"
LISTS = ("CoreShowChannels", "QueueStatus")
STRIDE = 1_000  # events sent at a time
Block = list[bytes]


def make_block(events: int) -> Block:
    """At least so many events of a simulated day, every call in them ended."""
    clock = ManualClock(datetime.fromtimestamp(EPOCH, UTC))
    simulator = Simulator(clock=clock, config=city_pbx(agents=80), calls_per_hour=900, seed=7)
    block: Block = []
    simulator.tap(lambda _, headers: block.append(encode(headers)))
    simulator.begin_day()
    while len(block) < events:
        simulator.advance(60)
    simulator.shape = DayShape(calls_per_hour=0)
    while simulator.calls:
        simulator.advance(60)
    return block


def calls_in(block: Block) -> int:
    """How many calls of citizens the block holds."""
    return sum(
        frame.startswith(b"Event: Newchannel") and b"Channel: PJSIP/trunk-" in frame for frame in block
    )


def _later(data: bytes, repetition: int) -> bytes:
    return data.replace(str(PREFIX).encode(), str(PREFIX + repetition).encode()) if repetition else data


class _Credit:
    """How many events may still be sent."""

    def __init__(self) -> None:
        self._free = 0
        self._changed = threading.Condition()

    def grant(self, count: int) -> None:
        with self._changed:
            self._free += count
            self._changed.notify()

    def take(self, count: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._free >= count)
            self._free -= count


def _serve(block: Block, total: int) -> None:
    control, manager = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    print(manager.getsockname()[1], control.getsockname()[1], flush=True)
    credit, lock = _Credit(), threading.Lock()
    line, _ = control.accept()
    threading.Thread(target=_read_credit, args=(line, credit), daemon=True).start()
    client, _ = manager.accept()
    client.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    logged_in = threading.Event()
    threading.Thread(target=_answer, args=(client, lock, logged_in), daemon=True).start()
    logged_in.wait()
    sent = repetition = 0
    while sent < total:
        for start in range(0, len(block), STRIDE):
            part = block[start : start + STRIDE]
            credit.take(len(part))
            data = _later(b"".join(part), repetition)
            with lock:
                client.sendall(data)
            sent += len(part)
        repetition += 1
    threading.Event().wait()  # until the measured side has had enough


def _read_credit(line: socket.socket, credit: _Credit) -> None:
    pending = b""
    while data := line.recv(4096):
        pending += data
        *grants, pending = pending.split(b"\n")
        for grant in grants:
            credit.grant(int(grant))


def _answer(client: socket.socket, lock: threading.Lock, logged_in: threading.Event) -> None:
    """Success to whatever is asked, lists empty: enough for a login and for pings."""
    pending = b""
    while data := client.recv(4096):
        pending += data
        *frames, pending = pending.split(b"\r\n\r\n")
        for frame in frames:
            action = parse(frame)
            identity = first(action, "ActionID")
            reply = f"Response: Success\r\nActionID: {identity}\r\nMessage: Authentication accepted\r\n\r\n"
            name = first(action, "Action")
            if name in LISTS:
                reply += f"Event: {name}Complete\r\nActionID: {identity}\r\nEventList: Complete\r\n\r\n"
            with lock:
                client.sendall(reply.encode())
            logged_in.set()


class Feed:
    """Starts the sending process; `port` is its manager port. Use as a context manager."""

    def __init__(self, block: Block, total: int, window: int = 10_000) -> None:
        self.total = -(-total // len(block)) * len(block)
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "block.ami"
        file.write_bytes(b"".join(block))
        command = [sys.executable, "-m", "bench._feed", str(file), str(total)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port, control = map(int, self._process.stdout.readline().split())
        self._line = socket.create_connection(("127.0.0.1", control))
        self._granted = 0
        self._window = window
        self.handled(0)

    def handled(self, count: int) -> None:
        """So many events are done with in all; lets the sender go on."""
        wanted = count + self._window
        if wanted - self._granted >= STRIDE:
            with contextlib.suppress(OSError):  # the sender has sent all and is gone
                self._line.sendall(f"{wanted - self._granted}\n".encode())
            self._granted = wanted

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()


if __name__ == "__main__":
    whole = Path(sys.argv[1]).read_bytes()
    _serve([frame + b"\r\n\r\n" for frame in whole.split(b"\r\n\r\n")[:-1]], int(sys.argv[2]))
